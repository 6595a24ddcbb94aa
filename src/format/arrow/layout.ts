/**
 * How the types of Fluss lie in Arrow columns (Fluss: ArrowUtils.java).
 *
 * @module
 */
import type { DataType } from "../../schema/data_type.ts";
import type { RawColumn } from "./raw_column.ts";

/**
 * The buffers that a column has besides its validity: `bits` and `fixed` have data, `variable` has offsets and data,
 * `list` has offsets and one child, `struct` has children only. A map is a list of structs of key and value.
 */
export type ArrowForm = "bits" | "fixed" | "variable" | "list" | "struct";

/** The layout of a column and of its children, which follow it depth first in messages. */
export interface ArrowLayout {
  /** Which buffers there are. */
  readonly form: ArrowForm;
  /** The bytes of a value where the form is `fixed`, else 0. */
  readonly width: number;
  /** The element of a list, the fields of a struct. */
  readonly children: readonly ArrowLayout[];
}

const BITS: ArrowLayout = { form: "bits", width: 0, children: [] };
const VARIABLE: ArrowLayout = { form: "variable", width: 0, children: [] };

function fixed(width: number): ArrowLayout {
  return { form: "fixed", width, children: [] };
}

/** Units of time as Arrow numbers them: seconds, milliseconds, microseconds, nanoseconds. */
export type TimeUnit = 0 | 1 | 2 | 3;

/** The unit in which times with this many digits of a second are stored. */
export function timeUnit(precision: number): TimeUnit {
  return precision === 0 ? 0 : precision <= 3 ? 1 : precision <= 6 ? 2 : 3;
}

/** The layout of a type. */
export function arrowLayout(type: DataType): ArrowLayout {
  switch (type.kind) {
    case "boolean":
      return BITS;
    case "tinyint":
      return fixed(1);
    case "smallint":
      return fixed(2);
    case "int":
    case "float":
    case "date":
      return fixed(4);
    case "bigint":
    case "double":
    case "timestamp":
    case "timestampLtz":
      return fixed(8);
    case "time":
      return fixed(timeUnit(type.precision) <= 1 ? 4 : 8);
    case "decimal":
      return fixed(16);
    case "binary":
      return fixed(type.length);
    case "string":
    case "char":
    case "bytes":
      return VARIABLE;
    case "array":
      return { form: "list", width: 0, children: [arrowLayout(type.element)] };
    case "map": {
      const entries: ArrowLayout = {
        form: "struct",
        width: 0,
        children: [arrowLayout(type.key), arrowLayout(type.value)],
      };
      return { form: "list", width: 0, children: [entries] };
    }
    case "row":
      return { form: "struct", width: 0, children: type.fields.map((field) => arrowLayout(field.type)) };
  }
}

/** A column of nothing but nulls. */
export function nullRaw(layout: ArrowLayout, length: number): RawColumn {
  const { form, width, children } = layout;
  const bits = (length + 7) >> 3;
  return {
    length,
    nullCount: length,
    validity: length === 0 ? undefined : new Uint8Array(bits),
    offsets: form === "variable" || form === "list" ? new Int32Array(length + 1) : undefined,
    data: form === "list" || form === "struct"
      ? undefined
      : new Uint8Array(form === "bits" ? bits : form === "fixed" ? length * width : 0),
    children: children.map((child) => nullRaw(child, form === "struct" ? length : 0)),
  };
}
