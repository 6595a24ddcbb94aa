/**
 * `t` and `table`, and other ones for projects that want other JavaScript types everywhere.
 *
 * @module
 */
import { flussError } from "../base/errors.ts";
import type { TemporalLike } from "./data_type.ts";
import { MODES } from "./rules/types.ts";
import { suggestion } from "./suggest.ts";
import { table, type TableFunction } from "./table.ts";
import {
  type BigintModes,
  type DateModes,
  type DecimalModes,
  DEFAULT_MODES,
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
  /** The mode of BIGINT. */
  readonly bigint?: keyof BigintModes;
  /** The mode of DECIMAL. */
  readonly decimal?: keyof DecimalModes;
  /** The mode of DATE. */
  readonly date?: keyof DateModes;
  /** The mode of TIME. */
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
  /** Values of BIGINT. */
  readonly bigint: ChosenType<BigintModes, O["bigint"], bigint>;
  /** Values of DECIMAL. */
  readonly decimal: ChosenType<DecimalModes, O["decimal"], string>;
  /** Values of DATE. */
  readonly date: ChosenType<DateModes, O["date"], Temporal.PlainDate>;
  /** Values of TIME. */
  readonly time: ChosenType<TimeModes, O["time"], Temporal.PlainTime>;
  /** Values of TIMESTAMP. */
  readonly timestamp: ChosenType<TimestampModes, O["timestamp"], Temporal.PlainDateTime>;
  /** Values of TIMESTAMP_LTZ. */
  readonly timestampLtz: ChosenType<TimestampLtzModes, O["timestampLtz"], Temporal.Instant>;
  /** What `t.timestamp(...)` takes. */
  readonly timestampPrecision: PrecisionArguments<O["timestamp"]>;
  /** What `t.timestampLtz(...)` takes. */
  readonly timestampLtzPrecision: PrecisionArguments<O["timestampLtz"]>;
}

/** The type of the mode that was chosen, or the usual one. */
export type ChosenType<Modes, M, Usual> = M extends keyof Modes ? Modes[M] : Usual;
/** With a mode of milliseconds the precision must be said. */
export type PrecisionArguments<M> = M extends MillisMode ? [precision: MillisPrecision] : [precision?: number];

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
 *
 * @throws FlussUsageError `SCHEMA.MODE` for a preset or a mode that does not exist
 */
export function configure<const O extends Presets = Record<never, never>>(presets: O): Configured<O> {
  checkPresets(presets);
  return Object.freeze({ table, t: makeFactories<PresetJsTypes<O>>(presets) });
}

function checkPresets(presets: Presets): void {
  const known = [...Object.keys(DEFAULT_MODES), "Temporal"];
  for (const [name, mode] of Object.entries(presets)) {
    if (!known.includes(name)) {
      throw flussError("SCHEMA.MODE", {
        message: `configure() has no preset ${JSON.stringify(name)}`,
        hint: suggestion(name, known, "presets"),
      });
    }
    if (name === "Temporal" || mode === undefined) continue;
    const kind = name as keyof typeof DEFAULT_MODES;
    const modes: readonly unknown[] = [DEFAULT_MODES[kind], ...MODES[kind]!];
    if (!modes.includes(mode)) {
      throw flussError("SCHEMA.MODE", {
        message: `configure() was told ${name}: ${JSON.stringify(mode)}, a mode that ${name} does not have`,
        hint: `its modes are ${modes.join(", ")}`,
      });
    }
  }
}
