/** Random schemas and values from a seed, so that a failure can be repeated. */
import type { DataType, RowField, SchemaColumn } from "../../../src/schema/data_type.ts";
import { column } from "./columns.ts";

const env = (globalThis as { process?: { env: Record<string, string | undefined> } }).process?.env ?? {};

/** The seed of this run; `SLUICE_SEED` repeats one. */
export const SEED: number = Number(env["SLUICE_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

/** How many rounds: all of them with `SLUICE_LONG`, else a share. */
export function rounds(share: number, full: number): number {
  return env["SLUICE_LONG"] === "1" ? full : share;
}

/** A small generator of random numbers (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** 0 to 1, without 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }

  /** An integer from `min` to `max`, both included. */
  int(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  pick<T>(from: readonly T[]): T {
    return from[this.int(0, from.length - 1)]!;
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** An integer of a random size below 2^bits, of either sign. */
  big(bits: number): bigint {
    const size = this.int(0, bits);
    let value = 0n;
    for (let i = 0; i < size; i++) value = (value << 1n) | BigInt(this.int(0, 1));
    return this.chance(0.5) ? -value : value;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.int(0, 255));
  }

  text(length: number): string {
    let text = "";
    const alphabet = this.pick(["abcdefghij XYZ", "aäöüß€", "用户数据", "a😀b\u0000\ufeff\ufffd"]);
    const points = [...alphabet];
    for (let i = 0; i < length; i++) text += this.pick(points);
    return text;
  }
}

const SCALARS = [
  "boolean",
  "tinyint",
  "smallint",
  "int",
  "bigint",
  "float",
  "double",
  "string",
  "char",
  "binary",
  "bytes",
  "decimal",
  "date",
  "time",
  "timestamp",
  "timestampLtz",
] as const;

export function randomType(random: Random, depth = 2): DataType {
  const nullable = random.chance(0.7);
  const nested = depth > 0 && random.chance(0.25);
  if (nested) {
    switch (random.int(0, 2)) {
      case 0:
        return { kind: "array", nullable, element: randomType(random, depth - 1) };
      case 1: {
        if (random.chance(0.5)) {
          const value = randomType(random, depth - 1);
          return { kind: "map", nullable, key: { kind: "string", nullable: false }, value, mode: "object" };
        }
        const key = random.pick<DataType>([
          { kind: "int", nullable: false },
          { kind: "string", nullable: false },
          { kind: "bigint", nullable: false },
        ]);
        return { kind: "map", nullable, key, value: randomType(random, depth - 1) };
      }
      default: {
        const fields = Array.from({ length: random.int(1, 10) }, (_, i): RowField => ({
          key: i === 0 && random.chance(0.1) ? "__proto__" : `f${i}`,
          name: `name${i}`,
          type: randomType(random, depth - 1),
        }));
        return { kind: "row", nullable, fields };
      }
    }
  }
  return randomScalar(random, nullable);
}

export function randomScalar(random: Random, nullable: boolean): DataType {
  const kind = random.pick(SCALARS);
  switch (kind) {
    case "bigint":
      return random.chance(0.5) ? { kind, nullable } : { kind, nullable, mode: "number" };
    case "char":
    case "binary":
      return { kind, nullable, length: random.int(1, 20) };
    case "decimal": {
      const precision = random.int(1, 38);
      const type = { kind, nullable, precision, scale: random.int(0, precision) } as const;
      return random.chance(0.5) ? type : { ...type, mode: "unscaled" };
    }
    case "date":
      return random.pick<DataType>([{ kind, nullable }, { kind, nullable, mode: "days" }, {
        kind,
        nullable,
        mode: "string",
      }]);
    case "time": {
      const type = { kind, nullable, precision: random.int(0, 9) } as const;
      return random.pick<DataType>([type, { ...type, mode: "millis" }, { ...type, mode: "string" }]);
    }
    case "timestamp":
    case "timestampLtz": {
      const type = { kind, nullable, precision: random.int(0, 9) } as const;
      const modes: DataType[] = [type, { ...type, mode: "string" }, { ...type, mode: "epochNanos" }];
      if (type.precision <= 6) modes.push({ ...type, mode: "epochMicros" });
      if (type.precision <= 3) modes.push({ ...type, mode: "epochMillis" }, { ...type, mode: "date" });
      return random.pick(modes);
    }
    default:
      return { kind, nullable };
  }
}

export function randomColumns(random: Random, count: number): SchemaColumn[] {
  return Array.from({ length: count }, (_, i) => {
    const key = i === 0 && random.chance(0.1) ? "__proto__" : `c${i}`;
    return column(i * 3 + 1, key, randomType(random));
  });
}

export function randomRow(random: Random, fields: readonly RowField[]): Record<string, unknown> {
  return Object.fromEntries(fields.map((field) => [field.key, randomValue(random, field.type)]));
}

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
      return randomRow(random, type.fields);
  }
}

function plainDecimal(unscaled: bigint, scale: number): string {
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, "0");
  const point = digits.length - scale;
  const text = scale === 0 ? digits : `${digits.slice(0, point)}.${digits.slice(point)}`;
  return unscaled < 0n ? `-${text}` : text;
}

/** Makes Temporal values comparable: `deepEqual` sees no inside of them. */
export function comparable(value: unknown): unknown {
  if (value instanceof Map) return { map: [...value].map(([k, v]) => [comparable(k), comparable(v)]) };
  if (Array.isArray(value)) return value.map(comparable);
  if (value instanceof Uint8Array) return { bytes: [...value] };
  if (value instanceof Date) return { date: value.getTime() };
  if (typeof value === "object" && value !== null) {
    const tag: unknown = Reflect.get(value, Symbol.toStringTag);
    if (typeof tag === "string" && tag.startsWith("Temporal.")) return { [tag]: String(value) };
    // The keys and their order count, and `__proto__` as a key like any other.
    return { entries: Object.entries(value).map(([key, part]) => [key, comparable(part)]) };
  }
  return value;
}
