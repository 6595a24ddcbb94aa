/**
 * The logs of the tables of a subscription: where reading starts, which buckets there are, how far it came.
 *
 * @module
 */
import { FlussError, flussError, type FlussSubscriptionError } from "../base/errors.ts";
import type { Deadline } from "../base/wait.ts";
import type { FlussClient } from "../client/client.ts";
import { fetchTableInfo } from "../client/cluster/tables.ts";
import { kvScan } from "../client/read/kv_scan.ts";
import { type BucketRange, LogReader, type LogSource } from "../client/read/log_reader.ts";
import { fetchOffsets } from "../client/read/offsets.ts";
import { type BucketRef, EARLIEST, listBuckets, resolveStart } from "../client/read/ranges.ts";
import type { TableBinding } from "../client/table/bound_table.ts";
import { compileFilter } from "../format/filter.ts";
import { CHANGE_INSERT } from "../format/log_decoder.ts";
import { compileFirstColumns } from "../format/pick_columns.ts";
import { compileChecks } from "../schema/checks.ts";
import type { TemporalLike } from "../schema/data_type.ts";
import type { FoldedChunk, FoldRules, FoldState } from "./change_fold.ts";
import type { OnExpired, PartitionChange } from "./change_types.ts";
import { PartitionWatch } from "./partition_watch.ts";
import { type AtOffsets, type From, millisOf } from "./read_position.ts";
import type { ScanParts } from "./scan_parts.ts";
import { planScan } from "./scan_plan.ts";
import { checkToken, FROM_SNAPSHOT, readToken, type TokenTable, writeToken } from "./token.ts";

/** A table of a subscription. */
export interface FollowedTable {
  readonly binding: TableBinding;
  /** What events carry as `table`; undefined when they carry none. */
  readonly label: string | undefined;
  /** The selected columns, and the condition. */
  readonly parts: Pick<ScanParts, "select" | "where">;
}

/** What a feed is told. */
export interface FeedSettings {
  readonly from: From;
  readonly until: "latest" | undefined;
  readonly onExpired: OnExpired;
  readonly raw: boolean;
  readonly discoverMs: number;
  readonly temporal: TemporalLike;
}

/** One bucket that is read. */
export interface Slot extends FoldState {
  readonly table: FeedTable;
  readonly partitionId: bigint | undefined;
  /** Where reading goes on: behind what was given out and dealt with. */
  next: bigint;
  /** Nothing of it is read any more. */
  over: boolean;
  /** Where reading ends; undefined for a bucket that is read for ever. */
  end: bigint | undefined;
}

/** Rows of one bucket. */
export interface FeedChunk extends FoldedChunk {
  readonly slot: Slot;
  /** Where reading goes on behind it. */
  readonly nextOffset: bigint;
}

/** A table that was found. */
interface FeedTable {
  readonly followed: FollowedTable;
  readonly source: LogSource;
  readonly rules: FoldRules;
  /** Only the buckets are read that were named: no new partitions. */
  readonly only: boolean;
}

/** Dropped partitions that are remembered. */
const MAX_DROPPED = 1000;

/** See the module. One caller at a time. */
export class ChangeFeed {
  readonly #client: FlussClient;
  readonly #followed: readonly FollowedTable[];
  readonly #settings: FeedSettings;
  #tables: readonly FeedTable[] = [];
  /** Replaced as a whole, so that who holds it has the buckets of that time. */
  #slots: readonly Slot[] = [];
  readonly #places = new Map<LogSource, Map<string | undefined, Slot[]>>();
  /** Where dropped partitions stood, by their number: servers may have known nothing of one for a moment only. */
  readonly #dropped = new Map<bigint, readonly Slot[]>();
  readonly #onPartition: (change: PartitionChange) => void;
  #reader: LogReader | undefined;
  #snapshot: AsyncGenerator<FeedChunk, void> | undefined;
  #watch: PartitionWatch | undefined;
  /** Ends everything that waits. */
  readonly #closing = new AbortController();
  /** What it was closed with. */
  #failure: { readonly error: unknown } | undefined;

  constructor(
    client: FlussClient,
    followed: readonly FollowedTable[],
    settings: FeedSettings,
    onPartition: (change: PartitionChange) => void,
  ) {
    this.#client = client;
    this.#followed = followed;
    this.#settings = settings;
    this.#onPartition = onPartition;
  }

  get #closed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** The buckets that are read. */
  get slots(): readonly Slot[] {
    return this.#slots;
  }

  /** Records behind what was given out, as far as servers have told. */
  get lag(): bigint {
    return this.#reader?.lag() ?? 0n;
  }

  /**
   * Finds tables, buckets and offsets, and begins to read.
   *
   * @param from where to start
   */
  async start(from: From): Promise<void> {
    const deadline = this.#deadline();
    const token = typeof from === "object" && "token" in from ? readToken(from.token) : undefined;
    if (token !== undefined) checkSameTables(token, this.#followed);
    const found = await Promise.all(
      this.#followed.map((followed) => this.#open(followed, from, token, deadline)),
    );
    if (this.#closed) return;
    this.#tables = found.map(({ table }) => table);
    for (const { slots } of found) this.#addSlots(slots);
    if (this.#settings.until !== undefined) await this.#findEnds(deadline);
    if (this.#closed) return;
    if (this.#slots.some((slot) => slot.next === FROM_SNAPSHOT)) this.#snapshot = this.#readSnapshot();
    else this.#openReader();
    if (this.#settings.until !== undefined) return;
    if (this.#tables.some(({ only, source }) => !only && isPartitioned(source))) {
      const { alarms } = this.#client;
      const { discoverMs: everyMs } = this.#settings;
      this.#watch = new PartitionWatch({ alarms, everyMs, look: () => this.#look() });
    }
  }

  /** Each bucket ends where its log ends now. */
  async #findEnds(deadline: Deadline): Promise<void> {
    await Promise.all(this.#tables.map(async (table) => {
      const slots = this.#slots.filter((slot) => slot.table === table);
      const ends = await fetchOffsets(this.#client, table.source.bound, slots, "latest", deadline);
      slots.forEach((slot, i) => slot.end = ends[i]!);
    }));
  }

  #deadline(): Deadline {
    return this.#client.cluster.deadline({ signal: this.#closing.signal });
  }

  async #open(
    followed: FollowedTable,
    from: From,
    token: readonly TokenTable[] | undefined,
    deadline: Deadline,
  ): Promise<{ table: FeedTable; slots: Slot[] }> {
    const { binding, parts, label } = followed;
    const { tableId } = await fetchTableInfo(this.#client.cluster, binding.path, deadline.options);
    // What is known of the table may be from before it was made anew.
    if (binding.bound !== undefined && binding.bound.target.tableId !== tableId) binding.bound.target.gone();
    const { bound, columns, selected, buckets, pruned, source: way } = await planScan(
      { client: this.#client, binding },
      parts,
      deadline,
    );
    const own = token?.find((one) => one.table === binding.name);
    if (own !== undefined) checkToken(own, bound);
    const { validate } = this.#client.options;
    const { Instant } = this.#settings.temporal;
    const table: FeedTable = {
      followed,
      source: { bound, columns, filter: pruned },
      only: own?.only ?? (typeof from === "object" && "offsets" in from),
      rules: {
        table: binding.name,
        label,
        raw: this.#settings.raw,
        filter: parts.where === undefined ? undefined : compileFilter(parts.where, columns, binding.name),
        keep: compileFirstColumns(selected),
        checks: validate === "reads" || validate === "both" ? compileChecks(binding.definition) : undefined,
        instant: (millis) => Instant.fromEpochMilliseconds(millis),
      },
    };
    const starts = own === undefined
      ? await this.#startsOf(table, buckets, from, deadline)
      : startsOfToken(own, buckets);
    // Without a bucket there is no server to ask: a table without partitions has no current rows either.
    if (starts.includes(FROM_SNAPSHOT) && way !== "key-value scan") {
      throw flussError("SUBSCRIPTION.SNAPSHOT_UNSUPPORTED", {
        table: binding.name,
        message: "the server cannot scan current rows and tell where the log goes on behind them",
      });
    }
    const slots = buckets.flatMap((bucket, i) => {
      const start = starts[i];
      return start === undefined ? [] : [newSlot(table, bucket, start)];
    });
    // Also with a token from before the first record came.
    if (table.only) await this.#moveBack(table, slots, deadline);
    return { table, slots };
  }

  async #startsOf(
    { source: { bound } }: FeedTable,
    buckets: readonly BucketRef[],
    from: From,
    deadline: Deadline,
  ): Promise<(bigint | undefined)[]> {
    if (from === "snapshot") return buckets.map(() => FROM_SNAPSHOT);
    if (typeof from === "string") return await resolveStart(this.#client, bound, buckets, from, deadline);
    if ("timestamp" in from) {
      const at = { timestamp: Math.floor(millisOf(from.timestamp)) };
      return await resolveStart(this.#client, bound, buckets, at, deadline);
    }
    const { offsets } = from as AtOffsets;
    const { onExpired } = this.#settings;
    if (onExpired === "throw") return await resolveStart(this.#client, bound, buckets, { offsets }, deadline);
    const [earliest, instead] = await Promise.all([
      fetchOffsets(this.#client, bound, buckets, "earliest", deadline),
      fetchOffsets(this.#client, bound, buckets, onExpired, deadline),
    ]);
    const kept = offsets.map((given) => {
      const i = buckets.findIndex(({ bucket, partition }) => bucket === given.bucket && partition === given.partition);
      return i < 0 || given.offset >= earliest[i]! ? given : { ...given, offset: instead[i]! };
    });
    return await resolveStart(this.#client, bound, buckets, { offsets: kept }, deadline);
  }

  /** An offset that was named may be that of the row after an update. So the record before it is looked at too. */
  async #moveBack({ source: { bound }, followed, rules }: FeedTable, slots: Slot[], deadline: Deadline): Promise<void> {
    const { primaryKey, changelog } = followed.binding.definition;
    if (rules.raw || primaryKey.length === 0 || changelog === "wal") return;
    const earliest = await fetchOffsets(this.#client, bound, slots, "earliest", deadline);
    slots.forEach((slot, i) => {
      if (slot.next <= earliest[i]!) return;
      slot.wantedFrom = slot.next;
      slot.next -= 1n;
    });
  }

  /**
   * The next rows of some bucket. Those before them were dealt with.
   *
   * @returns undefined when the feed was closed; see {@linkcode throwFailure}
   * @throws what ended it
   */
  async next(): Promise<FeedChunk | undefined> {
    while (!this.#closed) {
      this.#watch?.tick();
      try {
        const chunk = this.#tryNext() ?? await this.#wait();
        if (chunk !== undefined) return chunk;
      } catch (error) {
        if (this.#closed) break;
        if (!await this.#goOn(error)) throw error;
      }
    }
    return undefined;
  }

  #tryNext(): FeedChunk | undefined {
    return this.#snapshot === undefined ? this.#chunk(this.#reader?.tryNext()) : undefined;
  }

  /** Throws, once, what the feed was closed with. */
  throwFailure(): void {
    if (this.#failure === undefined) return;
    const { error } = this.#failure;
    this.#failure = undefined;
    throw error;
  }

  async #wait(): Promise<FeedChunk | undefined> {
    if (this.#snapshot !== undefined) {
      const step = await this.#snapshot.next();
      if (step.done !== true) return step.value;
      this.#snapshot = undefined;
      if (!this.#closed) this.#openReader();
      return undefined;
    }
    const reader = this.#reader!;
    this.#watch?.wait();
    try {
      const found = await reader.next();
      // The client closed it, or everything was read.
      if (found === undefined && (reader.closed || this.#settings.until !== undefined)) this.close();
      return this.#chunk(found);
    } finally {
      this.#watch?.rest();
    }
  }

  #chunk(found: Awaited<ReturnType<LogReader["next"]>>): FeedChunk | undefined {
    if (found === undefined) return undefined;
    const slot = this.#places.get(found.source)?.get(found.partition)?.[found.bucket];
    if (slot === undefined) return undefined;
    const { firstOffset, nextOffset, timestamp, changeTypes, columns } = found;
    return { slot, firstOffset, nextOffset, timestamp, changeTypes, columns };
  }

  /** The current rows, bucket by bucket. A bucket that is not through comes again as a whole when it is resumed. */
  async *#readSnapshot(): AsyncGenerator<FeedChunk, void> {
    const { signal } = this.#closing;
    for (const slot of this.#slots) {
      if (slot.next !== FROM_SNAPSHOT || slot.over) continue;
      const { table: { source: { bound, columns: wanted } } } = slot;
      const timestamp = Date.now();
      let logOffset = 0n;
      for await (const values of kvScan(this.#client, bound, slot, wanted, { signal })) {
        logOffset = values.logOffset;
        const changeTypes = new Uint8Array(values.columns.length).fill(CHANGE_INSERT);
        const { columns } = values;
        const where = { slot, firstOffset: logOffset, nextOffset: FROM_SNAPSHOT, snapshot: true };
        if (columns.length > 0) yield { ...where, timestamp, changeTypes, columns };
      }
      slot.next = logOffset;
    }
  }

  /** Goes on elsewhere when records have expired and the settings say so. */
  async #goOn(error: unknown): Promise<boolean> {
    if (this.#closed || !FlussError.is(error, "SUBSCRIPTION.OFFSET_OUT_OF_RANGE")) return false;
    const { onExpired } = this.#settings;
    const slot = this.#slots.find(({ table, bucket, partition }) =>
      table.rules.table === error.table && bucket === error.bucket && partition === error.partition
    );
    if (onExpired === "throw" || slot === undefined) return false;
    const { earliest } = error as FlussSubscriptionError;
    // An offset beyond the end has not expired.
    if (earliest === undefined || slot.next >= earliest) return false;
    slot.next = onExpired === "earliest"
      ? EARLIEST
      : (await fetchOffsets(this.#client, slot.table.source.bound, [slot], "latest", this.#deadline()))[0]!;
    slot.held = undefined;
    slot.wantedFrom = undefined;
    if (this.#closed) return false;
    this.#openReader();
    return true;
  }

  #openReader(): void {
    this.#reader?.close();
    this.#reader = new LogReader(this.#client, {
      keepOpen: this.#settings.until === undefined,
      onGone: (range) => this.#gone(range),
    });
    for (const slot of this.#slots) if (!slot.over) this.#reader.add(rangeOf(slot));
  }

  /** One bucket of a dropped partition was read to its end. */
  #gone({ source, partition, partitionId, bucket }: BucketRange): void {
    const slots = this.#slots.filter((slot) =>
      slot.table.source === source && slot.partition === partition && slot.partitionId === partitionId
    );
    const slot = slots.find((slot) => slot.bucket === bucket);
    if (slot === undefined) return;
    slot.over = true;
    if (slots.every((slot) => slot.over)) this.#drop(slots);
  }

  #drop(slots: readonly Slot[]): void {
    const { table: { source, rules }, partition, partitionId } = slots[0]!;
    this.#slots = this.#slots.filter((slot) => !slots.includes(slot));
    this.#places.get(source)?.delete(partition);
    if (partitionId !== undefined) this.#dropped.set(partitionId, slots);
    if (this.#dropped.size > MAX_DROPPED) this.#dropped.delete(this.#dropped.keys().next().value!);
    this.#tell({ change: "dropped", table: rules.table, partition: partition ?? "" });
  }

  /** Compares the partitions that there are with those that are read. */
  async #look(): Promise<void> {
    const deadline = this.#deadline();
    for (const table of this.#tables) {
      if (table.only || !isPartitioned(table.source)) continue;
      const buckets = await listBuckets(this.#client, table.source.bound, undefined, deadline);
      if (this.#closed) return;
      this.#compare(table, buckets);
    }
  }

  #compare(table: FeedTable, buckets: readonly BucketRef[]): void {
    const { source } = table;
    const fresh: Slot[] = [];
    for (const [partitionId, group] of Map.groupBy(buckets, ({ partitionId }) => partitionId)) {
      const { partition } = group[0]!;
      const [old] = Object.values(this.#places.get(source)?.get(partition) ?? []);
      if (old?.partitionId === partitionId) continue;
      if (old !== undefined) {
        // Dropped and made again between two looks.
        this.#reader?.remove(source, partition);
        this.#drop(this.#slots.filter((slot) => slot.table === table && slot.partition === partition));
      }
      // A partition that servers did not know for a moment goes on where it was.
      const before = this.#dropped.get(partitionId!);
      this.#dropped.delete(partitionId!);
      for (const slot of before ?? []) slot.over = false;
      fresh.push(...before ?? group.map((bucket) => newSlot(table, bucket, EARLIEST)));
      this.#tell({ change: "added", table: table.rules.table, partition: partition ?? "" });
    }
    this.#addSlots(fresh);
    if (this.#reader !== undefined) { for (const slot of fresh) this.#reader.add(rangeOf(slot)); }
  }

  #addSlots(slots: readonly Slot[]): void {
    this.#slots = [...this.#slots, ...slots];
    for (const slot of slots) {
      const { source } = slot.table;
      let partitions = this.#places.get(source);
      if (partitions === undefined) this.#places.set(source, partitions = new Map());
      const buckets = partitions.get(slot.partition);
      if (buckets === undefined) partitions.set(slot.partition, Object.assign([], { [slot.bucket]: slot }));
      else buckets[slot.bucket] = slot;
    }
  }

  /** Told in a turn of its own: what a listener throws ends the feed, and nothing else. */
  #tell(change: PartitionChange): void {
    queueMicrotask(() => {
      try {
        if (!this.#closed) this.#onPartition(change);
      } catch (error) {
        this.close({ error });
      }
    });
  }

  /**
   * Ends fetches and waits, and lets everything go that is held.
   *
   * @param failure for {@linkcode throwFailure}
   */
  close(failure?: { readonly error: unknown }): void {
    if (this.#closed) return;
    this.#failure = failure;
    this.#closing.abort(failure?.error);
    this.#watch?.close();
    this.#reader?.close();
    this.#snapshot?.return().catch(() => {});
    this.#places.clear();
    this.#dropped.clear();
  }

  /**
   * Makes the maker of a token: positions are taken now, the text is made when it is asked for.
   *
   * @param offsetOf where a bucket stands
   */
  checkpoint(offsetOf: (slot: Slot) => bigint): () => string {
    const slots = this.#slots;
    const offsets = slots.map(offsetOf);
    return () => {
      const tables = this.#tables.map((table): TokenTable => {
        const { target, codec } = table.source.bound;
        const positions = slots.flatMap((slot, i) => {
          const { partition, partitionId, bucket } = slot;
          return slot.table === table ? [{ partition, partitionId, bucket, offset: offsets[i]! }] : [];
        });
        const { name, tableId } = target;
        return { table: name, tableId, schemaId: codec.layout.schemaId, only: table.only, positions };
      });
      return writeToken(tables);
    };
  }
}

/** Where a bucket stands, as long as nothing of it is in hand. */
export function positionOf(slot: Slot): bigint {
  return slot.held?.offset ?? slot.wantedFrom ?? slot.next;
}

function newSlot(table: FeedTable, { bucket, partition, partitionId }: BucketRef, next: bigint): Slot {
  return {
    table,
    bucket,
    partition,
    partitionId,
    next,
    held: undefined,
    wantedFrom: undefined,
    over: false,
    end: undefined,
  };
}

function rangeOf({ table: { source }, partition, partitionId, bucket, next: start, end: stop }: Slot): BucketRange {
  return { source, partition, partitionId, bucket, start, stop };
}

function isPartitioned({ bound }: LogSource): boolean {
  return bound.target.partitionColumns.length > 0;
}

/** Partitions that the token does not know are new, and read from their start; those that are gone are left out. */
function startsOfToken({ positions, only }: TokenTable, buckets: readonly BucketRef[]): (bigint | undefined)[] {
  const key = (partition: string | undefined, bucket: number) => `${bucket} ${partition ?? ""}`;
  const known = new Map(positions.map((position) => [key(position.partition, position.bucket), position]));
  return buckets.map(({ partition, partitionId, bucket }) => {
    const found = known.get(key(partition, bucket));
    if (found !== undefined && (found.partitionId ?? partitionId) === partitionId) return found.offset;
    return only === true ? undefined : EARLIEST;
  });
}

function checkSameTables(token: readonly TokenTable[], followed: readonly FollowedTable[]): void {
  const names = followed.map(({ binding }) => binding.name);
  const lacking = names.find((name) => !token.some((one) => one.table === name));
  const extra = token.find((one) => !names.includes(one.table))?.table;
  if (lacking === undefined && extra === undefined) return;
  throw flussError("SUBSCRIPTION.TOKEN_MISMATCH", {
    table: lacking ?? names[0]!,
    message: `the token was made for ${token.map((one) => one.table).join(", ")}, and the subscription is of ${
      names.join(", ")
    }`,
    hint: "keep one token per subscription, and start anew when its tables change",
  });
}
