/**
 * How far long work is, on the terminal of whoever waits for it.
 *
 * @module
 */
import type { Io } from "../command.ts";
import { styleOf } from "./style.ts";

/** Between two looks. */
const EVERY_MS = 200;
/** Work that is done sooner shows nothing. */
const FIRST_MS = 500;
const BAR = 20;

/** What is known of the work. */
export interface Progress {
  /** What is counted as done so far, in `unit`. */
  rows: number;
  /** Default: rows. */
  readonly unit?: "rows" | "bytes";
  /** How much is done, of `total`: bytes or rows. */
  done: number;
  readonly total: number | undefined;
}

/** Shows it, on standard error where that is a terminal, until it is disposed. */
export function showProgress(io: Io, progress: Progress, now: () => number = () => performance.now()): Disposable {
  if (!io.screen.err) return { [Symbol.dispose]() {} };
  const style = styleOf(io, "err");
  const begin = now();
  let shown = false;
  const timer = setInterval(() => {
    const ms = now() - begin;
    if (ms < FIRST_MS) return;
    shown = true;
    const text = progressText(progress, ms).slice(0, io.screen.columns - 1);
    io.err(`\r${style.dim(text)}\u001b[K`);
  }, EVERY_MS);
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      if (shown) io.err("\r\u001b[K");
      shown = false;
    },
  };
}

/** One line: a bar where the end is known, rows, rate, time left. */
export function progressText({ rows, unit = "rows", done, total }: Progress, ms: number): string {
  const counted = `${wholeText(rows)} ${unit}  ${rateText(rows, ms)}`;
  if (total === undefined || total === 0) return counted;
  const share = Math.min(1, done / total);
  const filled = Math.round(share * BAR);
  const bar = "█".repeat(filled) + "░".repeat(BAR - filled);
  const left = share === 0 ? "" : `  ${durationText(ms / share * (1 - share))} left`;
  return `${bar} ${String(Math.floor(share * 100)).padStart(3)}%  ${counted}${left}`;
}

/** A whole number with commas. */
export function wholeText(count: number): string {
  return String(Math.round(count)).replaceAll(/\B(?=(\d{3})+$)/g, ",");
}

/** How fast. */
export function rateText(rows: number, ms: number): string {
  return `${wholeText(ms === 0 ? 0 : rows * 1000 / ms)}/s`;
}

function durationText(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes} min ${seconds % 60} s`
    : `${wholeText(Math.floor(minutes / 60))} h ${minutes % 60} min`;
}
