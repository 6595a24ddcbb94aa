import assert from "node:assert/strict";
import { test } from "node:test";
import { JsonScanner } from "../../../src/cli/data/json_scan.ts";
import { Random, rounds, SEED } from "../format/random.ts";

const KEYS = ["id", "na me", 'q"k', "é", "dec"];

function scanner(): JsonScanner {
  return new JsonScanner(new Map(KEYS.map((key) => [key, { read: undefined, decimal: key === "dec" }])));
}

function anyValue(random: Random, key: string): unknown {
  const texts = ["", "a", 'b"', "c\\", "日本", "\n", "x".repeat(20), "\u2028"];
  const numbers = [0, -0, 1, -1, 0.5, -12.25, 1e21, 1e-7, 123456789012345, 1234567890123456, 2 ** 60, 1e300];
  if (key === "dec") return numbers[random.int(0, 6)];
  // Most are plain, or hardly a line would be.
  if (random.int(0, 2) > 0) return random.int(-1000, 1000);
  switch (random.int(0, 9)) {
    case 0:
      return null;
    case 1:
      return random.int(0, 1) === 1;
    case 2:
      return [1, { a: 2 }];
    case 3:
    case 4:
    case 5:
      return numbers[random.int(0, numbers.length - 1)];
    default:
      return texts[random.int(0, texts.length - 1)];
  }
}

/** As JSON.stringify() writes it, and with the spaces that Python's json.dumps() puts. */
function lineOf(row: Record<string, unknown>, spaced: boolean): string {
  const parts = Object.entries(row).map(([key, value]) =>
    `${JSON.stringify(key)}:${spaced ? " " : ""}${jsonOf(value)}`
  );
  return `{${parts.join(spaced ? ", " : ",")}}`;
}

const jsonOf = (value: unknown) => Object.is(value, -0) ? "-0" : JSON.stringify(value);

function parsed(line: string): Record<string, unknown> | undefined {
  try {
    const json: unknown = JSON.parse(line);
    return typeof json === "object" && json !== null && !Array.isArray(json)
      ? json as Record<string, unknown>
      : undefined;
  } catch {
    return undefined;
  }
}

test(`what is scanned is what JSON.parse() makes of it (seed ${SEED})`, () => {
  const random = new Random(SEED);
  const odd = '0123456789.eE+-"{}[]:, ntfN\\\u0001';
  let scanned = 0;
  for (let i = 0; i < rounds(300, 10_000); i++) {
    const scan = scanner();
    const keys = KEYS.filter(() => random.int(0, 3) > 0);
    const spaced = random.int(0, 1) === 1;
    for (let n = 0; n < 30; n++) {
      let line = lineOf(Object.fromEntries(keys.map((key) => [key, anyValue(random, key)])), spaced);
      if (random.int(0, 1) === 0) {
        const at = random.int(0, line.length - 1);
        line = line.slice(0, at) + odd[random.int(0, odd.length - 1)] + line.slice(at + random.int(0, 2));
      }
      const expected = parsed(line);
      const row = scan.scan(line, (error) => error);
      if (row !== undefined) {
        scanned++;
        // Decimals keep their digits.
        if (typeof row["dec"] === "string") row["dec"] = Number(row["dec"]);
        assert.deepEqual(row, expected, line);
      } else if (expected !== undefined) scan.learn(line, Object.keys(expected));
    }
  }
  assert.ok(scanned > rounds(100, 4000), `${scanned}`);
});

test("lines that are alike are scanned, and others are left alone", () => {
  const scan = scanner();
  const read = (line: string) => scan.scan(line, (error) => error);
  assert.equal(read('{"id":1}'), undefined, "nothing is learnt yet");
  scan.learn('{"id": 1, "dec": 2.50}', ["id", "dec"]);
  assert.deepEqual(read('{"id": -7, "dec": 0.10}'), { id: -7, dec: "0.10" });
  assert.deepEqual(read('{"id": "x", "dec": null}'), { id: "x", dec: null });
  for (
    const other of [
      '{"dec": 2.50, "id": 1}',
      '{"id":1,"dec":2}',
      '{"id": 1}',
      '{"id": 1, "dec": 2, "é": 3}',
      '{"id": 01, "dec": 2}',
      '{"id": 1., "dec": 2}',
      '{"id": 1e5, "dec": 2}',
      '{"id": 1234567890123456, "dec": 2}',
      '{"id": "a\\n", "dec": 2}',
      '{"id": [1], "dec": 2}',
      '{"id": 1, "dec": 2} ',
      '{"id": 1, "dec": 2',
      '{"id": truex, "dec": 2}',
    ]
  ) assert.equal(read(other), undefined, other);
  scan.learn('{"__proto__": 1}', ["__proto__"]);
  assert.equal(read('{"__proto__": 1}'), undefined);
});

test("lines that never are alike end the search for a form", () => {
  const scan = scanner();
  for (let i = 0; i < 200; i++) scan.learn('{"id":1}', ["id"]);
  scan.learn('{"dec":1}', ["dec"]);
  assert.deepEqual(scan.scan('{"id":2}', (error) => error), { id: 2 });
  assert.equal(scan.scan('{"dec":2}', (error) => error), undefined);
});
