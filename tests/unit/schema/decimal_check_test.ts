import assert from "node:assert/strict";
import { test } from "node:test";
import { t, table } from "../../../mod.ts";
import { definitionOf } from "../../../src/schema/definition.ts";
import { compileRowCheck } from "../../../src/schema/row_check.ts";
import { Random, rounds, SEED } from "../format/random.ts";

test(`decimals as text are looked at as their digits say (seed ${SEED})`, () => {
  const random = new Random(SEED);
  const check = compileRowCheck(definitionOf(table("a.b", { price: t.decimal(6, 2) })), "insert");
  const seen = [0, 0];
  for (let i = 0; i < rounds(5000, 100_000); i++) {
    let price = "";
    for (let left = random.int(0, 9); left > 0; left--) price += "0012345....-+ e"[random.int(0, 14)];
    const match = /^[+-]?0*(\d*?)(?:\.(\d+?)0*)?$/.exec(price);
    const isDigits = /^[+-]?\d+(\.\d+)?$/.test(price);
    const fits = isDigits && match !== null && match[1]!.length <= 4 && (match[2] ?? "").replace(/0+$/, "").length <= 2;
    seen[fits ? 1 : 0]!++;
    assert.equal(check({ price }).length, fits ? 0 : 1, JSON.stringify(price));
  }
  assert.ok(seen.every((count) => count > 100), `${seen}`);
});
