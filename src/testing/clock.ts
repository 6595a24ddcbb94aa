/**
 * The clock of a test's server: it runs on by itself, and is moved ahead by the test.
 *
 * @module
 */
import { type Alarm, Alarms } from "../base/alarms.ts";
import { flussError } from "../base/errors.ts";
import type { Clock } from "../embedded/clock.ts";

/** How far to move a clock: milliseconds, a duration such as `"P8D"` and `"PT90S"`, or one such as `{ days: 8 }`. */
export type Advance = number | string | Temporal.DurationLike;

/** An alarm that rings when its time has come, or when the clock is moved past it. */
interface TestAlarm extends Alarm {
  readonly at: number;
  readonly real: Alarm;
}

/**
 * See the module. What the server does by its clock (expiry of logs, partitions that come and go, scans that nobody asks)
 * happens when the clock is moved; what the client waits for, such as deadlines and pauses between attempts, goes by real
 * time.
 */
export interface TestClock {
  /** Milliseconds since 1970, as the server sees it. */
  now(): number;
  /**
   * Moves the clock ahead. What was set for that time rings in order, each at its own time, before this returns.
   *
   * @throws FlussUsageError `TEST.BAD_OPTION` for what is no duration, and for one that leads back
   *
   * @example
   * ```ts
   * import { testDb } from "sluice/testing";
   *
   * await using db = await testDb();
   * const before = db.clock.now();
   * db.clock.advance("P8D");
   * console.log(db.clock.now() - before); // 8 days
   * ```
   */
  advance(by: Advance): void;
}

/** The clock as the server has it. */
export class ServerClock implements TestClock, Clock {
  readonly #real = new Alarms();
  readonly #set = new Set<TestAlarm>();
  #ahead = 0;

  now(): number {
    return Date.now() + this.#ahead;
  }

  advance(by: Advance): void {
    const until = this.now() + this.#milliseconds(by);
    for (let next = this.#next(); next !== undefined && next.at <= until; next = this.#next()) {
      this.#moveTo(next.at);
      this.#ring(next);
    }
    this.#moveTo(until);
  }

  /** The alarm that rings next; of several at one time the one that was set first. */
  #next(): TestAlarm | undefined {
    let next: TestAlarm | undefined;
    for (const alarm of this.#set) if (next === undefined || alarm.at < next.at) next = alarm;
    return next;
  }

  #moveTo(time: number): void {
    this.#ahead = Math.max(this.#ahead, time - Date.now());
  }

  /** For the server. */
  set(ms: number, ring: () => void): Alarm {
    const at = this.now() + Math.max(0, ms);
    const real = this.#real.set(ms, () => this.#ring(alarm));
    const alarm: TestAlarm = { ...real, at, real, ring };
    this.#set.add(alarm);
    return alarm;
  }

  /** For the server. */
  clear(alarm: Alarm): void {
    const { real } = alarm as TestAlarm;
    this.#set.delete(alarm as TestAlarm);
    this.#real.clear(real);
  }

  #ring(alarm: TestAlarm): void {
    if (!this.#set.delete(alarm)) return;
    this.#real.clear(alarm.real);
    alarm.ring();
  }

  /** How many alarms are set. */
  get size(): number {
    return this.#set.size;
  }

  #milliseconds(by: Advance): number {
    const ms = typeof by === "number" ? by : this.#durationOf(by);
    if (Number.isFinite(ms) && ms >= 0) return ms;
    throw flussError("TEST.BAD_OPTION", {
      message: `${textOf(by)} is nothing that a clock can be moved ahead by`,
      hint: 'write milliseconds, a duration such as "P8D" or "PT90S", or { days: 8 }',
    });
  }

  /** Months and years are counted from the time of the clock. */
  #durationOf(by: string | Temporal.DurationLike): number {
    try {
      const relativeTo = Temporal.Instant.fromEpochMilliseconds(this.now()).toZonedDateTimeISO("UTC");
      return Temporal.Duration.from(by).total({ unit: "millisecond", relativeTo });
    } catch {
      return NaN;
    }
  }
}

function textOf(by: unknown): string {
  try {
    return JSON.stringify(by) ?? String(by);
  } catch {
    return String(by);
  }
}
