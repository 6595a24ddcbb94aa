/**
 * What a scan does where.
 *
 * @module
 */
import { SourcePlan } from "../client/read/log_source.ts";
import { type Predicate, predicateText } from "../format/predicate.ts";
import { onLiveTable, type Planned, planScan, type ScanContext } from "./scan_plan.ts";
import type { ScanParts } from "./scan_parts.ts";
import type { ScanOptions, ScanPlan } from "./scan_types.ts";

/** Plans a scan as a run of it would, and tells the plan. */
export async function explainScan(context: ScanContext, parts: ScanParts, options: ScanOptions): Promise<ScanPlan> {
  const deadline = context.client.cluster.deadline(options);
  const planned = await onLiveTable(context, () => planScan(context, parts, deadline));
  return tellPlan(planned, parts);
}

/** See {@linkcode explainScan}. */
export function tellPlan(planned: Planned, parts: ScanParts): ScanPlan {
  const { bound, source, columns, buckets, pruned } = planned;
  const { logFormat, rowFormat, columns: live, schemaId } = bound.codec.layout;
  const pushedDown: string[] = [];
  const clientSide: string[] = [];
  const names = columns.map((column) => column.key).join(", ");
  if (source !== "log") pushedDown.push(...howFetched(planned, parts));
  if (columns.length < live.length) {
    const { whole, projected } = new SourcePlan({ bound, columns });
    if (source !== "log" || projected === whole) clientSide.push(`projection: ${names}`);
    else {
      pushedDown.push(`projection: ${names}`);
      if (schemaId > 1) clientSide.push("projection of records that are older than one of the columns");
    }
  }
  const { where, limit, last } = parts;
  if (pruned !== undefined) pushedDown.push(`predicate, by the statistics of batches: ${predicateText(pruned)}`);
  if (where !== undefined) clientSide.push(`predicate: ${predicateText(where as Predicate)}`);
  if (limit !== undefined) clientSide.push(`limit: ${limit}`);
  if (last !== undefined) clientSide.push(`last: ${last} of all buckets, by time`);
  const format = source === "log" || bound.codec.layout.primaryKey.length === 0 ? logFormat : rowFormat;
  return {
    source,
    format,
    columns: columns.map((column) => column.key),
    buckets: buckets.length,
    pushedDown,
    clientSide,
  };
}

function howFetched({ source }: Planned, { limit, last, where }: ScanParts): string[] {
  if (source === "key-value scan") return ["key-value scan: all rows"];
  if (last !== undefined) return [`limit scan: the last ${last} rows of each bucket`];
  return limit !== undefined && where === undefined
    ? [`limit scan: the first ${limit} rows of each bucket`]
    : ["limit scan: all rows of each bucket, up to scanner.fullScanRows"];
}
