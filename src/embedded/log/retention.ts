/**
 * Logs lose what has outlived `table.log.ttl`. Nothing runs by itself for that: a log is looked after when it comes into
 * use, and then whoever reads or writes looks after all that are in use, now and then. A process is not kept alive by it,
 * and what nobody reads is in nobody's way.
 *
 * @module
 */
import type { CatalogTable } from "../catalog/table.ts";
import type { Engine } from "../engine.ts";
import type { BucketLog } from "./bucket_log.ts";

/** When each engine looks again. */
const nextLook = new WeakMap<Engine, number>();

const DAY_MS = 86_400_000;

/** Servers forget writers that wrote nothing for so long: `server.writer-id.expiration-time`. */
const WRITER_TTL_MS = 7 * DAY_MS;

/** The default of `table.log.ttl`. */
const LOG_TTL_MS = 7 * DAY_MS;

/** Drops what has outlived its time from all logs in use, unless that was done a short while ago. */
export function dropExpired(engine: Engine): void {
  const now = engine.clock.now();
  if (now < (nextLook.get(engine) ?? 0)) return;
  nextLook.set(engine, now + engine.settings.retentionCheckMs);
  for (const { table, log } of engine.buckets.all()) expireLog(engine, table, log);
}

/** Drops what has outlived its time from one log. */
export function expireLog({ clock }: Engine, table: CatalogTable, log: BucketLog): void {
  const now = clock.now();
  log.expire(now - logTtl(table), now - WRITER_TTL_MS);
}

/** Milliseconds; Infinity where nothing expires. */
function logTtl({ live }: CatalogTable): number {
  const text = live.properties["table.log.ttl"];
  const ttl = text === undefined ? LOG_TTL_MS : durationMs(text);
  return ttl > 0 ? ttl : Infinity;
}

/** Milliseconds of the units, by how their names begin (Fluss: TimeUtils.java). */
const UNITS: readonly (readonly [RegExp, number])[] = [
  [/^d/, DAY_MS],
  [/^h/, 3_600_000],
  [/^(ms|milli)/, 1],
  [/^m/, 60_000],
  [/^(µs|micro)/, 1e-3],
  [/^n/, 1e-6],
  [/^s/, 1000],
];

/** A duration such as `7 d`, `12h` or `90 seconds`; without a unit milliseconds. The catalog let no other text through. */
function durationMs(text: string): number {
  const [, count, unit = ""] = /^(\d+)\s*(.*)$/.exec(text.trim().toLowerCase()) ?? [];
  const ms = UNITS.find(([names]) => names.test(unit))?.[1] ?? 1;
  return Number(count ?? 0) * ms;
}
