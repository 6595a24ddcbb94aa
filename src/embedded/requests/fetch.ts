/**
 * Reading logs. A fetch that finds less than it wants waits for more.
 *
 * @module
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  FetchLogRequest,
  FetchLogResponseSchema,
  PbFetchLogReqForBucket,
  PbFetchLogReqForTable,
  PbFetchLogRespForBucketSchema,
} from "../../client/rpc/gen/fluss/v1/log_pb.ts";
import { optionalField } from "../../client/rpc/required.ts";
import { bucketText } from "../bucket_text.ts";
import type { CatalogTable } from "../catalog/table.ts";
import type { Engine } from "../engine.ts";
import { asFault, fault, faultFields } from "../fault.ts";
import type { BucketLog } from "../log/bucket_log.ts";
import { joined } from "../log/joined.ts";
import { dropExpired } from "../log/retention.ts";
import { checkFilter, compileReading, type Reading } from "../log/reading.ts";
import type { BucketId } from "../storage/storage.ts";
import { bucketFor, oncePerBucket } from "./buckets_of.ts";
import type { Call, Handlers } from "./handler.ts";

type FetchAnswer = MessageInitShape<typeof FetchLogResponseSchema>;
type BucketAnswer = MessageInitShape<typeof PbFetchLogRespForBucketSchema>;

/** Handlers of what readers of logs ask for. */
export const fetchHandlers: Handlers = {
  FETCH_LOG: (engine, request, call) => {
    request.tablesReq.forEach(checkFilter);
    dropExpired(engine);
    const fetch = new Fetch(engine, request, call);
    return fetch.answersAtOnce() ? fetch.answer : fetch.wait();
  },
};

/** How long servers wait for `min_bytes` when they are not told. */
const DEFAULT_WAIT_MS = 100;

/** From here on answers are made one after another. */
const LARGE_BYTES = 64 << 10;

/** One bucket of a fetch that can be read. */
interface Wanted {
  readonly table: PbFetchLogReqForTable;
  readonly bucket: PbFetchLogReqForBucket;
  /** What there is to read, at most as much as was asked for. */
  bytes: number;
}

/** What a bucket answers with that could be read. */
interface BucketRead {
  readonly highWatermark: bigint;
  readonly logStartOffset: bigint;
  readonly records: Uint8Array;
  readonly filteredEndOffset?: bigint;
}

/** One request. */
class Fetch {
  answer: FetchAnswer = {};
  readonly #engine: Engine;
  readonly #request: FetchLogRequest;
  readonly #call: Call;
  readonly #wanted: Wanted[] = [];
  /** Whether something failed in a way that waiting does not mend. */
  #failed = false;

  constructor(engine: Engine, request: FetchLogRequest, call: Call) {
    this.#engine = engine;
    this.#request = request;
    this.#call = call;
    this.#read();
  }

  answersAtOnce(): boolean {
    const minBytes = optionalField(this.#request, "minBytes");
    return minBytes === undefined || this.#waitMs <= 0 || this.#failed || this.#wanted.length === 0 ||
      this.#bytes >= minBytes;
  }

  /** Answers when there is enough to read, a log is gone, or the time is over. */
  wait(): Promise<FetchAnswer> {
    const { clock, buckets } = this.#engine;
    const { session } = this.#call;
    const { minBytes } = this.#request;
    // What there is by then is read by then.
    this.answer = {};
    return new Promise((resolve, reject) => {
      let over = false;
      const undo: (() => void)[] = [];
      const finish = (): void => {
        if (over) return;
        over = true;
        for (const one of undo) one();
        if (this.#bytes < LARGE_BYTES) answer();
        else session.whenRoom(this.#call, answer);
      };
      const answer = (): void => {
        if (this.#engine.closed || session.closed) {
          reject(fault("SERVER.NETWORK_EXCEPTION", "The server is stopping."));
          return;
        }
        try {
          this.#read();
          resolve(this.answer);
        } catch (error) {
          reject(asFault(error));
        }
      };
      // What else this turn appends comes along.
      const finishSoon = () => queueMicrotask(finish);
      const alarm = clock.set(this.#waitMs, finish);
      undo.push(() => clock.clear(alarm), session.onClose(finish));
      for (const wanted of this.#wanted) {
        const { table, bucket } = wanted;
        const { log } = buckets.get(table.tableId, optionalField(bucket, "partitionId"), bucket.bucketId);
        undo.push(log.listen((appended) => {
          wanted.bytes = Math.min(bucket.maxFetchBytes, wanted.bytes + appended);
          if (appended === 0 || this.#bytes >= minBytes) finishSoon();
        }));
      }
    });
  }

  get #waitMs(): number {
    return optionalField(this.#request, "maxWaitMs") ?? DEFAULT_WAIT_MS;
  }

  get #bytes(): number {
    let bytes = 0;
    for (const wanted of this.#wanted) bytes += wanted.bytes;
    return bytes;
  }

  #read(): void {
    this.#wanted.length = 0;
    this.#failed = false;
    let room = this.#request.maxBytes;
    // The first batch of an answer comes whole, whatever its size.
    let wholeFirst = true;
    this.answer = {
      tablesResp: this.#request.tablesReq.map((table) => {
        const found = this.#engine.catalog.tableById(Number(table.tableId));
        // Compiled for the first bucket that is there.
        let reading: Reading | undefined;
        return {
          tableId: table.tableId,
          bucketsResp: oncePerBucket(table.bucketsReq).map((bucket): BucketAnswer => {
            const partitionId = optionalField(bucket, "partitionId");
            const { bucketId } = bucket;
            const named = partitionId === undefined ? { bucketId } : { bucketId, partitionId };
            if (found !== undefined && !this.#mayRead(found)) {
              return { ...named, ...faultFields(notAllowed(found)) };
            }
            try {
              const { id, log, table: current } = bucketFor(
                this.#engine,
                this.#call,
                table.tableId,
                partitionId,
                bucketId,
              );
              const { followerServerId } = this.#request;
              if (followerServerId >= 0) throw notAReplica(followerServerId, id);
              reading ??= compileReading(current, table);
              const answer = readBucket(log, bucket, reading, Math.min(room, bucket.maxFetchBytes), wholeFirst);
              const size = answer.records.length;
              if (size > 0) wholeFirst = false;
              room = Math.max(0, room - size);
              // A reader that can move on need not wait.
              const bytes = answer.filteredEndOffset === undefined ? size : Infinity;
              this.#wanted.push({ table, bucket, bytes });
              return { ...named, ...answer };
            } catch (error) {
              const failed = asFault(error);
              if (!MENDED_BY_WAITING.has(failed.code)) this.#failed = true;
              return { ...named, ...faultFields(failed) };
            }
          }),
        };
      }),
    };
  }

  #mayRead({ path }: CatalogTable): boolean {
    return this.#engine.authorizer.may(this.#call.principal, "READ", path);
  }
}

function readBucket(
  log: BucketLog,
  bucket: PbFetchLogReqForBucket,
  reading: Reading,
  maxBytes: number,
  wholeFirst: boolean,
): BucketRead {
  const offset = log.offsetAt(Number(bucket.fetchOffset));
  if (maxBytes < 0) throw fault("SERVER.UNKNOWN_SERVER_ERROR", `Invalid max size ${maxBytes} for log read`);
  const { parts, filteredEnd } = reading(log, offset, maxBytes, wholeFirst);
  return {
    highWatermark: BigInt(log.end),
    // Servers of 0.9.1 say so whatever they have deleted.
    logStartOffset: 0n,
    records: joined(parts),
    ...(filteredEnd === undefined ? {} : { filteredEndOffset: BigInt(filteredEnd) }),
  };
}

/** 12 and 21: the other buckets of the request can be waited for. */
const MENDED_BY_WAITING: ReadonlySet<number> = new Set([12, 21]);

/** There are no replicas besides the leader. */
function notAReplica(server: number, bucket: BucketId): Error {
  return fault(
    "SERVER.NOT_LEADER_OR_FOLLOWER",
    `Replica ${server} is not recognized as a valid replica of ${bucketText(bucket)}`,
  );
}

function notAllowed({ path: { database, table } }: CatalogTable): Error {
  return fault("SERVER.AUTHORIZATION_EXCEPTION", `No permission to READ table ${table} in database ${database}`);
}
