/**
 * Whether Arrow columns keep to NOT NULL, which the format itself does not.
 *
 * @module
 */
import { flussError } from "../../base/errors.ts";
import { type DataType, type SchemaColumn, typeText } from "../../schema/data_type.ts";
import type { RawColumn } from "./raw_column.ts";

/**
 * Refuses null where a column, or a part of it, is declared NOT NULL. What lies under a null value does not count.
 *
 * @throws {FlussError} CODEC.NULL with the first such row
 */
export function refuseNulls(column: SchemaColumn, raw: RawColumn): void {
  refuse(column.type, raw, undefined, (row, type, path) =>
    flussError("CODEC.NULL", {
      message: `row ${row} of the Arrow batch has null in ${column.key}${path}, and null is not a value of ` +
        typeText(type),
      column: `${column.key}${path}`,
      row,
      hint: "fill the nulls in, or declare the column nullable",
    }));
}

type Complain = (place: number, type: DataType, path: string) => Error;

/** @param present which places count; undefined: all */
function refuse(type: DataType, raw: RawColumn, present: Uint8Array | undefined, complain: Complain): void {
  if (!type.nullable && raw.nullCount > 0) {
    for (let i = 0; i < raw.length; i++) {
      if (!has(raw.validity, i) && has(present, i)) throw complain(i, type, "");
    }
  }
  if (!mayRefuse(type)) return;
  switch (type.kind) {
    case "array":
    case "map": {
      const children = type.kind === "array" ? raw.children : raw.children[0]!.children;
      const types = type.kind === "array" ? [type.element] : [{ ...type.key, nullable: false }, type.value];
      if (!children.some((child, i) => child.nullCount > 0 || mayRefuse(types[i]!))) return;
      const { within, rowOf } = elementsOf(raw, present);
      types.forEach((part, i) => {
        const label = type.kind === "array" ? "[]" : i === 0 ? "[key]" : "[]";
        refuse(part, children[i]!, within, (place, at, path) => complain(rowOf(place), at, `${label}${path}`));
      });
      return;
    }
    case "row": {
      const within = both(raw, present);
      type.fields.forEach((field, i) => {
        refuse(field.type, raw.children[i]!, within, (place, at, path) => complain(place, at, `.${field.key}${path}`));
      });
    }
  }
}

/** Whether some part within the type can be refused. */
function mayRefuse(type: DataType): boolean {
  switch (type.kind) {
    case "array":
      return !type.element.nullable || mayRefuse(type.element);
    case "map":
      return true;
    case "row":
      return type.fields.some((field) => !field.type.nullable || mayRefuse(field.type));
    default:
      return false;
  }
}

function has(bits: Uint8Array | undefined, i: number): boolean {
  return bits === undefined || (bits[i >> 3]! & (1 << (i & 7))) !== 0;
}

/** Places that are not null and count. */
function both(raw: RawColumn, present: Uint8Array | undefined): Uint8Array | undefined {
  if (raw.nullCount === 0) return present;
  return present === undefined ? raw.validity : raw.validity!.map((byte, i) => byte & (present[i] ?? 0));
}

/** The elements that belong to a value that is there, and the row of an element. */
function elementsOf(
  raw: RawColumn,
  present: Uint8Array | undefined,
): { within: Uint8Array; rowOf: (place: number) => number } {
  const offsets = raw.offsets!;
  const own = both(raw, present);
  const count = offsets[raw.length]!;
  const within = new Uint8Array((count + 7) >> 3);
  for (let i = 0; i < raw.length; i++) {
    if (!has(own, i)) continue;
    for (let place = offsets[i]!; place < offsets[i + 1]!; place++) within[place >> 3]! |= 1 << (place & 7);
  }
  return { within, rowOf: (place) => offsets.subarray(0, raw.length + 1).findLastIndex((start) => start <= place) };
}
