/**
 * Which bucket the rows of a log go to when the table has no bucket key (Fluss: StickyBucketAssigner.java,
 * RoundRobinBucketAssigner.java).
 *
 * @module
 */

/** Where rows without a bucket key go. */
export type KeylessBuckets = "sticky" | "roundRobin";

/** Chooses buckets for the rows of one table or partition. */
export class BucketAssigner {
  readonly #habit: KeylessBuckets;
  #bucket = -1;
  #turn: number;

  constructor(habit: KeylessBuckets, buckets: number) {
    this.#habit = habit;
    // From anywhere, or all writers that start would begin with the same bucket.
    this.#turn = Math.floor(Math.random() * buckets);
  }

  /**
   * The bucket of the next row.
   *
   * @param buckets how many there are
   * @param leaders the leader of each, below 0 where none is known; undefined when nothing is known
   * @param isOpen whether a batch of the bucket takes more rows
   */
  next(buckets: number, leaders: ArrayLike<number> | undefined, isOpen: (bucket: number) => boolean): number {
    if (this.#habit === "sticky" && this.#bucket >= 0 && isOpen(this.#bucket)) return this.#bucket;
    const available: number[] = [];
    for (let bucket = 0; bucket < buckets; bucket++) if ((leaders?.[bucket] ?? -1) >= 0) available.push(bucket);
    if (available.length === 0) { for (let bucket = 0; bucket < buckets; bucket++) available.push(bucket); }
    if (this.#habit === "roundRobin") return this.#bucket = available[this.#turn++ % available.length]!;
    const others = available.filter((bucket) => bucket !== this.#bucket);
    const choice = others.length > 0 ? others : available;
    return this.#bucket = choice[Math.floor(Math.random() * choice.length)]!;
  }
}
