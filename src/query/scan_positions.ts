/**
 * How far a scan of a log has come, and the tokens that say so.
 *
 * @module
 */
import type { BucketRef } from "../client/read/ranges.ts";
import type { BoundTable } from "../client/table/bound_table.ts";
import { bucketName } from "./scan_plan.ts";
import { type TokenPosition, writeToken } from "./token.ts";

/** See the module. */
export class ScanPositions {
  readonly #bound: BoundTable;
  readonly #only: boolean;
  readonly #positions: TokenPosition[];
  readonly #places: ReadonlyMap<string, number>;

  /** @param only whether buckets that are not here are unwanted, rather than new */
  constructor(bound: BoundTable, only: boolean, starts: readonly (BucketRef & { readonly start: bigint })[]) {
    this.#bound = bound;
    this.#only = only;
    this.#positions = starts.map(({ partition, partitionId, bucket, start }) => {
      return { partition, partitionId, bucket, offset: start };
    });
    this.#places = new Map(starts.map((bucket, i) => [bucketName(bucket), i]));
  }

  /** Sets the next offset of a bucket. */
  move(bucket: { readonly partition?: string | undefined; readonly bucket: number }, offset: bigint): void {
    const place = this.#places.get(bucketName(bucket))!;
    this.#positions[place] = { ...this.#positions[place]!, offset };
  }

  /** What makes the token of the positions as they are now. Its text is made when somebody asks for it. */
  token(): () => string {
    const { target: { name: table, tableId }, codec: { layout: { schemaId } } } = this.#bound;
    const token = { table, tableId, schemaId, only: this.#only, positions: this.#positions.slice() };
    return () => writeToken([token]);
  }
}
