/**
 * Differences between a declaration and the live table.
 *
 * @module
 */
import { bareTypeText, type DataType, typeText } from "./data_type.ts";
import { type DeleteBehavior, nameOfTable, type TableDefinition } from "./definition.ts";
import { type LiveColumn, type LiveTable, serverProperties } from "./descriptor.ts";
import { deleteBehaviorOf, engineOf } from "./live_definition.ts";
import { TYPED_OPTIONS } from "./server_options.ts";

/** How much must agree. */
export type DriftMode = "strict" | "compatible";

/**
 * Compares a declaration with the live table.
 *
 * `compatible` asks for what reading and writing depend on: every declared column is there with its type; keys, engine
 * and what happens to deletes agree; live columns that the declaration does not have are nullable. A declaration may be
 * stricter about null than the table, not more generous. `strict` also asks for the same columns in the same order, the
 * same null, and the same options; comments do not count.
 *
 * @returns one sentence per difference, in the form `live table has no column "email" (declared nullable STRING)`
 */
export function compareTables(definition: TableDefinition, live: LiveTable, mode: DriftMode): string[] {
  return [
    ...columnDifferences(definition, live, mode),
    ...keyDifferences(definition, live, mode),
    ...engineDifferences(definition, live),
    ...(mode === "strict" ? optionDifferences(definition, live) : []),
  ];
}

function* columnDifferences(definition: TableDefinition, live: LiveTable, mode: DriftMode): Iterable<string> {
  const liveByName = new Map(live.schema.columns.map((column) => [column.name, column]));
  for (const column of definition.columns) {
    const name = JSON.stringify(column.name);
    const found = liveByName.get(column.name);
    if (found === undefined) {
      yield `live table has no column ${name} (declared ${nullText(column.type)})`;
      continue;
    }
    if (!isSameType(column.type, found.type, mode)) {
      yield `column ${name} is ${nullText(found.type)} in the live table and declared ${nullText(column.type)}`;
    }
    if (definition.mergeEngine === "aggregation") {
      const [declared, actual] = [aggregationText(column.aggregate), aggregationText(found.aggregate)];
      if (declared !== actual) {
        yield `column ${name} is aggregated by ${actual} in the live table and declared with ${declared}`;
      }
    }
  }
  const declared = new Set(definition.columns.map((column) => column.name));
  for (const column of live.schema.columns) {
    if (declared.has(column.name)) continue;
    const name = JSON.stringify(column.name);
    if (mode === "strict") yield `live table has the column ${name} (${nullText(column.type)}), which is not declared`;
    else if (!column.type.nullable && !live.schema.primaryKey.includes(column.name)) {
      yield `live table has the NOT NULL column ${name} (${bareTypeText(column.type)}), which is not declared`;
    }
  }
  if (mode === "strict") yield* orderDifference(definition, live.schema.columns);
}

function* orderDifference(definition: TableDefinition, columns: readonly LiveColumn[]): Iterable<string> {
  const declared = definition.columns.map((column) => column.name);
  const actual = columns.map((column) => column.name);
  if (declared.length !== actual.length || !actual.every((name) => declared.includes(name))) return;
  if (declared.some((name, i) => name !== actual[i])) {
    yield `the live table has its columns in the order ${list(actual)}, declared is ${list(declared)}`;
  }
}

function* keyDifferences(definition: TableDefinition, live: LiveTable, mode: DriftMode): Iterable<string> {
  const physical = (keys: readonly string[]) =>
    keys.map((key) => definition.columns.find((column) => column.key === key)?.name ?? key);
  const { primaryKey } = live.schema;
  const withoutPartitions = (keys: readonly string[], partitions: readonly string[]) =>
    keys.filter((key) => !partitions.includes(key));
  const pairs: [what: string, declared: readonly string[], actual: readonly string[]][] = [
    ["primary key", physical(definition.primaryKey), primaryKey],
    ["partition key", physical(definition.partitionBy), live.partitionKey],
    [
      "bucket key",
      physical(definition.bucketKey ?? withoutPartitions(definition.primaryKey, definition.partitionBy)),
      live.bucketKey.length > 0 ? live.bucketKey : withoutPartitions(primaryKey, live.partitionKey),
    ],
  ];
  for (const [what, declared, actual] of pairs) {
    if (JSON.stringify(declared) === JSON.stringify(actual)) continue;
    yield `the ${what} is ${list(actual)} in the live table and declared ${list(declared)}`;
  }
  const numbered = definition.columns.find((column) => column.autoIncrement)?.name;
  if (numbered !== live.schema.autoIncrement) {
    yield `the auto-increment column is ${named(live.schema.autoIncrement)} in the live table and declared ${
      named(numbered)
    }`;
  }
  const { buckets } = definition;
  if (mode === "strict" && buckets !== undefined && buckets !== live.bucketCount) {
    yield `the live table has ${live.bucketCount ?? "no known number of"} buckets, declared are ${buckets}`;
  }
}

function* engineDifferences(definition: TableDefinition, live: LiveTable): Iterable<string> {
  const engine = engineOf(live, nameOfTable(definition));
  if (engine !== definition.mergeEngine) {
    yield `the merge engine is ${engine} in the live table and declared ${definition.mergeEngine}`;
    return;
  }
  const properties = serverProperties(definition);
  for (
    const [key, what] of [...TYPED_OPTIONS].filter(([, what]) => what !== "deleteBehavior" && what !== "mergeEngine")
  ) {
    // The version column is a name, which has its case.
    const shape = what === "changelog" ? (text: string) => text.toLowerCase() : (text: string) => text;
    const usual = what === "changelog" ? "full" : "";
    const [declared, actual] = [properties[key] ?? usual, shape(live.properties[key] ?? usual)];
    if (declared !== actual) yield `${key} is ${named(actual)} in the live table and declared ${named(declared)}`;
  }
  const usual: DeleteBehavior = engine === "last_row" ? "allow" : "ignore";
  const declared = definition.deleteBehavior ?? usual;
  const actual = deleteBehaviorOf(live, engine) ?? usual;
  if (definition.primaryKey.length > 0 && declared !== actual) {
    yield `the live table is set to ${actual} deletes, declared is ${declared}`;
  }
}

/** Options that the declaration names. Servers add many of their own, so the others say nothing. */
function* optionDifferences(definition: TableDefinition, live: LiveTable): Iterable<string> {
  const pairs = [
    [definition.properties, live.properties],
    [definition.customProperties, live.customProperties],
  ] as const;
  for (const [declared, actual] of pairs) {
    for (const [key, value] of Object.entries(declared)) {
      if (Object.hasOwn(actual, key) && optionText(actual[key]!) === optionText(value)) continue;
      yield `${key} is ${named(actual[key])} in the live table and declared ${named(value)}`;
    }
  }
}

/** Servers compare enums without case and take `7d` and `7 d` for the same. */
function optionText(value: string): string {
  return value.toLowerCase().replace(/\s+/g, "");
}

/** Whether a live type can be read and written as the declared one. */
function isSameType(declared: DataType, live: DataType, mode: DriftMode): boolean {
  if (declared.nullable !== live.nullable && (mode === "strict" || !live.nullable)) return false;
  switch (declared.kind) {
    case "char":
    case "binary":
      return live.kind === declared.kind && live.length === declared.length;
    case "decimal":
      return live.kind === "decimal" && live.precision === declared.precision && live.scale === declared.scale;
    case "time":
    case "timestamp":
    case "timestampLtz":
      return live.kind === declared.kind && live.precision === declared.precision;
    case "array":
      return live.kind === "array" && isSameType(declared.element, live.element, mode);
    case "map":
      return live.kind === "map" && isSameType(declared.key, live.key, mode) &&
        isSameType(declared.value, live.value, mode);
    case "row":
      return live.kind === "row" && live.fields.length === declared.fields.length &&
        declared.fields.every((field, i) =>
          field.name === live.fields[i]!.name && isSameType(field.type, live.fields[i]!.type, mode)
        );
    default:
      return live.kind === declared.kind;
  }
}

function nullText(type: DataType): string {
  return type.nullable ? `nullable ${bareTypeText(type)}` : typeText(type);
}

function aggregationText(aggregate: LiveColumn["aggregate"]): string {
  if (aggregate === undefined) return "nothing in particular";
  const { fn, parameters } = aggregate;
  return Object.keys(parameters).length === 0 ? fn : `${fn} ${JSON.stringify(parameters)}`;
}

function list(names: readonly string[]): string {
  return names.length === 0 ? "none" : names.map((name) => JSON.stringify(name)).join(", ");
}

function named(value: string | undefined): string {
  return value === undefined || value === "" ? "not set" : JSON.stringify(value);
}
