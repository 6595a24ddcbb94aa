import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteWriter } from "../../../src/format/byte_writer.ts";
import { compileKeyWriter } from "../../../src/format/key_encoder.ts";
import { compileRowWriter, compileValueReader } from "../../../src/format/row_codec.ts";
import type { SchemaColumn } from "../../../src/schema/data_type.ts";
import { column, columns, decodeRow, encodeRow, FORMATS, hex, notNull, type } from "./columns.ts";
import { comparable, Random, randomColumns, randomRow, randomScalar, randomType, rounds, SEED } from "./random.ts";

for (const format of FORMATS) {
  test(`random ${format} rows come back as they were (seed ${SEED})`, () => {
    const random = new Random(SEED);
    for (let round = 0; round < rounds(60, 2000); round++) {
      const of = randomColumns(random, random.int(1, 20));
      for (let i = 0; i < 5; i++) {
        const row = randomRow(random, of);
        const bytes = encodeRow(of, format, row);
        const read = decodeRow(of, format, bytes);
        assert.deepEqual(comparable(read), comparable(row), `seed ${SEED}, round ${round}`);
        assert.equal(hex(encodeRow(of, format, read)), hex(bytes), `seed ${SEED}, round ${round}: written back`);
      }
    }
  });

  test(`random projections of ${format} rows: reordered, dropped, added (seed ${SEED})`, () => {
    const random = new Random(SEED + 1);
    for (let round = 0; round < rounds(60, 2000); round++) {
      const stored = randomColumns(random, random.int(1, 12));
      const row = randomRow(random, stored);
      const bytes = encodeRow(stored, format, row);
      const wanted: SchemaColumn[] = stored.filter(() => random.chance(0.5)).map((of, i) => ({ ...of, key: `k${i}` }));
      if (random.chance(0.5)) wanted.push(column(1000, "added", randomType(random)));
      wanted.sort(() => random.next() - 0.5);
      const read = compileValueReader(stored, wanted, format)(bytes, 0, bytes.length);
      const expected = wanted.map((of) => [of.key, row[stored.find(({ id }) => id === of.id)?.key ?? ""] ?? null]);
      assert.deepEqual(comparable(read), comparable(Object.fromEntries(expected)), `seed ${SEED}, round ${round}`);
    }
  });
}

test(`the key of leading columns is a prefix of the key of all (seed ${SEED})`, () => {
  const random = new Random(SEED + 2);
  for (let round = 0; round < rounds(100, 2000); round++) {
    const of = Array.from({ length: random.int(1, 5) }, (_, i) => column(i, `c${i}`, randomScalar(random, false)));
    const row = randomRow(random, of);
    const keyOf = (count: number) => {
      const out = new ByteWriter();
      compileKeyWriter(of.slice(0, count), "compacted")(out, row);
      return hex(out.toBytes());
    };
    const all = keyOf(of.length);
    for (let count = 0; count < of.length; count++) assert.ok(all.startsWith(keyOf(count)), `seed ${SEED}`);
  }
});

test("a column of the same name and another id is another column", () => {
  const stored = [column(0, "a", notNull(type("int"))), column(1, "b", type("string"))];
  const wanted = [column(0, "a", notNull(type("int"))), column(2, "b", type("string"))];
  for (const format of FORMATS) {
    const bytes = encodeRow(stored, format, { a: 1, b: "old" });
    assert.deepEqual(compileValueReader(stored, wanted, format)(bytes, 0, bytes.length), { a: 1, b: null });
  }
});

test("skipped columns are not decoded", () => {
  const never = { encode: (value: unknown) => value, decode: () => assert.fail("a skipped column was decoded") };
  const stored = columns(
    type("string", { codec: never }),
    type("date", { mode: "days", codec: never }),
    type("array", { codec: never, element: type("int") }),
    notNull(type("bigint")),
  );
  for (const format of FORMATS) {
    const bytes = encodeRow(stored, format, { c0: "x", c1: 5, c2: [1], c3: 7n });
    assert.deepEqual(compileValueReader(stored, [stored[3]!], format)(bytes, 0, bytes.length), { c3: 7n });
    assert.deepEqual(compileValueReader(stored, [], format)(bytes, 0, bytes.length), {});
  }
});

test("nested fields are matched by id, or by name without one", () => {
  const row = (fields: [string, number | undefined][]) =>
    type("row", {
      fields: fields.map(([name, id]) => ({ key: name.toUpperCase(), name, type: type("int"), ...(id ? { id } : {}) })),
    });
  const stored = [column(0, "r", row([["x", 5], ["y", 6], ["z", 7]]))];
  const wanted = [column(0, "r", row([["z", undefined], ["moved", 5], ["new", 9]]))];
  for (const format of FORMATS) {
    const bytes = encodeRow(stored, format, { r: { X: 1, Y: 2, Z: 3 } });
    const read = compileValueReader(stored, wanted, format)(bytes, 0, bytes.length);
    assert.deepEqual(read, { r: { Z: 3, MOVED: 1, NEW: null } });
  }
});

test("another kind of type than the stored one is drift", () => {
  const [a] = columns(type("int"));
  const [b] = columns(type("string"));
  assert.throws(() => compileValueReader([a!], [b!], "compacted"), { code: "SCHEMA.DRIFT" });
});

test("partial updates write null in all other columns and do not look at them", () => {
  const of = columns(notNull(type("int")), type("string"), type("bigint"));
  const row = { c0: 1, c1: "kept", c2: undefined };
  for (const format of FORMATS) {
    const out = new ByteWriter();
    compileRowWriter(of, format, [0, 1])(out, row);
    assert.deepEqual(decodeRow(of, format, out.toBytes()), { c0: 1, c1: "kept", c2: null });
    const reused = new ByteWriter();
    reused.writeBytes(new Uint8Array(500).fill(255));
    reused.reset();
    compileRowWriter(of, format, [0, 1])(reused, row);
    assert.equal(hex(reused.toBytes()), hex(out.toBytes()), "what was in the buffer does not matter");
    assert.throws(() => compileRowWriter(of, format, [1]), { code: "WRITE.NOT_SUPPORTED" });
  }
});

test("missing, null and undefined columns are told apart", () => {
  const of = columns(notNull(type("int")), type("string"));
  for (const format of FORMATS) {
    assert.deepEqual(decodeRow(of, format, encodeRow(of, format, { c0: 1 })), { c0: 1, c1: null });
    assert.throws(() => encodeRow(of, format, {}), { code: "WRITE.MISSING_COLUMN", column: "c0" });
    assert.throws(() => encodeRow(of, format, { c0: null }), { code: "CODEC.NULL", column: "c0" });
    assert.throws(() => encodeRow(of, format, { c0: undefined }), { code: "WRITE.UNDEFINED_VALUE", column: "c0" });
    assert.throws(() => encodeRow(of, format, { c0: 1, c1: undefined }), {
      code: "WRITE.UNDEFINED_VALUE",
      column: "c1",
    });
  }
});

test("names that every object has are columns like any other", () => {
  const names = ["__proto__", "constructor", "toString", "hasOwnProperty", "0", 'quo"te', "line\u2028", "${x}`"];
  const of = names.map((name, i) => column(i, name, type("int")));
  const full = Object.fromEntries(names.map((name, i) => [name, i]));
  const empty = Object.fromEntries(names.map((name) => [name, null]));
  for (const format of FORMATS) {
    const read = decodeRow(of, format, encodeRow(of, format, full));
    assert.deepEqual(comparable(read), comparable(full));
    assert.equal(Object.getPrototypeOf(read), Object.prototype);
    assert.deepEqual(comparable(decodeRow(of, format, encodeRow(of, format, {}))), comparable(empty));
  }
});

test("errors in nested values carry the path", () => {
  const item = type("row", {
    fields: [
      { key: "sku", name: "sku", type: notNull(type("string")) },
      { key: "tags", name: "tags", type: type("map", { key: notNull(type("string")), value: notNull(type("int")) }) },
    ],
  });
  const of = columns(type("array", { element: item }));
  const cases: [unknown, string, string][] = [
    [[null, { sku: 5 }], "CODEC.WRONG_TYPE", "c0[1].sku"],
    [[{ sku: null }], "CODEC.NULL", "c0[0].sku"],
    [[{}], "WRITE.MISSING_COLUMN", "c0[0].sku"],
    [[{ sku: "a", other: 1 }], "WRITE.UNKNOWN_COLUMN", "c0[0]"],
    [[{ sku: "a", tags: undefined }], "WRITE.UNDEFINED_VALUE", "c0[0].tags"],
    [[{ sku: "a", tags: new Map([["k", null]]) }], "CODEC.NULL", 'c0[0].tags["k"]'],
    [[{ sku: "a", tags: new Map([["k", 1.5]]) }], "CODEC.OUT_OF_RANGE", 'c0[0].tags["k"]'],
    [[{ sku: "a", tags: new Map([[null, 1]]) }], "CODEC.NULL", "c0[0].tags[key null]"],
    [[undefined], "WRITE.UNDEFINED_VALUE", "c0[0]"],
    [["text"], "CODEC.WRONG_TYPE", "c0[0]"],
  ];
  for (const format of FORMATS) {
    for (const [value, code, path] of cases) {
      assert.throws(() => encodeRow(of, format, { c0: value }), { code, column: path }, path);
    }
  }
});

test("a thousand columns", () => {
  const of = Array.from({ length: 1000 }, (_, i) => column(i, `c${i}`, type(i % 2 === 0 ? "int" : "string")));
  const row = Object.fromEntries(of.map(({ key }, i) => [key, i % 7 === 0 ? null : i % 2 === 0 ? i : `v${i}`]));
  for (const format of FORMATS) assert.deepEqual(decodeRow(of, format, encodeRow(of, format, row)), row);
});

test("what was read does not change with the bytes", () => {
  const of = columns(type("bytes"), type("string"), type("array", { element: type("bytes") }));
  for (const format of FORMATS) {
    const bytes = encodeRow(of, format, { c0: Uint8Array.of(1, 2), c1: "text", c2: [Uint8Array.of(3)] });
    const read = decodeRow(of, format, bytes);
    bytes.fill(9);
    assert.deepEqual(read, { c0: Uint8Array.of(1, 2), c1: "text", c2: [Uint8Array.of(3)] });
  }
});
