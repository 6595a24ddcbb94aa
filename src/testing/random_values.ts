/**
 * Random values of all types, in the modes that are declared.
 *
 * @module
 */
import type { DataType, RowField } from "../schema/data_type.ts";
import type { Random } from "./random.ts";

/** A value that a type can have, null included where it may be. */
export function randomValue(random: Random, type: DataType): unknown {
  if (type.nullable && random.chance(0.2)) return null;
  switch (type.kind) {
    case "boolean":
      return random.chance(0.5);
    case "tinyint":
      return random.int(-128, 127);
    case "smallint":
      return random.int(-32768, 32767);
    case "int":
      return Number(random.big(31));
    case "bigint":
      return type.mode === "number" ? Number(random.big(53)) + 0 : random.big(63);
    case "float":
      return random.pick([NaN, Infinity, -Infinity, 0, -0, Math.fround(random.next() * 1000 - 500)]);
    case "double":
      return random.pick([NaN, Infinity, -Infinity, 0, -0, Number.MIN_VALUE, random.next() * 1e9 - 5e8]);
    case "string":
      return random.text(random.int(0, random.pick([3, 20, 300])));
    case "char":
      // Short of n bytes in UTF-8, and with no U+0000 at the end, for the indexed format.
      return random.text(random.int(0, Math.floor(type.length / 4))).replaceAll("\u0000", "x");
    case "bytes":
      return random.bytes(random.int(0, random.pick([5, 40, 200])));
    case "binary": {
      // With no zero at the end, for the indexed format.
      const bytes = random.bytes(type.length);
      bytes[type.length - 1] ||= 1;
      return bytes;
    }
    case "decimal": {
      const limit = 10n ** BigInt(type.precision);
      const unscaled = random.big(127) % limit;
      return type.mode === "unscaled" ? unscaled : plainDecimal(unscaled, type.scale);
    }
    case "date": {
      const days = random.int(-100_000, 100_000);
      const text = Temporal.PlainDate.from("1970-01-01").add({ days });
      return type.mode === "days" ? days : type.mode === "string" ? text.toString() : text;
    }
    case "time": {
      const unit = 10 ** Math.max(0, 3 - type.precision);
      const millis = Math.floor(random.int(0, 86_399_999) / unit) * unit;
      const time = Temporal.PlainTime.from("00:00").add({ milliseconds: millis });
      return type.mode === "millis" ? millis : type.mode === "string" ? time.toString() : time;
    }
    case "timestamp":
    case "timestampLtz": {
      const unit = 10n ** BigInt(9 - type.precision);
      const nanos = (random.big(62) / unit) * unit;
      const instant = Temporal.Instant.fromEpochNanoseconds(nanos);
      if (type.mode === "epochNanos") return nanos;
      if (type.mode === "epochMicros") return nanos / 1000n;
      if (type.mode === "epochMillis") return Number(nanos / 1_000_000n) + 0;
      if (type.mode === "date") return new Date(Number(nanos / 1_000_000n));
      const value = type.kind === "timestamp" ? instant.toZonedDateTimeISO("UTC").toPlainDateTime() : instant;
      return type.mode === "string" ? value.toString() : value;
    }
    case "array":
      return Array.from({ length: random.int(0, random.pick([3, 70])) }, () => randomValue(random, type.element));
    case "map": {
      const map = new Map<unknown, unknown>();
      for (let left = random.int(0, 5); left > 0; left--) {
        map.set(randomValue(random, type.key), randomValue(random, type.value));
      }
      if (type.mode !== "object") return map;
      if (random.chance(0.3)) map.set("__proto__", randomValue(random, type.value));
      return Object.fromEntries(map as Map<string, unknown>);
    }
    case "row":
      return Object.fromEntries(type.fields.map((field: RowField) => [field.key, randomValue(random, field.type)]));
  }
}

/** A decimal as text: `-12.50`. */
export function plainDecimal(unscaled: bigint, scale: number): string {
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, "0");
  const point = digits.length - scale;
  const text = scale === 0 ? digits : `${digits.slice(0, point)}.${digits.slice(point)}`;
  return unscaled < 0n ? `-${text}` : text;
}
