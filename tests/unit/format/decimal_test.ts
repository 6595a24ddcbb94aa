import assert from "node:assert/strict";
import { test } from "node:test";
import { decimalText, integerAt, integerBytes, parseDecimal, parseSmallDecimal } from "../../../src/format/decimal.ts";
import { hex } from "./columns.ts";
import { Random, rounds, SEED } from "./random.ts";

test("integers have the shortest bytes that keep the sign", () => {
  const cases: [bigint, string][] = [
    [0n, "00"],
    [-1n, "ff"],
    [127n, "7f"],
    [128n, "0080"],
    [-128n, "80"],
    [-129n, "ff7f"],
    [255n, "00ff"],
    [2n ** 63n, "008000000000000000"],
    [-(2n ** 63n), "8000000000000000"],
    [10n ** 38n - 1n, "4b3b4ca85a86c47a098a223fffffffff"],
    [-(10n ** 38n - 1n), "b4c4b357a5793b85f675ddc000000001"],
  ];
  for (const [value, text] of cases) {
    assert.equal(hex(integerBytes(value)), text);
    assert.equal(integerAt(integerBytes(value), 0, text.length / 2), value);
  }
});

test(`decimals come back from their text and their bytes (seed ${SEED})`, () => {
  const random = new Random(SEED);
  for (let i = 0; i < rounds(2000, 100_000); i++) {
    const precision = random.int(1, 38);
    const shape = { precision, scale: random.int(0, precision) };
    const value = random.big(126) % 10n ** BigInt(precision);
    const text = decimalText(value, shape.scale);
    assert.match(text, shape.scale === 0 ? /^-?\d+$/ : new RegExp(`^-?\\d+\\.\\d{${shape.scale}}$`));
    assert.equal(parseDecimal(text, shape), value, `${text} ${JSON.stringify(shape)}`);
    if (precision <= 15) assert.equal(parseSmallDecimal(text, shape) + 0, Number(value));
    const bytes = Uint8Array.of(7, ...integerBytes(value), 7);
    assert.equal(integerAt(bytes, 1, bytes.length - 2), value);
  }
});
