/**
 * Predicates as servers newer than 0.9.1 take them: they drop whole batches whose statistics show that no row can match.
 * What comes back still has rows that do not match. Source: Fluss `PredicateMessageUtils.java`.
 *
 * @module
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { integerBytes } from "../../format/decimal.ts";
import {
  type ComparePredicate,
  type LeafPredicate,
  type ListPredicate,
  type Literal,
  literalEncoder,
  type Predicate,
} from "../../format/predicate.ts";
import { hasStatistics } from "../../format/log_statistics.ts";
import type { DataType, SchemaColumn } from "../../schema/data_type.ts";
import type { PbLiteralValueSchema, PbPredicateSchema } from "../rpc/gen/fluss/v1/predicate_pb.ts";

/** The message of a predicate. */
export type PredicateMessage = MessageInitShape<typeof PbPredicateSchema>;
type LiteralMessage = MessageInitShape<typeof PbLiteralValueSchema>;

const FUNCTIONS: Readonly<Record<LeafPredicate["op"], number>> = {
  eq: 0,
  ne: 1,
  lt: 2,
  lte: 3,
  gt: 4,
  gte: 5,
  isNull: 6,
  isNotNull: 7,
  startsWith: 8,
  contains: 9,
  endsWith: 10,
  in: 11,
  notIn: 12,
};

/**
 * The part of a predicate by which a server can drop batches and never one with a row that matches; undefined when
 * there is none.
 *
 * @param columns the columns with statistics
 */
export function prunablePart(predicate: Predicate, columns: readonly SchemaColumn[]): Predicate | undefined {
  if ("predicates" in predicate) {
    const parts = predicate.predicates.map((part) => prunablePart(part, columns));
    const left = parts.filter((part) => part !== undefined);
    // Of "and" every part may stand alone; of "or" none.
    if (left.length === 0 || (predicate.op === "or" && left.length < parts.length)) return undefined;
    return left.length === 1 ? left[0] : { op: predicate.op, predicates: left };
  }
  const column = columns.find(({ key }) => key === predicate.column);
  if (column === undefined || !hasStatistics(column.type)) return undefined;
  // Writers keep no bounds of CHAR, though they could (Fluss: LogRecordBatchStatisticsCollector.java).
  if (column.type.kind === "char") return undefined;
  // The server compares prefixes by UTF-16 units with bounds that it took by bytes (Fluss: StartsWith.java).
  if (predicate.op === "startsWith" && !inByteOrder(predicate.value as string)) return undefined;
  return predicate;
}

/** Below the surrogates the order of UTF-16 units is that of UTF-8 bytes. */
function inByteOrder(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) >= 0xd800) return false;
  return true;
}

/** The message of a predicate whose columns are all among `columns`, by the ids that they have there. */
export function predicateMessage(
  predicate: Predicate,
  columns: readonly SchemaColumn[],
  table: string,
): PredicateMessage {
  if ("predicates" in predicate) {
    const children = predicate.predicates.map((part) => predicateMessage(part, columns, table));
    return { type: 1, compound: { function: predicate.op === "and" ? 0 : 1, children } };
  }
  const column = columns.find(({ key }) => key === predicate.column)!;
  const values = "value" in predicate ? listOf(predicate) : [];
  const encode = literalEncoder(column, table);
  const literals = values.map((value) => literalMessage(column.type, encode(predicate.op, value)));
  return { type: 0, leaf: { function: FUNCTIONS[predicate.op], fieldId: column.id, literals } };
}

function listOf(predicate: ComparePredicate | ListPredicate): readonly unknown[] {
  return predicate.op === "in" || predicate.op === "notIn" ? predicate.value : [predicate.value];
}

function literalMessage(type: DataType, literal: Literal): LiteralMessage {
  switch (type.kind) {
    case "boolean":
      return { literalType: 0, isNull: false, booleanValue: literal as boolean };
    case "tinyint":
      return { literalType: 1, isNull: false, intValue: Number(literal) };
    case "smallint":
      return { literalType: 2, isNull: false, intValue: Number(literal) };
    case "int":
      return { literalType: 3, isNull: false, intValue: Number(literal) };
    case "bigint":
      return { literalType: 4, isNull: false, bigintValue: BigInt(literal as bigint) };
    case "float":
      return { literalType: 5, isNull: false, floatValue: literal as number };
    case "double":
      return { literalType: 6, isNull: false, doubleValue: literal as number };
    case "string":
      return { literalType: 8, isNull: false, stringValue: literal as string };
    case "decimal": {
      const unscaled = BigInt(literal as bigint);
      return type.precision <= 18
        ? { literalType: 9, isNull: false, decimalValue: unscaled }
        : { literalType: 9, isNull: false, decimalBytes: integerBytes(unscaled) };
    }
    case "date":
      return { literalType: 10, isNull: false, bigintValue: BigInt(literal as number) };
    case "time":
      return { literalType: 11, isNull: false, intValue: literal as number };
    case "timestamp":
    case "timestampLtz":
      return { literalType: type.kind === "timestamp" ? 12 : 13, isNull: false, ...instant(literal) };
    default:
      throw new TypeError(`${type.kind} has no bounds`);
  }
}

/** Milliseconds, or nanoseconds for columns that are finer, as milliseconds rounded down and nanoseconds above them. */
function instant(literal: Literal): LiteralMessage {
  if (typeof literal === "number") return { timestampMillisValue: BigInt(literal), timestampNanoOfMillisValue: 0 };
  const nanos = literal as bigint;
  let below = nanos % 1_000_000n;
  if (below < 0n) below += 1_000_000n;
  return { timestampMillisValue: (nanos - below) / 1_000_000n, timestampNanoOfMillisValue: Number(below) };
}
