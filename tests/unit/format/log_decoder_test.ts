import assert from "node:assert/strict";
import { test } from "node:test";
import { arrowColumns, sliceRows, takeRows } from "../../../src/format/arrow/arrow_column.ts";
import type { Columns } from "../../../src/format/columns.ts";
import { checkCrc, type LogBatch, logBatchAt } from "../../../src/format/log_batch.ts";
import { compileLogBuilder, type LogFormatOptions } from "../../../src/format/log_builder.ts";
import { compileLogDecoder, type DecodedBatch, type LogFormat } from "../../../src/format/log_decoder.ts";
import { rowColumns } from "../../../src/format/row_columns.ts";
import type { SchemaColumn } from "../../../src/schema/data_type.ts";
import { column, columns, notNull, type, unhex } from "./columns.ts";
import { LOG_BATCHES } from "./log_vectors.ts";
import { PROJECTIONS } from "./projection_vectors.ts";
import { comparable, Random, randomColumns, randomRow, rounds, SEED } from "./random.ts";
import { ROWS } from "./vectors.ts";

type Row = Record<string, unknown>;

const AB = [column(0, "a", notNull(type("int"))), column(1, "b", type("string"))];
const AB_ROWS = [{ a: 1, b: "a" }, { a: 2, b: null }, { a: -3, b: "ccc" }];
const CHANGES = Uint8Array.of(1, 2, 3);
const FORMATS: readonly LogFormatOptions[] = [
  { format: "arrow", compression: { type: "none" } },
  { format: "arrow", compression: { type: "lz4" } },
  { format: "arrow", compression: { type: "zstd" } },
  { format: "indexed", compression: { type: "none" } },
  { format: "compacted", compression: { type: "none" } },
];

/** The only batch in some bytes, which start at any place in memory. */
function batchIn(bytes: Uint8Array, shift = 0): LogBatch {
  const moved = new Uint8Array(bytes.length + shift);
  moved.set(bytes, shift);
  return logBatchAt(moved.subarray(shift), 0)!;
}

function decode(
  bytes: Uint8Array,
  sent: readonly SchemaColumn[],
  wanted: readonly SchemaColumn[] = sent,
  format: LogFormat = "arrow",
): DecodedBatch {
  return compileLogDecoder({ format, sent, wanted })(batchIn(bytes));
}

function encode(of: readonly SchemaColumn[], options: LogFormatOptions, rows: readonly Row[]): Uint8Array {
  const builder = compileLogBuilder(of, options)(1);
  for (const row of rows) builder.append(row);
  return builder.finish(-1n, -1);
}

/** Checks every way to the values. */
function assertRows(found: Columns, expected: readonly Row[], where = ""): void {
  const keys = found.schema.map(({ key }) => key);
  assert.equal(found.length, expected.length, where);
  assert.deepEqual([...found.rows()].map(comparable), expected.map(comparable), where);
  expected.forEach((row, i) => assert.deepEqual(comparable(found.row(i)), comparable(row), where));
  found.columns.forEach((column, c) => {
    const values = expected.map((row) => Object.getOwnPropertyDescriptor(row, keys[c]!)!.value);
    assert.equal(column.length, expected.length);
    assert.deepEqual(comparable(column.toArray()), comparable(values), `${where} ${keys[c]}`);
    assert.deepEqual(values.map((_, i) => comparable(column.get(i))), values.map(comparable), `${where} ${keys[c]}`);
    assert.deepEqual(values.map((_, i) => column.isNull(i)), values.map((value) => value === null), where);
    assert.equal(column.nullCount, values.filter((value) => value === null).length, where);
  });
}

for (const name of ["arrowNone", "arrowZstdStored", "arrowLz4Stored"] as const) {
  test(`the official client's batch ${name}`, () => {
    for (let shift = 0; shift < 8; shift++) {
      const batch = batchIn(unhex(LOG_BATCHES[name]), shift);
      checkCrc(batch);
      const found = compileLogDecoder({ format: "arrow", sent: AB, wanted: AB })(batch);
      assertRows(found.columns, AB_ROWS);
      assert.equal(found.changeTypes, undefined);
      assert.deepEqual([found.baseOffset, found.schemaId, found.timestamp], [0n, 1, 0]);
    }
  });
}

for (const name of ["arrowZstd", "arrowLz4"] as const) {
  test(`the official client's batch ${name}`, () => {
    assertRows(
      decode(unhex(LOG_BATCHES[name]), AB).columns,
      Array.from({ length: 40 }, () => ({ a: 7, b: "aaaaaaaaaa" })),
    );
  });
}

test("the official client's batches with change types", () => {
  for (const [name, format] of [["arrowNoneChanges", "arrow"], ["compactedChanges", "compacted"]] as const) {
    const found = decode(unhex(LOG_BATCHES[name]), AB, AB, format);
    assert.deepEqual(found.changeTypes, CHANGES);
    assertRows(found.columns, AB_ROWS);
  }
});

test("the official client's indexed batch", () => {
  const found = decode(unhex(LOG_BATCHES.indexed), AB, AB, "indexed");
  assertRows(found.columns, AB_ROWS);
  assert.equal(found.changeTypes, undefined);
  assert.deepEqual(found.columns.columns.map(({ raw, values }) => [raw, values]), [[undefined, undefined], [
    undefined,
    undefined,
  ]]);
});

test("an empty batch has no rows, whatever its format", () => {
  for (const format of ["arrow", "indexed", "compacted"] as const) {
    const found = decode(unhex(LOG_BATCHES.empty), AB, AB, format);
    assertRows(found.columns, []);
    assert.equal(found.changeTypes, undefined);
  }
});

test("the official client's batch of all types", () => {
  // TIME(0) is whole seconds in Arrow.
  const vectors = ROWS.map((row) =>
    row.type.kind === "time" ? { type: type("time", { precision: 0, mode: "millis" }), value: 34_200_000 } : row
  );
  const of = columns(...vectors.map((vector) => vector.type));
  const full = Object.fromEntries(vectors.map((vector, i) => [`c${i}`, vector.value]));
  const nulls = Object.fromEntries(vectors.map((_, i) => [`c${i}`, i === 0 ? -7 : null]));
  for (let shift = 0; shift < 8; shift++) {
    const batch = batchIn(unhex(LOG_BATCHES.arrowNoneWide), shift);
    const found = compileLogDecoder({ format: "arrow", sent: of, wanted: of })(batch);
    assertRows(found.columns, [full, nulls]);
    assert.equal(found.columns.columns[0]!.values instanceof Int32Array, true);
  }
});

const ABC = [column(0, "a", type("int")), column(1, "b", type("string")), column(2, "c", type("bigint"))];
const [A, B, C] = ABC as [SchemaColumn, SchemaColumn, SchemaColumn];
const ABC_ROWS = [{ a: 1, b: "a", c: 10n }, { a: 2, b: null, c: 20n }, { a: -3, b: "ccc", c: null }];

for (
  const [name, sent, changes] of [
    ["none", ABC, CHANGES],
    ["none02", [A, C], CHANGES],
    ["none1", [B], CHANGES],
    ["zstd", ABC, undefined],
    ["zstd2", [C], undefined],
  ] as const
) {
  test(`the server's projection ${name}`, () => {
    const found = decode(unhex(PROJECTIONS[name]), sent);
    assert.deepEqual(found.changeTypes, changes);
    assertRows(found.columns, ABC_ROWS.map((row) => pick(row, sent)));
    // In the user's order, and with a column that is not in the batch.
    const wanted = [column(9, "z", notNull(type("double"))), ...sent.toReversed()];
    const other = decode(unhex(PROJECTIONS[name]), sent, wanted);
    assertRows(other.columns, ABC_ROWS.map((row) => ({ z: null, ...pick(row, sent.toReversed()) })));
  });
}

function pick(row: Row, of: readonly SchemaColumn[]): Row {
  return Object.fromEntries(of.map(({ key }) => [key, row[key]]));
}

test("an empty batch passes a projection as it is", () => {
  const bytes = unhex(PROJECTIONS.emptyThenNone0);
  const decoder = compileLogDecoder({ format: "arrow", sent: [A], wanted: [A] });
  const first = logBatchAt(bytes, 0)!;
  assertRows(decoder(first).columns, []);
  const second = logBatchAt(bytes, first.end)!;
  assertRows(decoder(second).columns, [{ a: 1 }, { a: 2 }, { a: -3 }]);
  assert.equal(second.end, bytes.length);
});

test("statistics in front of the records are moved over", () => {
  const options: LogFormatOptions = { format: "arrow", compression: { type: "zstd" }, statistics: [0, 1] };
  const bytes = encode(AB, options, AB_ROWS);
  const batch = batchIn(bytes);
  checkCrc(batch);
  assert.equal(batch.magic, 1);
  assert.ok(batch.recordsStart > 52);
  assertRows(decode(bytes, AB).columns, AB_ROWS);
});

for (const options of FORMATS) {
  const name = `${options.format} ${options.compression.type}`;
  test(`all types, nulls and nested ones come back: ${name} (seed ${SEED})`, () => {
    const random = new Random(SEED + 20);
    for (let round = 0; round < rounds(60, 500); round++) {
      const where = `seed ${SEED}, round ${round}`;
      const of = randomColumns(random, random.int(1, 8));
      const rows = Array.from(
        { length: random.pick([1, 7, 8, 9, 20, 300]) >> random.int(0, 3) },
        () => randomRow(random, of),
      );
      if (rows.length === 0) continue;
      const bytes = encode(of, options, rows);
      const decoder = compileLogDecoder({ format: options.format, sent: of, wanted: of });
      const found = decoder(batchIn(bytes, random.int(0, 7))).columns;
      assertRows(found, rows, where);
      assertRows(decoder(batchIn(bytes)).columns, rows, `${where}, again`);
      const wanted = of.filter(() => random.chance(0.5));
      assertRows(decode(bytes, of, wanted, options.format).columns, rows.map((row) => only(row, wanted)), where);
      const indices = Int32Array.from({ length: random.int(0, 2 * rows.length) }, () => random.int(0, rows.length - 1));
      const taken = takeRows(found, indices);
      assertRows(taken, Array.from(indices, (i) => rows[i]!), where);
      const from = random.int(0, indices.length);
      const to = random.int(from, indices.length);
      assertRows(sliceRows(taken, from, to), Array.from(indices.subarray(from, to), (i) => rows[i]!), where);
    }
  });
}

/** As `pick`, for rows with `__proto__` as a key. */
function only(row: Row, of: readonly SchemaColumn[]): Row {
  return Object.fromEntries(of.map(({ key }) => [key, Object.getOwnPropertyDescriptor(row, key)!.value]));
}

test("a batch of an older schema: columns go by id, new ones are null", () => {
  const old = [column(0, "a", type("int")), column(1, "b", type("string"))];
  const now = [
    column(2, "list", type("array", { element: notNull(type("int")) })),
    column(1, "renamed", type("string")),
    column(5, "c", type("bigint")),
    column(0, "a", type("int")),
  ];
  for (const options of FORMATS) {
    const bytes = encode(old, options, AB_ROWS);
    const found = decode(bytes, old, now, options.format).columns;
    const expected = AB_ROWS.map(({ a, b }) => ({ list: null, renamed: b, c: null, a }));
    assertRows(found, expected);
    assertRows(takeRows(found, Int32Array.of(2, 0)), [expected[2]!, expected[0]!]);
    if (options.format !== "arrow") continue;
    // Others may want the buffers of a column that the batch has not.
    const { raw } = found.columns[0]!;
    assert.deepEqual([raw!.length, raw!.nullCount, raw!.offsets!.length, raw!.children[0]!.length], [3, 3, 4, 0]);
    assertRows(arrowColumns(now, found.columns.map((of) => of.raw), 3), expected);
  }
});

test("fields of nested rows go by id, in arrays and maps as well", () => {
  const field = (id: number, key: string, kind: string) => ({ id, key, name: key, type: type(kind) });
  const row = (...fields: ReturnType<typeof field>[]) => type("row", { fields });
  const before = row(field(1, "x", "int"), field(2, "y", "string"), field(3, "z", "boolean"));
  const after = row(field(4, "w", "double"), field(3, "z", "boolean"), field(1, "ex", "int"));
  const of = (nested: ReturnType<typeof row>) =>
    columns(
      nested,
      type("array", { element: nested }),
      type("map", { key: notNull(type("string")), value: nested }),
      row(field(7, "n", "int")),
    );
  const x = { x: 1, y: "b", z: true };
  const rows = [
    { c0: x, c1: [x, null], c2: new Map([["k", x]]), c3: { n: 1 } },
    { c0: null, c1: null, c2: null, c3: null },
    { c0: { x: null, y: null, z: null }, c1: [], c2: new Map(), c3: { n: null } },
  ];
  const seen = { w: null, z: true, ex: 1 };
  const expected = [
    { c0: seen, c1: [seen, null], c2: new Map([["k", seen]]), c3: { n: 1 } },
    { c0: null, c1: null, c2: null, c3: null },
    { c0: { w: null, z: null, ex: null }, c1: [], c2: new Map(), c3: { n: null } },
  ];
  for (const options of FORMATS) {
    const bytes = encode(of(before), options, rows);
    const found = decode(bytes, of(before), of(after), options.format).columns;
    assertRows(found, expected);
    assertRows(takeRows(found, Int32Array.of(0, 2)), [expected[0]!, expected[2]!]);
  }
});

test("a column of another type than the stored one is refused before a batch comes", () => {
  for (const format of ["arrow", "indexed", "compacted"] as const) {
    const wanted = [column(0, "a", type("string"))];
    assert.throws(() => compileLogDecoder({ format, sent: AB, wanted }), { code: "SCHEMA.DRIFT" });
  }
});

test("values in the modes that are asked for, and codecs", () => {
  const codec = { decode: (raw: unknown) => ({ raw }), encode: (value: unknown) => value };
  const sent = columns(
    type("bigint"),
    type("timestamp", { precision: 6 }),
    type("decimal", { precision: 30, scale: 2 }),
    type("array", { element: type("int") }),
    type("int"),
    type("date"),
    type("boolean"),
    type("string"),
    type("decimal", { precision: 10, scale: 1 }),
    type("bigint"),
  );
  const row = {
    c0: -5n,
    c1: Temporal.PlainDateTime.from("1969-12-31T23:59:59.999"),
    c2: "-12.50",
    c3: [1, null],
    c4: 7,
    c5: Temporal.PlainDate.from("2026-11-23"),
    c6: true,
    c7: "text",
    c8: "0.5",
    c9: 2n ** 40n,
  };
  const as = (i: number, more: Row) => column(i, `c${i}`, { ...sent[i]!.type, ...more } as SchemaColumn["type"]);
  const wanted = [
    as(0, { mode: "number" }),
    as(1, { mode: "epochMillis" }),
    as(2, { mode: "unscaled" }),
    as(3, { codec }),
    as(4, { codec }),
    as(5, { mode: "string" }),
    as(6, { codec }),
    as(7, { codec }),
    as(8, { codec }),
    as(9, { mode: "number", codec }),
  ];
  const expected = {
    c0: -5,
    c1: -1,
    c2: -1250n,
    c3: { raw: [1, null] },
    c4: { raw: 7 },
    c5: "2026-11-23",
    c6: { raw: true },
    c7: { raw: "text" },
    c8: { raw: { unscaled: 5n, scale: 1 } },
    c9: { raw: 2 ** 40 },
  };
  for (const options of FORMATS) {
    assertRows(decode(encode(sent, options, [row]), sent, wanted, options.format).columns, [expected]);
  }
});

test("times in every unit, before and after 1970, are what was written", () => {
  const instants = ["-000001-01-01T00:00:00Z", "1677-10-01T00:00:00Z", "1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z"];
  instants.push("2026-11-23T12:30:01Z", "2262-01-01T00:00:00Z");
  for (let precision = 0; precision <= 9; precision++) {
    const of = columns(type("timestampLtz", { precision }), type("time", { precision, mode: "string" }));
    const rows = instants.slice(precision > 6 ? 1 : 0).flatMap((text) => {
      const instant = Temporal.Instant.from(text);
      const finest = Temporal.Instant.fromEpochNanoseconds(instant.epochNanoseconds - 10n ** BigInt(9 - precision));
      return [{ c0: instant, c1: "23:59:59" }, { c0: finest, c1: precision >= 3 ? "00:00:00.001" : "00:00:01" }];
    });
    assertRows(decode(encode(of, FORMATS[0]!, rows), of).columns, rows, `precision ${precision}`);
  }
});

test("what JavaScript cannot hold is an error that names the column, wherever it is asked for", () => {
  const list = type("array", { element: type("bigint") });
  const numbers = type("array", { element: type("bigint", { mode: "number" }) });
  const sent = columns(type("int"), list, type("bigint"));
  const wanted = columns(type("int"), numbers, type("bigint", { mode: "number" }));
  const row = { c0: 1, c1: [1n, 2n ** 60n], c2: -(2n ** 60n) };
  for (const options of FORMATS) {
    const bytes = encode(sent, options, [row]);
    const unsafe = (path: string) => ({ code: "CODEC.UNSAFE_INTEGER", column: path });
    if (options.format !== "arrow") {
      assert.throws(() => decode(bytes, sent, wanted, options.format), unsafe("c1[1]"));
      continue;
    }
    const found = decode(bytes, sent, wanted).columns;
    assert.equal(found.columns[0]!.get(0), 1);
    assert.throws(() => found.columns[1]!.get(0), unsafe("c1[1]"));
    assert.throws(() => found.columns[2]!.get(0), unsafe("c2"));
    assert.throws(() => found.columns[2]!.toArray(), unsafe("c2"));
    assert.throws(() => [...found.rows()], unsafe("c1[1]"));
    assert.throws(() => found.row(0), unsafe("c1[1]"));
    assert.deepEqual(found.columns[2]!.values, BigInt64Array.of(-(2n ** 60n)));
  }
});

test("columns are views of the batch where that lies aligned, and fresh memory where not", () => {
  const bytes = encode(ABC, FORMATS[0]!, ABC_ROWS);
  const lies = new Set<boolean>();
  for (let shift = 0; shift < 8; shift++) {
    const batch = batchIn(bytes, shift);
    for (const wanted of [ABC, [C]]) {
      const found = compileLogDecoder({ format: "arrow", sent: ABC, wanted })(batch).columns;
      const { data } = found.columns.at(-1)!.raw!;
      assert.equal(data!.byteOffset % 8, 0);
      lies.add(data!.buffer === batch.bytes.buffer);
      assert.deepEqual([...found.rows()].map((row) => row.c), [10n, 20n, null]);
    }
  }
  assert.deepEqual(lies, new Set([false, true]));
});

test("texts: long ones, other scripts, and both in one block", () => {
  const of = columns(type("string"), notNull(type("string")));
  const rows = Array.from({ length: 1000 }, (_, i) => ({
    c0: i % 7 === 0 ? null : i > 600 && i % 100 === 0 ? "用户😀" : `text ${i}`,
    c1: i > 990 ? "x" : i === 300 ? "x".repeat(100_000) : i < 256 ? "" : "é".repeat(i % 3),
  }));
  assertRows(decode(encode(of, FORMATS[0]!, rows), of).columns, rows);
});

test("the padding of CHARs that come from INDEXED rows is taken off", () => {
  const char = type("char", { length: 9 });
  const fields = [{ key: "x", name: "x", type: char }];
  const of = columns(
    char,
    type("row", { fields }),
    type("array", { element: char }),
    type("array", { element: type("row", { fields }) }),
    type("map", { key: notNull(char), value: char }),
    type("string"),
  );
  const row = (text: string, part: string) => ({
    c0: text,
    c1: { x: text },
    c2: [part, null],
    c3: [{ x: text }, null],
    c4: new Map([[part, part]]),
    c5: part,
  });
  const nulls = { c0: null, c1: null, c2: null, c3: null, c4: null, c5: null };
  const plain = row("\0b", "c\0");
  const decode = (rows: readonly Row[]) =>
    compileLogDecoder({ format: "arrow", sent: of, wanted: of, paddedChars: true })(
      batchIn(encode(of, FORMATS[0]!, rows)),
    ).columns;
  assertRows(decode([row("\0b\0\0", "c\0"), nulls, row("\0\0", ""), plain]), [plain, nulls, row("", ""), plain]);
  assertRows(decode([plain, nulls]), [plain, nulls]);
});

test("rows as columns", () => {
  const found = rowColumns(AB, AB_ROWS.map((row) => ({ ...row })));
  assertRows(found, AB_ROWS);
  assertRows(takeRows(found, Int32Array.of(1, 1)), [AB_ROWS[1]!, AB_ROWS[1]!]);
  assertRows(sliceRows(found, 1, 3), AB_ROWS.slice(1));
  assert.equal(sliceRows(found, 0, 3), found);
});

test("no columns at all still have their number of rows", () => {
  const found = decode(unhex(LOG_BATCHES.arrowNone), AB, []).columns;
  assertRows(found, [{}, {}, {}]);
  assertRows(takeRows(found, Int32Array.of(0)), [{}]);
});
