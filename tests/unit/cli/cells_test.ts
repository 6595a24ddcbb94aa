import assert from "node:assert/strict";
import { test } from "node:test";
import { textReader } from "../../../src/cli/data/cells.ts";
import { JsonMismatch } from "../../../src/schema/json_values.ts";
import { Random, rounds, SEED } from "../format/random.ts";

const WHOLE = /^[+-]?\d{1,20}$/;
const NUMBER = /^(?:[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|NaN|[+-]?Infinity)$/i;
const nullable = false;

/** What a reader makes of a text; undefined where it refuses it. */
function read(kind: "int" | "bigint" | "double", text: string): unknown {
  try {
    return textReader({ kind, nullable } as Parameters<typeof textReader>[0])(text);
  } catch (error) {
    if (error instanceof JsonMismatch) return undefined;
    throw error;
  }
}

test(`texts are numbers where their form says so (seed ${SEED})`, () => {
  const random = new Random(SEED);
  const signs = "0011223456789999....--++eE x_N";
  const seen = new Set<string>();
  for (let i = 0; i < rounds(20_000, 500_000); i++) {
    let text = "";
    for (let left = random.int(0, random.int(0, 3) === 0 ? 24 : 6); left > 0; left--) text += signs[random.int(0, 29)];
    const whole = WHOLE.test(text);
    const number = NUMBER.test(text);
    seen.add(`${whole} ${number}`);
    assert.equal(read("bigint", text), whole ? BigInt(text.replace("+", "")) : undefined, JSON.stringify(text));
    assert.equal(read("int", text), whole ? Number(text) : undefined, JSON.stringify(text));
    const double = number && Number.isFinite(Number(text)) ? Number(text) : undefined;
    assert.equal(read("double", text), double, JSON.stringify(text));
  }
  assert.equal(seen.size, 3);
  for (const text of ["NaN", "Infinity", "-Infinity", "+Infinity"]) assert.equal(read("double", text), Number(text));
  for (const text of ["", " ", "0x10", "1 ", "nan", "infinity", "1n", "\u0661", "-", "e5"]) {
    for (const kind of ["int", "bigint", "double"] as const) assert.equal(read(kind, text), undefined, text);
  }
});
