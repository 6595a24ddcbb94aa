/**
 * What is compiled once for all buckets of a table: how its rows lie, and what becomes of rows that are written.
 *
 * @module
 */
import type { LiveTable } from "../../schema/descriptor.ts";
import { OPTION } from "../../schema/server_options.ts";
import type { CatalogTable } from "../catalog/table.ts";
import { aggregationMerger } from "./aggregation.ts";
import { comparison } from "./aggregate_functions.ts";
import { type AutoIncrement, compileAutoIncrement } from "./auto_increment.ts";
import { compileKeyRows, type KeyRowMaker } from "./key_rows.ts";
import { fault } from "../fault.ts";
import { kvFormatOf } from "../log/table_formats.ts";
import { type DeleteBehavior, firstRowMerger, lastRowMerger, type Merger, versionedMerger } from "./merger.ts";
import { partialUpdateMerger } from "./partial_update.ts";
import type { StoredRow } from "./stored_row.ts";
import { type TableLayouts, tableLayouts } from "./table_layouts.ts";

/** Mergers for sets of columns that are kept; writers rarely have more than one. */
const KEPT_MERGERS = 16;

/** See the module. */
export interface TableRows {
  readonly layouts: TableLayouts;
  /** Whether changes are logged with the row after them only (`table.changelog.image`). */
  readonly walImage: boolean;
  /** Absent where no column is numbered. */
  readonly autoIncrement: AutoIncrement | undefined;
  /** Makes rows of keys alone. */
  readonly keyRow: KeyRowMaker;
  /**
   * What merges the rows of a write.
   *
   * @param targets positions of the columns that are written; undefined for all
   * @param overwrite whether the merge engine is passed by: `agg_mode` 1
   * @throws {ServerFault} 35 or -1 when the table cannot be written so
   */
  merger(targets: readonly number[] | undefined, overwrite: boolean): Merger;
}

const compiled = new WeakMap<LiveTable, TableRows>();

/** What is compiled for a table as it is now. */
export function tableRows(table: CatalogTable): TableRows {
  let known = compiled.get(table.live);
  if (known === undefined) compiled.set(table.live, known = compile(table));
  return known;
}

function compile(table: CatalogTable): TableRows {
  const { properties } = table.live;
  const layouts = tableLayouts(table, kvFormatOf(table));
  const engine = properties[OPTION.mergeEngine]?.toUpperCase();
  const behavior = properties[OPTION.deleteBehavior]?.toUpperCase() as DeleteBehavior | undefined;
  const mergers = new Map<string, Merger>();

  const make = (targets: readonly number[] | undefined, overwrite: boolean): Merger => {
    if (overwrite || engine === undefined) {
      const deletes = overwrite ? "ALLOW" : behavior ?? "ALLOW";
      return targets === undefined ? lastRowMerger(deletes) : partialUpdateMerger(layouts, targets, deletes);
    }
    if (engine === "AGGREGATION") return aggregationMerger(layouts, targets, behavior ?? "IGNORE");
    if (targets !== undefined) {
      throw fault(
        "SERVER.UNKNOWN_SERVER_ERROR",
        "java.lang.UnsupportedOperationException: " +
          `Partial update is not supported for the ${engine.toLowerCase()} merge engine.`,
      );
    }
    return engine === "FIRST_ROW"
      ? firstRowMerger(behavior ?? "IGNORE")
      : versionedMerger(behavior ?? "IGNORE", versionComparison(table.live, layouts));
  };

  let keyRow: KeyRowMaker | undefined;
  return {
    layouts,
    keyRow: (key) => (keyRow ??= compileKeyRows(table.live, layouts))(key),
    walImage: properties[OPTION.changelog]?.toUpperCase() === "WAL",
    autoIncrement: compileAutoIncrement(layouts),
    merger(targets, overwrite) {
      const key = `${overwrite} ${targets}`;
      let merger = mergers.get(key);
      if (merger === undefined) {
        merger = make(targets, overwrite);
        if (mergers.size >= KEPT_MERGERS) mergers.clear();
        mergers.set(key, merger);
      }
      return merger;
    },
  };
}

/** Compares the versions of two rows; null is the lowest (Fluss: VersionedRowMerger.java). */
function versionComparison(live: LiveTable, layouts: TableLayouts): (a: StoredRow, b: StoredRow) => number {
  const name = live.properties[OPTION.versionColumn];
  const column = layouts.latest.columns.findIndex((candidate) => candidate.name === name);
  const { type } = layouts.latest.columns[column]!;
  const compare = comparison(type, layouts.format);
  const size = 2 * layouts.latest.columns.length;
  const spans = [new Int32Array(size), new Int32Array(size)] as const;
  const versionOf = ({ schemaId, bytes, start, end }: StoredRow, into: Int32Array) => {
    layouts.of(schemaId).locate(bytes, start, end, into);
    const from = into[2 * column]!;
    return from < 0 ? undefined : { bytes, start: from, end: into[2 * column + 1]! };
  };
  return (a, b) => {
    const left = versionOf(a, spans[0]);
    const right = versionOf(b, spans[1]);
    if (left === undefined || right === undefined) return Number(right === undefined) - Number(left === undefined);
    return compare(left, right);
  };
}
