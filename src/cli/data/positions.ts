/**
 * Places in a log as words of a command line: `earliest`, `2026-11-23T10:00Z`, `15m`, `0:1200,1:1180`.
 *
 * @module
 */
import { parseDate, parseDateTime, parseInstant } from "../../base/calendar.ts";
import type { From } from "../../query/read_position.ts";
import type { OffsetPosition } from "../../query/admin/buckets.ts";
import { badUsage } from "./values.ts";

/** For the help. */
export const TIME_TEXT = "a time such as 2026-11-23T10:00Z, or an age such as 15m or 2h";

const AGES: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Reads where reading begins, or ends.
 *
 * @param words those that name a place
 * @throws FlussUsageError `CLI.BAD_USAGE`
 */
export function readPosition<W extends "earliest" | "latest" | "snapshot">(
  option: string,
  text: string,
  words: readonly W[],
  now: number = Date.now(),
): W | Exclude<From, string> {
  const word = words.find((word) => word === text);
  if (word !== undefined) return word;
  const timestamp = timeOf(text, now);
  if (timestamp !== undefined) return { timestamp };
  if (/^[\d:,]+$/.test(text) && text.includes(":")) {
    return { offsets: text.split(",").map((part) => offsetOf(part, text)) };
  }
  throw badUsage(
    `--${option} wants a place in the log, not ${JSON.stringify(text)}`,
    `${words.join(", ")}; ${TIME_TEXT}; offsets such as 0:1200,1:1180, of bucket and offset`,
  );

  function offsetOf(part: string, whole: string): { readonly bucket: number; readonly offset: bigint } {
    const match = /^(\d{1,9}):(\d{1,19})$/.exec(part);
    if (match !== null) return { bucket: Number(match[1]), offset: BigInt(match[2]!) };
    throw badUsage(`--${option} wants offsets such as 0:1200,1:1180, not ${JSON.stringify(whole)}`);
  }
}

/**
 * Reads where an offset is asked for.
 *
 * @throws FlussUsageError `CLI.BAD_USAGE`
 */
export function readOffsetPosition(option: string, text: string, now: number = Date.now()): OffsetPosition {
  if (text === "earliest" || text === "latest") return text;
  const timestamp = timeOf(text, now);
  if (timestamp !== undefined) return { timestamp };
  throw badUsage(`--${option} wants earliest, latest or a time, not ${JSON.stringify(text)}`, TIME_TEXT);
}

/** Milliseconds since 1970. */
function timeOf(text: string, now: number): number | undefined {
  const age = /^(\d{1,9})([smhd])$/.exec(text);
  if (age !== null) return now - Number(age[1]) * AGES[age[2]!]!;
  const days = parseDate(text);
  if (days !== undefined) return days * AGES["d"]!;
  // A wall clock's time is taken for one in UTC, as servers write them.
  return (parseInstant(text) ?? parseDateTime(text))?.millis;
}
