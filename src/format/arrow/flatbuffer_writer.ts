/**
 * Writes flatbuffers, the metadata of Arrow messages: small trees of tables, front to back, so that every offset points
 * forward as the format wants it.
 *
 * @module
 */
import { ByteWriter } from "../byte_writer.ts";

/** The value of a field. */
export type FlatValue = FlatNumber | FlatTarget;

interface FlatNumber {
  readonly kind: "int8" | "int16" | "int32";
  readonly value: number;
}

/** What lies elsewhere, and is referred to. */
type FlatTarget =
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "table"; readonly fields: FlatFields }
  | { readonly kind: "tables"; readonly items: readonly FlatFields[] };

/** The fields of a table, by their number in the schema; undefined where the default is meant. */
export type FlatFields = readonly (FlatValue | undefined)[];

/** A byte, a boolean, or the type of a union. */
export function int8(value: number | boolean): FlatValue {
  return { kind: "int8", value: Number(value) };
}

/** 16 bits: most enumerations of Arrow. */
export function int16(value: number): FlatValue {
  return { kind: "int16", value };
}

/** 32 bits. */
export function int32(value: number): FlatValue {
  return { kind: "int32", value };
}

/** A string. */
export function string(value: string): FlatValue {
  return { kind: "string", value };
}

/** Another table. */
export function table(...fields: FlatFields): FlatValue {
  return { kind: "table", fields };
}

/** A list of tables. */
export function tables(items: readonly FlatFields[]): FlatValue {
  return { kind: "tables", items };
}

/** Writes a flatbuffer, padded to a multiple of 8 bytes. */
export function writeFlatbuffer(root: FlatFields): Uint8Array<ArrayBuffer> {
  const out = new ByteWriter(1024);
  out.writeInt32(0);
  refer(out, 0, writeTable(out, root));
  pad(out, 8, 0);
  return out.toBytes();
}

/** Writes a table and what it refers to, and returns where the table is. */
function writeTable(out: ByteWriter, fields: FlatFields): number {
  // The list of fields comes first: its own size, the table's size, and where each field is in the table.
  const listBytes = 4 + fields.length * 2;
  pad(out, 4, listBytes);
  const list = out.position;
  const at = list + listBytes;
  out.writeZeros(listBytes + 4);
  out.view.setInt32(at, listBytes, true);
  const places = fields.map(() => 0);
  for (const size of [4, 2, 1]) {
    fields.forEach((field, i) => {
      if (field === undefined || sizeOf(field) !== size) return;
      places[i] = out.position;
      out.writeZeros(size);
    });
  }
  out.view.setUint16(list, listBytes, true);
  out.view.setUint16(list + 2, out.position - at, true);
  fields.forEach((field, i) => {
    if (field === undefined) return;
    const place = places[i]!;
    out.view.setUint16(list + 4 + i * 2, place - at, true);
    switch (field.kind) {
      case "int8":
        return out.view.setInt8(place, field.value);
      case "int16":
        return out.view.setInt16(place, field.value, true);
      case "int32":
        return out.view.setInt32(place, field.value, true);
      default:
        return refer(out, place, writeTarget(out, field));
    }
  });
  return at;
}

function writeTarget(out: ByteWriter, value: FlatTarget): number {
  if (value.kind === "table") return writeTable(out, value.fields);
  pad(out, 4, 0);
  const at = out.position;
  out.writeInt32(0);
  if (value.kind === "string") {
    out.writeUtf8(value.value);
    out.view.setInt32(at, out.position - at - 4, true);
    out.writeInt8(0);
    return at;
  }
  out.view.setInt32(at, value.items.length, true);
  out.writeZeros(value.items.length * 4);
  value.items.forEach((fields, i) => refer(out, at + 4 + i * 4, writeTable(out, fields)));
  return at;
}

/** Offsets count from where they stand. */
function refer(out: ByteWriter, place: number, target: number): void {
  out.view.setInt32(place, target - place, true);
}

function sizeOf(field: FlatValue): number {
  return field.kind === "int8" ? 1 : field.kind === "int16" ? 2 : 4;
}

/** Zeros until `ahead` bytes further is a multiple of `to`. */
function pad(out: ByteWriter, to: number, ahead: number): void {
  out.writeZeros(-(out.position + ahead) & (to - 1));
}
