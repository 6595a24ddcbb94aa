/**
 * The tables of the crash test.
 *
 * @module
 */
import { t, table } from "../../mod.ts";

/** Keys are 0 to this, not included. */
export const KEYS = 300;

export const BUCKETS = 3;

/** Rows that are written over and over; `number` is that of the write. */
export const state = table("crash.state", { key: t.int(), number: t.int(), filling: t.string() }, {
  primaryKey: ["key"],
  buckets: BUCKETS,
});

/** Rows that are appended once each. */
export const events = table("crash.events", { number: t.int(), filling: t.string() }, { buckets: 1 });
