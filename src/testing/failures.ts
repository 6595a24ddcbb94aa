/**
 * Failures that a test asks its server for.
 *
 * @module
 */
import { ERROR_TABLE, type ServerErrorCode } from "../base/error_table.ts";
import { flussError } from "../base/errors.ts";
import { tableText } from "../embedded/catalog/table.ts";
import type { Engine, Interceptor, ServedRequest } from "../embedded/engine.ts";
import { fault, type ServerFault } from "../embedded/fault.ts";
import type { Call } from "../embedded/requests/handler.ts";
import type { BucketId } from "../embedded/storage/storage.ts";
import { KvRecords, readKvBatchHeader } from "../format/kv_batch.ts";
import { bucketKey, type RequestPart, requestParts } from "./request_parts.ts";

/**
 * What can fail, by the name of the call:
 *
 * - `upsert`, `update` and `delete` of rows, `append` to logs; forms for many rows and streams are the same
 * - `lookup` (of one row or many), `prefixLookup`
 * - `scan`: reading rows, of log tables their log
 * - `changes`: reading change logs and logs, and the rows that `from: "snapshot"` begins with. Servers do not see whether
 *   rows and logs are read by a scan or a subscription: where both run, the first to ask fails
 * - `admin`: everything about databases, tables, schemas and partitions; the client does not try it again
 */
export type Operation =
  | "upsert"
  | "update"
  | "delete"
  | "append"
  | "lookup"
  | "prefixLookup"
  | "scan"
  | "changes"
  | "admin";

/** How it fails. */
export interface FailureOptions {
  /**
   * What the server says, of every bucket that the request asks for. Default `SERVER.STORAGE_EXCEPTION`, which the client
   * tries again.
   *
   * Or how the connection ends: with `"disconnect"` the server hangs up before it serves the request, with
   * `"answerLost"` after that, so that nobody hears what came of it.
   */
  readonly code?: ServerErrorCode | "disconnect" | "answerLost";
  /** How many requests fail; the client sends rows and keys of one moment in one request. Default 1. */
  readonly times?: number;
  /** The server's words. Default: that a test asked for it. */
  readonly message?: string;
}

/** A failure that was asked for. */
export interface Failure {
  /** How often it will still happen. */
  readonly left: number;
  /** How often it has happened. */
  readonly happened: number;
  /** Takes it back. */
  cancel(): void;
}

/** Which parts of which requests belong to an operation. Without parts it is the whole request. */
type Belongs = (api: string, part: RequestPart | undefined, message: unknown, engine: Engine) => boolean;

const OPERATIONS: Readonly<Record<Operation, Belongs>> = {
  upsert: (api, part, message) => api === "PUT_KV" && !hasTargets(message) && hasRecords(part, false),
  update: (api, part, message) => api === "PUT_KV" && hasTargets(message) && hasRecords(part, false),
  delete: (api, part) => api === "PUT_KV" && hasRecords(part, true),
  append: (api) => api === "PRODUCE_LOG",
  lookup: (api) => api === "LOOKUP",
  prefixLookup: (api) => api === "PREFIX_LOOKUP",
  scan: (api, part, _message, engine) =>
    api === "LIMIT_SCAN" || api === "SCAN_KV" || (api === "FETCH_LOG" && isLog(engine, part)),
  changes: (api) => api === "FETCH_LOG" || api === "SCAN_KV",
  admin: (api) => ADMIN.test(api),
};

const ADMIN =
  /^(?:CREATE|DROP|ALTER|LIST)_(?:DATABASE|TABLE|PARTITION)|^(?:DATABASE|TABLE)_EXISTS$|^GET_(?:DATABASE_INFO|TABLE_INFO|TABLE_SCHEMA)$/;

function hasTargets(message: unknown): boolean {
  return (message as { readonly targetColumns: readonly number[] }).targetColumns.length > 0;
}

/** Whether there are rows for a bucket, or deletes. */
function hasRecords(part: RequestPart | undefined, deletes: boolean): boolean {
  const bytes = part?.records;
  if (bytes === undefined) return false;
  const records = new KvRecords(bytes);
  for (let left = readKvBatchHeader(bytes).recordCount; left > 0; left--) {
    records.next();
    if ((records.end === records.keyEnd) === deletes) return true;
  }
  return false;
}

function isLog(engine: Engine, part: RequestPart | undefined): boolean {
  const table = part === undefined ? undefined : engine.catalog.tableById(part.tableId);
  return table !== undefined && table.live.schema.primaryKey.length === 0;
}

/** The failures of one server. */
export class Failures implements Interceptor {
  readonly #engine: Engine;
  #waiting: PendingFailure[] = [];
  /** What the buckets of a request are answered with, by {@linkcode bucketKey}. */
  readonly #ofBuckets = new WeakMap<Call, ReadonlyMap<string, ServerFault>>();

  constructor(engine: Engine) {
    this.#engine = engine;
    engine.interceptor = this;
  }

  /** @param table `database.table`; undefined for any */
  add(operation: Operation, table: string | undefined, options: FailureOptions): Failure {
    const { code = "SERVER.STORAGE_EXCEPTION", times = 1, message = "a test asked for this failure" } = options;
    if (!Object.hasOwn(OPERATIONS, operation)) {
      throw badOption(
        `${JSON.stringify(operation)} is no operation`,
        `there are ${Object.keys(OPERATIONS).join(", ")}`,
      );
    }
    if (!isHangUp(code) && !isFault(code)) {
      throw badOption(
        `${JSON.stringify(code)} is nothing that a server can say`,
        'use one of the codes SERVER.*, "disconnect" or "answerLost"',
      );
    }
    if (!(times >= 1 && (Number.isInteger(times) || times === Infinity))) {
      throw badOption(`times is a whole number of at least 1, not ${times}`, "leave it out for once");
    }
    const failure = new PendingFailure(operation, table, code, message, times);
    this.#waiting.push(failure);
    return failure;
  }

  /** Those that were asked for a number of times, and have not happened as often. */
  get waiting(): readonly {
    readonly operation: Operation;
    readonly table: string | undefined;
    readonly left: number;
  }[] {
    return this.#waiting.filter(({ left }) => left > 0 && left !== Infinity);
  }

  onRequest(request: ServedRequest): ServerFault | undefined {
    this.#waiting = this.#waiting.filter(({ left }) => left > 0);
    if (this.#waiting.length === 0) return undefined;
    const parts = requestParts(this.#engine, request);
    const faults = new Map<string, ServerFault>();
    for (const failure of this.#waiting) {
      const { code, message } = failure;
      const found = parts?.filter((part) =>
        !faults.has(bucketKey(part)) && this.#isIn(part.tableId, failure.table) &&
        OPERATIONS[failure.operation](request.api, part, request.message, this.#engine)
      );
      const isHit = found === undefined ? this.#isWhole(request, failure) : found.length > 0;
      if (!isHit) continue;
      failure.happen();
      if (isHangUp(code)) {
        const { session } = request.call;
        // Requests are served in this turn; their answers leave at its end.
        if (code === "answerLost") queueMicrotask(() => session.close());
        else session.close();
        return code === "answerLost" ? undefined : fault("SERVER.NETWORK_EXCEPTION", message);
      }
      if (found === undefined) return fault(code, message);
      for (const part of found) faults.set(bucketKey(part), fault(code, message));
    }
    if (faults.size > 0) this.#ofBuckets.set(request.call, faults);
    return undefined;
  }

  onBucket(call: Call, { tableId, partitionId, bucket }: BucketId): ServerFault | undefined {
    return this.#ofBuckets.get(call)?.get(bucketKey({ tableId, partitionId, bucketId: bucket }));
  }

  #isIn(tableId: number, table: string | undefined): boolean {
    if (table === undefined) return true;
    const found = this.#engine.catalog.tableById(tableId);
    return found !== undefined && tableText(found.path) === table;
  }

  /** Whether a request without buckets is what fails. */
  #isWhole({ api, message }: ServedRequest, { operation, table }: PendingFailure): boolean {
    if (!OPERATIONS[operation](api, undefined, message, this.#engine)) return false;
    if (table === undefined) return true;
    const { tablePath } = message as {
      readonly tablePath?: { readonly databaseName: string; readonly tableName: string };
    };
    return tablePath !== undefined && `${tablePath.databaseName}.${tablePath.tableName}` === table;
  }
}

class PendingFailure implements Failure {
  readonly operation: Operation;
  readonly table: string | undefined;
  readonly code: NonNullable<FailureOptions["code"]>;
  readonly message: string;
  left: number;
  happened = 0;

  constructor(
    operation: Operation,
    table: string | undefined,
    code: NonNullable<FailureOptions["code"]>,
    message: string,
    times: number,
  ) {
    this.operation = operation;
    this.table = table;
    this.code = code;
    this.message = message;
    this.left = times;
  }

  happen(): void {
    this.left--;
    this.happened++;
  }

  cancel(): void {
    this.left = 0;
  }
}

function isHangUp(code: string): code is "disconnect" | "answerLost" {
  return code === "disconnect" || code === "answerLost";
}

function isFault(code: string): code is ServerErrorCode {
  return Object.hasOwn(ERROR_TABLE, code) && "serverCode" in ERROR_TABLE[code as keyof typeof ERROR_TABLE];
}

/** The error of those who were told what makes no sense. */
export function badOption(message: string, hint: string): Error {
  return flussError("TEST.BAD_OPTION", { message, hint });
}
