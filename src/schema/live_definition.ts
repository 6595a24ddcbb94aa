/**
 * From a live table to a definition, for handles without a declaration: every mode is the default, keys are the names.
 *
 * @module
 */
import { flussError } from "../base/errors.ts";
import type { DeleteBehavior, MergeEngineName, TableDefinition } from "./definition.ts";
import type { LiveTable } from "./descriptor.ts";
import { OPTION, TYPED_OPTIONS } from "./server_options.ts";

const ENGINES: readonly string[] = ["first_row", "versioned", "aggregation"];
const DELETES: readonly string[] = ["allow", "ignore", "disable"];

/**
 * The definition of a live table.
 *
 * @throws FlussConnectionError `CONNECTION.UNSUPPORTED_VERSION` for a merge engine that this version does not know
 */
export function definitionFromLive(
  path: { readonly database: string; readonly table: string },
  live: LiveTable,
): TableDefinition {
  const { schema, properties, bucketKey, bucketCount, comment } = live;
  const versionColumn = properties[OPTION.versionColumn];
  const mergeEngine = engineOf(live, `${path.database}.${path.table}`);
  const deleteBehavior = deleteBehaviorOf(live, mergeEngine);
  return {
    database: path.database,
    name: path.table,
    columns: schema.columns.map(({ key, name, type, comment, aggregate }) => ({
      key,
      name,
      type,
      ...(comment === undefined ? {} : { comment }),
      ...(aggregate === undefined ? {} : { aggregate }),
      autoIncrement: name === schema.autoIncrement,
      checks: [],
    })),
    primaryKey: schema.primaryKey,
    ...(bucketKey.length === 0 ? {} : { bucketKey }),
    ...(bucketCount === undefined ? {} : { buckets: bucketCount }),
    partitionBy: live.partitionKey,
    mergeEngine,
    ...(versionColumn === undefined ? {} : { versionColumn }),
    ...(deleteBehavior === undefined ? {} : { deleteBehavior }),
    changelog: properties[OPTION.changelog]?.toLowerCase() === "wal" ? "wal" : "full",
    properties: Object.fromEntries(Object.entries(properties).filter(([key]) => !TYPED_OPTIONS.has(key))),
    customProperties: live.customProperties,
    ...(comment === undefined ? {} : { comment }),
  };
}

/** The merge engine of a live table; `last_row` when it has none. */
export function engineOf(live: LiveTable, table: string): MergeEngineName {
  const said = live.properties[OPTION.mergeEngine]?.toLowerCase();
  if (said === undefined) return "last_row";
  if (ENGINES.includes(said)) return said as MergeEngineName;
  throw flussError("CONNECTION.UNSUPPORTED_VERSION", {
    table,
    message: `the table has the merge engine ${JSON.stringify(said)}, which this version of Sluice does not know`,
    hint: "use a newer version of Sluice",
  });
}

/**
 * What a live table was told to do with deletes. Servers store `IGNORE` for every merge engine that nothing was said
 * for, so there it counts as nothing said.
 */
export function deleteBehaviorOf(live: LiveTable, engine: MergeEngineName): DeleteBehavior | undefined {
  const said = live.properties[OPTION.deleteBehavior]?.toLowerCase();
  if (said === undefined || !DELETES.includes(said)) return undefined;
  return said === "ignore" && engine !== "last_row" ? undefined : said as DeleteBehavior;
}
