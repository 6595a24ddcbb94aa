/**
 * Types without what their declaration says of JavaScript: values as they are stored.
 *
 * @module
 */
import type { DataType, RowField } from "../schema/data_type.ts";

/**
 * A type whose values are those that are stored: decimals are unscaled bigints, dates days, times milliseconds and points
 * in time nanoseconds; codecs are gone.
 */
export function plainType(type: DataType): DataType {
  const { codec: _codec, mode: _mode, temporal: _temporal, ...bare } = type;
  switch (type.kind) {
    case "decimal":
      return { ...bare, mode: "unscaled" } as DataType;
    case "date":
      return { ...bare, mode: "days" } as DataType;
    case "time":
      return { ...bare, mode: "millis" } as DataType;
    case "timestamp":
    case "timestampLtz":
      return { ...bare, mode: "epochNanos" } as DataType;
    case "array":
      return { ...bare, element: plainType(type.element) } as DataType;
    case "map":
      return { ...bare, key: plainType(type.key), value: plainType(type.value) } as DataType;
    case "row":
      return {
        ...bare,
        fields: type.fields.map((field): RowField => ({ ...field, type: plainType(field.type) })),
      } as DataType;
    default:
      return bare as DataType;
  }
}
