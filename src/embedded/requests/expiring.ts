/**
 * Documents that outlive their time: what clients left behind and nobody asks for any more.
 *
 * @module
 */
import type { Engine } from "../engine.ts";

/** A document with an end. */
export interface Expiring {
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** How often they are looked for: servers do, too (Fluss: coordinator.producer-offsets.cleanup-interval). */
const SWEEP_MS = 3_600_000;

const sweeps = new WeakMap<Engine, Map<string, number>>();

/**
 * Deletes the documents under a prefix whose time is over. By whoever adds another, so that nothing has to run by the
 * clock; and no more than once in an hour.
 */
export function sweep(engine: Engine, prefix: string): void {
  let last = sweeps.get(engine);
  if (last === undefined) sweeps.set(engine, last = new Map());
  const now = engine.clock.now();
  if (now - (last.get(prefix) ?? -Infinity) < SWEEP_MS) return;
  last.set(prefix, now);
  const { documents } = engine.storage;
  for (const { name, document } of documents.list(prefix)) {
    if ((document as Expiring).expiresAt < now) documents.delete(name);
  }
}
