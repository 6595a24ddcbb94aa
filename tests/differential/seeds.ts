/**
 * Programs on which the embedded server once answered otherwise than the cluster.
 *
 * @module
 */

/** Seed, and what was different. */
export const SEEDS: readonly (readonly [seed: number, why: string])[] = [
  [768220, "a duration without a unit was accepted"],
  [3967080, "a row that a lookup inserts after columns were added"],
  [1805466960, "what a log did with a batch"],
  [2340347, "a table whose number of buckets makes no sense"],
];
