/**
 * Deadlines for many waits with one timer.
 *
 * A timer per looked-up key would cost more than the lookup, so waits share time slots. When nothing waits, no timer
 * runs, and nothing keeps the process alive.
 *
 * @module
 */

/** A wait that can be called off. Made by {@linkcode Alarms.set}. */
export interface Alarm {
  /** The time slot it sits in; for {@linkcode Alarms} alone. */
  readonly slot: number;
  /** What runs when the time has come. It must not throw. */
  readonly ring: () => void;
}

/** The finest step in milliseconds: an alarm rings up to this much late, never early. */
const STEP_MS = 8;

/** A set of alarms over one timer. */
export class Alarms {
  readonly #slots = new Map<number, Set<Alarm>>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #armedFor = Infinity;

  /** Calls `ring` once, `ms` milliseconds from now or up to 8 ms later. */
  set(ms: number, ring: () => void): Alarm {
    const slot = Math.ceil((performance.now() + Math.max(0, ms)) / STEP_MS);
    const alarm: Alarm = { slot, ring };
    const waiting = this.#slots.get(slot);
    if (waiting === undefined) this.#slots.set(slot, new Set([alarm]));
    else waiting.add(alarm);
    if (slot < this.#armedFor) this.#arm(slot);
    return alarm;
  }

  /** Calls an alarm off; one that rang already is no mistake. */
  clear(alarm: Alarm): void {
    const waiting = this.#slots.get(alarm.slot);
    if (waiting === undefined || !waiting.delete(alarm) || waiting.size > 0) return;
    this.#slots.delete(alarm.slot);
    if (this.#slots.size === 0) this.#disarm();
  }

  /** How many alarms are set. */
  get size(): number {
    let size = 0;
    for (const waiting of this.#slots.values()) size += waiting.size;
    return size;
  }

  #arm(slot: number): void {
    this.#disarm();
    this.#armedFor = slot;
    // The longest delay that timers take is 2^31-1 ms; ringing early only looks at the slots again.
    const ms = Math.min(Math.max(0, slot * STEP_MS - performance.now()), 0x7fffffff);
    this.#timer = setTimeout(() => this.#ring(), ms);
  }

  #disarm(): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#armedFor = Infinity;
  }

  #ring(): void {
    this.#disarm();
    const now = Math.floor((performance.now() + 1) / STEP_MS);
    const due: Alarm[] = [];
    let next = Infinity;
    for (const [slot, waiting] of this.#slots) {
      if (slot <= now) {
        due.push(...waiting);
        this.#slots.delete(slot);
      } else if (slot < next) next = slot;
    }
    if (next !== Infinity) this.#arm(next);
    for (const alarm of due) alarm.ring();
  }
}
