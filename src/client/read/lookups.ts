/**
 * Lookups: keys gather per tablet server and share requests, without a fixed wait.
 *
 * A lone lookup leaves at the end of the tick. While a request is out, what comes in gathers, and leaves when an answer
 * arrives or when a request is full.
 *
 * @module
 */
import type { Alarm, Alarms } from "../../base/alarms.ts";
import { FlussError, flussError, isStaleMetadata, serverError } from "../../base/errors.ts";
import { backOffMs, Deadline } from "../../base/wait.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { PartitionTarget } from "../table/target.ts";
import { API } from "../rpc/api.ts";
import type { RpcConnection } from "../rpc/connection.ts";
import { REQUEST_HEADER_BYTES } from "../rpc/frame.ts";
import type { EncodedKey } from "./key_slab.ts";
import { type BucketKeys, decodeLookup, encodeLookup, type InsertOptions } from "./lookup_messages.ts";

/** One key that is looked up. */
export interface Lookup extends EncodedKey {
  readonly target: PartitionTarget;
  readonly kind: "lookup" | "prefix" | "insert";
  readonly bucket: number;
  /** When it gives up, on the clock of `performance.now()`. */
  readonly at: number;
  /** Takes the answer: the range of its element in the answer's bytes, which are valid during the call only. */
  answer(body: Uint8Array, start: number, end: number): void;
  /** Takes the failure. */
  fail(error: unknown): void;
  /** True once it was answered, failed or aborted. */
  done: boolean;
  attempts: number;
  lastFailure?: FlussError;
}

/** The bounds of lookups. */
export interface LookupLimits {
  /** Keys of one request. */
  readonly maxBatch: number;
  /** Requests that may be out, over all servers. */
  readonly maxInflight: number;
  /** Keys that may wait, in bytes. */
  readonly maxBytes: number;
  readonly requestTimeoutMs: number;
}

/** What a waiting key takes besides its bytes, roughly. */
const OVERHEAD_BYTES = 200;
/** A queue below this length is not looked through for lookups that are over. */
const COMPACT_AT = 4096;

interface ServerQueue {
  readonly serverId: number;
  waiting: Lookup[];
  /** At this length those that are over are taken out of `waiting`. */
  compactAt: number;
  requests: number;
  scheduled: boolean;
  connecting: boolean;
}

/** Lookups that share one bucket's place in a request. */
interface Entry extends BucketKeys {
  readonly keys: Lookup[];
}

/** Lookups that share a request. */
interface Group {
  readonly kind: Lookup["kind"];
  readonly tableId: bigint;
  /** Entries by target and bucket. */
  readonly targets: Map<string, (Entry | undefined)[]>;
  readonly entries: Entry[];
}

/** See the module. */
export class Lookups {
  readonly #cluster: Cluster;
  readonly #alarms: Alarms;
  readonly #limits: LookupLimits;
  readonly #servers = new Map<number, ServerQueue>();
  readonly #out = new Set<readonly Lookup[]>();
  readonly #retrying = new Set<Lookup>();
  #requests = 0;
  #bytes = 0;
  #sweep: Alarm | undefined;
  #sweepAt = Infinity;
  #closed: FlussError | undefined;
  readonly #closing = new AbortController();

  constructor(cluster: Cluster, alarms: Alarms, limits: LookupLimits) {
    this.#cluster = cluster;
    this.#alarms = alarms;
    this.#limits = limits;
  }

  /** Puts a lookup on its way. Its outcome reaches it through `answer` or `fail`, exactly once. */
  add(lookup: Lookup): void {
    if (this.#closed !== undefined) return lookup.fail(this.#closed);
    const bytes = lookup.end - lookup.start + OVERHEAD_BYTES;
    if (this.#bytes + bytes > this.#limits.maxBytes) {
      lookup.fail(flussError("LOOKUP.QUEUE_FULL", {
        table: lookup.target.table.name,
        message: `${this.#bytes} bytes of keys wait already, and lookup.maxBytes is ${this.#limits.maxBytes}`,
      }));
      return;
    }
    this.#bytes += bytes;
    if (lookup.at < this.#sweepAt) this.#armSweep(lookup.at);
    this.#dispatch(lookup);
  }

  /** Marks a lookup as over, whoever ended it. Every lookup passes here once. */
  finish(lookup: Lookup): boolean {
    if (lookup.done) return false;
    lookup.done = true;
    this.#bytes -= lookup.end - lookup.start + OVERHEAD_BYTES;
    return true;
  }

  /** Lookups that are on their way. */
  get pending(): readonly Lookup[] {
    return [...this.#all()].filter(({ done }) => !done);
  }

  /** Fails everything that waits, and takes nothing more. */
  close(reason: FlussError): void {
    this.#closed = reason;
    this.#closing.abort(reason);
    if (this.#sweep !== undefined) this.#alarms.clear(this.#sweep);
    for (const lookup of this.#all()) this.#fail(lookup, reason);
    this.#servers.clear();
  }

  #dispatch(lookup: Lookup): void {
    const known = this.#cluster.metadata.leaders(lookup.target.key);
    const leader = known?.tableId === lookup.target.table.tableId ? known.leaders[lookup.bucket] ?? -1 : -1;
    if (leader < 0) {
      this.#retry(lookup, undefined);
      return;
    }
    let server = this.#servers.get(leader);
    if (server === undefined) {
      server = {
        serverId: leader,
        waiting: [],
        compactAt: COMPACT_AT,
        requests: 0,
        scheduled: false,
        connecting: false,
      };
      this.#servers.set(leader, server);
    }
    server.waiting.push(lookup);
    // A server that does not answer must not gather lookups whose callers have gone.
    if (server.waiting.length >= server.compactAt) {
      server.waiting = server.waiting.filter((waiting) => !waiting.done);
      server.compactAt = Math.max(COMPACT_AT, 2 * server.waiting.length);
    }
    if (!server.scheduled && (server.requests === 0 || server.waiting.length >= this.#limits.maxBatch)) {
      this.#schedule(server);
    }
  }

  #schedule(server: ServerQueue): void {
    server.scheduled = true;
    queueMicrotask(() => {
      server.scheduled = false;
      this.#drain(server);
    });
  }

  #drain(server: ServerQueue): void {
    if (server.connecting || server.waiting.length === 0) return;
    const connection = this.#cluster.current(server.serverId);
    if (connection === undefined) {
      this.#connect(server);
      return;
    }
    const { maxBatch, maxInflight } = this.#limits;
    while (
      server.waiting.length > 0 && this.#requests < maxInflight &&
      (server.requests === 0 || server.waiting.length >= maxBatch)
    ) {
      const taken = server.waiting.length <= maxBatch ? server.waiting : server.waiting.slice(0, maxBatch);
      server.waiting = taken === server.waiting ? [] : server.waiting.slice(maxBatch);
      this.#send(server, connection, taken);
    }
  }

  #connect(server: ServerQueue): void {
    server.connecting = true;
    // The lookups wait by their own deadlines; the connection is shared and waits by its own.
    this.#cluster.connect(server.serverId, this.#cluster.deadline()).then(() => {
      server.connecting = false;
      this.#drain(server);
    }, (error: unknown) => {
      server.connecting = false;
      for (const lookup of server.waiting.splice(0)) this.#refused(lookup, error);
    });
  }

  /** Sends one request per table and kind; more than one is rare. */
  #send(server: ServerQueue, connection: RpcConnection, lookups: readonly Lookup[]): void {
    const groups: Group[] = [];
    let group: Group | undefined;
    let buckets: (Entry | undefined)[] = [];
    let last: PartitionTarget | undefined;
    for (const lookup of lookups) {
      if (lookup.done) continue;
      const { target, kind } = lookup;
      if (target !== last || kind !== group!.kind) {
        group = groups.find((group) => group.kind === kind && group.tableId === target.table.tableId);
        if (group === undefined) {
          groups.push(group = { kind, tableId: target.table.tableId, targets: new Map(), entries: [] });
        }
        buckets = group.targets.get(target.key) ?? [];
        group.targets.set(target.key, buckets);
        last = target;
      }
      let entry = buckets[lookup.bucket];
      if (entry === undefined) {
        const partitionId = this.#cluster.metadata.leaders(target.key)?.partitionId;
        entry = buckets[lookup.bucket] = { partitionId, bucket: lookup.bucket, keys: [] };
        group!.entries.push(entry);
      }
      entry.keys.push(lookup);
    }
    for (const { entries } of groups) this.#sendGroup(server, connection, entries);
  }

  #sendGroup(server: ServerQueue, connection: RpcConnection, entries: readonly Entry[]): void {
    const { target, kind } = entries[0]!.keys[0]!;
    const api = kind === "prefix" ? API.PREFIX_LOOKUP : API.LOOKUP;
    const insert: InsertOptions | undefined = kind === "insert"
      ? { acks: -1, timeoutMs: this.#limits.requestTimeoutMs }
      : undefined;
    const lookups = entries.flatMap((entry) => entry.keys);
    this.#requests++;
    server.requests++;
    this.#out.add(lookups);
    const over = () => {
      this.#requests--;
      server.requests--;
      this.#out.delete(lookups);
    };
    const failAll = (error: unknown) => {
      over();
      for (const lookup of lookups) this.#refused(lookup, error);
      this.#next(server);
    };
    let apiVersion: number;
    try {
      apiVersion = connection.versionOf(api);
    } catch (error) {
      failAll(error);
      return;
    }
    connection.send({
      apiKey: api.key,
      apiVersion,
      body: encodeLookup(target.table.tableId, entries, insert, REQUEST_HEADER_BYTES),
      headroom: true,
      timeoutMs: this.#limits.requestTimeoutMs,
      onAnswer: (body) => {
        over();
        this.#answered(entries, body);
        this.#next(server);
      },
      onFailure: failAll,
    });
  }

  /** Sends what has gathered, once those who were just answered have had their turn to ask again. */
  #next(server: ServerQueue): void {
    // The others first: a server that is never idle must not keep them from the last free place.
    if (this.#requests === this.#limits.maxInflight - 1) {
      for (const other of this.#servers.values()) {
        if (other !== server && other.waiting.length > 0 && !other.scheduled) this.#schedule(other);
      }
    }
    if (!server.scheduled) this.#schedule(server);
  }

  #answered(entries: readonly Entry[], body: Uint8Array): void {
    let answers;
    try {
      answers = decodeLookup(body);
    } catch (error) {
      for (const entry of entries) for (const lookup of entry.keys) this.#refused(lookup, error);
      return;
    }
    const open = new Set(entries);
    for (const answer of answers) {
      for (const entry of open) {
        if (entry.bucket !== answer.bucket || entry.partitionId !== answer.partitionId) continue;
        open.delete(entry);
        if (answer.errorCode !== 0) {
          const { target } = entry.keys[0]!;
          const error = serverError(answer.errorCode, answer.errorMessage, {
            doing: "looking up",
            table: target.table.name,
            bucket: entry.bucket,
            partition: target.physical.partition,
          });
          for (const lookup of entry.keys) this.#refused(lookup, error);
        } else if (answer.elements.length !== 2 * entry.keys.length) {
          const said = `${answer.elements.length / 2} values for ${entry.keys.length} keys`;
          for (const lookup of entry.keys) this.#refused(lookup, incomplete(lookup, said));
        } else {
          for (let i = 0; i < entry.keys.length; i++) {
            const lookup = entry.keys[i]!;
            if (this.finish(lookup)) lookup.answer(body, answer.elements[2 * i]!, answer.elements[2 * i + 1]!);
          }
        }
        break;
      }
    }
    for (const entry of open) {
      for (const lookup of entry.keys) this.#refused(lookup, incomplete(lookup, "nothing for the bucket"));
    }
  }

  #refused(lookup: Lookup, error: unknown): void {
    if (lookup.done) return;
    if (!FlussError.is(error) || !error.retriable) this.#fail(lookup, error);
    else this.#retry(lookup, error);
  }

  /** Tries a lookup again when its leader is known again, until its deadline. */
  #retry(lookup: Lookup, error: FlussError | undefined): void {
    // The sweep may come some milliseconds late, and a wait that is over ends at once: it would never get its turn.
    if (performance.now() >= lookup.at) {
      this.#timeOut(lookup);
      return;
    }
    if (error !== undefined) {
      lookup.attempts++;
      lookup.lastFailure = error;
    }
    this.#retrying.add(lookup);
    void this.#findLeader(lookup, error).then(
      () => {
        this.#retrying.delete(lookup);
        if (!lookup.done) this.#dispatch(lookup);
      },
      (failure: unknown) => {
        this.#retrying.delete(lookup);
        this.#refused(lookup, failure);
      },
    );
  }

  async #findLeader(lookup: Lookup, error: FlussError | undefined): Promise<void> {
    const { target } = lookup;
    const deadline = new Deadline(this.#alarms, lookup.at - performance.now(), this.#closing.signal);
    const doing = `looking up ${target.table.name}`;
    if (lookup.attempts > 0) await deadline.pause(backOffMs(lookup.attempts), doing, lookup.lastFailure);
    if (lookup.done) return;
    const known = this.#cluster.metadata.leaders(target.key);
    const missing = known === undefined || known.tableId !== target.table.tableId ||
      (known.leaders[lookup.bucket] ?? -1) < 0;
    if (!missing && (error === undefined || !isStaleMetadata(error))) return;
    const found = await this.#cluster.refresh(target.physical, deadline);
    if (found === undefined) {
      throw serverError(36, undefined, { doing, table: target.table.name, partition: target.physical.partition });
    }
    if (found.tableId !== target.table.tableId) {
      throw serverError(7, "the table was dropped and created again", { doing, table: target.table.name });
    }
    if ((found.leaders[lookup.bucket] ?? -1) < 0) {
      // Not yet elected: worth another look, but not at once.
      lookup.attempts++;
      throw serverError(44, undefined, { doing, table: target.table.name, bucket: lookup.bucket });
    }
  }

  #fail(lookup: Lookup, error: unknown): void {
    if (this.finish(lookup)) lookup.fail(error);
  }

  #timeOut(lookup: Lookup): void {
    const { lastFailure } = lookup;
    const because = lastFailure === undefined ? "" : `; the last attempt said: ${lastFailure.message}`;
    this.#fail(
      lookup,
      flussError("TIMEOUT.REQUEST", {
        table: lookup.target.table.name,
        bucket: lookup.bucket,
        message: `a lookup got no answer in time${because}`,
        cause: lastFailure,
      }),
    );
  }

  #armSweep(at: number): void {
    if (this.#sweep !== undefined) this.#alarms.clear(this.#sweep);
    this.#sweepAt = at;
    this.#sweep = this.#alarms.set(at - performance.now(), () => {
      this.#sweep = undefined;
      this.#sweepAt = Infinity;
      const now = performance.now();
      let next = Infinity;
      for (const lookup of this.#all()) {
        if (lookup.done) continue;
        if (lookup.at > now) next = Math.min(next, lookup.at);
        else this.#timeOut(lookup);
      }
      if (next !== Infinity) this.#armSweep(next);
    });
  }

  *#all(): Iterable<Lookup> {
    for (const server of this.#servers.values()) yield* server.waiting;
    for (const lookups of this.#out) yield* lookups;
    yield* this.#retrying;
  }
}

function incomplete(lookup: Lookup, said: string): FlussError {
  return flussError("CONNECTION.PROTOCOL", {
    table: lookup.target.table.name,
    bucket: lookup.bucket,
    message: `the server's answer to a lookup has ${said}`,
  });
}
