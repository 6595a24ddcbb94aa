/** Random schemas and values from a seed, so that a failure can be repeated. */
import type { DataType, RowField, SchemaColumn } from "../../../src/schema/data_type.ts";
import { Random } from "../../../src/testing/random.ts";
import { randomValue } from "../../../src/testing/random_values.ts";
import { column } from "./columns.ts";

export { Random, randomValue };

const env = (globalThis as { process?: { env: Record<string, string | undefined> } }).process?.env ?? {};

/** The seed of this run; `SLUICE_SEED` repeats one. */
export const SEED: number = Number(env["SLUICE_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

/** How many rounds: all of them with `SLUICE_LONG`, else a share. */
export function rounds(share: number, full: number): number {
  return env["SLUICE_LONG"] === "1" ? full : share;
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
