/**
 * Opens a stream on the runtime that runs this.
 *
 * @module
 */
import { dialBun } from "./bun.ts";
import { dialDeno } from "./deno.ts";
import { dialNode } from "./node.ts";
import type { Dial } from "./port.ts";

/** Opens a stream with the sockets of this runtime: Bun's, Deno's, or else Node's. */
export const dial: Dial = (host, port, options) => {
  const runtime = globalThis as { Bun?: { connect?: unknown }; Deno?: { connect?: unknown } };
  if (typeof runtime.Bun?.connect === "function") return dialBun(host, port, options);
  if (typeof runtime.Deno?.connect === "function") return dialDeno(host, port, options);
  return dialNode(host, port, options);
};
