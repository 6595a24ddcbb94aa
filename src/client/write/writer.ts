/**
 * The writer of a client: gathers encoded rows in batches per bucket, bounded in bytes, and sees every batch to its end.
 *
 * @module
 */
import type { Alarm, Alarms } from "../../base/alarms.ts";
import { FlussError, flussError, FlussWriteError, serverError, type WriteFailure } from "../../base/errors.ts";
import { backOffMs, type Deadline } from "../../base/wait.ts";
import { KvBatchBuilder } from "../../format/kv_batch.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { API } from "../rpc/api.ts";
import type { RowAck } from "./ack.ts";
import { type BatchRows, WriteBatch, type WriteVariant } from "./batch.ts";
import { BucketAssigner, type KeylessBuckets } from "./bucket_assigner.ts";
import { BufferPool } from "./buffer_pool.ts";
import { BucketQueue } from "./bucket_queue.ts";
import type { BoundTable } from "../table/bound_table.ts";
import type { EncodedLogBatch, LogBatchBuilder } from "../../format/log_builder.ts";
import { ANY_BUCKET, type PlacedKey, type Row, type RowShape } from "../table/table_codec.ts";
import { createPartition } from "../table/partitions.ts";
import { Sender } from "./sender.ts";
import type { PartitionTarget } from "../table/target.ts";

/** The writer's bounds and habits. */
export interface WriterLimits {
  /** A batch that has reached this size takes no more rows. */
  readonly batchBytes: number;
  /** The largest row that is taken. */
  readonly maxRecordBytes: number;
  /** The batches of one request together, unless one alone is larger. */
  readonly maxRequestBytes: number;
  /** All rows that are queued and not acknowledged. */
  readonly maxBytes: number;
  /** The longest wait for company while a request to the same server is out. */
  readonly lingerMs: number;
  /** -1: all in-sync replicas; 1: the leader; 0: the leader, before it has written. */
  readonly acks: -1 | 0 | 1;
  readonly idempotent: boolean;
  /** Where rows of tables without a bucket key go. */
  readonly keylessBuckets: KeylessBuckets;
  /** Batches of one bucket that may be out; servers remember five. */
  readonly maxInFlightPerBucket: number;
  readonly requestTimeoutMs: number;
  /** From the opening of a batch to its failure. */
  readonly deliveryTimeoutMs: number;
}

/** What a writer needs. */
export interface WriterOptions {
  readonly cluster: Cluster;
  readonly alarms: Alarms;
  readonly limits: WriterLimits;
  /** Told of every failure that nobody awaited, at once. */
  readonly report: (error: FlussError) => void;
}

/** A batch begins small, for a table may have many buckets with few rows each. */
const FIRST_BYTES = 1024;
/** A batch is closed by the row that fills it, so it ends a little larger than its size. */
const SLACK_BYTES = 4096;
/** Request bodies that are kept for requests to come. */
const SPARE_BODIES = 8;

/** The largest number of failures that are kept apart until the next flush. */
const MAX_FAILURES = 100;

/** Physical tables whose buckets are remembered while nothing is written to them. */
const MAX_IDLE_TARGETS = 1000;

interface KeptFailure {
  readonly table: string;
  readonly cause: FlussError;
  /** Rows that nobody waits for, counted when somebody asks. */
  readonly rows: () => number;
  /** Rows of later failures that were added to this one. */
  more: number;
}

/** A pause that closing ends. */
interface Pause {
  readonly alarm: Alarm;
  readonly resolve: () => void;
}

/** See the module. */
export class Writer {
  readonly cluster: Cluster;
  readonly limits: WriterLimits;
  readonly #alarms: Alarms;
  readonly #report: (error: FlussError) => void;
  readonly #queues = new Map<string, BucketQueue[]>();
  readonly #senders = new Map<number, Sender>();
  readonly #batches = new Set<WriteBatch>();
  /** By physical table. */
  readonly #assigners = new Map<string, BucketAssigner>();
  /** Buckets whose leader is looked for, by table id and physical table. */
  readonly #held = new Map<string, Set<BucketQueue>>();
  readonly #pauses = new Set<Pause>();
  #failures: KeptFailure[] = [];
  #queuedBytes = 0;
  /** The size of the buffer of a batch that was full. */
  readonly #fullBytes: number;
  /** Buffers of batches that were full and are over. */
  readonly #spare: BufferPool;
  /** Bodies of requests that were answered. */
  readonly bodies: BufferPool = new BufferPool(SPARE_BODIES);
  #order = 0;
  #hurry = 0;
  #suspended = false;
  #closed: FlussError | undefined;
  #writerId: bigint | undefined;
  #initialising = false;
  #waiting: { readonly below: number; readonly resolve: () => void }[] = [];

  constructor(options: WriterOptions) {
    this.cluster = options.cluster;
    this.limits = options.limits;
    this.#fullBytes = options.limits.batchBytes + SLACK_BYTES;
    this.#spare = new BufferPool(Math.ceil(options.limits.maxBytes / this.#fullBytes));
    this.#alarms = options.alarms;
    this.#report = options.report;
  }

  /** Why nothing can be written any more; undefined while it can. */
  get closedBy(): FlussError | undefined {
    return this.#closed;
  }

  /** Bytes that are queued and not acknowledged. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Resolves when no more than half of `maxBytes` is queued. */
  get ready(): Promise<void> {
    return this.belowBytes(this.limits.maxBytes / 2);
  }

  /** Resolves when no more than `bytes` are queued. */
  belowBytes(bytes: number): Promise<void> {
    if (this.#queuedBytes <= bytes) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ below: bytes, resolve }));
  }

  /** A flush or a close is running: nothing waits for company. */
  get hurried(): boolean {
    return this.#hurry > 0;
  }

  /**
   * Takes bytes of the writer's limit.
   *
   * @throws FlussWriteError `WRITE.QUEUE_FULL`, with nothing taken
   */
  reserve(bytes: number, table: string): void {
    if (this.#closed !== undefined) throw this.#closed;
    if (this.#queuedBytes + bytes > this.limits.maxBytes) {
      throw flussError(bytes > this.limits.maxBytes ? "WRITE.TOO_LARGE" : "WRITE.QUEUE_FULL", {
        table,
        message:
          `${this.#queuedBytes} bytes are queued, and ${bytes} more would pass writer.maxBytes (${this.limits.maxBytes})`,
      });
    }
    this.#queuedBytes += bytes;
  }

  /** Gives bytes back. */
  release(bytes: number): void {
    this.#queuedBytes -= bytes;
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = waiting.filter(({ below }) => this.#queuedBytes > below);
    for (const { below, resolve } of waiting) if (this.#queuedBytes <= below) resolve();
  }

  /**
   * Encodes a row into the open batch of its bucket. When the row is refused, nothing is queued.
   *
   * @param shape how the row is written; undefined writes a delete
   * @throws FlussWriteError `WRITE.QUEUE_FULL`, and whatever the codec throws
   */
  append(bound: BoundTable, placed: PlacedKey, shape: RowShape | undefined, row: Row, ack: RowAck): RowAck {
    const target = bound.partition(placed.partition);
    this.reserve(0, target.table.name);
    const { schemaId } = bound.codec.layout;
    const variant = shape ?? bound.codec.deletes;
    const queue = this.#queue(target, placed.bucket);
    const batch = this.#openFor(queue, variant, schemaId);
    const builder = batch === undefined
      ? new KvBatchBuilder(schemaId, FIRST_BYTES, this.#fullBytes, this.#spare.take())
      : batch.builder as KvBatchBuilder;
    const before = builder.size;
    builder.append(placed.bytes, 0, placed.end, shape?.write, row);
    return this.#added(queue, batch, builder, variant, builder.size - before, ack);
  }

  /**
   * Encodes a row into the open batch of a log's bucket. When the row is refused, nothing is queued.
   *
   * @throws FlussWriteError `WRITE.QUEUE_FULL`, and whatever the codec throws
   */
  appendToLog(bound: BoundTable, placed: PlacedKey, row: Row, ack: RowAck): RowAck {
    const target = bound.partition(placed.partition);
    this.reserve(0, target.table.name);
    const { layout, logShape } = bound.codec;
    const bucket = placed.bucket === ANY_BUCKET ? this.#assign(target, layout.buckets) : placed.bucket;
    const queue = this.#queue(target, bucket);
    const batch = this.#openFor(queue, logShape, layout.schemaId);
    const builder = batch === undefined ? logShape.begin() : batch.builder as LogBatchBuilder;
    const before = builder.size;
    builder.append(row);
    return this.#added(queue, batch, builder, logShape, builder.size - before, ack);
  }

  /**
   * Queues a whole log batch.
   *
   * @param bucket the bucket, or {@linkcode ANY_BUCKET}
   * @throws FlussWriteError `WRITE.QUEUE_FULL`, `WRITE.TOO_LARGE`, with nothing queued
   */
  appendBatch(bound: BoundTable, partition: string | undefined, bucket: number, encoded: EncodedLogBatch): WriteBatch {
    const target = bound.partition(partition);
    const { layout, logShape } = bound.codec;
    if (encoded.size > this.limits.maxRecordBytes) throw this.#tooLarge(target, encoded.size, "a batch");
    this.reserve(encoded.size, target.table.name);
    const queue = this.#queue(target, bucket === ANY_BUCKET ? this.#assign(target, layout.buckets) : bucket);
    queue.close();
    const rows: BatchRows = {
      schemaId: encoded.schemaId,
      size: encoded.size,
      dropLast: () => {},
      finish: (writerId, sequence) => encoded.finish(writerId, sequence),
    };
    const batch = this.#openBatch(queue, rows, logShape);
    batch.bytes = encoded.size;
    batch.rows = encoded.count;
    batch.attached = encoded.count;
    queue.close();
    this.route(queue);
    return batch;
  }

  /** The batch that takes the next row; undefined when one has to be begun. */
  #openFor(queue: BucketQueue, variant: WriteVariant, schemaId: number): WriteBatch | undefined {
    const batch = queue.open;
    if (batch === undefined || (batch.variant.key === variant.key && batch.builder.schemaId === schemaId)) return batch;
    queue.close();
    this.route(queue);
    return undefined;
  }

  /** A row of `size` bytes was encoded into `builder`, which is that of `batch`, or of a batch to begin. */
  #added(
    queue: BucketQueue,
    open: WriteBatch | undefined,
    builder: BatchRows,
    variant: WriteVariant,
    size: number,
    ack: RowAck,
  ): RowAck {
    if (size > this.limits.maxRecordBytes) {
      builder.dropLast();
      throw this.#tooLarge(queue.target, size, "a row");
    }
    const batch = open ?? this.#openBatch(queue, builder, variant);
    this.#queuedBytes += size;
    batch.bytes += size;
    batch.rows++;
    ack.place(batch);
    if (builder.size >= this.limits.batchBytes) queue.close();
    if (batch.rows === 1 || queue.open === undefined) this.route(queue);
    return ack;
  }

  /**
   * Sends everything that is queued now, and waits for it.
   *
   * @throws FlussWriteError `WRITE.FAILED` with the failures of dropped acks since the last flush
   */
  async flush(deadline: Deadline): Promise<void> {
    this.#hurry++;
    try {
      this.hurry();
      await deadline.wait(Promise.all([...this.#batches].map((batch) => batch.settled())), "flush()");
    } finally {
      this.#hurry--;
    }
    this.throwFailures();
  }

  /**
   * Sends nothing until it goes on; a flush before that does not end. Time limits of batches that are opened meanwhile
   * begin when it does.
   *
   * @returns lets it go on
   */
  suspend(): () => void {
    this.#suspended = true;
    return () => {
      this.#suspended = false;
      for (const queues of this.#queues.values()) {
        for (const queue of queues) {
          if (queue?.busy !== true) continue;
          for (const batch of queue.waiting) if (!batch.armed) this.#arm(queue, batch);
          this.route(queue);
        }
      }
    };
  }

  /** Nothing may be sent. */
  get suspended(): boolean {
    return this.#suspended;
  }

  /** Lets nothing that is queued now wait for company any longer. */
  hurry(): void {
    for (const queues of this.#queues.values()) {
      for (const queue of queues) {
        if (queue?.busy !== true) continue;
        queue.close();
        this.route(queue);
      }
    }
  }

  /** Throws the failures that nobody awaited, once. */
  throwFailures(): void {
    const kept = this.#failures;
    this.#failures = [];
    const failures: WriteFailure[] = [];
    for (const { table, cause, rows, more } of kept) {
      const count = rows() + more;
      if (count > 0) failures.push({ table, code: cause.code, rows: count, cause });
    }
    if (failures.length === 0) return;
    const first = failures[0]!;
    const rows = failures.reduce((sum, failure) => sum + failure.rows, 0);
    throw new FlussWriteError("WRITE.FAILED", {
      message: `${rows} queued rows were not written; the first failure was in ${first.table}: ${first.cause.message}`,
      failures,
      cause: first.cause,
    });
  }

  /** Fails whatever is left with `reason`, and takes nothing more. */
  close(reason: FlussError): void {
    this.#closed = reason;
    for (const batch of [...this.#batches]) this.#end(batch, batch.table, reason);
    this.#queues.clear();
    this.#held.clear();
    for (const { alarm, resolve } of this.#pauses) {
      this.#alarms.clear(alarm);
      resolve();
    }
    this.#pauses.clear();
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  /** Remembers a failure for the next flush, and tells the user's log. */
  keepFailure(table: string, cause: FlussError, rows: () => number): void {
    if (rows() === 0) return;
    this.#report(cause);
    if (this.#failures.length < MAX_FAILURES) this.#failures.push({ table, cause, rows, more: 0 });
    else {
      // Beyond the bound, rows are counted with the last failure of their kind, and nothing more is remembered of them.
      const last = this.#failures.findLastIndex((kept) => kept.table === table && kept.cause.code === cause.code);
      this.#failures[last < 0 ? this.#failures.length - 1 : last]!.more += rows();
    }
  }

  // What senders use.

  /** The current writer id; -1n when there is none. */
  get writerId(): bigint {
    return this.#writerId ?? -1n;
  }

  /** The writer id to send with, or undefined while it is being asked for; -1n when writing is not idempotent. */
  writerIdFor(_sender: Sender): bigint | undefined {
    if (!this.limits.idempotent) return -1n;
    if (this.#writerId === undefined && !this.#initialising && this.#batches.size > 0) void this.#initialise();
    return this.#writerId;
  }

  /** Gives a writer id up; the next batch without a sequence asks for another. */
  resetWriterId(id: bigint): void {
    if (this.#writerId === id) this.#writerId = undefined;
  }

  /** The tablet server that leads the bucket, -1 when not known. */
  leaderOf(queue: BucketQueue): number {
    const known = this.cluster.metadata.leaders(queue.target.key);
    if (known === undefined || known.tableId !== queue.target.table.tableId) return -1;
    return known.leaders[queue.bucket] ?? -1;
  }

  /** The id of the queue's partition, if it has one. */
  partitionIdOf(queue: BucketQueue): bigint | undefined {
    return this.cluster.metadata.leaders(queue.target.key)?.partitionId;
  }

  /** Whether the open batch has waited for company long enough. */
  lingered(queue: BucketQueue): boolean {
    return queue.open?.lingered === true;
  }

  /** Hands a bucket to the sender of its leader. */
  route(queue: BucketQueue): void {
    if (this.#suspended) return;
    const leader = this.leaderOf(queue);
    if (leader < 0) {
      this.holdBack(queue);
      return;
    }
    let sender = this.#senders.get(leader);
    if (sender === undefined) this.#senders.set(leader, sender = new Sender(leader, this));
    sender.add(queue);
    sender.schedule();
  }

  /** Sends nothing of a bucket for `ms`, then routes it again. */
  pause(queue: BucketQueue, ms: number): void {
    queue.pausedUntil = performance.now() + ms;
    void this.#pause(ms).then(() => {
      // The clock of alarms is coarse: what they wake must not find that it is a little too early.
      queue.pausedUntil = 0;
      if (this.#closed === undefined) this.route(queue);
    });
  }

  /** Keeps a bucket until its leader is known (again). */
  holdBack(queue: BucketQueue, cause?: FlussError): void {
    const key = heldKey(queue.target);
    const held = this.#held.get(key);
    if (cause !== undefined) {
      // Batches that fail together are one failure.
      if (held?.has(queue) !== true) queue.failures++;
      noteFailure(queue, cause);
    }
    if (held !== undefined) {
      held.add(queue);
      return;
    }
    this.#held.set(key, new Set([queue]));
    void this.#find(queue.target, key);
  }

  /** The batch is on the server. */
  acknowledge(batch: WriteBatch, endOffset: bigint): void {
    if (batch.state !== "queued") return;
    const { buffer } = batch.builder;
    batch.acknowledge(endOffset);
    this.#done(batch);
    // What was sent was copied, so the buffer is free. A busy writer then makes no garbage of its own size.
    if (buffer?.length === this.#fullBytes) this.#spare.give(buffer);
  }

  /** The batch is lost. */
  giveUp(batch: WriteBatch, table: string, error: FlussError): void {
    if (batch.state !== "queued") return;
    this.#end(batch, table, error);
  }

  // What nobody else uses.

  #tooLarge(target: PartitionTarget, size: number, what: string): FlussError {
    return flussError("WRITE.TOO_LARGE", {
      table: target.table.name,
      message: `${what} takes ${size} bytes, and servers take requests of no more than ${this.limits.maxRecordBytes}`,
    });
  }

  /** The bucket of the next row of a table without a bucket key. */
  #assign(target: PartitionTarget, buckets: number): number {
    let assigner = this.#assigners.get(target.key);
    if (assigner === undefined) {
      if (this.#assigners.size > MAX_IDLE_TARGETS) this.#assigners.clear();
      this.#assigners.set(target.key, assigner = new BucketAssigner(this.limits.keylessBuckets, buckets));
    }
    const known = this.cluster.metadata.leaders(target.key);
    return assigner.next(buckets, known?.leaders, (bucket) => this.#queue(target, bucket).open !== undefined);
  }

  #queue(target: PartitionTarget, bucket: number): BucketQueue {
    let queues = this.#queues.get(target.key);
    if (
      queues === undefined || queues.find((queue) => queue !== undefined)?.target.table.tableId !== target.table.tableId
    ) {
      this.#queues.set(target.key, queues = []);
    }
    return queues[bucket] ??= new BucketQueue(target, bucket);
  }

  #openBatch(queue: BucketQueue, builder: BatchRows, variant: WriteVariant): WriteBatch {
    const { bucket, target } = queue;
    const batch = new WriteBatch(builder, variant, {
      table: target.table.name,
      bucket,
      partition: target.physical.partition,
      order: this.#order++,
    });
    batch.lingered = this.limits.lingerMs === 0;
    queue.open = batch;
    this.#batches.add(batch);
    if (!this.#suspended) this.#arm(queue, batch);
    return batch;
  }

  /** Starts its time limits. */
  #arm(queue: BucketQueue, batch: WriteBatch): void {
    const delivery = this.#alarms.set(this.limits.deliveryTimeoutMs, () => this.#expire(queue, batch));
    const linger = this.#alarms.set(this.limits.lingerMs, () => {
      batch.lingered = true;
      if (queue.open === batch) this.route(queue);
    });
    batch.disarm = () => {
      this.#alarms.clear(delivery);
      this.#alarms.clear(linger);
    };
    batch.armed = true;
  }

  #expire(queue: BucketQueue, batch: WriteBatch): void {
    const { name } = queue.target.table;
    const last = batch.lastFailure === undefined ? "" : `; the last attempt said: ${batch.lastFailure.message}`;
    const unknown = batch.attempts > 0 ? "; it was sent, so its rows may or may not be written" : "";
    // Its place in the sequence is neither taken nor free, so later batches need a new writer id.
    if (batch.sequence >= 0) this.resetWriterId(batch.writerId);
    if (!queue.inFlight.includes(batch)) queue.remove(batch);
    this.giveUp(
      batch,
      name,
      flussError("TIMEOUT.DELIVERY", {
        table: name,
        bucket: queue.bucket,
        partition: batch.partition,
        message:
          `a batch of ${batch.rows} rows was not acknowledged within ${this.limits.deliveryTimeoutMs} ms${unknown}${last}`,
        cause: batch.lastFailure,
      }),
    );
  }

  #end(batch: WriteBatch, table: string, error: FlussError): void {
    batch.fail(error);
    this.#done(batch);
    this.keepFailure(table, error, () => batch.rows - batch.attached);
  }

  #done(batch: WriteBatch): void {
    this.#batches.delete(batch);
    this.release(batch.bytes);
    if (this.#batches.size === 0) {
      this.#spare.shrink();
      this.bodies.shrink();
    }
    if (this.#batches.size === 0 && this.#queues.size > MAX_IDLE_TARGETS) this.#forgetIdle();
  }

  /**
   * Forgets the buckets that nothing is written to; partitions come and go. Servers remember the sequences of a writer
   * id, so it goes too.
   */
  #forgetIdle(): void {
    this.#writerId = undefined;
    for (const [key, queues] of this.#queues) {
      if (!queues.some((queue) => queue?.busy === true)) this.#queues.delete(key);
    }
  }

  #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const alarm = this.#alarms.set(ms, () => {
      this.#pauses.delete(pause);
      resolve();
    });
    const pause: Pause = { alarm, resolve };
    this.#pauses.add(pause);
    return promise;
  }

  /** Looks for the leaders of a table or partition until every held bucket has one, or has nothing left to send. */
  async #find(target: PartitionTarget, key: string): Promise<void> {
    const held = this.#held.get(key)!;
    try {
      for (let attempt = 1;; attempt++) {
        for (const queue of held) if (!queue.busy) held.delete(queue);
        if (held.size === 0 || this.#closed !== undefined) return;
        const failures = Math.max(attempt - 1, ...[...held].map((queue) => queue.failures));
        if (failures > 0) await this.#pause(backOffMs(failures));
        if (this.#closed !== undefined) return;
        const deadline = this.cluster.deadline();
        try {
          const found = await this.cluster.refresh(target.physical, deadline);
          if (found === undefined && target.physical.partition !== undefined) {
            await createPartition(this.cluster, target, deadline);
          } else if (found !== undefined && found.tableId !== target.table.tableId) throw recreated(target);
        } catch (error) {
          if (!FlussError.is(error)) throw error;
          if (!error.retriable) {
            this.#abandon(held, error);
            return;
          }
          for (const queue of held) noteFailure(queue, error);
        }
        for (const queue of held) {
          if (this.leaderOf(queue) < 0) continue;
          held.delete(queue);
          this.route(queue);
        }
      }
    } catch (error) {
      this.#abandon(held, FlussError.is(error) ? error : internal(target.table.name, "looking for the leaders", error));
    } finally {
      if (this.#held.get(key) === held) this.#held.delete(key);
    }
  }

  /** Gives up every batch of these buckets that is not on its way. */
  #abandon(queues: Iterable<BucketQueue>, error: FlussError): void {
    for (const queue of queues) {
      if (error.code === "SERVER.TABLE_NOT_EXIST") queue.target.table.gone();
      queue.close();
      for (const batch of queue.ready.splice(0)) {
        // Its place in the sequence may be taken or free, so later batches need a new writer id.
        if (batch.sequence >= 0) this.resetWriterId(batch.writerId);
        this.giveUp(batch, queue.target.table.name, error);
      }
    }
  }

  async #initialise(): Promise<void> {
    this.#initialising = true;
    try {
      for (let attempt = 1; this.#batches.size > 0 && this.#closed === undefined; attempt++) {
        if (attempt > 1) await this.#pause(backOffMs(attempt + 1));
        if (this.#closed !== undefined) return;
        try {
          const answer = await this.cluster.callAny(API.INIT_WRITER, { tablePath: this.#tables() });
          this.#writerId = answer.writerId;
          break;
        } catch (cause) {
          const error = FlussError.is(cause) ? cause : internal(undefined, "asking for a writer id", cause);
          const queues = [...this.#queues.values()].flatMap((queues) => queues.filter((queue) => queue !== undefined));
          if (error.retriable) { for (const queue of queues) noteFailure(queue, error); }
          else this.#abandon(queues, error);
        }
      }
    } finally {
      this.#initialising = false;
    }
    // Without a writer id there was nothing left to send; what comes asks again.
    if (this.#writerId !== undefined) { for (const sender of this.#senders.values()) sender.schedule(); }
  }

  #tables(): { databaseName: string; tableName: string }[] {
    const tables = new Map<string, { databaseName: string; tableName: string }>();
    for (const queues of this.#queues.values()) {
      for (const queue of queues) {
        if (queue?.busy !== true) continue;
        const { database: databaseName, table: tableName } = queue.target.physical.path;
        tables.set(queue.target.table.name, { databaseName, tableName });
      }
    }
    return [...tables.values()];
  }
}

/** The table made anew is another one, and its buckets are looked for apart from those of the old one. */
function heldKey(target: PartitionTarget): string {
  return `${target.table.tableId} ${target.key}`;
}

/** Tells the batches that wait why they wait, for the case that they have to give up. */
function noteFailure(queue: BucketQueue, cause: FlussError): void {
  for (const batch of queue.ready) batch.lastFailure = cause;
  if (queue.open !== undefined) queue.open.lastFailure = cause;
}

function internal(table: string | undefined, doing: string, cause: unknown): FlussError {
  return flussError("CONNECTION.PROTOCOL", { table, message: `${doing} failed: ${String(cause)}`, cause });
}

function recreated(target: PartitionTarget): FlussError {
  return serverError(7, "the table was dropped and created again while rows for it were queued", {
    doing: "writing",
    table: target.table.name,
  });
}
