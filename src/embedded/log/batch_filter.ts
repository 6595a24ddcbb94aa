/**
 * Filters on whole batches: one that its statistics show to hold no matching row need not be sent. Servers newer than
 * 0.9.1 do so (Fluss: predicate/LeafPredicate.java and its functions, PredicateMessageUtils.java). What cannot be told is
 * sent.
 *
 * @module
 */
import type { PbLeafPredicate, PbLiteralValue, PbPredicate } from "../../client/rpc/gen/fluss/v1/predicate_pb.ts";
import { isSet } from "../../client/rpc/required.ts";
import { int16At, int32At } from "../../format/byte_reader.ts";
import { integerAt } from "../../format/decimal.ts";
import type { LogBatch } from "../../format/log_batch.ts";
import { plainType } from "../../format/plain_type.ts";
import { compileValueReader, type ValueReader } from "../../format/row_codec.ts";
import type { DataType, SchemaColumn } from "../../schema/data_type.ts";
import type { LiveSchema } from "../../schema/descriptor.ts";
import type { CatalogTable } from "../catalog/table.ts";

/** Whether a batch may hold a row that matches. */
export type BatchFilter = (batch: LogBatch) => boolean;

/** A value as statistics have it: times in milliseconds of the day, points in time in nanoseconds, decimals unscaled. */
type Value = boolean | number | bigint | string;

/** What is known of a column of a batch. */
interface ColumnStatistics {
  readonly nulls: number;
  /** Null where there is no value, or none is known. */
  readonly min: Value | null;
  readonly max: Value | null;
}

/** Of some columns, by their ids. */
interface Statistics {
  readonly rows: number;
  readonly columns: ReadonlyMap<number, ColumnStatistics>;
}

type Test = (statistics: Statistics) => boolean;

/**
 * Compiles a filter.
 *
 * @param schemaId the schema that the predicate names columns of
 * @returns undefined when the predicate cannot be used: then nothing is filtered
 */
export function compileBatchFilter(
  table: CatalogTable,
  predicate: PbPredicate,
  schemaId: number,
): BatchFilter | undefined {
  const schema = table.schemas.get(schemaId);
  const test = schema === undefined ? undefined : compileTest(predicate, schema.columns, 0);
  if (test === undefined) return undefined;
  return (batch) => {
    try {
      const statistics = statisticsOf(batch, table);
      return statistics === undefined || test(statistics);
    } catch {
      return true;
    }
  };
}

/** Predicates are not nested deeper than this, so that none exhausts the stack. */
const MAX_DEPTH = 100;

function compileTest(predicate: PbPredicate, columns: readonly SchemaColumn[], depth: number): Test | undefined {
  const { type, leaf, compound } = predicate;
  if (type === 0) return leaf === undefined ? undefined : compileLeaf(leaf, columns);
  if (type !== 1 || compound === undefined || depth === MAX_DEPTH) return undefined;
  const children: Test[] = [];
  for (const child of compound.children) {
    const test = compileTest(child, columns, depth + 1);
    if (test === undefined) return undefined;
    children.push(test);
  }
  if (compound.function === 0) return (statistics) => children.every((child) => child(statistics));
  if (compound.function === 1) return (statistics) => children.some((child) => child(statistics));
  return undefined;
}

/** Whether a value between `min` and `max` may match one of the literals. */
type Range = (min: Value, max: Value) => boolean;

function compileLeaf(leaf: PbLeafPredicate, columns: readonly SchemaColumn[]): Test | undefined {
  const column = columns.find(({ id }) => id === leaf.fieldId);
  if (column === undefined) return undefined;
  const { type } = column;
  const literals: (Value | null)[] = [];
  for (const literal of leaf.literals) {
    const value = literalValue(literal, type);
    if (value === undefined) return undefined;
    literals.push(value);
  }
  const { id } = column;
  if (leaf.function === IS_NULL) return known(id, ({ nulls }) => nulls > 0);
  if (leaf.function === IS_NOT_NULL) return known(id, ({ nulls }, rows) => nulls < rows);
  const range = compileRange(leaf.function, literals);
  if (range === undefined) return undefined;
  return known(id, ({ nulls, min, max }, rows) => nulls !== rows && range(min!, max!));
}

const IS_NULL = 6;
const IS_NOT_NULL = 7;

/** Of columns without statistics, and of those whose bounds are not known, nothing can be told. */
function known(id: number, test: (column: ColumnStatistics, rows: number) => boolean): Test {
  return ({ rows, columns }) => {
    const column = columns.get(id);
    if (column === undefined) return true;
    if (column.nulls !== rows && (column.min === null || column.max === null)) return true;
    return test(column, rows);
  };
}

function compileRange(fn: number, literals: readonly (Value | null)[]): Range | undefined {
  const isIn = 11;
  const isNotIn = 12;
  if (fn === isIn) {
    return (min, max) =>
      literals.some((literal) => literal !== null && compare(literal, min) >= 0 && compare(literal, max) <= 0);
  }
  if (fn === isNotIn) {
    return (min, max) =>
      literals.every((literal) => literal !== null && (compare(literal, min) !== 0 || compare(literal, max) !== 0));
  }
  const literal = literals[0];
  if (literal === undefined) return undefined;
  // A comparison with null is never true.
  if (literal === null) return () => false;
  switch (fn) {
    case 0:
      return (min, max) => compare(literal, min) >= 0 && compare(literal, max) <= 0;
    case 1:
      return (min, max) => compare(literal, min) !== 0 || compare(literal, max) !== 0;
    case 2:
      return (min) => compare(literal, min) > 0;
    case 3:
      return (min) => compare(literal, min) >= 0;
    case 4:
      return (_min, max) => compare(literal, max) < 0;
    case 5:
      return (_min, max) => compare(literal, max) <= 0;
    case 8: {
      const prefix = String(literal);
      // By UTF-16 units, as Java compares strings.
      return (min, max) =>
        (String(min).startsWith(prefix) || String(min) <= prefix) &&
        (String(max).startsWith(prefix) || String(max) >= prefix);
    }
    case 9:
    case 10:
      return () => true;
    default:
      return undefined;
  }
}

/** By Java's `compareTo`: texts in the order of their UTF-8 bytes, -0 below 0, NaN above all. */
function compare(a: Value, b: Value): number {
  if (typeof a === "string") return compareText(a, b as string);
  if (a < b) return -1;
  if (a > b) return 1;
  if (typeof a !== "number" || a === b) return a === 0 ? Number(Object.is(b, -0)) - Number(Object.is(a, -0)) : 0;
  return Number(a !== a) - Number(b !== b);
}

/** The order of UTF-8 is that of code points, which differs from that of UTF-16 units above the surrogates. */
function compareText(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  for (let i = 0; i < end; i++) {
    const one = a.charCodeAt(i);
    const other = b.charCodeAt(i);
    if (one !== other) return (one >= 0xd800 ? moved(one) : one) - (other >= 0xd800 ? moved(other) : other);
  }
  return a.length - b.length;
}

/** Surrogates stand for what comes after U+FFFF. */
function moved(unit: number): number {
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

/** What literals of a type are numbered as on the wire. */
const LITERAL_TYPES: Readonly<Record<DataType["kind"], readonly number[]>> = {
  boolean: [0],
  tinyint: [1],
  smallint: [2],
  int: [3],
  bigint: [4],
  float: [5],
  double: [6],
  char: [7, 8],
  string: [7, 8],
  decimal: [9],
  date: [10],
  time: [11],
  timestamp: [12],
  timestampLtz: [13],
  binary: [],
  bytes: [],
  array: [],
  map: [],
  row: [],
};

/** Undefined for a literal that is not of the column's type. */
function literalValue(literal: PbLiteralValue, { kind }: DataType): Value | null | undefined {
  if (literal.isNull) return null;
  if (!LITERAL_TYPES[kind].includes(literal.literalType)) return undefined;
  switch (kind) {
    case "boolean":
      return literal.booleanValue;
    case "tinyint":
    case "smallint":
    case "int":
    case "time":
      return literal.intValue;
    case "bigint":
      return literal.bigintValue;
    case "float":
      return literal.floatValue;
    case "double":
      return literal.doubleValue;
    case "char":
    case "string":
      return literal.stringValue;
    case "decimal": {
      const bytes = literal.decimalBytes;
      return isSet(literal, "decimalBytes") && bytes.length > 0
        ? integerAt(bytes, 0, bytes.length)
        : literal.decimalValue;
    }
    case "date":
      return Number(literal.bigintValue);
    case "timestamp":
    case "timestampLtz":
      return literal.timestampMillisValue * 1_000_000n + BigInt(literal.timestampNanoOfMillisValue);
    default:
      return undefined;
  }
}

const VERSION = 1;

/** The statistics of a batch; undefined when it has none that can be read. */
function statisticsOf(batch: LogBatch, table: CatalogTable): Statistics | undefined {
  const { bytes, start, magic, recordsStart, recordCount } = batch;
  if (magic === 0) return undefined;
  let at = start + (magic === 1 ? 52 : 56);
  const schema = table.schemas.get(batch.schemaId);
  if (recordsStart - at < 3 || bytes[at] !== VERSION || schema === undefined) return undefined;
  const count = int16At(bytes, at + 1);
  at += 3;
  // Positions and numbers of nulls, then the size of the least values.
  if (count <= 0 || count * 6 + 4 > recordsStart - at) return undefined;
  const positions: number[] = [];
  for (let i = 0; i < count; i++) positions.push(int16At(bytes, at + 2 * i));
  const nulls = at + 2 * count;
  const bounds = boundsReader(schema, positions);
  const minStart = nulls + 4 * count + 4;
  const minEnd = minStart + int32At(bytes, minStart - 4);
  const maxStart = minEnd + 4;
  if (minEnd < minStart || maxStart > recordsStart) return undefined;
  const maxEnd = maxStart + int32At(bytes, minEnd);
  if (maxEnd < maxStart || maxEnd > recordsStart) return undefined;
  const least = bounds(bytes, minStart, minEnd);
  const greatest = bounds(bytes, maxStart, maxEnd);
  const columns = new Map<number, ColumnStatistics>();
  positions.forEach((position, i) => {
    columns.set(schema.columns[position]!.id, {
      nulls: int32At(bytes, nulls + 4 * i),
      min: least[`${i}`] as Value | null,
      max: greatest[`${i}`] as Value | null,
    });
  });
  return { rows: recordCount, columns };
}

/** Compiled once per schema and columns. */
const readers = new WeakMap<LiveSchema, Map<string, ValueReader>>();

function boundsReader(schema: LiveSchema, positions: readonly number[]): ValueReader {
  let ofSchema = readers.get(schema);
  if (ofSchema === undefined) readers.set(schema, ofSchema = new Map());
  const key = positions.join();
  let reader = ofSchema.get(key);
  if (reader === undefined) {
    const columns = positions.map((position, i): SchemaColumn => ({
      id: i,
      key: `${i}`,
      name: `${i}`,
      type: { ...plainType(schema.columns[position]!.type), nullable: true },
    }));
    ofSchema.set(key, reader = compileValueReader(columns, columns, "aligned"));
  }
  return reader;
}
