import assert from "node:assert/strict";
import { test } from "node:test";
import { Table, tableToIPC, vectorFromArray } from "apache-arrow";
import { ColumnError } from "../../../src/base/column_error.ts";
import { FlussError } from "../../../src/base/errors.ts";
import { arrowColumns } from "../../../src/format/arrow/arrow_column.ts";
import { compileColumnsBuilder } from "../../../src/format/arrow/builder.ts";
import {
  type FlatFields,
  int16,
  int32,
  int8,
  string,
  table,
  tables,
  writeFlatbuffer,
} from "../../../src/format/arrow/flatbuffer_writer.ts";
import { decodeDictionary, type IndexType } from "../../../src/format/arrow/dictionary.ts";
import { IpcReader } from "../../../src/format/arrow/ipc_reader.ts";
import { ipcBatch, ipcEnd, ipcSchema } from "../../../src/format/arrow/ipc_writer.ts";
import { arrowLayout } from "../../../src/format/arrow/layout.ts";
import { recordBatchMessage } from "../../../src/format/arrow/message_writer.ts";
import type { Columns } from "../../../src/format/columns.ts";
import type { Codec } from "../../../src/format/compression.ts";
import { rowColumns } from "../../../src/format/row_columns.ts";
import type { DataType, SchemaColumn } from "../../../src/schema/data_type.ts";
import { column, columns, notNull, type } from "./columns.ts";
import { comparable, Random, randomColumns, randomRow, rounds, SEED } from "./random.ts";

type Row = Record<string, unknown>;

function columnsOf(of: readonly SchemaColumn[], rows: readonly Row[]): Columns {
  const builder = compileColumnsBuilder(of)();
  for (const row of rows) builder.append(row);
  return arrowColumns(of, builder.raw(), rows.length);
}

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function streamOf(of: readonly SchemaColumn[], ...batches: readonly (readonly Row[])[]): Uint8Array<ArrayBuffer> {
  return join([ipcSchema(of), ...batches.map((rows) => ipcBatch(columnsOf(of, rows))), ipcEnd()]);
}

/** Everything in a stream that comes in chunks of these sizes, over and over. */
function readAll(of: readonly SchemaColumn[], bytes: Uint8Array, sizes: readonly number[] = [bytes.length]): Row[][] {
  const reader = new IpcReader(of);
  const batches: Row[][] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const end = at + sizes[i % sizes.length]!;
    for (const batch of reader.push(bytes.subarray(at, end))) batches.push([...batch.rows()]);
    at = end;
  }
  reader.end();
  return batches;
}

function refusal(run: () => void): FlussError {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof FlussError, String(error));
    return error;
  }
  return assert.fail("nothing was refused");
}

test(`random tables come back from streams in chunks of any size (seed ${SEED})`, () => {
  const random = new Random(SEED);
  for (let round = 0; round < rounds(40, 1000); round++) {
    const of = randomColumns(random, random.int(1, 10));
    const batches = Array.from(
      { length: random.int(0, 4) },
      () => Array.from({ length: random.int(0, 30) }, () => randomRow(random, of)),
    );
    const bytes = streamOf(of, ...batches);
    const sizes = Array.from({ length: random.int(1, 5) }, () => random.int(1, random.pick([3, 100, 10_000])));
    for (const chunks of [sizes, [bytes.length]]) {
      assert.deepEqual(
        readAll(of, bytes, chunks).map((batch) => batch.map(comparable)),
        batches.map((batch) => batch.map(comparable)),
        `seed ${SEED}, round ${round}`,
      );
    }
  }
});

test("a stream may end without an end, and nowhere else", () => {
  const of = columns(notNull(type("int")), type("string"));
  const rows = [{ c0: 1, c1: "a" }, { c0: 2, c1: null }];
  const bytes = streamOf(of, rows, rows);
  const schema = ipcSchema(of).length;
  const batch = (bytes.length - schema - ipcEnd().length) / 2;
  const ends = new Map([[schema, 0], [schema + batch, 1], [schema + 2 * batch, 2], [bytes.length, 2]]);
  for (let end = 0; end <= bytes.length; end++) {
    const read = () => readAll(of, bytes.subarray(0, end), [5]);
    const expected = ends.get(end);
    if (expected === undefined) assert.throws(read, { code: "CODEC.CORRUPT_BATCH" }, `${end}`);
    else assert.equal(read().length, expected);
  }
  assert.throws(() => readAll(of, join([bytes, Uint8Array.of(1)])), { code: "CODEC.CORRUPT_BATCH" });
  assert.throws(() => readAll(of, join([ipcSchema(of), ipcSchema(of)])), { code: "CODEC.CORRUPT_BATCH" });
  assert.throws(() => readAll(of, bytes.subarray(schema)), { code: "CODEC.CORRUPT_BATCH" });
  assert.throws(() => readAll(of, new TextEncoder().encode('[{"c0": 1}]')), /no Arrow IPC stream/);
});

test("a file is a stream in a frame, with the schema in its footer as well", () => {
  const of = columns(type("int"));
  const magic = new TextEncoder().encode("ARROW1\0\0");
  const field: FlatFields = [string("c0"), int8(true), int8(2), table(int32(32), int8(true))];
  const footer = writeFlatbuffer([int16(4), table(undefined, tables([field]))]);
  const length = new Uint8Array(4);
  new DataView(length.buffer).setInt32(0, footer.length, true);
  const end = [ipcEnd(), footer, length, magic.subarray(0, 6)];
  const batches = [[{ c0: 1 }], [{ c0: null }]].map((rows) => ipcBatch(columnsOf(of, rows)));
  const bytes = join([magic, ipcSchema(of), ...batches, ...end]);
  for (const size of [1, 3, bytes.length]) assert.deepEqual(readAll(of, bytes, [size]), [[{ c0: 1 }], [{ c0: null }]]);
  const late = join([magic, ...batches, ...end]);
  assert.deepEqual(readAll(of, late), [[{ c0: 1 }], [{ c0: null }]]);
  assert.match(refusal(() => readAll(of, late, [7])).message, /NOT_SUPPORTED.*pass all bytes of the file at once/);
  assert.throws(() => readAll(columns(type("string")), late), { code: "ARROW.SCHEMA_MISMATCH" });
  for (const broken of [-1, 0, 1 << 30]) {
    new DataView(late.buffer).setInt32(late.length - 10, broken, true);
    assert.throws(() => readAll(of, late), { code: "CODEC.CORRUPT_BATCH" });
  }
});

for (const codec of ["lz4", "zstd"] as const satisfies Codec[]) {
  test(`bodies compressed with ${codec} (seed ${SEED})`, () => {
    const random = new Random(SEED + 1);
    for (let round = 0; round < rounds(15, 500); round++) {
      const of = randomColumns(random, random.int(1, 8));
      const rows = Array.from({ length: random.int(1, 60) }, () => randomRow(random, of));
      const read = readAll(of, compressed(of, rows, codec), [random.int(1, 500)]);
      assert.deepEqual(read.map((batch) => batch.map(comparable)), [rows.map(comparable)], `seed ${SEED}`);
    }
  });
}

test("rows that did not come as columns are written as well", () => {
  const of = columns(notNull(type("int")), type("array", { element: type("string") }));
  const rows = [{ c0: 1, c1: ["a", null] }, { c0: 2, c1: null }];
  assert.deepEqual(readAll(of, join([ipcSchema(of), ipcBatch(rowColumns(of, rows)), ipcEnd()])), [rows]);
});

const XY = (...names: string[]) =>
  type("row", { fields: names.map((name) => ({ key: name, name, type: type(name === "x" ? "int" : "string") })) });

test("columns are matched by physical name or key, in any order, fields of rows as well", () => {
  const renamed = (name: string, of: SchemaColumn): SchemaColumn => ({ ...of, name });
  const of = [
    renamed("user_id", column(0, "userId", type("int"))),
    renamed("b", column(1, "a", type("int"))),
    renamed("a", column(2, "b", type("int"))),
    column(3, "row", XY("x", "y")),
    column(4, "rows", type("array", { element: XY("x", "y") })),
  ];
  const sent = [
    column(0, "rows", type("array", { element: XY("y", "x") })),
    column(1, "a", type("int")),
    column(2, "userId", type("int")),
    column(3, "row", XY("y", "x")),
    column(4, "b", type("int")),
  ];
  const bytes = streamOf(sent, [{ userId: 1, a: 2, b: 3, row: { x: 4, y: "y" }, rows: [{ x: 5, y: null }, null] }]);
  // Physical names come first: "a" is the column with that name on the server.
  assert.deepEqual(readAll(of, bytes), [[
    { userId: 1, a: 3, b: 2, row: { x: 4, y: "y" }, rows: [{ x: 5, y: null }, null] },
  ]]);
  assert.deepEqual(
    readAll(of, streamOf([...sent.slice(0, 2), column(2, "user_id", type("int")), ...sent.slice(3)], [])),
    [
      [],
    ],
  );
});

test("columns that are missing or too many are named", () => {
  const of = columns(type("int"), type("string"), type("date"));
  const missing = refusal(() => readAll(of, streamOf([of[1]!], [])));
  assert.equal(missing.code, "ARROW.SCHEMA_MISMATCH");
  assert.match(missing.message, /lacks the table's columns "c0", "c2"\. hint: add them, with nulls/);
  assert.equal(missing.column, "c0");
  const extra = refusal(() => readAll(of, streamOf([...of, column(9, "more", type("int"))], [])));
  assert.match(extra.message, /has the columns "more", which the table has not\. hint: leave them out/);
  const both = refusal(() => readAll([of[0]!], streamOf([of[1]!], [])));
  assert.match(both.message, /lacks the table's columns "c0" and has the columns "c1"/);
  const twice = refusal(() => readAll([of[0]!], streamOf([of[0]!, of[0]!], [])));
  assert.match(twice.message, /has the columns "c0"/);
});

/** A schema message, by hand: what our own writer never writes. */
function schemaOf(fields: readonly FlatFields[], endianness = 0): Uint8Array {
  const metadata = writeFlatbuffer([
    int16(4),
    int8(1),
    table(int16(endianness), tables(fields)),
  ]);
  const prefix = new Uint8Array(8).fill(255, 0, 4);
  new DataView(prefix.buffer).setInt32(4, metadata.length, true);
  return join([prefix, metadata]);
}

test("columns of another type are refused, with the way to cast them", () => {
  const decimal = { precision: 10, scale: 2 };
  const cases: [DataType, DataType, RegExp][] = [
    [
      type("bigint"),
      type("int"),
      /c0 is int32, and BIGINT needs int64\. hint: cast it: in pyarrow column\.cast\(pa\.int64\(\)\)/,
    ],
    [type("float"), type("double"), /c0 is float64, and FLOAT needs float32.*pa\.float32\(\)/],
    [type("string"), type("bytes"), /c0 is binary, and STRING needs utf8.*pa\.string\(\)/],
    [type("binary", { length: 3 }), type("binary", { length: 4 }), /fixed_size_binary\[4\].*pa\.binary\(3\)/],
    [
      type("decimal", decimal),
      type("decimal", { precision: 12, scale: 2 }),
      /decimal128\(12, 2\).*pa\.decimal128\(10, 2\)/,
    ],
    [
      type("timestamp", { precision: 3 }),
      type("timestamp", { precision: 6 }),
      /timestamp\[us\].*pa\.timestamp\("ms"\)/,
    ],
    [
      type("timestamp", { precision: 3 }),
      type("timestampLtz", { precision: 3 }),
      /timestamp\[ms, tz=UTC\].*pa\.timestamp\("ms"\)/,
    ],
    [type("timestampLtz", { precision: 9 }), type("timestampLtz", { precision: 6 }), /pa\.timestamp\("ns", "UTC"\)/],
    [type("time", { precision: 0 }), type("time", { precision: 9 }), /time64\[ns\].*pa\.time32\("s"\)/],
    [type("date"), type("int"), /DATE needs date32\[day\].*pa\.date32\(\)/],
    [type("boolean"), type("tinyint"), /is int8.*pa\.bool_\(\)/],
    [
      type("array", { element: type("int") }),
      type("array", { element: type("string") }),
      /c0\[\] is utf8, and INT needs int32/,
    ],
    [type("array", { element: type("int") }), type("int"), /list<int32>.*pa\.list_\(pa\.int32\(\)\)/],
    [XY("x", "y"), XY("x"), /struct<x: int32>, and ROW.*needs struct<x: int32, y: utf8>/],
    [
      type("map", { key: notNull(type("string")), value: type("int") }),
      type("map", { key: notNull(type("string")), value: type("string") }),
      /c0\[\] is utf8, and INT needs int32/,
    ],
  ];
  for (const [wanted, sent, message] of cases) {
    const error = refusal(() => readAll(columns(wanted), streamOf(columns(sent), [])));
    assert.equal(error.code, "ARROW.SCHEMA_MISMATCH");
    assert.match(error.message, message);
    assert.match(error.column!, /^c0/);
  }
  const other: [FlatFields, DataType, RegExp][] = [
    [[string("c0"), int8(true), int8(20), table()], type("string"), /large_utf8/],
    [[string("c0"), int8(true), int8(24), table()], type("string"), /utf8_view/],
    [[string("c0"), int8(true), int8(2), table(int32(64), int8(false))], type("bigint"), /uint64/],
    [[string("c0"), int8(true), int8(1), table()], type("int"), /is null, and INT/],
    [
      [string("c0"), int8(true), int8(7), table(int32(10), int32(2), int32(256))],
      type("decimal", decimal),
      /decimal256/,
    ],
    [[string("c0"), int8(true), int8(8), table(int16(1))], type("date"), /date64/],
    [[string("c0"), int8(true), int8(99), table()], type("date"), /type 99/],
  ];
  for (const [field, wanted, message] of other) {
    const error = refusal(() => readAll(columns(wanted), schemaOf([field])));
    assert.equal(error.code, "ARROW.SCHEMA_MISMATCH");
    assert.match(error.message, message);
  }
});

test("points in time may come with any zone, or with none as on Fluss's wire", () => {
  const of = columns(type("timestampLtz", { precision: 3, mode: "epochMillis" }));
  const sent = columns(type("timestamp", { precision: 3, mode: "epochMillis" }));
  assert.deepEqual(readAll(of, streamOf(sent, [{ c0: 5 }])), [[{ c0: 5 }]]);
  const zoned = schemaOf([[string("c0"), int8(true), int8(10), table(int16(1), string("Europe/Berlin"))]]);
  assert.deepEqual(readAll(of, join([zoned, ipcBatch(columnsOf(of, [{ c0: 6 }]))])), [[{ c0: 6 }]]);
});

test("big-endian streams, and dictionaries of nested values, are not supported", () => {
  const of = columns(type("string"));
  const plain: FlatFields = [string("c0"), int8(true), int8(5), table()];
  assert.equal(refusal(() => readAll(of, schemaOf([plain], 1))).code, "ARROW.NOT_SUPPORTED");
  const struct: FlatFields = [
    string("c0"),
    int8(true),
    int8(13),
    table(),
    table(),
    tables([
      [string("x"), int8(true), int8(2), table(int32(32), int8(true))],
    ]),
  ];
  const nested = refusal(() => readAll(columns(XY("x")), schemaOf([struct])));
  assert.equal(nested.code, "ARROW.NOT_SUPPORTED");
  assert.match(
    nested.message,
    /c0 is a dictionary of nested values\. hint: send plain values: in pyarrow column\.cast/,
  );
});

test("places in a dictionary that is missing are refused, nulls are not", () => {
  const of = columns(type("string"));
  const schema = schemaOf([[string("c0"), int8(true), int8(5), table(), table()]]);
  const batch = (...places: (number | null)[]) =>
    ipcBatch(columnsOf(columns(type("int")), places.map((c0) => ({ c0 }))));
  assert.deepEqual(readAll(of, join([schema, batch(null, null)])), [[{ c0: null }, { c0: null }]]);
  assert.throws(() => readAll(of, join([schema, batch(null, 0)])), { code: "CODEC.CORRUPT_BATCH" });
});

test("values in the place of a dictionary's", () => {
  const texts = compileColumnsBuilder(columns(type("string")))();
  for (const c0 of ["zero", null, "two", ""]) texts.append({ c0 });
  const [values] = texts.raw();
  const layout = arrowLayout(type("string"));
  const places = (kind: string, from: unknown[]) => {
    const builder = compileColumnsBuilder(columns(type(kind)))();
    for (const c0 of from) builder.append({ c0 });
    return builder.raw()[0]!;
  };
  const valuesAt = (kind: string, indexType: IndexType, from: unknown[], maxBytes = 100) => {
    const raw = decodeDictionary(places(kind, from), indexType, values!, layout, maxBytes);
    return arrowColumns(columns(type("string")), [raw], from.length).columns[0]!.toArray();
  };
  for (const [kind, indexType] of [["tinyint", "int8"], ["smallint", "uint16"], ["int", "int32"]] as const) {
    assert.deepEqual(valuesAt(kind, indexType, [2, 0, null, 1, 3, 2]), ["two", "zero", null, null, "", "two"]);
    for (const wrong of [-1, 4]) {
      assert.throws(() => valuesAt(kind, indexType, [wrong]), { code: "CODEC.CORRUPT_BATCH" });
    }
  }
  assert.deepEqual(valuesAt("bigint", "uint64", [2n, null]), ["two", null]);
  assert.throws(() => valuesAt("bigint", "int64", [-(2n ** 63n)]), { code: "CODEC.CORRUPT_BATCH" });
  assert.throws(() => valuesAt("int", "int32", Array(30).fill(0)), /unfolds to 120 bytes, and 100 are taken/);
  const flags = compileColumnsBuilder(columns(type("boolean")))();
  for (const c0 of [true, false]) flags.append({ c0 });
  const bits = decodeDictionary(
    places("tinyint", [1, 0, null]),
    "uint8",
    flags.raw()[0]!,
    arrowLayout(type("boolean")),
    9,
  );
  assert.deepEqual(arrowColumns(columns(type("boolean")), [bits], 3).columns[0]!.toArray(), [false, true, null]);
});

test("null where it must not be is refused with its row and path", () => {
  const nested = (of: (type: DataType) => DataType): DataType =>
    type("array", { element: type("row", { fields: [{ key: "n", name: "n", type: of(type("int")) }] }) });
  const sent = columns(
    type("int"),
    nested((of) => of),
    type("map", { key: notNull(type("string")), value: type("int") }),
  );
  const of = columns(
    notNull(type("int")),
    nested(notNull),
    type("map", {
      key: notNull(type("string")),
      value: notNull(type("int")),
    }),
  );
  const fine = [{ c0: 1, c1: [{ n: 1 }, null], c2: new Map([["a", 1]]) }, { c0: 2, c1: null, c2: null }];
  assert.deepEqual(readAll(of, streamOf(sent, fine)), [fine]);
  const cases: [Row, string][] = [
    [{ c0: null, c1: null, c2: null }, "c0"],
    [{ c0: 1, c1: [{ n: 1 }, null, { n: null }], c2: null }, "c1[].n"],
    [{ c0: 1, c1: null, c2: new Map([["a", null]]) }, "c2[]"],
  ];
  for (const [row, path] of cases) {
    const error = refusal(() => readAll(of, streamOf(sent, fine, [...fine, row])));
    assert.deepEqual([error.code, error.row, error.column], ["CODEC.NULL", 2, path]);
  }
});

test("values that a type cannot hold are refused", () => {
  const cases: [DataType, DataType, unknown, RegExp][] = [
    [type("char", { length: 3 }), type("string"), "äöüß", /row 1 .* CHAR\(3\) cannot hold: more than 3 characters/],
    [type("time", { precision: 4, mode: "millis" }), type("bigint"), 86_400_000_000n, /no time of a day/],
    [type("time", { precision: 9, mode: "millis" }), type("bigint"), 1500n, /3 digits of a second/],
    [type("time", { precision: 2, mode: "millis" }), type("int"), 5, /2 digits of a second/],
    [type("timestamp", { precision: 5, mode: "epochNanos" }), type("bigint"), 1n, /more than 5 digits/],
    [
      type("decimal", { precision: 3, scale: 1 }),
      type("decimal", { precision: 4, scale: 1 }),
      "100.0",
      /more than 3 digits/,
    ],
    [type("string"), type("bytes"), Uint8Array.of(0xc3), /not UTF-8/],
  ];
  for (const [wanted, like, value, message] of cases) {
    const of = columns(wanted);
    // The value as the layout of another type, under the schema of the wanted one.
    const body = ipcBatch(columnsOf(columns(like), [{ c0: null }, { c0: value }]));
    const error = refusal(() => readAll(of, join([ipcSchema(of), body])));
    assert.deepEqual([error.code, error.row, error.column], ["CODEC.OUT_OF_RANGE", 1, "c0"]);
    assert.match(error.message, message);
  }
  // One character, cut in two by the offsets: each half alone is no UTF-8.
  const of = columns(type("string"));
  const halves = ipcBatch(
    columnsOf(columns(type("bytes")), [{ c0: Uint8Array.of(0xc3) }, { c0: Uint8Array.of(0xa4) }]),
  );
  assert.match(refusal(() => readAll(of, join([ipcSchema(of), halves]))).message, /row 0 .* not UTF-8/);
  const long = [{ c0: "äöü" }, { c0: "😀😀😀" }];
  const chars = columns(type("char", { length: 3 }));
  assert.deepEqual(readAll(chars, streamOf(chars, long)), [long]);
});

/** Texts without a type become places in a dictionary. */
function withDictionary(rows: readonly Row[], format: "stream" | "file"): Uint8Array {
  return tableToIPC(
    new Table({ c0: vectorFromArray(["text", ...rows.map((row) => row["c0"] as string | null)]) }),
    format,
  );
}

function compressed(of: readonly SchemaColumn[], rows: readonly Row[], codec: Codec): Uint8Array {
  const builder = compileColumnsBuilder(of)();
  for (const row of rows) builder.append(row);
  const message = recordBatchMessage(builder.raw(), rows.length, { type: codec });
  const batch = new Uint8Array(message.size);
  message.writeTo(batch, 0);
  return join([ipcSchema(of), batch, ipcEnd()]);
}

test(`mutated streams are read or refused, and nothing else (seed ${SEED})`, () => {
  const random = new Random(SEED + 2);
  const limits = { maxRows: 10_000, maxBytes: 200_000 };
  const total = rounds(6_000, 200_000);
  let refused = 0;
  for (let done = 0; done < total;) {
    const isDictionary = random.chance(0.2);
    const of = isDictionary ? columns(type("string")) : randomColumns(random, random.int(1, 6));
    const rows = Array.from({ length: random.int(1, 20) }, () => randomRow(random, of));
    const codec = random.pick<Codec>(["none", "lz4", "zstd"]);
    const bytes = isDictionary ? withDictionary(rows, random.pick(["stream", "file"])) : compressed(of, rows, codec);
    for (let i = 0; i < 200; i++, done++) {
      const mutated = bytes.slice();
      for (let hits = random.int(1, 4); hits > 0; hits--) {
        const at = random.int(0, mutated.length - 1);
        // Lengths and offsets are small or huge more often than anything between.
        mutated[at] = random.pick([0, 1, 8, 127, 128, 255, random.int(0, 255), mutated[at]! ^ (1 << random.int(0, 7))]);
      }
      const end = random.chance(0.1) ? random.int(0, mutated.length) : mutated.length;
      const step = random.pick([mutated.length, random.int(1, 300)]);
      try {
        const reader = new IpcReader(of, limits);
        for (let at = 0; at < end; at += step) {
          for (const read of reader.push(mutated.subarray(at, Math.min(end, at + step)))) for (const _ of read.rows());
        }
        reader.end();
      } catch (error) {
        refused++;
        const isOurs = error instanceof FlussError || error instanceof ColumnError;
        assert.ok(isOurs, `seed ${SEED}, mutation ${done}: ${error instanceof Error ? error.stack : error}`);
      }
    }
  }
  assert.ok(refused > total / 10, `${refused} of ${total} were refused`);
});
