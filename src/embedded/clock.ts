/**
 * The time that a server goes by. Tests bring a clock of their own and move it.
 *
 * @module
 */
import { type Alarm, Alarms } from "../base/alarms.ts";

/** See the module. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `ring` once, `ms` milliseconds from now. It must not throw. */
  set(ms: number, ring: () => void): Alarm;
  /** Calls an alarm off; one that rang already is no mistake. */
  clear(alarm: Alarm): void;
}

/** The time of this machine. Alarms keep the process alive as long as they are set. */
export function systemClock(): Clock {
  const alarms = new Alarms();
  return { now: () => Date.now(), set: (ms, ring) => alarms.set(ms, ring), clear: (alarm) => alarms.clear(alarm) };
}
