/**
 * Colours, for terminals whose users want them.
 *
 * @module
 */
import type { Io } from "../command.ts";

/** What text can look like. */
export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly red: (text: string) => string;
}

const PLAIN = (text: string) => text;
const coloured = (on: number, off: number) => (text: string) => text === "" ? "" : `\u001b[${on}m${text}\u001b[${off}m`;

/** Colours where the stream is a terminal, and neither `NO_COLOR` (https://no-color.org) nor a dumb terminal forbids. */
export function styleOf(io: Io, stream: "out" | "err"): Style {
  const wanted = io.screen[stream] && (io.env["NO_COLOR"] ?? "") === "" && io.env["TERM"] !== "dumb";
  if (!wanted) return { bold: PLAIN, dim: PLAIN, green: PLAIN, yellow: PLAIN, red: PLAIN };
  return {
    bold: coloured(1, 22),
    dim: coloured(2, 22),
    green: coloured(32, 39),
    yellow: coloured(33, 39),
    red: coloured(31, 39),
  };
}
