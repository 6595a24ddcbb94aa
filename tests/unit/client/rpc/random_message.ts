/**
 * Random messages for round trips.
 *
 * @module
 */
import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";

/** Numbers from 0 to 1, always the same ones for the same seed. */
export type Random = () => number;

/** A small generator (xorshift): good enough to fill fields. */
export function randomFrom(seed: number): Random {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 0x1_0000_0000;
  };
}

const INTEGERS = [0, 1, -1, 127, 128, 2 ** 31 - 1, -(2 ** 31)] as const;
const LONGS = [0n, 1n, -1n, 1n << 53n, (1n << 63n) - 1n, -(1n << 63n)] as const;
const TEXTS = ["", "t", "order_items", "Grüße", "日本", "😀", "a\0b"] as const;

/**
 * Fields for `create()`: required ones always, optional ones half of the time, lists of up to three items. Below a few
 * levels optional messages and lists stay away, because a predicate may hold predicates.
 */
export function randomFields(schema: DescMessage, random: Random, depth = 0): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const field of schema.fields) {
    const required = field.presence === 3;
    if (field.fieldKind === "list") {
      const count = depth > 3 ? 0 : Math.floor(random() * 4);
      fields[field.localName] = Array.from({ length: count }, () => value(field, random, depth));
    } else if (required || (random() < 0.5 && (depth <= 3 || field.fieldKind !== "message"))) {
      fields[field.localName] = value(field, random, depth);
    }
  }
  return fields;
}

function value(field: DescField, random: Random, depth: number): unknown {
  if (field.message !== undefined) return randomFields(field.message, random, depth + 1);
  const one = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)] as T;
  switch (field.scalar) {
    case ScalarType.INT32:
      return random() < 0.5 ? one(INTEGERS) : Math.floor((random() - 0.5) * 2 ** 32);
    case ScalarType.INT64:
      return random() < 0.5 ? one(LONGS) : BigInt(Math.floor((random() - 0.5) * 2 ** 53));
    case ScalarType.BOOL:
      return random() < 0.5;
    case ScalarType.STRING:
      return one(TEXTS) + Math.floor(random() * 100);
    case ScalarType.BYTES:
      return Uint8Array.from({ length: Math.floor(random() * 6) }, () => Math.floor(random() * 256));
    case ScalarType.FLOAT: // no NaN, which equals nothing
      return one([0, -0, 0.5, -1.25, Infinity, -Infinity]);
    case ScalarType.DOUBLE:
      return one([0, -0, 0.1, Number.MAX_VALUE, Number.MIN_VALUE, -Infinity]);
    default:
      throw new Error(`${field} has a type that the contract did not have before; teach it to randomFields()`);
  }
}
