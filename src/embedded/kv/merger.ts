/**
 * What becomes of a row when another with its key is written, or when it is deleted: the merge engines (Fluss:
 * server/kv/rowmerger).
 *
 * @module
 */
import type { StoredRow } from "./stored_row.ts";

/** `table.delete.behavior` */
export type DeleteBehavior = "ALLOW" | "IGNORE" | "DISABLE";

/** See the module. Rows that it gives are good until it is called again. */
export interface Merger {
  readonly deleteBehavior: DeleteBehavior;
  /** Whether a written row always takes the place of the old one, so that nobody needs to look at both. */
  readonly replaces: boolean;
  /**
   * Merges a written row into the one that is there, if any.
   *
   * @returns the row that is to be there; `old` itself when nothing is to change
   */
  merge(old: StoredRow | undefined, row: StoredRow): StoredRow;
  /**
   * What is left of a row that is deleted; undefined when nothing is. Called only where deletes are allowed.
   */
  delete(old: StoredRow): StoredRow | undefined;
}

/** No merge engine: the last row stays. */
export function lastRowMerger(deleteBehavior: DeleteBehavior): Merger {
  return { deleteBehavior, replaces: true, merge: (_old, row) => row, delete: () => undefined };
}

/** FIRST_ROW: the first row stays. */
export function firstRowMerger(deleteBehavior: DeleteBehavior): Merger {
  return { deleteBehavior, replaces: false, merge: (old, row) => old ?? row, delete: neverDeleted };
}

/** VERSIONED: the row with the higher version stays, of two with the same version the later one. */
export function versionedMerger(
  deleteBehavior: DeleteBehavior,
  compareVersions: (old: StoredRow, row: StoredRow) => number,
): Merger {
  return {
    deleteBehavior,
    replaces: false,
    merge: (old, row) => old === undefined || compareVersions(old, row) <= 0 ? row : old,
    delete: neverDeleted,
  };
}

function neverDeleted(): never {
  throw new Error("tables with this merge engine do not allow deletes");
}
