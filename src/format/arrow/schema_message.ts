/**
 * Schemas in the metadata of Arrow messages. Log batches have none, since servers know the schema; IPC streams begin
 * with one (Arrow: Schema.fbs).
 *
 * @module
 */
import type { DataType, RowField } from "../../schema/data_type.ts";
import { corrupt } from "../corrupt.ts";
import { ARROW_TYPE, arrowType, foundTypeText, textOf } from "./arrow_type.ts";
import type { FlatTable } from "./flatbuffer_reader.ts";
import { type FlatFields, int16, int8, string, table, tables, writeFlatbuffer } from "./flatbuffer_writer.ts";
import { HEADER_SCHEMA } from "./message_reader.ts";

/** The version of the metadata: V5. */
const METADATA_VERSION = 4;

/** A nested type that goes deeper was made to hurt. */
const MAX_DEPTH = 64;
/** The place of a field in a list, and the start of its table. */
const MIN_FIELD_BYTES = 8;

/**
 * The message with the schema of some columns, for Arrow tools. Fields have the columns' keys as names. TIMESTAMP_LTZ
 * carries the time zone UTC here, which it does not on Fluss's wire: other tools could not tell it from TIMESTAMP.
 */
export function schemaMessage(fields: readonly RowField[]): Uint8Array<ArrayBuffer> {
  const schema = table(undefined, tables(fields.map((field) => arrowField(field.key, field.type))));
  const metadata = writeFlatbuffer([int16(METADATA_VERSION), int8(HEADER_SCHEMA), schema]);
  const message = new Uint8Array(8 + metadata.length);
  const view = new DataView(message.buffer);
  view.setInt32(0, -1, true);
  view.setInt32(4, metadata.length, true);
  message.set(metadata, 8);
  return message;
}

function arrowField(name: string, type: DataType): FlatFields {
  const { number, fields } = arrowType(type);
  return [
    string(name),
    int8(type.nullable),
    int8(number),
    table(...fields),
    undefined,
    tables(childrenOf(type)),
  ];
}

function childrenOf(type: DataType): FlatFields[] {
  switch (type.kind) {
    case "array":
      return [arrowField("element", type.element)];
    case "map": {
      const entry = [arrowField("key", { ...type.key, nullable: false }), arrowField("value", type.value)];
      return [[string("entries"), int8(false), int8(ARROW_TYPE.struct), table(), undefined, tables(entry)]];
    }
    case "row":
      return type.fields.map((field) => arrowField(field.key, field.type));
    default:
      return [];
  }
}

/** A field of a schema that was read. */
export interface ArrowField {
  /** Its name; empty when it has none. */
  readonly name: string;
  /** The type in words, without children: `int64`, `timestamp[ms]`, `list`. */
  readonly type: string;
  /** Where its values are places in a dictionary: that of this number, and the type of the places. */
  readonly dictionary: { readonly id: number; readonly indexType: string } | undefined;
  /** The parts of a nested type. */
  readonly children: readonly ArrowField[];
}

/** A schema that was read. */
export interface ArrowSchema {
  /** Whether numbers have their highest byte first. */
  readonly isBigEndian: boolean;
  /** Its fields. */
  readonly fields: readonly ArrowField[];
}

/**
 * Reads the header of a schema message.
 *
 * @throws {FlussError} CODEC.CORRUPT_BATCH when it is none
 */
export function readSchema(header: FlatTable): ArrowSchema {
  // Tables may be referred to more than once, so that a few bytes could unfold to any number of fields.
  const budget = { left: header.bytes.length / MIN_FIELD_BYTES };
  return { isBigEndian: header.int16(0) !== 0, fields: readFields(header, 1, budget, 0) };
}

function readFields(parent: FlatTable, number: number, budget: { left: number }, depth: number): ArrowField[] {
  const found = parent.vector(number, 4);
  budget.left -= found.length;
  if (depth > MAX_DEPTH || budget.left < 0) throw corrupt("an Arrow schema has more fields than its bytes can hold");
  return Array.from({ length: found.length }, (_, i): ArrowField => {
    const field = parent.item(found, i);
    return {
      name: textOf(field, 0) ?? "",
      type: foundTypeText(field.uint8(2), field.table(3)),
      dictionary: dictionaryOf(field.table(4)),
      children: readFields(field, 5, budget, depth + 1),
    };
  });
}

function dictionaryOf(encoding: FlatTable | undefined): ArrowField["dictionary"] {
  if (encoding === undefined) return undefined;
  const indexType = encoding.table(1);
  return {
    id: encoding.size(0),
    indexType: indexType === undefined ? "int32" : foundTypeText(ARROW_TYPE.int, indexType),
  };
}
