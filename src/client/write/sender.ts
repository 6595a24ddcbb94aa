/**
 * Sends the batches of the buckets that one tablet server leads, and acts on the answers.
 *
 * @module
 */
import { FlussError, flussError, isStaleMetadata, serverError } from "../../base/errors.ts";
import { backOffMs } from "../../base/wait.ts";
import { API, loadApi } from "../rpc/api.ts";
import type { RpcConnection } from "../rpc/connection.ts";
import { REQUEST_HEADER_BYTES } from "../rpc/frame.ts";
import { optionalField, readMessage } from "../rpc/required.ts";
import type { WriteBatch } from "./batch.ts";
import type { BucketQueue } from "./bucket_queue.ts";
import { decide } from "./idempotence.ts";
import { encodeWrite } from "./write_message.ts";
import type { Writer } from "./writer.ts";

/** What servers say of one bucket, whichever way it was written. */
interface BucketResult {
  readonly bucket: number;
  readonly partitionId: bigint | undefined;
  readonly errorCode: number;
  readonly errorMessage: string;
  /** How much the server wishes for a rest, 0 to 1. */
  readonly pressure: number;
  /** Where the batch ends in the log; undefined when the server does not say. */
  readonly endOffset: (batch: WriteBatch) => bigint | undefined;
}

/** How each kind of batch is sent, and what its answers say. */
const KINDS = {
  put: {
    api: API.PUT_KV,
    read: (answer: Uint8Array): BucketResult[] =>
      readMessage(API.PUT_KV.messages!.response, answer).bucketsResp.map((result) => ({
        bucket: result.bucketId,
        partitionId: optionalField(result, "partitionId"),
        errorCode: result.errorCode,
        errorMessage: result.errorMessage,
        pressure: result.pressure,
        endOffset: () => optionalField(result, "logEndOffset"),
      })),
  },
  produce: {
    api: API.PRODUCE_LOG,
    read: (answer: Uint8Array): BucketResult[] =>
      readMessage(API.PRODUCE_LOG.messages!.response, answer).bucketsResp.map((result) => ({
        bucket: result.bucketId,
        partitionId: optionalField(result, "partitionId"),
        errorCode: result.errorCode,
        errorMessage: result.errorMessage,
        pressure: 0,
        endOffset: (batch) => {
          const base = optionalField(result, "baseOffset");
          return base === undefined ? undefined : base + BigInt(batch.rows);
        },
      })),
  },
} as const;

/** The longest rest for a bucket whose server is under pressure (Fluss: client.writer.kv-backpressure.max-throttle). */
const MAX_THROTTLE_MS = 3_000;

/** One batch on its way. */
interface Sent {
  readonly queue: BucketQueue;
  readonly batch: WriteBatch;
  readonly partitionId: bigint | undefined;
}

/** The sender for one tablet server. */
export class Sender {
  readonly serverId: number;
  readonly #writer: Writer;
  readonly #queues = new Set<BucketQueue>();
  #requests = 0;
  #scheduled = false;
  #connecting = false;

  constructor(serverId: number, writer: Writer) {
    this.serverId = serverId;
    this.#writer = writer;
  }

  /** No request to this server is out. */
  get idle(): boolean {
    return this.#requests === 0 && !this.#connecting;
  }

  /** Takes care of a bucket until nothing waits in it. */
  add(queue: BucketQueue): void {
    this.#queues.add(queue);
  }

  /** Sends what may be sent, at the end of the current tick. */
  schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#drain();
    });
  }

  #drain(): void {
    if (this.#connecting || this.#queues.size === 0 || this.#writer.suspended) return;
    const connection = this.#writer.cluster.current(this.serverId);
    if (connection === undefined || API.PUT_KV.messages === undefined) {
      this.#connect();
      return;
    }
    const writerId = this.#writer.writerIdFor(this);
    if (writerId === undefined) return;
    // One pass takes at most one batch per bucket; full batches behind it leave with the next pass.
    while (true) {
      const groups = this.#collect(writerId);
      if (groups.size === 0) return;
      for (const group of groups.values()) this.#send(connection, group);
    }
  }

  /** Takes one batch of every bucket that may send, up to the size of a request, by table and way of writing. */
  #collect(writerId: bigint): Map<string, Sent[]> {
    const { maxInFlightPerBucket, maxRequestBytes } = this.#writer.limits;
    const openToo = this.#requests === 0 || this.#writer.hurried;
    const now = performance.now();
    const groups = new Map<string, Sent[]>();
    let bytes = 0;
    // A copy: a request carries one batch per bucket, and the set would hand a bucket out again that moved to its end.
    for (const queue of [...this.#queues]) {
      if (this.#writer.leaderOf(queue) !== this.serverId) {
        this.#queues.delete(queue);
        this.#writer.route(queue);
        continue;
      }
      if (queue.pausedUntil > now) continue;
      const batch = queue.next(maxInFlightPerBucket, openToo || this.#writer.lingered(queue));
      if (batch === undefined) {
        if (!queue.busy) this.#queues.delete(queue);
        continue;
      }
      if (queue.mustDrainFirst(batch, writerId)) continue;
      if (bytes > 0 && bytes + batch.bytes > maxRequestBytes) break;
      bytes += batch.bytes;
      queue.depart(batch, writerId);
      // The next pass starts behind this bucket, so that none starves when requests are full.
      this.#queues.delete(queue);
      this.#queues.add(queue);
      const key = `${queue.target.table.tableId} ${batch.variant.key}`;
      const sent: Sent = { queue, batch, partitionId: this.#writer.partitionIdOf(queue) };
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [sent]);
      else group.push(sent);
    }
    return groups;
  }

  #connect(): void {
    this.#connecting = true;
    const deadline = this.#writer.cluster.deadline();
    // Both ways of writing are of one group, so one of them loads both.
    Promise.all([this.#writer.cluster.connect(this.serverId, deadline), loadApi(API.PUT_KV)]).then(() => {
      this.#connecting = false;
      this.schedule();
    }, (error: unknown) => {
      this.#connecting = false;
      const failure = asFlussError(error);
      for (const queue of [...this.#queues]) {
        this.#queues.delete(queue);
        this.#writer.holdBack(queue, failure);
      }
    });
  }

  #send(connection: RpcConnection, group: readonly Sent[]): void {
    const { kind, targets } = group[0]!.batch.variant;
    const { api, read } = KINDS[kind];
    const { table } = group[0]!.queue.target;
    const { acks, requestTimeoutMs } = this.#writer.limits;
    this.#requests++;
    try {
      const apiVersion = connection.versionOf(api);
      const body = encodeWrite(
        {
          kind,
          acks,
          tableId: table.tableId,
          timeoutMs: requestTimeoutMs,
          targets,
          buckets: group.map(({ queue: { bucket }, batch, partitionId }) => {
            return { partitionId, bucket, records: batch.builder.finish(batch.writerId, batch.sequence) };
          }),
        },
        REQUEST_HEADER_BYTES,
        (bytes) => this.#allocate(bytes),
      );
      connection.send({
        apiKey: api.key,
        apiVersion,
        body,
        headroom: true,
        // The server itself answers after timeoutMs; what comes later than this is lost.
        timeoutMs: requestTimeoutMs + 5_000,
        onAnswer: (answer) => {
          // A request that is answered has left, so its bytes may be written over. One that failed may still be leaving.
          this.#writer.bodies.give(new Uint8Array(body.buffer));
          this.#answered(group, () => read(answer));
        },
        onFailure: (error) => this.#failed(group, error),
      });
    } catch (error) {
      this.#failed(group, asFlussError(error));
    }
  }

  #allocate(bytes: number): Uint8Array<ArrayBuffer> {
    const buffer = this.#writer.bodies.take(bytes) ?? new Uint8Array(2 ** Math.ceil(Math.log2(bytes)));
    return buffer.subarray(0, bytes);
  }

  #answered(group: readonly Sent[], read: () => BucketResult[]): void {
    let results: BucketResult[];
    try {
      results = read();
    } catch (error) {
      this.#failed(group, asFlussError(error));
      return;
    }
    this.#requests--;
    const waiting = new Set(group);
    for (const result of results) {
      for (const sent of waiting) {
        if (sent.queue.bucket !== result.bucket || sent.partitionId !== result.partitionId) {
          continue;
        }
        waiting.delete(sent);
        if (result.errorCode === 0) {
          this.#yieldTo(sent.queue, result.pressure);
          this.#written(sent, result.endOffset(sent.batch) ?? -1n);
        } else this.#refused(sent, bucketError(sent, result.errorCode, result.errorMessage));
        break;
      }
    }
    for (const sent of waiting) {
      this.#refused(
        sent,
        flussError("CONNECTION.PROTOCOL", {
          table: sent.queue.target.table.name,
          bucket: sent.queue.bucket,
          message: "the server's answer to a write leaves the bucket out",
          retriable: true,
        }),
      );
    }
    this.schedule();
  }

  #failed(group: readonly Sent[], error: FlussError): void {
    this.#requests--;
    for (const sent of group) this.#refused(sent, error);
    this.schedule();
  }

  /** A server under pressure (0 to 1) wants the bucket to be left alone (Fluss: RecordAccumulator.updateThrottle). */
  #yieldTo(queue: BucketQueue, pressure: number): void {
    if (pressure > 0 && queue.pausedUntil <= performance.now()) {
      this.#writer.pause(queue, MAX_THROTTLE_MS * Math.min(1, pressure) ** 2);
    }
  }

  #written({ queue, batch }: Sent, endOffset: bigint): void {
    queue.settle(batch);
    this.#writer.acknowledge(batch, endOffset);
    this.#again(queue);
  }

  #refused(sent: Sent, error: FlussError): void {
    const { queue, batch } = sent;
    batch.lastFailure = error;
    if (batch.state !== "queued") {
      // Its delivery deadline passed while it was out; nobody waits for it any more.
      queue.remove(batch);
      this.#again(queue);
      return;
    }
    const decision = decide(error, {
      sequence: batch.sequence,
      lastAcked: queue.writerId === batch.writerId ? queue.lastAcked : -1,
      sequenceMoved: batch.sequenceMoved,
      sentBefore: batch.attempts > 1,
      writerIdChanged: batch.writerId >= 0n && batch.writerId !== this.#writer.writerId,
    });
    if (decision === "written") {
      this.#written(sent, -1n);
      return;
    }
    if (decision === "retry") {
      queue.retry(batch);
      if (isStaleMetadata(error)) {
        this.#queues.delete(queue);
        this.#writer.holdBack(queue, error);
      } else if (queue.pausedUntil <= performance.now()) {
        // Batches that fail together are one failure.
        queue.failures++;
        this.#writer.pause(queue, backOffMs(queue.failures));
      }
      return;
    }
    queue.remove(batch);
    if (decision === "fail") queue.closeGap(batch);
    if (decision === "failAndReset") this.#writer.resetWriterId(batch.writerId);
    this.#writer.giveUp(
      batch,
      queue.target.table.name,
      decision === "failUnknownWriter"
        ? serverError(33, "the writer id was replaced while the batch was on its way; it may or may not be written", {
          doing: "writing",
          table: queue.target.table.name,
          bucket: queue.bucket,
          cause: error,
        })
        : error,
    );
    this.#again(queue);
  }

  #again(queue: BucketQueue): void {
    if (queue.ready.length > 0 || queue.open !== undefined) this.#writer.route(queue);
  }
}

function bucketError({ queue }: Sent, code: number, message: string | undefined): FlussError {
  const { table, physical } = queue.target;
  const partition = physical.partition;
  return serverError(code, message, { doing: "writing", table: table.name, bucket: queue.bucket, partition });
}

function asFlussError(error: unknown): FlussError {
  if (FlussError.is(error)) return error;
  const said = error instanceof Error ? error.message : String(error);
  return flussError("CONNECTION.PROTOCOL", {
    message: `a write request could not be made or read: ${said}`,
    cause: error,
  });
}
