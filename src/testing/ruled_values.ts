/**
 * Random values that keep to what a column declares besides its type: `.oneOf()`, `.check()`, codecs, also inside of
 * arrays, maps and rows.
 *
 * @module
 */
import type { DataType } from "../schema/data_type.ts";
import type { ValueRules } from "../schema/definition.ts";
import type { Random } from "./random.ts";
import { plainDecimal, randomValue } from "./random_values.ts";

/** Attempts at a value that passes the checks of its column. */
export const ATTEMPTS = 1000;

/** No value was found. */
export class NoValue extends Error {
  override readonly name = "NoValue";
}

const NO_RULES: ValueRules = { checks: [] };

/**
 * A value of a column.
 *
 * @throws {NoValue} when a check refuses whatever comes
 */
export function ruledValue(random: Random, type: DataType, rules: ValueRules = NO_RULES): unknown {
  if (type.nullable && random.chance(0.2)) return null;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const value = candidate(random, type, rules);
    if (value !== REFUSED && rules.checks.every((check) => passes(check, value))) return value;
  }
  throw new NoValue();
}

/** What a codec does not take. */
const REFUSED = Symbol();

function candidate(random: Random, type: DataType, rules: ValueRules): unknown {
  if (rules.oneOf !== undefined) return random.pick(rules.oneOf);
  if (type.codec === undefined) return plainValue(random, type, rules);
  const { codec, ...raw } = type;
  try {
    // The raw form of decimals is one that no column has.
    return codec.decode(
      raw.kind === "decimal"
        ? { unscaled: plainValue(random, { ...raw, mode: "unscaled" }, NO_RULES), scale: raw.scale }
        : plainValue(random, raw as DataType, rules),
    );
  } catch {
    return REFUSED;
  }
}

function plainValue(random: Random, type: DataType, rules: ValueRules): unknown {
  switch (type.kind) {
    case "array":
      return Array.from(
        { length: random.int(0, random.pick([3, 10])) },
        () => ruledValue(random, type.element, rules.element),
      );
    case "map": {
      const map = new Map<unknown, unknown>();
      for (let left = random.int(0, 5); left > 0; left--) {
        map.set(
          ruledValue(random, { ...type.key, nullable: false }, rules.mapKey),
          ruledValue(random, type.value, rules.mapValue),
        );
      }
      return type.mode === "object" ? Object.fromEntries(map as Map<string, unknown>) : map;
    }
    case "row":
      return Object.fromEntries(
        type.fields.map(({ key, type }) => [key, ruledValue(random, type, rules.fields?.get(key))]),
      );
    default: {
      const ends = random.chance(0.1) ? endsOf(type) : [];
      return ownTemporal(type, ends.length > 0 ? random.pick(ends) : leafValue(random, type));
    }
  }
}

function leafValue(random: Random, type: DataType): unknown {
  // Most texts of n characters have n bytes.
  if (type.kind === "char" && random.chance(0.8)) {
    return Array.from({ length: random.int(0, type.length) }, () => random.pick([..."abcxyzABCXYZ0189 -"])).join("");
  }
  return randomValue(random, { ...type, nullable: false });
}

/** The ends of the range of a type, where programs go wrong. */
function endsOf(type: DataType): readonly unknown[] {
  switch (type.kind) {
    case "tinyint":
      return [-128, 127, 0];
    case "smallint":
      return [-32768, 32767, 0];
    case "int":
      return [-2147483648, 2147483647, 0];
    case "bigint":
      return type.mode === "number"
        ? [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 0]
        : [-(2n ** 63n), 2n ** 63n - 1n, 0n];
    case "float":
      return [3.4028234663852886e38, -3.4028234663852886e38, 2 ** -149, -0];
    case "double":
      return [Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE, -0];
    case "string":
    case "char":
      return [""];
    case "bytes":
      return [new Uint8Array(0)];
    case "decimal": {
      const most = 10n ** BigInt(type.precision) - 1n;
      const numbers = [most, -most, 0n];
      return type.mode === "unscaled" ? numbers : numbers.map((number) => plainDecimal(number, type.scale));
    }
    default:
      return [];
  }
}

const CLASSES = {
  date: "PlainDate",
  time: "PlainTime",
  timestamp: "PlainDateTime",
  timestampLtz: "Instant",
} as const;

/** A value made with the `Temporal` that the column names. */
function ownTemporal(type: DataType, value: unknown): unknown {
  const { temporal, mode, kind } = type;
  if (temporal === undefined || mode !== undefined || !Object.hasOwn(CLASSES, kind)) return value;
  return temporal[CLASSES[kind as keyof typeof CLASSES]].from(String(value));
}

/** Whether a schema takes a value. */
export function passes(check: ValueRules["checks"][number], value: unknown): boolean {
  const result = check["~standard"].validate(value);
  if (!("then" in result)) return result.issues === undefined;
  // Writing such a row fails; nobody waits for it.
  result.then(undefined, () => {});
  return true;
}
