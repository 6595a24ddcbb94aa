/** Short ways to name types, columns and bytes in tests. */
import type { DataType, SchemaColumn } from "../../../src/schema/data_type.ts";
import { ByteWriter } from "../../../src/format/byte_writer.ts";
import { compileRowWriter, compileValueReader, type RowFormat } from "../../../src/format/row_codec.ts";

export const FORMATS: readonly RowFormat[] = ["compacted", "indexed", "aligned"];

/** A nullable type without parameters, or any type given in full. */
export function type(kind: string, more: Record<string, unknown> = {}): DataType {
  return { kind, nullable: true, ...more } as DataType;
}

export function notNull(of: DataType): DataType {
  return { ...of, nullable: false };
}

export function column(id: number, key: string, of: DataType): SchemaColumn {
  return { id, key, name: key, type: of };
}

/** Columns c0, c1, ... with these types. */
export function columns(...types: DataType[]): SchemaColumn[] {
  return types.map((of, i) => column(i, `c${i}`, of));
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function unhex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

export function encodeRow(of: readonly SchemaColumn[], format: RowFormat, row: Record<string, unknown>): Uint8Array {
  const out = new ByteWriter(1);
  compileRowWriter(of, format)(out, row);
  return out.toBytes();
}

export function decodeRow(of: readonly SchemaColumn[], format: RowFormat, bytes: Uint8Array): Record<string, unknown> {
  return compileValueReader(of, of, format)(bytes, 0, bytes.length);
}
