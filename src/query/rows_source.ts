/**
 * Where the rows of a scan come from.
 *
 * @module
 */
import type { Deadline } from "../base/wait.ts";
import type { Columns } from "../format/columns.ts";

/** Some rows of one bucket, with all columns that the scan reads. */
export interface RowsChunk {
  readonly partition: string | undefined;
  readonly bucket: number;
  /** The offset of the first row, the others follow it; undefined for current rows. */
  readonly firstOffset: bigint | undefined;
  readonly columns: Columns;
}

/** Chunks, one after the other. */
export interface RowsSource {
  /** The next chunk, if it is here. */
  tryNext(): RowsChunk | undefined;
  /** The next chunk; undefined at the end. */
  next(deadline: Deadline): Promise<RowsChunk | undefined>;
  /**
   * What makes the token of the position behind a chunk, which is the last one that was given out.
   *
   * @param passed how many rows of the chunk are behind the position; undefined: all, and what follows without rows
   */
  checkpoint?(chunk: RowsChunk, passed: number | undefined): () => string;
  /** Ends what is being fetched. */
  close(): void;
}
