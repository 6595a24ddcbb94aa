/**
 * How the logs of a table are read for a request: as they are, some columns of them, or only what a filter may match.
 *
 * @module
 */
import type { PbFetchLogReqForTable } from "../../client/rpc/gen/fluss/v1/log_pb.ts";
import { isSet } from "../../client/rpc/required.ts";
import { LOG_BATCH_HEADER_BYTES, logBatchAt } from "../../format/log_batch.ts";
import type { LiveSchema } from "../../schema/descriptor.ts";
import { type CatalogTable, tableText } from "../catalog/table.ts";
import { fault } from "../fault.ts";
import { type BatchFilter, compileBatchFilter } from "./batch_filter.ts";
import type { BucketLog } from "./bucket_log.ts";
import { compileProjector, type ProjectedBatch, type Projector } from "./projection.ts";
import { logFormatOf } from "./table_formats.ts";

/** What was read. */
export interface ReadRecords {
  /** Batches, one after the other. */
  readonly parts: readonly Uint8Array[];
  /** Where to go on when everything up to there was filtered out. */
  readonly filteredEnd?: number | undefined;
}

/**
 * Reads from an offset on, as {@linkcode BucketLog.read} does.
 *
 * @throws {ServerFault} 34 when batches have not the columns that are wanted
 */
export type Reading = (log: BucketLog, offset: number, maxBytes: number, wholeFirst: boolean) => ReadRecords;

/** Batches looked at for one answer; when a filter drops so many, the client asks for the next ones. */
const MAX_FILTERED = 10_000;

/** @throws {ServerFault} 34 when the logs of the table cannot be read so */
export function compileReading(table: CatalogTable, request: PbFetchLogReqForTable): Reading {
  const isArrow = logFormatOf(table) === "arrow";
  const { projectionPushdownEnabled: projects, projectedFields, filterPredicate } = request;
  if (projects && !isArrow) {
    throw fault(
      "SERVER.INVALID_COLUMN_PROJECTION",
      `Column projection is only supported for ARROW format, but the table ${tableText(table.path)} is ` +
        `${logFormatOf(table).toUpperCase()} format.`,
    );
  }
  const projection = projects ? projectionOf(table, projectedFields) : undefined;
  const filter = filterPredicate === undefined || !isArrow
    ? undefined
    : compileBatchFilter(table, filterPredicate, request.filterSchemaId);
  if (filter !== undefined) return filtered(filter, projection);
  if (projection !== undefined) return projected(projection);
  return (log, offset, maxBytes, wholeFirst) => ({ parts: log.read(offset, maxBytes, wholeFirst) });
}

/** @throws {ServerFault} -1 when a filter lacks its schema */
export function checkFilter(request: PbFetchLogReqForTable): void {
  if (request.filterPredicate === undefined) return;
  const { tableId, filterSchemaId } = request;
  if (!isSet(request, "filterSchemaId")) {
    throw fault(
      "SERVER.UNKNOWN_SERVER_ERROR",
      `Filter predicate is set but filterSchemaId is missing for table ${tableId}`,
    );
  }
  if (filterSchemaId < 0) {
    throw fault("SERVER.UNKNOWN_SERVER_ERROR", `Invalid filterSchemaId (${filterSchemaId}) for table ${tableId}`);
  }
}

/** Projectors by schema and columns. */
const projectors = new WeakMap<LiveSchema, Map<string, Projector>>();

function projectionOf(table: CatalogTable, positions: readonly number[]): Projector {
  const key = positions.join();
  return (bytes) => {
    const { schemaId } = logBatchAt(bytes, 0)!;
    const schema = table.schemas.get(schemaId);
    if (schema === undefined) throw fault("SERVER.SCHEMA_NOT_EXIST", `there is no schema ${schemaId}`);
    let ofSchema = projectors.get(schema);
    if (ofSchema === undefined) projectors.set(schema, ofSchema = new Map());
    let projector = ofSchema.get(key);
    if (projector === undefined) ofSchema.set(key, projector = compileProjector(schema, positions));
    return projector(bytes);
  };
}

function projected(project: Projector): Reading {
  return (log, offset, maxBytes, wholeFirst) => {
    const batches: ProjectedBatch[] = [];
    if (offset === log.end) return { parts: [] };
    let room = -1;
    log.store.visit(offset, ({ size }, read) => {
      if (room < 0) room = wholeFirst ? Math.max(maxBytes, size) : maxBytes;
      if (room <= LOG_BATCH_HEADER_BYTES) return false;
      const batch = project(read());
      if (batch.size > room) return false;
      batches.push(batch);
      if (!batch.empty) room -= batch.size;
      return true;
    });
    return { parts: written(batches) };
  };
}

function filtered(filter: BatchFilter, project: Projector | undefined): Reading {
  return (log, offset, maxBytes, wholeFirst) => {
    const batches: ProjectedBatch[] = [];
    let room = maxBytes;
    let full = false;
    let scanned = 0;
    let scannedEnd = offset;
    let includedEnd = offset;
    if (offset === log.end) return { parts: [] };
    log.store.visit(offset, ({ lastOffset }, read) => {
      const bytes = read();
      if (filter(logBatchAt(bytes, 0)!)) {
        const batch = project?.(bytes) ?? whole(bytes);
        // A projection leaves out what holds no records.
        if (project === undefined || !batch.empty) {
          if (batches.length === 0) room = wholeFirst ? Math.max(room, batch.size) : room;
          else if (batch.size > room) {
            full = true;
            return false;
          }
          batches.push(batch);
          room -= batch.size;
          includedEnd = lastOffset + 1;
        }
      }
      scannedEnd = lastOffset + 1;
      return ++scanned < MAX_FILTERED;
    });
    return { parts: written(batches), filteredEnd: !full && scannedEnd > includedEnd ? scannedEnd : undefined };
  };
}

function whole(bytes: Uint8Array): ProjectedBatch {
  return { empty: false, size: bytes.length, writeTo: (out, at) => out.set(bytes, at) };
}

function written(batches: readonly ProjectedBatch[]): Uint8Array[] {
  const size = batches.reduce((sum, batch) => sum + batch.size, 0);
  const out = new Uint8Array(size);
  let at = 0;
  for (const batch of batches) {
    batch.writeTo(out, at);
    at += batch.size;
  }
  return [out];
}
