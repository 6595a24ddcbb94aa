/**
 * How a scan is carried out: which columns and buckets are read, where from and to, and what the server does of it.
 *
 * @module
 */
import { FlussError, flussError } from "../base/errors.ts";
import { backOffMs, type Deadline } from "../base/wait.ts";
import type { FlussClient } from "../client/client.ts";
import { servesKvScan } from "../client/read/kv_scan.ts";
import { prunablePart } from "../client/read/predicate_message.ts";
import { type BucketRef, EARLIEST, listBuckets, resolveStart, resolveStop } from "../client/read/ranges.ts";
import type { BoundTable, TableBinding } from "../client/table/bound_table.ts";
import { columnsOfPredicate, type Predicate } from "../format/predicate.ts";
import type { SchemaColumn } from "../schema/data_type.ts";
import { millisOf, type ScanFrom, type Until } from "./read_position.ts";
import { type ScanParts, tokenOf } from "./scan_parts.ts";
import type { ScanPlan } from "./scan_types.ts";
import { checkToken, FROM_SNAPSHOT } from "./token.ts";

/** What scans of a table share. */
export interface ScanContext {
  readonly client: FlussClient;
  readonly binding: TableBinding;
}

/** What is read of which table. */
export interface Planned {
  readonly bound: BoundTable;
  readonly source: ScanPlan["source"];
  /** The selected columns, and behind them those that only the condition needs. */
  readonly columns: readonly SchemaColumn[];
  /** How many of them are selected. */
  readonly selected: number;
  readonly buckets: readonly BucketRef[];
  /** The part of the condition by which servers may leave batches out. */
  readonly pruned: Predicate | undefined;
}

/** One bucket of a log, with the part of it that is read. */
export interface BucketPart extends BucketRef {
  readonly start: bigint;
  readonly stop: bigint;
}

/** Plans a scan; no row is read for that. */
export async function planScan(context: ScanContext, parts: ScanParts, deadline: Deadline): Promise<Planned> {
  const { client, binding } = context;
  const bound = await binding.find(deadline);
  const buckets = await listBuckets(client, bound, parts.partition, deadline);
  const { declared, columns: live, statistics, logFormat } = bound.codec.layout;
  const column = (key: string): SchemaColumn => {
    const found = declared.find((column) => column.key === key);
    if (found !== undefined) return found;
    // With schemaCheck "off", a declaration may have what the table has not.
    throw flussError("SCAN.UNKNOWN_COLUMN", {
      table: binding.name,
      column: key,
      message: `the live table has no column "${key}"`,
      hint: `it has ${live.map((column) => column.name).join(", ")}`,
    });
  };
  const select = parts.select === undefined ? declared : parts.select.map(column);
  const compared = parts.where === undefined ? [] : columnsOfPredicate(parts.where).map(column);
  const columns = [...select, ...compared.filter((column) => !select.includes(column))];
  // Servers newer than 0.9.1 scan keys, and leave batches out by their statistics; nothing else tells the latter.
  const newer = buckets.length > 0 && await isNewer(client, bound, buckets[0]!, deadline);
  const ofKeys = binding.definition.primaryKey.length > 0;
  const prunable = ofKeys || parts.where === undefined || !newer || logFormat !== "arrow"
    ? undefined
    : prunablePart(parts.where, declared.filter(({ id }) => statistics.some((at) => live[at]!.id === id)));
  return { bound, source: sourceOf(parts, ofKeys, newer), columns, selected: select.length, buckets, pruned: prunable };
}

function sourceOf(parts: ScanParts, ofKeys: boolean, newer: boolean): ScanPlan["source"] {
  if (!ofKeys) return parts.last === undefined ? "log" : "limit scan";
  // The first rows by the limit scan are the first that match only where all match.
  return newer && (parts.limit === undefined || parts.where !== undefined) ? "key-value scan" : "limit scan";
}

async function isNewer(client: FlussClient, bound: BoundTable, ref: BucketRef, deadline: Deadline): Promise<boolean> {
  for (let attempt = 1;; attempt++) {
    try {
      return await servesKvScan(client, bound, ref, deadline);
    } catch (error) {
      // Buckets of a new table have no leader for a moment.
      if (!FlussError.is(error) || !error.retriable) throw error;
      await deadline.pause(backOffMs(attempt), `looking for the leaders of ${bound.target.name}`, error);
      await client.cluster.refresh(bound.partition(ref.partition).physical, deadline);
    }
  }
}

/**
 * Runs something that plans; again when the table turns out to be another one than the handle knew.
 *
 * @throws FlussServerError `SERVER.TABLE_NOT_EXIST` when it is gone
 */
export async function onLiveTable<T>({ binding }: ScanContext, run: () => Promise<T>): Promise<T> {
  const known = binding.bound;
  try {
    return await run();
  } catch (error) {
    const changed = known !== undefined && binding.bound !== known;
    if (!changed || !FlussError.is(error, "SERVER.TABLE_NOT_EXIST")) throw error;
    return await run();
  }
}

/**
 * The part of each bucket that is read; buckets that are not read are left out.
 *
 * @throws FlussUsageError `SCAN.UNKNOWN_BUCKET`, `SCAN.UNKNOWN_PARTITION`, `SCAN.CONFLICT`; FlussSubscriptionError
 * `SUBSCRIPTION.*`
 */
export async function planBuckets(
  context: ScanContext,
  parts: ScanParts,
  { bound, buckets }: Planned,
  deadline: Deadline,
): Promise<BucketPart[]> {
  const { from = "earliest", until = "latest" } = parts;
  const [starts, stops] = await Promise.all([
    startsOf(context, bound, buckets, from, deadline),
    stopsOf(context, bound, buckets, until, deadline),
  ]);
  return buckets.flatMap((bucket, i) => {
    const start = starts[i];
    return start === undefined ? [] : [{ ...bucket, start, stop: stops[i]! }];
  });
}

async function startsOf(
  { client, binding }: ScanContext,
  bound: BoundTable,
  buckets: readonly BucketRef[],
  from: ScanFrom,
  deadline: Deadline,
): Promise<(bigint | undefined)[]> {
  if (typeof from === "string") return await resolveStart(client, bound, buckets, from, deadline);
  if ("timestamp" in from) {
    return await resolveStart(client, bound, buckets, { timestamp: millisOf(from.timestamp) }, deadline);
  }
  if ("offsets" in from) return await resolveStart(client, bound, buckets, from, deadline);
  const token = tokenOf(from.token, binding.name);
  checkToken(token, bound);
  const positions = new Map(token.positions.map((position) => [bucketName(position), position]));
  const found = buckets.map((bucket) => {
    const position = positions.get(bucketName(bucket));
    // A partition that was made anew under its name starts at its beginning.
    return (position?.partitionId ?? bucket.partitionId) === bucket.partitionId ? position?.offset : undefined;
  });
  if (found.includes(FROM_SNAPSHOT)) {
    throw flussError("SCAN.BAD_POSITION", {
      table: binding.name,
      message: "from: the token was taken while current rows were read, which is no position in the log",
      hint: "give it to changes()",
    });
  }
  const offsets = buckets.flatMap(({ bucket, partition }, i) =>
    found[i] === undefined || found[i] < 0n ? [] : [{ bucket, partition, offset: found[i] }]
  );
  if (offsets.length > 0) await resolveStart(client, bound, buckets, { offsets }, deadline);
  return found.map((offset) => offset ?? (token.only === true ? undefined : EARLIEST));
}

/** A text per bucket of a table, to look it up by. */
export function bucketName({ partition, bucket }: { readonly partition?: string | undefined; bucket: number }): string {
  return partition === undefined ? `${bucket}` : `${bucket} ${partition}`;
}

async function stopsOf(
  { client }: ScanContext,
  bound: BoundTable,
  buckets: readonly BucketRef[],
  until: Until,
  deadline: Deadline,
): Promise<bigint[]> {
  const at = typeof until !== "string" && "timestamp" in until ? { timestamp: millisOf(until.timestamp) } : until;
  return await resolveStop(client, bound, buckets, at, deadline);
}
