/**
 * Keys in order, for those who ask: sorted runs, each several times as long as the next, are built on demand and merged
 * as new keys come. Where nobody asks they cost nothing.
 *
 * @module
 */
import type { KeyText } from "./storage.ts";

/** Sorted keys. Never changed, so whoever holds one may keep it. */
export type Run = readonly KeyText[];

/** A run is at least so many times as long as the next. */
const RATIO = 4;

/** See the module. Keys that were removed stay in the runs for a while, and a key may be in several. */
export class SortedKeys {
  #runs: Run[] | undefined;
  #sorted = 0;
  #added: KeyText[] = [];
  #removed = 0;

  /** A key came that was not there. */
  add(key: KeyText): void {
    if (this.#runs === undefined) return;
    this.#added.push(key);
    if (this.#added.length > this.#sorted + 1000) this.#forget();
  }

  /** A key went. */
  remove(): void {
    if (this.#runs === undefined) return;
    if (++this.#removed > (this.#sorted + this.#added.length) / 2 + 1000) this.#forget();
  }

  /** The runs. @param keys all keys, in any order */
  runs(keys: () => Iterable<KeyText>): readonly Run[] {
    if (this.#runs === undefined) {
      const all = [...keys()].sort();
      this.#runs = all.length === 0 ? [] : [all];
      this.#sorted = all.length;
    } else if (this.#added.length > 0) {
      const runs = [...this.#runs];
      let last: Run = this.#added.sort();
      while (runs.length > 0 && runs.at(-1)!.length < RATIO * last.length) last = merge(runs.pop()!, last);
      runs.push(last);
      this.#runs = runs;
      this.#sorted = runs.reduce((sum, run) => sum + run.length, 0);
      this.#added = [];
    }
    return this.#runs;
  }

  #forget(): void {
    this.#runs = undefined;
    this.#sorted = 0;
    this.#added = [];
    this.#removed = 0;
  }
}

/** Goes through the keys of runs in order, each once, from the first that is not before `from`. */
export class KeyCursor {
  /** Where it is; undefined at the end. */
  key: KeyText | undefined;
  readonly #runs: Run[];
  readonly #places: number[];

  constructor(runs: readonly Run[], from: KeyText) {
    const places = runs.map((run) => lowerBound(run, from));
    this.#runs = runs.filter((run, i) => places[i]! < run.length);
    this.#places = places.filter((place, i) => place < runs[i]!.length);
    this.#least();
  }

  next(): void {
    const { key } = this;
    for (let i = this.#runs.length - 1; i >= 0; i--) {
      const run = this.#runs[i]!;
      let place = this.#places[i]!;
      while (place < run.length && run[place] === key) place++;
      this.#places[i] = place;
      if (place < run.length) continue;
      this.#runs.splice(i, 1);
      this.#places.splice(i, 1);
    }
    this.#least();
  }

  #least(): void {
    let least: KeyText | undefined;
    for (let i = 0; i < this.#runs.length; i++) {
      const key = this.#runs[i]![this.#places[i]!]!;
      if (least === undefined || key < least) least = key;
    }
    this.key = least;
  }
}

function lowerBound(run: Run, from: KeyText): number {
  let low = 0;
  let high = run.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (run[middle]! < from) low = middle + 1;
    else high = middle;
  }
  return low;
}

function merge(a: Run, b: Run): KeyText[] {
  const merged: KeyText[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const [x, y] = [a[i]!, b[j]!];
    if (x <= y) {
      i++;
      if (x === y) j++;
      merged.push(x);
    } else {
      j++;
      merged.push(y);
    }
  }
  while (i < a.length) merged.push(a[i++]!);
  while (j < b.length) merged.push(b[j++]!);
  return merged;
}
