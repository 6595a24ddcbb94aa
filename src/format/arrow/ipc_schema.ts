/**
 * Whether the columns of an Arrow stream fit those of a table, and how they become them.
 *
 * @module
 */
import { type FlussError, flussError } from "../../base/errors.ts";
import { bareTypeText, type DataType, type SchemaColumn } from "../../schema/data_type.ts";
import { corrupt } from "../corrupt.ts";
import { expectedTypeText } from "./arrow_type.ts";
import { decodeDictionary, indexLayout, isIndexType } from "./dictionary.ts";
import { type ArrowLayout, arrowLayout, nullRaw } from "./layout.ts";
import type { RawColumn } from "./raw_column.ts";
import type { ArrowField, ArrowSchema } from "./schema_message.ts";

/** How record batches of a stream become columns of the table. */
export interface IpcBinding {
  /** The layouts of the columns, in the order of the stream. */
  readonly layouts: readonly ArrowLayout[];
  /** The layouts of the values of dictionaries, by the numbers of these. */
  readonly dictionaries: ReadonlyMap<number, ArrowLayout>;
  /**
   * Puts the columns of a record batch into the order of the table, those of nested rows included, and values in the
   * place of dictionaries.
   */
  arrange(stream: readonly RawColumn[], dictionaries: Dictionaries): RawColumn[];
}

/** The dictionaries that came so far. */
export interface Dictionaries {
  /** By their numbers. */
  readonly values: ReadonlyMap<number, RawColumn>;
  /** The bytes that a column may become. */
  readonly maxBytes: number;
}

/** One column or part of one: its layout in the stream, and its way into the table's. */
interface Part {
  readonly layout: ArrowLayout;
  readonly arrange: (raw: RawColumn, dictionaries: Dictionaries) => RawColumn;
}

/**
 * Matches the fields of a stream to the columns of a table: by physical name or by key, in any order, all of them.
 *
 * @throws {FlussError} ARROW.SCHEMA_MISMATCH for columns that are missing, too many, or of another type;
 * ARROW.NOT_SUPPORTED for dictionaries of nested values and for numbers with their highest byte first
 */
export function bindSchema(columns: readonly SchemaColumn[], schema: ArrowSchema): IpcBinding {
  if (schema.isBigEndian) {
    throw flussError("ARROW.NOT_SUPPORTED", {
      message: "the Arrow stream has numbers with their highest byte first",
      hint: "write it on a little-endian machine",
    });
  }
  const { places, missing, extra } = match(columns, schema.fields);
  if (missing.length > 0 || extra.length > 0) {
    const said = [
      missing.length === 0 ? "" : `lacks the table's columns ${quoted(missing)}`,
      extra.length === 0 ? "" : `has the columns ${quoted(extra)}, which the table has not`,
    ].filter((text) => text !== "");
    throw flussError("ARROW.SCHEMA_MISMATCH", {
      message: `the Arrow stream ${said.join(" and ")}`,
      ...(missing.length > 0 ? { column: missing[0] } : {}),
      hint: missing.length > 0 ? "add them, with nulls where there is no value" : "leave them out",
    });
  }
  const dictionaries = new Map<number, ArrowLayout>();
  const parts = columns.map((column, i) => partOf(column.key, column.type, schema.fields[places[i]!]!, dictionaries));
  const layouts = new Array<ArrowLayout>(columns.length);
  places.forEach((place, i) => layouts[place] = parts[i]!.layout);
  return {
    layouts,
    dictionaries,
    arrange: (stream, found) => parts.map((part, i) => part.arrange(stream[places[i]!]!, found)),
  };
}

/** For each wanted field its place among the found ones: by physical name first, then by key. */
function match(
  wanted: readonly { readonly name: string; readonly key: string }[],
  found: readonly ArrowField[],
): { places: number[]; missing: string[]; extra: string[] } {
  const names = found.map((field) => field.name);
  const taken = new Set<number>();
  const take = (name: string): number => {
    const place = names.findIndex((candidate, i) => candidate === name && !taken.has(i));
    if (place >= 0) taken.add(place);
    return place;
  };
  const places = wanted.map((field) => take(field.name));
  wanted.forEach((field, i) => {
    if (places[i]! < 0) places[i] = take(field.key);
  });
  return {
    places,
    missing: wanted.filter((_, i) => places[i]! < 0).map((field) => field.name),
    extra: names.filter((_, i) => !taken.has(i)),
  };
}

function partOf(path: string, type: DataType, field: ArrowField, dictionaries: Map<number, ArrowLayout>): Part {
  const expected = expectedTypeText(type);
  // Fluss's own wire has points in time without a zone.
  const fits = field.type === expected || (type.kind === "timestampLtz" && `${field.type}` === withoutZone(expected));
  if (!fits) throw mistyped(path, type, field);
  if (field.dictionary !== undefined) return dictionaryPart(path, type, field.dictionary, dictionaries);
  switch (type.kind) {
    case "array": {
      if (field.children.length !== 1) throw mistyped(path, type, field);
      const element = partOf(`${path}[]`, type.element, field.children[0]!, dictionaries);
      return nested("list", [element], [0]);
    }
    case "map": {
      const [entries] = field.children;
      if (field.children.length !== 1 || entries!.children.length !== 2) throw mistyped(path, type, field);
      const [key, value] = entries!.children;
      const pair = [
        partOf(`${path}[key]`, type.key, key!, dictionaries),
        partOf(`${path}[]`, type.value, value!, dictionaries),
      ];
      return nested("list", [nested("struct", pair, [0, 1])], [0]);
    }
    case "row": {
      const { places, missing, extra } = match(type.fields, field.children);
      if (missing.length > 0 || extra.length > 0) throw mistyped(path, type, field);
      const parts = type.fields.map((of, i) =>
        partOf(`${path}.${of.key}`, of.type, field.children[places[i]!]!, dictionaries)
      );
      return nested("struct", parts, places);
    }
    default:
      return { layout: arrowLayout(type), arrange: (raw) => raw };
  }
}

function dictionaryPart(
  path: string,
  type: DataType,
  { id, indexType }: NonNullable<ArrowField["dictionary"]>,
  dictionaries: Map<number, ArrowLayout>,
): Part {
  const layout = arrowLayout(type);
  if (layout.children.length > 0 || !isIndexType(indexType)) {
    throw flussError("ARROW.NOT_SUPPORTED", {
      message: `the Arrow column ${path} is a dictionary of nested values`,
      column: path,
      hint: `send plain values: ${castHint(type)}`,
    });
  }
  const known = dictionaries.get(id);
  if (known !== undefined && (known.form !== layout.form || known.width !== layout.width)) {
    throw corrupt(`dictionary ${id} of the Arrow stream has values of two types`);
  }
  dictionaries.set(id, layout);
  return {
    layout: indexLayout(indexType),
    arrange(raw, { values, maxBytes }) {
      const found = values.get(id);
      if (found === undefined && raw.nullCount < raw.length) {
        throw corrupt(`dictionary ${id} of the Arrow stream is missing`);
      }
      return found === undefined
        ? nullRaw(layout, raw.length)
        : decodeDictionary(raw, indexType, found, layout, maxBytes);
    },
  };
}

/** @param places where each part is in the stream */
function nested(form: "list" | "struct", parts: readonly Part[], places: readonly number[]): Part {
  const children = new Array<ArrowLayout>(parts.length);
  places.forEach((place, i) => children[place] = parts[i]!.layout);
  return {
    layout: { form, width: 0, children },
    arrange: (raw, found) => ({
      ...raw,
      children: parts.map((part, i) => part.arrange(raw.children[places[i]!]!, found)),
    }),
  };
}

function mistyped(path: string, type: DataType, field: ArrowField): FlussError {
  return flussError("ARROW.SCHEMA_MISMATCH", {
    message: `the Arrow column ${path} is ${fieldText(field)}, and ${bareTypeText(type)} needs ${fullText(type)}`,
    column: path,
    hint: `cast it: ${castHint(type)}`,
  });
}

/** What to write in pyarrow for a type. */
function castHint(type: DataType): string {
  return `in pyarrow column.cast(${pyarrowText(type)})`;
}

function pyarrowText(type: DataType): string {
  switch (type.kind) {
    case "boolean":
      return "pa.bool_()";
    case "string":
    case "char":
      return "pa.string()";
    case "binary":
      return `pa.binary(${type.length})`;
    case "date":
      return "pa.date32()";
    case "decimal":
      return `pa.${expectedTypeText(type)}`;
    case "time":
    case "timestamp": {
      const [, name, unit] = /^(\w+)\[(\w+)\]$/.exec(expectedTypeText(type))!;
      return `pa.${name}("${unit}")`;
    }
    case "timestampLtz": {
      const [, unit] = /\[(\w+),/.exec(expectedTypeText(type))!;
      return `pa.timestamp("${unit}", "UTC")`;
    }
    case "array":
      return `pa.list_(${pyarrowText(type.element)})`;
    case "map":
      return `pa.map_(${pyarrowText(type.key)}, ${pyarrowText(type.value)})`;
    case "row":
      return `pa.struct([${
        type.fields.map((field) => `(${JSON.stringify(field.name)}, ${pyarrowText(field.type)})`).join(", ")
      }])`;
    default:
      return `pa.${expectedTypeText(type)}()`;
  }
}

function fieldText({ type, children }: ArrowField): string {
  return children.length === 0
    ? type
    : `${type}<${children.map((child) => `${child.name}: ${fieldText(child)}`).join(", ")}>`;
}

function fullText(type: DataType): string {
  switch (type.kind) {
    case "array":
      return `list<${fullText(type.element)}>`;
    case "map":
      return `map<${fullText(type.key)}, ${fullText(type.value)}>`;
    case "row":
      return `struct<${type.fields.map((field) => `${field.name}: ${fullText(field.type)}`).join(", ")}>`;
    default:
      return expectedTypeText(type);
  }
}

function withoutZone(text: string): string {
  return text.replace(", tz=UTC", "");
}

function quoted(names: readonly string[]): string {
  return names.map((name) => JSON.stringify(name)).join(", ");
}
