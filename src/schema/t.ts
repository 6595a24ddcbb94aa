/**
 * `t`: a factory for every Fluss type.
 *
 * @module
 */
import type {
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
import { columnOf, type ColumnSpec, nestedSpec, NO_RULES } from "./column_spec.ts";
import type { Codec, DataType, RowField, TemporalLike, ValueMode } from "./data_type.ts";
import type { ValueRules } from "./definition.ts";
import type { CellOf, Flat, ValueOf } from "./infer.ts";

/** The modes of BIGINT. */
export interface BigintModes {
  /** The default. */
  readonly bigint: bigint;
  /** Throws `CODEC.UNSAFE_INTEGER` beyond 2^53, in both directions. */
  readonly number: number;
}

/** The modes of DECIMAL(p, s). */
export interface DecimalModes {
  /** The default: plain digits with exactly s decimals. */
  readonly string: string;
  /** The digits as a whole number: 12.50 in DECIMAL(10, 2) is 1250n. */
  readonly unscaled: bigint;
  /** A number. Digits may be lost, which is yours to judge. */
  readonly number: number;
}

/** The modes of DATE. */
export interface DateModes {
  /** The default. */
  readonly temporal: Temporal.PlainDate;
  /** `2026-11-23`. */
  readonly string: string;
  /** Days since 1970-01-01. */
  readonly days: number;
}

/** The modes of TIME(p). */
export interface TimeModes {
  /** The default. */
  readonly temporal: Temporal.PlainTime;
  /** `12:30:00.5`. */
  readonly string: string;
  /** Milliseconds since midnight. */
  readonly millis: number;
}

/** The modes of TIMESTAMP(p), a wall clock's time without a zone; numbers count from 1970 as if it were in UTC. */
export interface TimestampModes {
  /** The default. */
  readonly temporal: Temporal.PlainDateTime;
  /** `2026-11-23T12:30:00.5`. */
  readonly string: string;
  /** Up to p = 3. */
  readonly epochMillis: number;
  /** Microseconds since 1970. */
  readonly epochMicros: bigint;
  /** Nanoseconds since 1970. */
  readonly epochNanos: bigint;
  /** Up to p = 3: the wall clock's time in UTC. */
  readonly date: Date;
}

/** The modes of TIMESTAMP_LTZ(p), a point in time. */
export interface TimestampLtzModes {
  /** The default. */
  readonly temporal: Temporal.Instant;
  /** `2026-11-23T12:30:00.5Z`. */
  readonly string: string;
  /** Up to p = 3. */
  readonly epochMillis: number;
  /** Microseconds since 1970. */
  readonly epochMicros: bigint;
  /** Nanoseconds since 1970. */
  readonly epochNanos: bigint;
  /** Up to p = 3. */
  readonly date: Date;
}

/** Precisions that milliseconds can hold. */
export type MillisPrecision = 0 | 1 | 2 | 3;

/** Modes whose values hold milliseconds and nothing finer. */
export type MillisMode = "epochMillis" | "date";

/** The precisions that a mode can hold. */
export type PrecisionOf<M> = M extends MillisMode ? MillisPrecision : number;

/** Another JavaScript type for the values of a column. */
export interface ModeOption<M> {
  /** The mode. */
  readonly mode: M;
  /** A mode and a codec exclude each other. */
  readonly codec?: undefined;
}

/** A JavaScript type of your own. */
export interface CodecOption<V, Raw> {
  /** Between your values and those of the type's default mode. */
  readonly codec: Codec<V, Raw>;
  /** A mode and a codec exclude each other. */
  readonly mode?: undefined;
}

/** A decimal as codecs see it: `unscaled` over 10 to the power of `scale`. */
export interface UnscaledDecimal {
  /** The digits as a whole number. */
  readonly unscaled: bigint;
  /** How many of the digits are behind the point. */
  readonly scale: number;
}

/** The JavaScript types of a `t`, where presets can change them. */
export interface JsTypes {
  /** Values of BIGINT. */
  readonly bigint: unknown;
  /** Values of DECIMAL. */
  readonly decimal: unknown;
  /** Values of DATE. */
  readonly date: unknown;
  /** Values of TIME. */
  readonly time: unknown;
  /** Values of TIMESTAMP. */
  readonly timestamp: unknown;
  /** Values of TIMESTAMP_LTZ. */
  readonly timestampLtz: unknown;
  /** What `t.timestamp(...)` takes. */
  readonly timestampPrecision: readonly unknown[];
  /** What `t.timestampLtz(...)` takes. */
  readonly timestampLtzPrecision: readonly unknown[];
}

/** The JavaScript types without presets. */
export interface DefaultJsTypes {
  /** Values of BIGINT. */
  readonly bigint: bigint;
  /** Values of DECIMAL. */
  readonly decimal: string;
  /** Values of DATE. */
  readonly date: Temporal.PlainDate;
  /** Values of TIME. */
  readonly time: Temporal.PlainTime;
  /** Values of TIMESTAMP. */
  readonly timestamp: Temporal.PlainDateTime;
  /** Values of TIMESTAMP_LTZ. */
  readonly timestampLtz: Temporal.Instant;
  /** What `t.timestamp(...)` takes. */
  readonly timestampPrecision: [precision?: number];
  /** What `t.timestampLtz(...)` takes. */
  readonly timestampLtzPrecision: [precision?: number];
}

/** A column that is nullable and not generated. */
export type PlainColumn<V, O extends Ops, A extends string = AnyAggregation> = Column<V, true, false, O, A>;
/** The arguments that a preset asks for. */
export type ArgumentList<T> = T extends readonly unknown[] ? T : never;

/**
 * The factories of columns, one for every Fluss type. Columns are nullable until `.notNull()`.
 *
 * Every factory takes `{ codec }` as its last argument, for values of your own class; many take `{ mode }`, for another
 * of the JavaScript types that Sluice knows. (The overload with a mode comes last, because the compiler explains the last
 * one when none fits.)
 *
 * @typeParam J the JavaScript types, where `configure()` changed them
 *
 * @example
 * ```ts
 * import { t, table } from "sluice";
 *
 * export const payments = table("bank.payments", {
 *   at: t.timestampLtz(3, { mode: "epochMillis" }).notNull(),
 *   from: t.bigint().notNull(),
 *   amount: t.decimal(18, 2).notNull(),
 *   note: t.string().comment("free text"),
 * });
 * ```
 */
export interface TypeFactories<J extends JsTypes> {
  /** BOOLEAN: `boolean`. */
  boolean(): PlainColumn<boolean, "eq", AnyAggregation | "bool_and" | "bool_or">;
  /** With a codec of your own. */
  boolean<V>(options: CodecOption<V, boolean>): PlainColumn<V, "eq", AnyAggregation | "bool_and" | "bool_or">;
  /** TINYINT, -128 to 127: `number`. */
  tinyint(): PlainColumn<number, "ord", NumericAggregation>;
  /** With a codec of your own. */
  tinyint<V>(options: CodecOption<V, number>): PlainColumn<V, "ord", NumericAggregation>;
  /** SMALLINT, -32768 to 32767: `number`. */
  smallint(): PlainColumn<number, "ord", NumericAggregation>;
  /** With a codec of your own. */
  smallint<V>(options: CodecOption<V, number>): PlainColumn<V, "ord", NumericAggregation>;
  /** INT, 32 bits: `number`. */
  int(): IntColumn<number>;
  /** With a codec of your own. */
  int<V>(options: CodecOption<V, number>): IntColumn<V>;
  /** BIGINT, 64 bits: `bigint`, or `number` in that mode. */
  bigint(): IntColumn<J["bigint"]>;
  /** With a codec of your own. */
  bigint<V>(
    options: CodecOption<V, bigint>,
  ): IntColumn<V>;
  /** In one of the modes of the type. */
  bigint<M extends keyof BigintModes>(
    options: ModeOption<M>,
  ): IntColumn<BigintModes[M]>;
  /** FLOAT, 32 bits: `number`, rounded to the nearest float when it is written. */
  float(): PlainColumn<number, "ord", NumericAggregation>;
  /** With a codec of your own. */
  float<V>(options: CodecOption<V, number>): PlainColumn<V, "ord", NumericAggregation>;
  /** DOUBLE, 64 bits: `number`. */
  double(): PlainColumn<number, "ord", NumericAggregation>;
  /** With a codec of your own. */
  double<V>(options: CodecOption<V, number>): PlainColumn<V, "ord", NumericAggregation>;
  /** CHAR(length), up to `length` characters: `string`. Servers neither pad nor check; Sluice checks. */
  char(length: number): TextColumn<TextAggregation>;
  /** With a codec of your own. */
  char<V>(length: number, options: CodecOption<V, string>): PlainColumn<V, "ord", TextAggregation>;
  /** STRING: `string`. */
  string(): TextColumn<TextAggregation>;
  /** With a codec of your own. */
  string<V>(options: CodecOption<V, string>): PlainColumn<V, "ord", TextAggregation>;
  /**
   * DECIMAL(precision, scale): `string` of plain digits with exactly `scale` decimals.
   *
   * @param precision digits in all, 1 to 38
   * @param scale digits behind the point, 0 to `precision`
   */
  decimal(precision: number, scale: number): PlainColumn<J["decimal"], "ord", NumericAggregation>;
  /** With a codec of your own. */
  decimal<V>(
    precision: number,
    scale: number,
    options: CodecOption<V, UnscaledDecimal>,
  ): PlainColumn<V, "ord", NumericAggregation>;
  /** In one of the modes of the type. */
  decimal<M extends keyof DecimalModes>(
    precision: number,
    scale: number,
    options: ModeOption<M>,
  ): PlainColumn<DecimalModes[M], "ord", NumericAggregation>;
  /** DATE: `Temporal.PlainDate`. */
  date(): PlainColumn<J["date"], "ord", OrderedAggregation>;
  /** With a codec of your own. */
  date<V>(
    options: CodecOption<V, Temporal.PlainDate>,
  ): PlainColumn<V, "ord", OrderedAggregation>;
  /** In one of the modes of the type. */
  date<M extends keyof DateModes>(
    options: ModeOption<M>,
  ): PlainColumn<DateModes[M], "ord", OrderedAggregation>;
  /**
   * TIME(precision): `Temporal.PlainTime`. Servers keep milliseconds whatever the precision, so finer digits are refused.
   *
   * @param precision digits of a second, 0 to 9. Default 0
   */
  time(precision?: number): PlainColumn<J["time"], "ord", OrderedAggregation>;
  /** With a codec of your own. */
  time<V>(
    precision: number,
    options: CodecOption<V, Temporal.PlainTime>,
  ): PlainColumn<V, "ord", OrderedAggregation>;
  /** In one of the modes of the type. */
  time<M extends keyof TimeModes>(
    precision: number,
    options: ModeOption<M>,
  ): PlainColumn<TimeModes[M], "ord", OrderedAggregation>;
  /**
   * TIMESTAMP(precision), a wall clock's time without a zone: `Temporal.PlainDateTime`.
   *
   * The argument is the precision: digits of a second, 0 to 9, default 6.
   */
  timestamp(
    ...precision: ArgumentList<J["timestampPrecision"]>
  ): PlainColumn<J["timestamp"], "ver", OrderedAggregation>;
  /** With a codec of your own. */
  timestamp<V>(
    precision: number,
    options: CodecOption<V, Temporal.PlainDateTime>,
  ): PlainColumn<V, "ver", OrderedAggregation>;
  /** In one of the modes of the type. */
  timestamp<M extends keyof TimestampModes>(
    precision: PrecisionOf<M>,
    options: ModeOption<M>,
  ): PlainColumn<TimestampModes[M], "ver", OrderedAggregation>;
  /**
   * TIMESTAMP_LTZ(precision), a point in time: `Temporal.Instant`.
   *
   * The argument is the precision: digits of a second, 0 to 9, default 6.
   */
  timestampLtz(
    ...precision: ArgumentList<J["timestampLtzPrecision"]>
  ): PlainColumn<J["timestampLtz"], "ver", OrderedAggregation>;
  /** With a codec of your own. */
  timestampLtz<V>(
    precision: number,
    options: CodecOption<V, Temporal.Instant>,
  ): PlainColumn<V, "ver", OrderedAggregation>;
  /** In one of the modes of the type. */
  timestampLtz<M extends keyof TimestampLtzModes>(
    precision: PrecisionOf<M>,
    options: ModeOption<M>,
  ): PlainColumn<TimestampLtzModes[M], "ver", OrderedAggregation>;
  /** BINARY(length), exactly `length` bytes: `Uint8Array`. */
  binary(length: number): PlainColumn<Uint8Array, "eq">;
  /** With a codec of your own. */
  binary<V>(length: number, options: CodecOption<V, Uint8Array>): PlainColumn<V, "eq">;
  /** BYTES: `Uint8Array`. */
  bytes(): PlainColumn<Uint8Array, "eq", AnyAggregation | "rbm32" | "rbm64">;
  /** With a codec of your own. */
  bytes<V>(options: CodecOption<V, Uint8Array>): PlainColumn<V, "eq", AnyAggregation | "rbm32" | "rbm64">;
  /** ARRAY: an array. */
  array<E extends AnyColumn>(element: E): PlainColumn<CellOf<E>[], "none">;
  /** With a codec of your own. */
  array<E extends AnyColumn, V>(element: E, options: CodecOption<V, CellOf<E>[]>): PlainColumn<V, "none">;
  /** MAP: a `Map`, or with text keys and `{ mode: "object" }` a plain object. Keys are never null. */
  map<K extends AnyColumn, E extends AnyColumn>(key: K, value: E): PlainColumn<Map<ValueOf<K>, CellOf<E>>, "none">;
  /** With a codec of your own. */
  map<K extends AnyColumn, E extends AnyColumn, V>(
    key: K,
    value: E,
    options: CodecOption<V, Map<ValueOf<K>, CellOf<E>>>,
  ): PlainColumn<V, "none">;
  /** As a plain object. */
  map<K extends AnyTextColumn, E extends AnyColumn>(
    key: K,
    value: E,
    options: ModeOption<"object">,
  ): PlainColumn<Record<string, CellOf<E>>, "none">;
  /** ROW: a plain object. */
  row<R extends Columns>(fields: R): PlainColumn<Flat<{ -readonly [K in keyof R]: CellOf<R[K]> }>, "none">;
  /** With a codec of your own. */
  row<R extends Columns, V>(
    fields: R,
    options: CodecOption<V, Flat<{ -readonly [K in keyof R]: CellOf<R[K]> }>>,
  ): PlainColumn<V, "none">;
}

/** What a preset changes, for the run time: modes by type, and the `Temporal` to use. */
export interface RuntimePreset {
  readonly bigint?: string;
  readonly decimal?: string;
  readonly date?: string;
  readonly time?: string;
  readonly timestamp?: string;
  readonly timestampLtz?: string;
  readonly Temporal?: TemporalLike;
}

/** The types that presets are for, with the mode names that mean their default. */
export const DEFAULT_MODES = {
  bigint: "bigint",
  decimal: "string",
  date: "temporal",
  time: "temporal",
  timestamp: "temporal",
  timestampLtz: "temporal",
} as const;

interface RuntimeOptions {
  readonly mode?: string;
  readonly codec?: Codec<unknown, unknown>;
}

/** Makes the factories for a preset. */
export function makeFactories<J extends JsTypes>(preset: RuntimePreset): TypeFactories<J> {
  const simple =
    (kind: "boolean" | "tinyint" | "smallint" | "int" | "float" | "double" | "string" | "bytes") =>
    (options: RuntimeOptions = {}) => columnOf({ kind, nullable: true, ...form(undefined, options) });
  const sized = (kind: "char" | "binary") => (length: number, options: RuntimeOptions = {}) =>
    columnOf({ kind, nullable: true, length, ...form(undefined, options) });
  const timed =
    (kind: "time" | "timestamp" | "timestampLtz", usual: number) =>
    (precision: number = usual, options: RuntimeOptions = {}) =>
      columnOf({ kind, nullable: true, precision, ...temporalForm(preset, kind, options) });
  const factories = {
    boolean: simple("boolean"),
    tinyint: simple("tinyint"),
    smallint: simple("smallint"),
    int: simple("int"),
    bigint: (options: RuntimeOptions = {}) =>
      columnOf({ kind: "bigint", nullable: true, ...form(preset.bigint, options, DEFAULT_MODES.bigint) }),
    float: simple("float"),
    double: simple("double"),
    char: sized("char"),
    string: simple("string"),
    decimal: (precision: number, scale: number, options: RuntimeOptions = {}) =>
      columnOf({
        kind: "decimal",
        nullable: true,
        precision,
        scale,
        ...form(preset.decimal, options, DEFAULT_MODES.decimal),
      }),
    date: (options: RuntimeOptions = {}) =>
      columnOf({ kind: "date", nullable: true, ...temporalForm(preset, "date", options) }),
    time: timed("time", 0),
    timestamp: timed("timestamp", 6),
    timestampLtz: timed("timestampLtz", 6),
    binary: sized("binary"),
    bytes: simple("bytes"),
    array: arrayColumn,
    map: mapColumn,
    row: rowColumn,
  };
  // The run time knows one builder; what it may do with which type is the business of the compiler.
  return Object.freeze(factories) as unknown as TypeFactories<J>;
}

/** The JavaScript side of a type. A codec goes on top of the type's own default, whatever the preset says. */
function form(preset: string | undefined, options: RuntimeOptions, usual?: string): Pick<DataType, "mode" | "codec"> {
  const { mode = options.codec === undefined ? preset : undefined, codec } = options;
  return {
    // A mode that does not exist is kept for the check, which knows the table and the column.
    ...(mode === undefined || mode === usual ? {} : { mode: mode as ValueMode }),
    ...(codec === undefined ? {} : { codec }),
  };
}

function temporalForm(
  preset: RuntimePreset,
  kind: "date" | "time" | "timestamp" | "timestampLtz",
  options: RuntimeOptions,
): Pick<DataType, "mode" | "codec" | "temporal"> {
  return {
    ...form(preset[kind], options, DEFAULT_MODES[kind]),
    ...(preset.Temporal === undefined ? {} : { temporal: preset.Temporal }),
  };
}

function arrayColumn(element: unknown, options: RuntimeOptions = {}): unknown {
  const spec = nestedSpec(element, "t.array()");
  const rules = hasRules(spec.rules) ? { checks: [], element: spec.rules } : NO_RULES;
  return columnOf({ kind: "array", nullable: true, element: spec.type, ...form(undefined, options) }, rules, [
    ...misplacedIn(spec, "[]"),
  ]);
}

function mapColumn(key: unknown, value: unknown, options: RuntimeOptions = {}): unknown {
  const keySpec = nestedSpec(key, "t.map()");
  const valueSpec = nestedSpec(value, "t.map()");
  const rules = {
    checks: [],
    ...(hasRules(keySpec.rules) ? { mapKey: keySpec.rules } : {}),
    ...(hasRules(valueSpec.rules) ? { mapValue: valueSpec.rules } : {}),
  };
  return columnOf(
    {
      kind: "map",
      nullable: true,
      key: { ...keySpec.type, nullable: false },
      value: valueSpec.type,
      ...form(undefined, options),
    },
    hasRules(rules) ? rules : NO_RULES,
    [...misplacedIn(keySpec, "[key]"), ...misplacedIn(valueSpec, "[value]")],
  );
}

function rowColumn(columns: Readonly<Record<string, unknown>>, options: RuntimeOptions = {}): unknown {
  const fields: RowField[] = [];
  const rules = new Map<string, ValueRules>();
  const misplaced: string[] = [];
  for (const [key, column] of Object.entries(columns)) {
    const spec = nestedSpec(column, "t.row()");
    fields.push({
      key,
      name: spec.name ?? key,
      type: spec.type,
      ...(spec.comment === undefined ? {} : { comment: spec.comment }),
    });
    if (hasRules(spec.rules)) rules.set(key, spec.rules);
    misplaced.push(...misplacedIn({ ...spec, name: undefined, comment: undefined }, `.${key}`));
  }
  return columnOf(
    { kind: "row", nullable: true, fields, ...form(undefined, options) },
    rules.size === 0 ? NO_RULES : { checks: [], fields: rules },
    misplaced,
  );
}

function hasRules(rules: ValueRules): boolean {
  return rules.oneOf !== undefined || rules.checks.length > 0 || rules.element !== undefined ||
    rules.mapKey !== undefined || rules.mapValue !== undefined || rules.fields !== undefined;
}

/** The methods that mean nothing at this place, by the path of the place. */
function misplacedIn(
  spec: Pick<ColumnSpec, "aggregate" | "autoIncrement" | "misplaced"> & {
    readonly name?: unknown;
    readonly comment?: unknown;
  },
  path: string,
): string[] {
  const methods = [
    ...(spec.aggregate === undefined ? [] : ["agg"]),
    ...(spec.autoIncrement ? ["autoIncrement"] : []),
    ...(spec.name === undefined ? [] : ["name"]),
    ...(spec.comment === undefined ? [] : ["comment"]),
  ];
  return [...methods.map((method) => `${path}.${method}()`), ...spec.misplaced.map((inner) => path + inner)];
}
