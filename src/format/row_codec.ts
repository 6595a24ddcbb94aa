/**
 * Row writers and readers, compiled once per (schema, columns) and kept by the caller. Nested types are resolved here,
 * so that the layouts know nothing of each other.
 *
 * @module
 */
import { flussError } from "../base/errors.ts";
import { ColumnError } from "../base/column_error.ts";
import { type DataType, type RowField, type RowType, type SchemaColumn, typeText } from "../schema/data_type.ts";
import { type AlignedField, compileAlignedReader, compileAlignedWriter } from "./aligned_row.ts";
import { arrayPayload, type Elements, mapPayload, objectPayload } from "./binary_array.ts";
import { ByteReader } from "./byte_reader.ts";
import type { ByteWriter } from "./byte_writer.ts";
import { compactedCell } from "./compacted_row.ts";
import type { Field, Payload } from "./field.ts";
import { compileReader, compileWriter } from "./generate.ts";
import { beginLengths, hasListedLength, indexedCell, openLengths } from "./indexed_row.ts";
import type { ReadStep, WriteStep } from "./row_plan.ts";
import { slotOf } from "./slot.ts";
import { isRecord, short, wrongType } from "./value_error.ts";
import { codedPayload, scalarField } from "./values.ts";

/** How the values of a row are laid out: `table.kv.format`, and ALIGNED for nested rows and statistics. */
export type RowFormat = "compacted" | "indexed" | "aligned";

/**
 * Writes a row at the writer's position.
 *
 * @throws {ColumnError} when a value does not fit; what was written so far is then to be dropped by the caller
 */
export type RowWriter = (out: ByteWriter, row: Readonly<Record<string, unknown>>) => void;

/**
 * Reads the row in `bytes[start..end)`. Values are copies; nothing keeps `bytes`.
 *
 * @throws {FlussError} CODEC.CORRUPT_BATCH when the bytes are no such row
 * @throws {ColumnError} when JavaScript cannot hold a value in the form that was asked for
 */
export type ValueReader = (bytes: Uint8Array, start: number, end: number) => Record<string, unknown>;

/**
 * Compiles the writer of rows with these columns. A row is an object by column key; an absent key is null.
 *
 * @param columns all columns of the schema, in order
 * @param format the layout
 * @param present the columns, by position, that this kind of write carries; the others are written as null and never
 * looked at (Fluss wants all columns also in partial updates). Default: all
 * @throws {FlussError} WRITE.NOT_SUPPORTED when a NOT NULL column is not in `present`
 */
export function compileRowWriter(
  columns: readonly SchemaColumn[],
  format: RowFormat,
  present?: readonly number[],
): RowWriter {
  const wanted = present === undefined ? undefined : new Set(present);
  columns.forEach((column, i) => {
    if (!column.type.nullable && wanted?.has(i) === false) {
      throw flussError("WRITE.NOT_SUPPORTED", {
        message: `a write without the NOT NULL column ${JSON.stringify(column.name)} cannot be encoded`,
        column: column.key,
      });
    }
  });
  return rowWriter(columns, format, wanted);
}

function rowWriter(fields: readonly RowField[], format: RowFormat, present?: ReadonlySet<number>): RowWriter {
  const parts = fields.map((field) => fieldOf(format, field.type, field.type));
  if (format === "aligned") {
    return compileAlignedWriter(fields.map((field, i) => alignedField(field, parts[i]!, present?.has(i))));
  }
  const cellOf = format === "compacted" ? compactedCell : indexedCell;
  const write = compileWriter(fields.map((field, i): WriteStep => ({
    key: field.key,
    nullBit: i,
    nullable: field.type.nullable,
    typeName: typeText(field.type),
    write: present?.has(i) === false ? undefined : cellOf(parts[i]!).write,
  })));
  const nullBytes = nullBytesOf(fields.length);
  if (format === "compacted") {
    return (out, row) => {
      const nulls = out.position;
      out.writeZeros(nullBytes);
      write(out, nulls, row);
    };
  }
  const listed = parts.filter(hasListedLength).length;
  return (out, row) => {
    const nulls = out.position;
    out.writeZeros(nullBytes);
    beginLengths(out, listed);
    write(out, nulls, row);
  };
}

/**
 * Compiles the reader that makes rows of `wanted` columns from rows of `stored` ones.
 *
 * @param stored the columns of the schema that the row was written with, in order
 * @param wanted the columns to produce, in order, matched to stored ones by id; one that is not stored reads as null.
 * Their types say how values appear, the stored ones how they lie
 * @param format the layout
 * @throws {FlussError} SCHEMA.DRIFT when a wanted column has another type than the stored one
 */
export function compileValueReader(
  stored: readonly SchemaColumn[],
  wanted: readonly SchemaColumn[],
  format: RowFormat,
): ValueReader {
  return rowReader(stored, wanted, format);
}

function rowReader(stored: readonly RowField[], wanted: readonly RowField[], format: RowFormat): ValueReader {
  const targets = targetsOf(stored, wanted);
  const keys = wanted.map((field) => field.key);
  if (format === "aligned") {
    const fields = stored.map((field, i) => {
      const view = wanted[targets[i]!];
      return alignedField(field, view === undefined ? wireField(field.type) : fieldOf(format, field.type, view.type));
    });
    return compileAlignedReader(fields, targets, keys);
  }
  const cellOf = format === "compacted" ? compactedCell : indexedCell;
  const last = targets.findLastIndex((target) => target >= 0);
  const steps = stored.slice(0, last + 1).map((field, i): ReadStep => {
    const target = targets[i]!;
    const nullBit = field.type.nullable ? i : -1;
    if (target < 0) return { nullBit, target, read: cellOf(wireField(field.type)).skip };
    return { nullBit, target, read: cellOf(fieldOf(format, field.type, wanted[target]!.type)).read };
  });
  const read = compileReader({ keys, steps });
  const nullBytes = nullBytesOf(stored.length);
  if (format === "compacted") {
    return (bytes, start, end) => {
      const source = new ByteReader(bytes, start, end);
      return read(source, source.take(nullBytes));
    };
  }
  const listed = stored.filter((field) => hasListedLength(wireField(field.type))).length;
  return (bytes, start, end) => {
    const source = new ByteReader(bytes, start, end);
    const nulls = source.take(nullBytes);
    openLengths(source, listed);
    return read(source, nulls);
  };
}

/** For each stored field the place of the wanted one, or -1. */
function targetsOf(stored: readonly RowField[], wanted: readonly RowField[]): number[] {
  return stored.map((field) => wanted.findIndex((other) => isSameField(field, other)));
}

/** Ids link schema versions; where a nested field has none, its name does. */
export function isSameField(a: RowField, b: RowField): boolean {
  return a.id === undefined || b.id === undefined ? a.name === b.name : a.id === b.id;
}

/** A field as it lies, for moving over it: that must not ask for what only reading needs, such as `Temporal`. */
function wireField(type: DataType): Field {
  switch (type.kind) {
    case "array":
    case "map":
    case "row":
      return { form: "nested", payload: UNREAD };
    case "date":
      return scalarField({ kind: type.kind, nullable: true, mode: "days" });
    case "time":
      return scalarField({ kind: type.kind, nullable: true, precision: type.precision, mode: "millis" });
    case "timestamp":
    case "timestampLtz":
      return scalarField({ kind: type.kind, nullable: true, precision: type.precision, mode: "epochNanos" });
    default:
      return scalarField(type);
  }
}

const UNREAD: Payload = {
  write() {
    throw new Error("a skipped column was written");
  },
  read() {
    throw new Error("a skipped column was read");
  },
};

/**
 * The shape of a value that is laid out as `stored` says and appears as `wanted` says.
 *
 * @throws {FlussError} SCHEMA.DRIFT when the two are different kinds of type
 */
export function fieldOf(format: RowFormat, stored: DataType, wanted: DataType): Field {
  const view = viewed(stored, wanted);
  switch (view.kind) {
    case "array":
    case "map":
    case "row": {
      const payload = nestedPayload(format, stored, wanted);
      return {
        form: "nested",
        payload: wanted.codec === undefined ? payload : codedPayload(payload, wanted.codec),
      };
    }
    default:
      return scalarField(view);
  }
}

/**
 * The stored type with the JavaScript side of the wanted one; elements and fields are those of the stored type.
 *
 * @throws {FlussError} SCHEMA.DRIFT when the two are different kinds of type
 */
export function viewed<T extends DataType>(stored: T, wanted: DataType): T {
  if (stored.kind !== wanted.kind) {
    throw flussError("SCHEMA.DRIFT", {
      message: `${typeText(stored)} is stored where ${typeText(wanted)} is declared`,
    });
  }
  const { mode: _mode, codec: _codec, temporal: _temporal, ...layout } = stored;
  return {
    ...layout,
    ...(wanted.mode === undefined ? {} : { mode: wanted.mode }),
    ...(wanted.codec === undefined ? {} : { codec: wanted.codec }),
    ...(wanted.temporal === undefined ? {} : { temporal: wanted.temporal }),
  } as T;
}

function nestedPayload(format: RowFormat, stored: DataType, wanted: DataType): Payload {
  if (stored.kind === "array" && wanted.kind === "array") {
    return arrayPayload(elementsOf(format, stored.element, wanted.element));
  }
  if (stored.kind === "map" && wanted.kind === "map") {
    const keys = elementsOf(format, { ...stored.key, nullable: false }, wanted.key);
    const values = elementsOf(format, stored.value, wanted.value);
    if (wanted.mode !== "object") return mapPayload(keys, values);
    if (wanted.key.codec !== undefined || (stored.key.kind !== "string" && stored.key.kind !== "char")) {
      throw flussError("SCHEMA.INVALID", { message: `mode "object" needs string keys, not ${typeText(stored)}` });
    }
    return objectPayload(keys, values);
  }
  return rowPayload(format, stored as RowType, wanted as RowType);
}

function elementsOf(format: RowFormat, stored: DataType, wanted: DataType): Elements {
  return { slot: slotOf(fieldOf(format, stored, wanted)), nullable: stored.nullable, typeName: typeText(stored) };
}

/** A nested row has the layout of the row around it (Fluss: RowSerializer.java). Each direction is compiled when first used. */
function rowPayload(format: RowFormat, stored: RowType, wanted: RowType): Payload {
  const known = new Set(wanted.fields.map((field) => field.key));
  let write: RowWriter | undefined;
  let read: ValueReader | undefined;
  targetsOf(stored.fields, wanted.fields).forEach((target, i) => {
    if (target >= 0) fieldOf(format, stored.fields[i]!.type, wanted.fields[target]!.type);
  });
  return {
    write(out, value) {
      if (!isRecord(value)) throw wrongType("object", value);
      for (const key of Object.keys(value)) {
        if (!known.has(key)) {
          throw new ColumnError("WRITE.UNKNOWN_COLUMN", `the type has no field ${short(key)}`);
        }
      }
      write ??= rowWriter(wanted.fields, format);
      write(out, value);
    },
    read(bytes, start, end) {
      read ??= rowReader(stored.fields, wanted.fields, format);
      return read(bytes, start, end);
    },
  };
}

function alignedField(field: RowField, part: Field, written = true): AlignedField {
  return {
    key: field.key,
    nullable: field.type.nullable,
    typeName: typeText(field.type),
    slot: slotOf(part),
    written,
  };
}

function nullBytesOf(fieldCount: number): number {
  return (fieldCount + 7) >> 3;
}
