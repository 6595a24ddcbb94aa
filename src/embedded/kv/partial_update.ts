/**
 * Partial updates of tables without a merge engine (Fluss: PartialUpdater.java).
 *
 * @module
 */
import { fault } from "../fault.ts";
import type { DeleteBehavior, Merger } from "./merger.ts";
import { RowDraft, type StoredRow } from "./stored_row.ts";
import type { TableLayouts } from "./table_layouts.ts";

/**
 * Compiles the merger of writes to some columns.
 *
 * @param targets positions of columns, in any order; those that no column has are not looked at
 * @throws {ServerFault} 35 when the columns cannot be written without the others
 */
export function partialUpdateMerger(
  layouts: TableLayouts,
  targets: readonly number[],
  deleteBehavior: DeleteBehavior,
): Merger {
  const { latest } = layouts;
  const { columns } = latest;
  const isTarget = targetFlags(targets, columns.length);
  const isKey = layouts.keyFlags;
  if (!isSubset(isKey, isTarget)) {
    throw fault(
      "SERVER.INVALID_TARGET_COLUMN",
      `The target write columns ${namesOf(layouts, targets)} must contain the primary key columns ${
        keyNamesOf(layouts)
      }.`,
    );
  }
  const required = columns.find(({ type }, i) => !isKey[i] && !type.nullable);
  if (required !== undefined) {
    throw fault(
      "SERVER.INVALID_TARGET_COLUMN",
      `Partial Update requires all columns except primary key to be nullable, but column ${required.name} is NOT NULL.`,
    );
  }
  const keyOnly = targets.length > 0 && isTarget.every((target, i) => target === isKey[i]) &&
    targets.every((target) => target < columns.length);
  const count = columns.length;
  const layout = layouts.of(latest.schemaId);
  const draft = new RowDraft();
  const oldSpans = new Int32Array(2 * count);
  const newSpans = new Int32Array(2 * count);

  return {
    deleteBehavior,
    replaces: false,
    merge(old, row) {
      if (keyOnly && old !== undefined) return old;
      const rowCount = locate(row, newSpans);
      const oldCount = old === undefined ? 0 : locate(old, oldSpans);
      const out = draft.begin();
      const start = layout.begin(out);
      for (let i = 0; i < count; i++) {
        if (isTarget[i]) {
          if (i >= rowCount) throw outOfBounds(i, rowCount);
          putSpan(i, row, newSpans);
        } else if (i < oldCount) putSpan(i, old!, oldSpans);
        else layout.putNull(out, start, i);
      }
      return draft.finish(latest.schemaId);

      function putSpan(column: number, { bytes }: StoredRow, spans: Int32Array): void {
        const from = spans[2 * column]!;
        if (from < 0) layout.putNull(out, start, column);
        else layout.put(out, column, bytes, from, spans[2 * column + 1]!);
      }
    },
    delete(old) {
      const oldCount = locate(old, oldSpans);
      if (!hasOther(old, oldCount)) return undefined;
      const out = draft.begin();
      const start = layout.begin(out);
      for (let i = 0; i < count; i++) {
        const from = i < oldCount && (!isTarget[i] || isKey[i]) ? oldSpans[2 * i]! : -1;
        if (from < 0) layout.putNull(out, start, i);
        else layout.put(out, i, old.bytes, from, oldSpans[2 * i + 1]!);
      }
      return draft.finish(latest.schemaId);
    },
  };

  function locate({ schemaId, bytes, start, end }: StoredRow, spans: Int32Array): number {
    const parts = layouts.of(schemaId);
    parts.locate(bytes, start, end, spans);
    return parts.count;
  }

  /** Whether a column that is no target has a value. */
  function hasOther({ schemaId, bytes, start }: StoredRow, oldCount: number): boolean {
    const parts = layouts.of(schemaId);
    for (let i = 0; i < oldCount; i++) {
      if (!isTarget[i] && !parts.isNull(bytes, start, i)) return true;
    }
    return false;
  }
}

/** Which columns are targets. */
function targetFlags(targets: readonly number[], count: number): boolean[] {
  const flags: boolean[] = new Array(count).fill(false);
  for (const target of targets) {
    if (target < 0) {
      throw fault(
        "SERVER.UNKNOWN_SERVER_ERROR",
        `java.lang.IndexOutOfBoundsException: bitIndex < 0: ${target}`,
      );
    }
    if (target < count) flags[target] = true;
  }
  return flags;
}

/** Whether the second has all that the first has. */
export function isSubset(flags: readonly boolean[], of: readonly boolean[]): boolean {
  return flags.every((flag, i) => !flag || of[i]!);
}

/** Names of columns by position, in the words of servers: `[id, name]`. */
function namesOf({ latest: { columns } }: TableLayouts, positions: readonly number[]): string {
  return `[${positions.map((i) => (columns[i] ?? missing(i, columns.length)).name).join(", ")}]`;
}

/** The names of the primary key: `[id]`. */
export function keyNamesOf({ latest }: TableLayouts): string {
  return `[${latest.primaryKey.join(", ")}]`;
}

function missing(position: number, count: number): never {
  throw outOfBounds(position, count);
}

/** What Java says of a position that there is no column at. */
export function outOfBounds(index: number, length: number): Error {
  return fault(
    "SERVER.UNKNOWN_SERVER_ERROR",
    `java.lang.ArrayIndexOutOfBoundsException: Index ${index} out of bounds for length ${length}`,
  );
}
