/**
 * What `changes()` was told, checked in the call.
 *
 * @module
 */
import { type FlussError, flussError } from "../base/errors.ts";
import type { TableBinding } from "../client/table/bound_table.ts";
import type { TemporalLike } from "../schema/data_type.ts";
import type { CheckpointOptions } from "./checkpoint_store.ts";
import type { FeedSettings, FollowedTable } from "./change_feed.ts";
import type { SubscriptionOptions } from "./change_types.ts";
import { checkPosition } from "./read_position.ts";
import { type ScanParts, withSelect, withWhere } from "./scan_parts.ts";
import { readToken } from "./token.ts";

/** Options as they may come from programs without types. */
export interface LooseOptions extends SubscriptionOptions<boolean> {
  readonly select?: readonly string[];
  readonly where?: unknown;
}

/** What a subscription is made of. */
export interface SubscriptionPlan {
  readonly followed: readonly FollowedTable[];
  readonly settings: FeedSettings;
  readonly checkpoint: CheckpointOptions | undefined;
  readonly signal: AbortSignal | undefined;
}

const KNOWN = ["select", "where", "from", "until", "onExpired", "raw", "discoverMs", "checkpoint", "signal"];
const DISCOVER_MS = 10_000;
const MAX_MS = 0x7fffffff;

/**
 * Reads the options of `changes()`.
 *
 * @param tables the tables, with what their events carry as `table`
 * @throws FlussUsageError `SUBSCRIPTION.BAD_OPTIONS`, `SCAN.*`, `PREDICATE.*`; `SUBSCRIPTION.BAD_TOKEN`;
 * `RUNTIME.TEMPORAL_MISSING`
 */
export function planSubscription(
  tables: readonly { readonly binding: TableBinding; readonly label: string | undefined }[],
  options: LooseOptions,
): SubscriptionPlan {
  const name = tables.map(({ binding }) => binding.name).join(", ");
  if (tables.length === 0) throw bad("changes()", "no table is named");
  const twice = tables.find(({ binding }, i) => tables.findIndex((other) => other.binding.name === binding.name) < i);
  if (twice !== undefined) throw bad(name, `table ${twice.binding.name} is named twice`);
  const unknown = Object.keys(options).find((key) => !KNOWN.includes(key));
  if (unknown !== undefined) throw bad(name, `there is no option "${unknown}"`, `there are ${KNOWN.join(", ")}`);
  const { from = "earliest", until, onExpired = "throw", raw = false, discoverMs = DISCOVER_MS } = options;
  const { checkpoint, signal } = options;
  if (until !== undefined && until !== "latest") {
    throw bad(name, `until: ${JSON.stringify(until)} is no end`, 'use "latest", or leave it out');
  }
  if (!["throw", "earliest", "latest"].includes(onExpired)) {
    throw bad(name, `onExpired: ${JSON.stringify(onExpired)} is no policy`, 'use "throw", "earliest" or "latest"');
  }
  if (typeof raw !== "boolean") throw bad(name, `raw is true or false, not ${String(raw)}`);
  checkMs(name, "discoverMs", discoverMs);
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw bad(name, "signal is no AbortSignal");
  if (checkpoint !== undefined) checkStore(name, checkpoint);
  checkFrom(name, tables, from);
  const followed = tables.map(({ binding, label }): FollowedTable => {
    let parts: ScanParts = {};
    if (options.select !== undefined) parts = withSelect(binding, parts, options.select);
    if (options.where !== undefined) parts = withWhere(binding, parts, options.where);
    return { binding, label, parts };
  });
  return {
    followed,
    settings: { from, until, onExpired, raw, discoverMs, temporal: temporalOf(name, tables) },
    checkpoint,
    signal,
  };
}

function checkFrom(name: string, tables: readonly { readonly binding: TableBinding }[], from: unknown): void {
  checkPosition(from, "from", name, ["earliest", "latest", "snapshot"]);
  if (typeof from === "object" && "token" in from) readToken(from.token);
  if (typeof from === "object" && "offsets" in from && tables.length > 1) {
    throw bad(name, "from: offsets are of one table, and the subscription has several", "use a token");
  }
  if (from !== "snapshot") return;
  const log = tables.find(({ binding }) => binding.definition.primaryKey.length === 0);
  if (log === undefined) return;
  throw flussError("SCAN.BAD_POSITION", {
    table: log.binding.name,
    message: "from: log tables have no current rows to begin with",
    hint: 'use from: "earliest"',
  });
}

function checkStore(name: string, checkpoint: CheckpointOptions): void {
  const { store, id, everyRows = 1, everyMs = 1 } = checkpoint;
  if (typeof store?.get !== "function" || typeof store.set !== "function") {
    throw bad(
      name,
      "checkpoint.store needs the methods get and set",
      "use fileCheckpoints(folder), or one of your own",
    );
  }
  if (typeof id !== "string" || id === "") {
    throw bad(name, "checkpoint.id is missing", "name the subscription, so that it is found again");
  }
  checkMs(name, "checkpoint.everyMs", everyMs);
  if (!(everyRows >= 1 && (Number.isSafeInteger(everyRows) || everyRows === Infinity))) {
    throw bad(name, `checkpoint.everyRows is a whole number of at least 1, not ${String(everyRows)}`);
  }
}

function checkMs(name: string, option: string, ms: unknown): void {
  if (typeof ms === "number" && ms >= 1 && ms <= MAX_MS) return;
  throw bad(name, `${option} is a number of milliseconds from 1 to ${MAX_MS}, not ${String(ms)}`);
}

/** The `Temporal` that the declaration was configured with, or that of the runtime. */
function temporalOf(name: string, tables: readonly { readonly binding: TableBinding }[]): TemporalLike {
  const columns = tables.flatMap(({ binding }) => binding.definition.columns);
  const found = columns.find(({ type }) => type.temporal !== undefined)?.type.temporal ??
    (globalThis as { Temporal?: TemporalLike }).Temporal;
  if (found !== undefined) return found;
  throw flussError("RUNTIME.TEMPORAL_MISSING", {
    table: name,
    message: "the time of a change is a Temporal.Instant",
    hint: "use Node 26, Deno 2.9 or Bun 1.4, or set globalThis.Temporal to a polyfill",
  });
}

function bad(table: string, message: string, hint?: string): FlussError {
  return flussError("SUBSCRIPTION.BAD_OPTIONS", { table, message, hint });
}
