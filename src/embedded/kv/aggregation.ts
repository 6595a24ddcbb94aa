/**
 * AGGREGATION: every column has a function that makes one value of two (Fluss: AggregateRowMerger.java).
 *
 * @module
 */
import { ByteWriter } from "../../format/byte_writer.ts";
import { fault } from "../fault.ts";
import {
  type AggregateFunction,
  aggregateFunction,
  Choice,
  lastValue,
  lastValueIgnoreNulls,
  type ValueSpan,
} from "./aggregate_functions.ts";
import type { DeleteBehavior, Merger } from "./merger.ts";
import { isSubset, keyNamesOf, outOfBounds } from "./partial_update.ts";
import { RowDraft, type StoredRow } from "./stored_row.ts";
import type { TableLayouts } from "./table_layouts.ts";

/**
 * Compiles the merger of an AGGREGATION table.
 *
 * @param targets positions of the columns that are written; undefined for all
 * @throws {ServerFault} 35 when the columns cannot be written without the others
 */
export function aggregationMerger(
  layouts: TableLayouts,
  targets: readonly number[] | undefined,
  deleteBehavior: DeleteBehavior,
): Merger {
  const { latest, keyFlags } = layouts;
  const { columns } = latest;
  const isTarget = targets === undefined ? undefined : checkedTargets(layouts, targets);
  const functions = columns.map(({ type, aggregate }, i): AggregateFunction =>
    keyFlags[i]
      ? lastValue
      : aggregate === undefined
      ? lastValueIgnoreNulls
      : aggregateFunction(aggregate, type, layouts.format)
  );
  const layout = layouts.of(latest.schemaId);
  const draft = new RowDraft();
  const made = new ByteWriter(64);
  const old = new Opened(layouts);
  const written = new Opened(layouts);

  return {
    deleteBehavior,
    replaces: false,
    merge(oldRow, row) {
      if (oldRow === undefined) return row;
      old.open(oldRow);
      written.open(row);
      const out = draft.begin();
      const start = layout.begin(out);
      for (let i = 0; i < columns.length; i++) {
        const before = old.value(i);
        let kept: ValueSpan | undefined = before;
        if (isTarget === undefined || isTarget[i]) {
          made.reset();
          const after = written.value(i);
          const choice = functions[i]!(before, after, made);
          if (choice === Choice.MADE) {
            layout.put(out, i, made.bytes, 0, made.position);
            continue;
          }
          kept = choice === Choice.OLD ? before : choice === Choice.NEW ? after : undefined;
        }
        if (kept === undefined) layout.putNull(out, start, i);
        else layout.put(out, i, kept.bytes, kept.start, kept.end);
      }
      return draft.finish(latest.schemaId);
    },
    delete(oldRow) {
      if (isTarget === undefined || !hasOther(oldRow, isTarget)) return undefined;
      old.open(oldRow);
      const out = draft.begin();
      const start = layout.begin(out);
      for (let i = 0; i < columns.length; i++) {
        const kept = isTarget[i] && !keyFlags[i] ? undefined : old.value(i);
        if (kept === undefined) layout.putNull(out, start, i);
        else layout.put(out, i, kept.bytes, kept.start, kept.end);
      }
      return draft.finish(latest.schemaId);
    },
  };

  /** Whether a column that is no target has a value. */
  function hasOther({ schemaId, bytes, start }: StoredRow, targeted: readonly boolean[]): boolean {
    const parts = layouts.of(schemaId);
    const ids = old.places(schemaId);
    return columns.some((_, i) => {
      const place = ids[i]!;
      return place >= 0 && !targeted[i] && !parts.isNull(bytes, start, place);
    });
  }
}

/** A row whose values are looked at by the columns of the latest schema. */
class Opened {
  readonly #layouts: TableLayouts;
  /** By schema id: for each column of the latest schema its place in the schema's rows, or -1. */
  readonly #places: number[][] = [];
  #current: readonly number[] = [];
  #spans = new Int32Array(0);
  #row: StoredRow | undefined;

  constructor(layouts: TableLayouts) {
    this.#layouts = layouts;
  }

  open(row: StoredRow): void {
    const parts = this.#layouts.of(row.schemaId);
    this.#current = this.places(row.schemaId);
    if (this.#spans.length < 2 * parts.count) this.#spans = new Int32Array(2 * parts.count);
    parts.locate(row.bytes, row.start, row.end, this.#spans);
    this.#row = row;
  }

  value(column: number): ValueSpan | undefined {
    const place = this.#current[column]!;
    const start = place < 0 ? -1 : this.#spans[2 * place]!;
    return start < 0 ? undefined : { bytes: this.#row!.bytes, start, end: this.#spans[2 * place + 1]! };
  }

  places(schemaId: number): readonly number[] {
    return this.#places[schemaId] ??= this.#layouts.latest.columns.map(({ id }) =>
      this.#layouts.schema(schemaId).columns.findIndex((column) => column.id === id)
    );
  }
}

function checkedTargets(layouts: TableLayouts, targets: readonly number[]): boolean[] {
  const { latest: { columns }, keyFlags } = layouts;
  const flags = columns.map(() => false);
  for (const target of targets) {
    if (target < 0 || target >= columns.length) throw outOfBounds(target, columns.length);
    flags[target] = true;
  }
  if (!isSubset(keyFlags, flags)) {
    throw fault(
      "SERVER.INVALID_TARGET_COLUMN",
      `The target write columns must contain the primary key columns ${keyNamesOf(layouts)}.`,
    );
  }
  const required = columns.find(({ type }, i) => !keyFlags[i] && !type.nullable);
  if (required !== undefined) {
    throw fault(
      "SERVER.INVALID_TARGET_COLUMN",
      "Partial aggregate requires all columns except primary key to be nullable, " +
        `but column ${required.name} is NOT NULL.`,
    );
  }
  return flags;
}
