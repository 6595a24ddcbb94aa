/**
 * From a scalar type to its shape on the wire and the conversion between that and JavaScript values.
 *
 * @module
 */
import { FlussError } from "../base/errors.ts";
import { ColumnError } from "../base/column_error.ts";
import type { ArrayType, Codec, DataType, MapType, RowType } from "../schema/data_type.ts";
import { decimalField } from "./decimal_values.ts";
import type { Conversion, Field, Payload, TimestampConversion } from "./field.ts";
import {
  BIGINT,
  BIGINT_NUMBER,
  binaryConversion,
  BOOLEAN,
  BYTES,
  charConversion,
  DOUBLE,
  FLOAT,
  INT,
  SMALLINT,
  STRING,
  TINYINT,
} from "./scalar_values.ts";
import { dateField, timeField, timestampField } from "./temporal_values.ts";
import { short } from "./value_error.ts";

/** All types but ARRAY, MAP and ROW. */
export type ScalarType = Exclude<DataType, ArrayType | MapType | RowType>;

/** The shape and conversion of a scalar type, with the type's own codec on top. */
export function scalarField(type: ScalarType): Field {
  const field = plainField(type);
  return type.codec === undefined ? field : withCodec(field, type.codec);
}

function plainField(type: ScalarType): Field {
  switch (type.kind) {
    case "boolean":
      return { form: "boolean", conversion: BOOLEAN };
    case "tinyint":
      return { form: "int8", conversion: TINYINT };
    case "smallint":
      return { form: "int16", conversion: SMALLINT };
    case "int":
      return { form: "int32", conversion: INT };
    case "bigint":
      return type.mode === "number"
        ? { form: "safeInt64", conversion: BIGINT_NUMBER }
        : { form: "int64", conversion: BIGINT };
    case "float":
      return { form: "float32", conversion: FLOAT };
    case "double":
      return { form: "float64", conversion: DOUBLE };
    case "string":
      return { form: "text", width: undefined, conversion: STRING };
    case "char":
      return { form: "text", width: type.length, conversion: charConversion(type.length) };
    case "bytes":
      return { form: "bytes", width: undefined, conversion: BYTES };
    case "binary":
      return { form: "bytes", width: type.length, conversion: binaryConversion(type.length) };
    case "decimal":
      return decimalField(type);
    case "date":
      return dateField(type);
    case "time":
      return timeField(type);
    case "timestamp":
    case "timestampLtz":
      return timestampField(type);
  }
}

/** A codec of whatever types. */
export type AnyCodec = Codec<unknown, unknown>;

function withCodec(field: Field, codec: AnyCodec): Field {
  switch (field.form) {
    case "timestamp":
      return { ...field, conversion: codedTimestamp(field.conversion, codec) };
    case "nested":
      return { ...field, payload: codedPayload(field.payload, codec) };
    default:
      // The compiler cannot see that a form keeps its own wire type through the spread.
      return { ...field, conversion: coded(field.conversion as Conversion<unknown>, codec) } as Field;
  }
}

function coded<Wire>(base: Conversion<Wire>, codec: AnyCodec): Conversion<Wire> {
  return {
    encode: (value) => base.encode(userEncode(codec, value)),
    decode: (wire) => userDecode(codec, base.decode(wire)),
  };
}

function codedTimestamp(base: TimestampConversion, codec: AnyCodec): TimestampConversion {
  return {
    encode: (value, rest) => base.encode(userEncode(codec, value), rest),
    decode: (millis, nanos) => userDecode(codec, base.decode(millis, nanos)),
  };
}

/** Puts a type's own codec on top of an array, a map or a row. */
export function codedPayload(base: Payload, codec: AnyCodec): Payload {
  return {
    write: (out, value) => base.write(out, userEncode(codec, value)),
    read: (bytes, start, end) => userDecode(codec, base.read(bytes, start, end)),
  };
}

/** Calls the user's own codec; what it throws becomes an error that can say where the value is. */
export function userEncode(codec: AnyCodec, value: unknown): unknown {
  try {
    return codec.encode(value);
  } catch (error) {
    throw refusal(error, value);
  }
}

/** As {@linkcode userEncode}, for what was read. */
export function userDecode(codec: AnyCodec, raw: unknown): unknown {
  try {
    return codec.decode(raw);
  } catch (error) {
    throw refusal(error, raw);
  }
}

/** A codec's own error gains the path of the column; ours pass as they are. */
function refusal(error: unknown, value: unknown): unknown {
  if (error instanceof ColumnError || error instanceof FlussError) return error;
  const said = error instanceof Error ? error.message : String(error);
  return new ColumnError("CODEC.WRONG_TYPE", `the column's codec refused ${short(value)}: ${said}`, { cause: error });
}
