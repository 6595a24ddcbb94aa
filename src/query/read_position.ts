/**
 * Where reading starts and where it ends.
 *
 * @module
 */
import { flussError } from "../base/errors.ts";
import type { BucketOffset } from "./admin/buckets.ts";

/** A point in time: a number is milliseconds since 1970. */
export type PointInTime = Temporal.Instant | Date | number;

/** The first batch that was written at or after a time, in every bucket. */
export interface AtTime {
  /** The time, on the clock of the server that wrote the batch. */
  readonly timestamp: PointInTime;
}

/** Exactly these buckets, each at its offset. Buckets that are not named are not read. */
export interface AtOffsets {
  /** One entry per bucket. */
  readonly offsets: readonly BucketOffset[];
}

/** Where a checkpoint was taken. */
export interface AtToken {
  /** The text of the checkpoint. */
  readonly token: string;
}

/**
 * Where reading starts: at the oldest record that is kept, at the end, with the current rows (`"snapshot"`, in
 * `changes()` alone), at a time, at offsets, or where a checkpoint was taken.
 *
 * @example
 * ```ts
 * import type { From } from "sluice";
 *
 * export const anHourAgo: From = { timestamp: Date.now() - 3_600_000 };
 * export const oneBucket: From = { offsets: [{ bucket: 0, offset: 1000n }] };
 * ```
 */
export type From = "earliest" | "latest" | "snapshot" | AtTime | AtOffsets | AtToken;

/** Where a scan starts. */
export type ScanFrom = Exclude<From, "snapshot">;

/**
 * Where reading ends, exclusive: at what was the end when reading began (`"latest"`), at a time, or at offsets. Buckets
 * that the offsets do not name end at what was their end.
 */
export type Until = "latest" | AtTime | AtOffsets;

/**
 * Checks the form of a position where it is given, before anything is asked of a server: what its offsets and its token
 * mean is known when the table is.
 *
 * @param call the method, for the message: `from`
 * @throws FlussUsageError `SCAN.BAD_POSITION`
 */
export function checkPosition(
  position: unknown,
  call: "from" | "until",
  table: string,
  words: readonly string[],
): asserts position is From {
  const refuse = (message: string): never => {
    throw flussError("SCAN.BAD_POSITION", {
      table,
      message,
      hint: `${call} takes ${words.map((word) => `"${word}"`).join(", ")}, { timestamp }, { offsets: [{ bucket, ` +
        `partition?, offset }] }${call === "from" ? " or { token }" : ""}`,
    });
  };
  if (typeof position === "string") {
    if (!words.includes(position)) refuse(`${call}: ${JSON.stringify(position)} is no position`);
    return;
  }
  if (typeof position !== "object" || position === null) refuse(`${call}: ${String(position)} is no position`);
  const { timestamp, offsets, token } = position as { timestamp?: unknown; offsets?: unknown; token?: unknown };
  const given = [timestamp, offsets, token].filter((part) => part !== undefined).length;
  if (given !== 1) refuse(`${call}: a position has exactly one of its parts, and this one has ${given}`);
  if (token !== undefined) {
    if (call === "until") refuse("until: a token says where to start, not where to end");
    if (typeof token !== "string") refuse(`${call}: token is a text, not ${typeof token}`);
  }
  if (timestamp !== undefined && !Number.isSafeInteger(millisOf(timestamp))) {
    refuse(`${call}: ${String(timestamp)} is no time; use Temporal.Instant, Date or whole milliseconds since 1970`);
  }
  if (offsets !== undefined) checkOffsets(offsets, call, refuse);
}

function checkOffsets(offsets: unknown, call: string, refuse: (message: string) => never): void {
  if (!Array.isArray(offsets) || offsets.length === 0) {
    refuse(`${call}: offsets is a list with one entry per bucket, and not empty`);
  }
  const seen = new Set<string>();
  for (const entry of offsets as unknown[]) {
    const { bucket, partition, offset } = (entry ?? {}) as { bucket?: unknown; partition?: unknown; offset?: unknown };
    if (!Number.isSafeInteger(bucket) || (bucket as number) < 0) {
      refuse(`${call}: bucket ${String(bucket)} is no number of a bucket`);
    }
    if (partition !== undefined && typeof partition !== "string") {
      refuse(`${call}: the partition of bucket ${String(bucket)} is the name of one, a text`);
    }
    if (typeof offset !== "bigint" || offset < 0n) {
      refuse(`${call}: the offset of bucket ${String(bucket)} is a bigint of at least 0n, not ${String(offset)}`);
    }
    const name = `${partition === undefined ? "" : `${String(partition)} `}${String(bucket)}`;
    if (seen.has(name)) refuse(`${call}: bucket ${name} is named twice`);
    seen.add(name);
  }
}

/** Milliseconds since 1970, rounded down; NaN for what is no point in time. */
export function millisOf(timestamp: unknown): number {
  if (typeof timestamp === "number") return timestamp;
  if (timestamp instanceof Date) return timestamp.getTime();
  const millis = (timestamp as { epochMilliseconds?: unknown } | null)?.epochMilliseconds;
  return typeof millis === "number" ? millis : NaN;
}
