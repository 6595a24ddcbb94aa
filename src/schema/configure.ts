/**
 * `t` and `table`, and other ones for projects that want other JavaScript types everywhere.
 *
 * @module
 */
import type { TemporalLike } from "./data_type.ts";
import { table, type TableFunction } from "./table.ts";
import {
  type BigintModes,
  type DateModes,
  type DecimalModes,
  type DefaultJsTypes,
  makeFactories,
  type MillisMode,
  type MillisPrecision,
  type TimeModes,
  type TimestampLtzModes,
  type TimestampModes,
  type TypeFactories,
} from "./t.ts";

/** The factories of columns; see {@linkcode TypeFactories}. */
export const t: TypeFactories<DefaultJsTypes> = makeFactories({});

/** Other modes for the types that have several; what is left out stays as it is. */
export interface Presets {
  readonly bigint?: keyof BigintModes;
  readonly decimal?: keyof DecimalModes;
  readonly date?: keyof DateModes;
  readonly time?: keyof TimeModes;
  /** With a mode of milliseconds, `t.timestamp(p)` must be told its precision, up to 3. */
  readonly timestamp?: keyof TimestampModes;
  /** With a mode of milliseconds, `t.timestampLtz(p)` must be told its precision, up to 3. */
  readonly timestampLtz?: keyof TimestampLtzModes;
  /** A `Temporal` for runtimes without one, such as the one of `@js-temporal/polyfill`. */
  readonly Temporal?: TemporalLike;
}

/** The JavaScript types under presets. */
export interface PresetJsTypes<O extends Presets> {
  readonly bigint: Chosen<BigintModes, O["bigint"], bigint>;
  readonly decimal: Chosen<DecimalModes, O["decimal"], string>;
  readonly date: Chosen<DateModes, O["date"], Temporal.PlainDate>;
  readonly time: Chosen<TimeModes, O["time"], Temporal.PlainTime>;
  readonly timestamp: Chosen<TimestampModes, O["timestamp"], Temporal.PlainDateTime>;
  readonly timestampLtz: Chosen<TimestampLtzModes, O["timestampLtz"], Temporal.Instant>;
  readonly timestampPrecision: PrecisionArguments<O["timestamp"]>;
  readonly timestampLtzPrecision: PrecisionArguments<O["timestampLtz"]>;
}

type Chosen<Modes, M, Usual> = M extends keyof Modes ? Modes[M] : Usual;
type PrecisionArguments<M> = M extends MillisMode ? [precision: MillisPrecision] : [precision?: number];

/** What `configure()` returns. */
export interface Configured<O extends Presets> {
  /** As {@linkcode table}. */
  readonly table: TableFunction;
  /** As {@linkcode t}, with the other JavaScript types. */
  readonly t: TypeFactories<PresetJsTypes<O>>;
}

/**
 * A `table` and a `t` with other JavaScript types for whole projects. It is a choice of the schema, so the types follow.
 *
 * @example
 * ```ts
 * import { configure } from "sluice";
 *
 * export const { table, t } = configure({ bigint: "number", timestampLtz: "epochMillis" });
 * ```
 */
export function configure<const O extends Presets = Record<never, never>>(presets: O): Configured<O> {
  return Object.freeze({ table, t: makeFactories<PresetJsTypes<O>>(presets) });
}
