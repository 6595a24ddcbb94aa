/**
 * What a test has left behind.
 *
 * @module
 */
import { flussError } from "../base/errors.ts";
import type { FlussClient } from "../client/client.ts";
import { tableText } from "../embedded/catalog/table.ts";
import type { Engine } from "../embedded/engine.ts";
import { scannersOf } from "../embedded/kv/scanners.ts";
import type { Failures } from "./failures.ts";

/** Something that a test has left behind. */
export interface Leak {
  /** `1 open scan or subscription of shop.orders` */
  readonly what: string;
  /** What to do about it. */
  readonly hint: string;
  /** Whether a test that failed half-way may well have it: then it is not its mistake. */
  readonly incidental: boolean;
}

/** Lookups on their way: nobody can have awaited them. */
export function lookupLeaks({ lookups }: FlussClient): Leak[] {
  return counted(lookups.pending.map(({ target }) => target.table.name)).map(([table, count]) => ({
    what: `${count} ${count === 1 ? "lookup" : "lookups"} of ${table} without an answer`,
    hint: "await lookups",
    incidental: true,
  }));
}

/** Scans and subscriptions that are open. */
export function readerLeaks(client: FlussClient, engine: Engine): Leak[] {
  const logs = [...client.readers].map(({ tables }) => tables.join(", "));
  // A scan of rows reads several buckets one after another, and a subscription that begins with the rows is one thing.
  const rows = new Set(scannersOf(engine).all.map(({ bucket }) => tableText(bucket.table.path)));
  const all = [...logs, ...[...rows].filter((table) => !logs.some((tables) => tables.split(", ").includes(table)))];
  return counted(all).map(([tables, count]) => ({
    what: `${count} open ${count === 1 ? "scan or subscription" : "scans or subscriptions"}${
      tables === "" ? "" : ` of ${tables}`
    }`,
    hint: "end scans and subscriptions: read them to the end, leave the loop, abort their signal, or declare " +
      "subscriptions with await using",
    incidental: false,
  }));
}

/** Failures that were asked for and never happened. */
export function failureLeaks(failures: Failures): Leak[] {
  return failures.waiting.map(({ operation, table, left }) => ({
    what: `a failure of ${operation}${table === undefined ? "" : ` of ${table}`} that never happened (${left} left)`,
    hint: "make the call that is to fail, or cancel() the failure",
    incidental: true,
  }));
}

/** Timers that run on when everything is closed. */
export function timerLeaks(client: FlussClient, clock: { readonly size: number }): Leak[] {
  const timers = client.alarms.size + clock.size;
  if (timers === 0) return [];
  return [{ what: `${timers} timers`, hint: "this is a mistake of Sluice: please report it", incidental: false }];
}

/** The error that tells of leaks. */
export function leaked(leaks: readonly Leak[], cause: unknown): Error {
  const failure = cause instanceof Error ? `; and closing failed: ${cause.message}` : "";
  return flussError("TEST.LEAKED", {
    message: `the test has left behind ${leaks.map(({ what }) => what).join(", ")}${failure}`,
    hint: [...new Set(leaks.map(({ hint }) => hint))].join("; "),
    ...(cause === undefined ? {} : { cause }),
  });
}

function counted(names: readonly string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts];
}
