/**
 * Changes as users see them: events, subscriptions, and what a subscription can be told.
 *
 * @module
 */
import type { Predicate } from "../format/predicate.ts";
import type { $ } from "../schema/column.ts";
import type { AnyTable, KeyOf as Name } from "../schema/infer.ts";
import type { CheckpointOptions } from "./checkpoint_store.ts";
import type { Engine, OnePerKey, Picked, UntypedRow } from "./handle_types.ts";
import type { Condition, Refs } from "./predicate_refs.ts";
import type { From } from "./read_position.ts";

/** Where a change is in the log, and when it came there. */
export interface ChangePosition {
  /** The offset in the log of the bucket; of an update, that of the row after it. */
  readonly offset: bigint;
  /** When the server wrote it. All changes of one batch have the same time. */
  readonly timestamp: Temporal.Instant;
  /** The bucket. */
  readonly bucket: number;
  /** The name of the partition; absent when the table is not partitioned. */
  readonly partition?: string;
}

/** A row was appended to a log table. */
export interface AppendEvent<R> extends ChangePosition {
  /** What happened. */
  readonly op: "append";
  /** The row. */
  readonly row: R;
}

/** A row came into being. */
export interface InsertEvent<R> extends ChangePosition {
  /** What happened. */
  readonly op: "insert";
  /** The row. */
  readonly row: R;
}

/** A row took the place of another one with the same key. */
export interface UpdateEvent<R, B> extends ChangePosition {
  /** What happened. */
  readonly op: "update";
  /** The row as it is now. */
  readonly row: R;
  /** The row as it was; undefined with `changelog: "wal"`, where the server does not keep it. */
  readonly before: B;
}

/** A row is gone. */
export interface DeleteEvent<R> extends ChangePosition {
  /** What happened. */
  readonly op: "delete";
  /** The row as it was. */
  readonly row: R;
}

/** A record of the log as it is stored, with the kind by the name that Fluss gives it. */
export interface RawEvent<R, K> extends ChangePosition {
  /** `+A` for appends; `+I`, `-U` (the row before an update), `+U` (the row after it) and `-D` for changes. */
  readonly op: K;
  /** The row. */
  readonly row: R;
}

/** A field of a declaration that says how changes of the table are told. */
export type Changelog<T extends AnyTable> = T[typeof $]["l"];

/** What happens to rows of a table with primary key: first_row never replaces, versioned never removes. */
export type KeyedChange<R, E, L> =
  | InsertEvent<R>
  | (E extends "first_row" ? never : UpdateEvent<R, L extends "wal" ? undefined : R>)
  | (E extends OnePerKey ? never : DeleteEvent<R>);

/** The kinds of records in the log of a table with primary key. */
export type RawKind<E> = "+I" | (E extends "first_row" ? never : "-U" | "+U") | (E extends OnePerKey ? never : "-D");

/**
 * The changes of a table.
 *
 * @typeParam T the table
 * @typeParam S the keys of the selected columns
 * @typeParam W whether records come as they are stored
 */
export type ChangeOf<T extends AnyTable, S = Name<T["$row"]>, W = false> = [T[typeof $]["pk"]] extends [never]
  ? (W extends true ? RawEvent<Picked<T["$row"], S>, "+A"> : AppendEvent<Picked<T["$row"], S>>)
  : W extends true ? RawEvent<Picked<T["$row"], S>, RawKind<Engine<T>>>
  : KeyedChange<Picked<T["$row"], S>, Engine<T>, Changelog<T>>;

/** A change with the name of its table, as it was declared. */
export type NamedChangeOf<T extends AnyTable, W = false> = T extends AnyTable
  ? ChangeOf<T, Name<T["$row"]>, W> & { readonly table: T["name"] }
  : never;

/** A change of a table that no declaration describes. */
export type UntypedChange =
  | AppendEvent<UntypedRow>
  | InsertEvent<UntypedRow>
  | UpdateEvent<UntypedRow, UntypedRow | undefined>
  | DeleteEvent<UntypedRow>
  | RawEvent<UntypedRow, "+A" | "+I" | "-U" | "+U" | "-D">;

/** What to do when the log has lost what was to be read next. */
export type OnExpired = "throw" | "earliest" | "latest";

/** What every subscription can be told. */
export interface SubscriptionOptions<W> {
  /**
   * Where to start: at the oldest record that is kept (`"earliest"`), at the end (`"latest"`), with the current rows as
   * inserts (`"snapshot"`), at a time, at offsets, or where a checkpoint was taken. Default `"earliest"`: the other
   * places leave changes out.
   */
  readonly from?: From;
  /**
   * Where to end. `"latest"`: with the changes that are there when the subscription begins; partitions that are made later
   * are not read. Default: never.
   */
  readonly until?: "latest";
  /**
   * What to do when records expired before they were read: throw `SUBSCRIPTION.OFFSET_OUT_OF_RANGE` (the default), or
   * go on with the earliest or the latest that there is.
   */
  readonly onExpired?: OnExpired;
  /** True gives records as they are stored: `+I`, `-U`, `+U`, `-D`, and `+A` in log tables. Default false. */
  readonly raw?: W;
  /** How often new and dropped partitions are looked for, in milliseconds. Default 10,000. */
  readonly discoverMs?: number;
  /** Keeps checkpoints in a store, and starts from the one that is there; `from` is for the first time. */
  readonly checkpoint?: CheckpointOptions;
  /** Ends the subscription: the iteration rejects with the signal's own reason. */
  readonly signal?: AbortSignal;
}

/** What `changes()` can be told. */
export interface ChangesOptions<T extends AnyTable, S, W> extends SubscriptionOptions<W> {
  /** The columns of rows, in this order. Others are neither sent, where the server can leave them out, nor decoded. */
  readonly select?: readonly S[];
  /**
   * Which changes are told: those whose row meets the condition, and updates whose row met it before; so that who keeps
   * a copy of the matching rows learns of those that match no longer. With `changelog: "wal"` there is no row before, and
   * such an update is not told. With `raw` each record is looked at by itself.
   */
  readonly where?: ((columns: Refs<T["columns"]>) => Condition) | Predicate;
}

/** What `changes()` of an untyped handle can be told. */
export interface UntypedChangesOptions extends SubscriptionOptions<boolean> {
  /** As {@linkcode ChangesOptions.select}. */
  readonly select?: readonly string[];
  /** As {@linkcode ChangesOptions.where}. */
  readonly where?: Predicate;
}

/** A partition that came or went. */
export interface PartitionChange {
  /** Whether it is read from now on, or not any more. */
  readonly change: "added" | "dropped";
  /** The table, as `database.table`. */
  readonly table: string;
  /** Its name. */
  readonly partition: string;
}

/** Changes of one bucket, in its order. */
export interface ChangeBatch<X> extends ReadonlyArray<X> {
  /** A resume token: what follows this batch, in all buckets. Made when it is asked for. */
  readonly checkpoint: string;
}

/**
 * Changes as they happen, without an end unless `until` says so. Order holds per bucket only.
 *
 * Nothing is read before the first change is asked for, and never more than `scanner.aheadBytes` ahead of it. A
 * subscription has one reader: iterate it or its batches, once. `break`, `return`, an aborted signal and disposal free
 * everything at once.
 *
 * @example
 * ```ts
 * import { connect, t, table } from "sluice";
 *
 * const users = table("shop.users", { id: t.bigint(), name: t.string() }, { primaryKey: ["id"] });
 *
 * export async function follow(url: string, saved: string | undefined, save: (token: string) => Promise<void>): Promise<void> {
 *   await using db = await connect(url);
 *   await using changes = db.table(users).changes({ from: saved === undefined ? "earliest" : { token: saved } });
 *   for await (const batch of changes.batches()) {
 *     for (const change of batch) console.log(change.op, change.row.name);
 *     await save(batch.checkpoint);
 *   }
 * }
 * ```
 *
 * @typeParam X the changes
 */
export interface Subscription<X> extends AsyncIterable<X, undefined>, AsyncDisposable {
  /**
   * A resume token: everything before the change in hand, and that one too once the next is asked for. Who saves it
   * after a change was dealt with may see that change again, and misses none.
   *
   * @throws FlussUsageError `SUBSCRIPTION.NOT_STARTED` before the first change was asked for
   */
  checkpoint(): string;
  /** The changes in batches: as they were written, each of one bucket. The fast way, without a promise for each. */
  batches(): AsyncIterable<ChangeBatch<X>, undefined>;
  /** How many records there were behind the one in hand when the servers were last heard of. */
  readonly lag: bigint;
  /**
   * Calls `listener` for partitions that come and go, before the first and after the last change of theirs.
   * What it throws ends the subscription.
   *
   * @returns takes the listener away
   */
  on(event: "partition", listener: (change: PartitionChange) => void): () => void;
}
