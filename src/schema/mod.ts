/**
 * Declaring tables: `table`, `t`, and the types of their rows. No I/O; safe in browsers, on the edge and in tools.
 *
 * @module
 */
export {
  type ChosenType,
  configure,
  type Configured,
  type PrecisionArguments,
  type PresetJsTypes,
  type Presets,
  t,
} from "./configure.ts";
export { type Table, table, type TableFunction } from "./table.ts";
export type {
  $,
  AggregationParameters,
  AnyAggregation,
  AnyColumn,
  AnyTextColumn,
  Column,
  Columns,
  IntColumn,
  NumericAggregation,
  Ops,
  OrderedAggregation,
  TextAggregation,
  TextColumn,
} from "./column.ts";
export type { Codec, TemporalLike } from "./data_type.ts";
export type { DeleteBehavior } from "./definition.ts";
export type {
  AnyTable,
  CellOf,
  Flat,
  FlussTypeError,
  GeneratedKeys,
  InferInsert,
  InferKey,
  InferPatch,
  InferPrefix,
  InferRow,
  InsertOf,
  KeyOf,
  LeadingKey,
  PartOf,
  PatchOf,
  RequiredKeys,
  RowOf,
  TableTraits,
  ValueOf,
  VersionKeys,
  WithoutColumns,
} from "./infer.ts";
export { fromJson, type JsonRow, type RowOfKind, toJson } from "./json.ts";
export type { JsonValue } from "./json_values.ts";
export type { RowKind } from "./row_kind.ts";
export type {
  JsonSchemaOptions,
  StandardFailure,
  StandardIssue,
  StandardJSONSchemaProps,
  StandardJSONSchemaV1,
  StandardResult,
  StandardSchemaProps,
  StandardSchemaV1,
  StandardSuccess,
  StandardTypes,
  TableSchemaV1,
} from "./standard_schema_types.ts";
export type {
  ArgumentList,
  BigintModes,
  CodecOption,
  DateModes,
  DecimalModes,
  DefaultJsTypes,
  JsTypes,
  MillisMode,
  MillisPrecision,
  ModeOption,
  PlainColumn,
  PrecisionOf,
  TimeModes,
  TimestampLtzModes,
  TimestampModes,
  TypeFactories,
  UnscaledDecimal,
} from "./t.ts";
export type {
  AnyDeleteBehavior,
  AutoPartitionOptions,
  DatalakeOptions,
  KvOptions,
  LogOptions,
  MergeEngine,
  TableOptions,
} from "./table_options.ts";
