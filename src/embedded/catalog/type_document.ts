/**
 * Data types as clients send them, read and checked as servers do. Source: Fluss `DataTypeJsonSerde.java` and the
 * constructors of its types.
 *
 * @module
 */
import { type DataType, type RowField, typeText } from "../../schema/data_type.ts";
import { TYPE_KINDS } from "../../schema/data_type_json.ts";
import { illegalArgument } from "../fault.ts";
import { elementsOf, flagOf, hashOrder, memberOf, numberOf, textOf } from "./java.ts";

/** Clients read types that are nested this deep. */
const MAX_DEPTH = 64;
const MAX_LENGTH = 2 ** 31 - 1;
/** What stands for the id of a field that has none. */
export const NO_ID = -1;

/**
 * Reads a data type. Fields of rows without an id have {@linkcode NO_ID}.
 *
 * @throws {ServerFault} -1
 */
export function readType(json: unknown, depth = 0): DataType {
  if (depth > MAX_DEPTH) throw illegalArgument(`A type is nested more than ${MAX_DEPTH} levels deep.`);
  const name = textOf(memberOf(json, "type"), "type");
  const kind = TYPE_KINDS.get(name);
  if (kind === undefined) throw illegalArgument(`No enum constant org.apache.fluss.types.DataTypeRoot.${name}`);
  const said = memberOf(json, "nullable");
  const nullable = said === undefined || flagOf(said);
  const inner = (key: string) => readType(memberOf(json, key), depth + 1);
  const number = (key: string) => numberOf(memberOf(json, key), key);
  switch (kind) {
    case "char":
    case "binary": {
      const what = kind === "char" ? "Character string" : "Binary string";
      const length = within(number("length"), 1, MAX_LENGTH, `${what} length must be between 1 and ${MAX_LENGTH}`);
      return { kind, nullable, length };
    }
    case "decimal": {
      const precision = within(number("precision"), 1, 38, "Decimal precision must be between 1 and 38");
      const most = `Decimal scale must be between 0 and the precision ${precision}`;
      return { kind, nullable, precision, scale: within(number("scale"), 0, precision, most) };
    }
    case "time":
    case "timestamp":
    case "timestampLtz": {
      const what = kind === "time" ? "Time" : kind === "timestamp" ? "Timestamp" : "Timestamp with local time zone";
      return {
        kind,
        nullable,
        precision: within(number("precision"), 0, 9, `${what} precision must be between 0 and 9`),
      };
    }
    case "array":
      return { kind, nullable, element: inner("element_type") };
    case "map":
      return { kind, nullable, key: { ...inner("key_type"), nullable: false }, value: inner("value_type") };
    case "row": {
      const fields = elementsOf(memberOf(json, "fields"), "fields").map((field) => readField(field, depth + 1));
      checkFieldNames(fields.map(({ name }) => name));
      return { kind, nullable, fields };
    }
    default:
      return { kind, nullable };
  }
}

function within(value: number, least: number, most: number, rule: string): number {
  if (value >= least && value <= most) return value;
  throw illegalArgument(`${rule} (both inclusive).`);
}

function readField(json: unknown, depth: number): RowField {
  const name = textOf(memberOf(json, "name"), "name");
  const comment = memberOf(json, "description");
  const id = memberOf(json, "field_id");
  return {
    key: name,
    name,
    type: readType(memberOf(json, "field_type"), depth),
    ...(comment === undefined ? {} : { comment: textOf(comment, "description") }),
    id: id === undefined ? NO_ID : numberOf(id, "field_id"),
  };
}

/** @throws {ServerFault} -1 for a name without a visible character, and names that are there twice */
export function checkFieldNames(names: readonly string[]): void {
  if (names.some((name) => name.trim() === "")) {
    throw illegalArgument("Field names must contain at least one non-whitespace character.");
  }
  const twice = duplicates(names);
  if (twice.length > 0) throw illegalArgument(`Field names must be unique. Found duplicates: [${twice.join(", ")}]`);
}

/** What is there more than once. */
export function duplicates(names: readonly string[]): string[] {
  return hashOrder(names.filter((name, i) => names.indexOf(name) !== i));
}

/** A type as servers write it in their messages: `ROW<`a` INT> NOT NULL`. */
export function summaryOf(type: DataType): string {
  const end = type.nullable ? "" : " NOT NULL";
  switch (type.kind) {
    case "array":
      return `ARRAY<${summaryOf(type.element)}>${end}`;
    case "map":
      return `MAP<${summaryOf(type.key)}, ${summaryOf(type.value)}>${end}`;
    case "row": {
      const fields = type.fields.map(({ name, type, comment }) =>
        `\`${name.replaceAll("`", "``")}\` ${summaryOf(type)}${comment === undefined ? "" : " '...'"}`
      );
      return `ROW<${fields.join(", ")}>${end}`;
    }
    default:
      return typeText(type);
  }
}
