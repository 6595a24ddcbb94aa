import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { test } from "node:test";
import {
  Bool,
  DateDay,
  Decimal,
  Field,
  Float64,
  Int32,
  Int64,
  List,
  RecordBatchReader,
  Struct,
  Table,
  tableFromIPC,
  tableToIPC,
  TimestampMillisecond,
  Utf8,
  type Vector,
  vectorFromArray,
} from "apache-arrow";
import { FlussError } from "../../src/base/errors.ts";
import { arrowColumns } from "../../src/format/arrow/arrow_column.ts";
import { compileColumnsBuilder } from "../../src/format/arrow/builder.ts";
import { IpcReader } from "../../src/format/arrow/ipc_reader.ts";
import { ipcBatch, ipcEnd, ipcSchema } from "../../src/format/arrow/ipc_writer.ts";
import type { SchemaColumn } from "../../src/schema/data_type.ts";
import { columns, notNull, type } from "../unit/format/columns.ts";
import { comparable, Random, randomColumns, randomRow, rounds, SEED } from "../unit/format/random.ts";
import { pythonScript } from "./counterpart.ts";

type Row = Record<string, unknown>;

function streamOf(of: readonly SchemaColumn[], rows: readonly Row[]): Uint8Array {
  const builder = compileColumnsBuilder(of)();
  for (const row of rows) builder.append(row);
  return Buffer.concat([ipcSchema(of), ipcBatch(arrowColumns(of, builder.raw(), rows.length)), ipcEnd()]);
}

function rowsOf(of: readonly SchemaColumn[], bytes: Uint8Array): Row[] {
  const reader = new IpcReader(of);
  const rows: Row[] = [];
  for (const batch of reader.push(bytes)) for (const row of batch.rows()) rows.push(row);
  reader.end();
  return rows;
}

function codeOf(run: () => void): string {
  try {
    run();
  } catch (error) {
    if (FlussError.is(error)) return error.code;
    throw error;
  }
  return "none";
}

const script = await pythonScript("arrow_ipc.py");
const needsPython = { skip: "absent" in script ? script.absent : false };

interface Answer {
  readonly types: readonly string[];
  readonly ways: Readonly<Record<string, string>>;
}

test(`pyarrow reads our streams, and we read what it makes of them (seed ${SEED})`, needsPython, async () => {
  const [program, ...args] = script as readonly string[];
  const child = spawn(program!, args, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const seen = new Map<string, number>();
  try {
    const random = new Random(SEED);
    for (let round = 0; round < rounds(25, 300); round++) {
      const of = randomColumns(random, random.int(2, 10));
      const rows = Array.from({ length: random.int(1, 40) }, () => randomRow(random, of));
      child.stdin.write(`${JSON.stringify({ stream: Buffer.from(streamOf(of, rows)).toString("base64") })}\n`);
      const said = await lines.next();
      assert.ok(said.done !== true, `pyarrow refused our stream, seed ${SEED}, round ${round}`);
      const { types, ways } = JSON.parse(said.value) as Answer;
      assert.equal(types.length, of.length);
      of.forEach((column, i) => {
        assert.equal(types[i]!.includes("tz=UTC"), JSON.stringify(column.type).includes('"timestampLtz"'));
      });
      for (const [way, stream] of Object.entries(ways)) {
        seen.set(way, (seen.get(way) ?? 0) + 1);
        const read = () => rowsOf(of, Buffer.from(stream, "base64"));
        const where = `${way}, seed ${SEED}, round ${round}`;
        if (["missing", "extra", "large"].includes(way)) assert.equal(codeOf(read), "ARROW.SCHEMA_MISMATCH", where);
        else assert.deepEqual(read().map(comparable), rows.map(comparable), where);
      }
    }
  } finally {
    child.stdin.end();
    child.kill();
  }
  assert.deepEqual([...seen.keys()].sort(), [
    "dictionary",
    "extra",
    "file",
    "large",
    "lz4",
    "missing",
    "reversed",
    "sliced",
    "stream",
    "zstd",
    "zstd file",
  ]);
});

const OF = columns(
  notNull(type("bigint")),
  type("string"),
  type("double"),
  type("boolean"),
  type("timestamp", { precision: 3, mode: "epochMillis" }),
  type("date", { mode: "days" }),
  type("array", { element: type("int") }),
  type("row", { fields: [{ key: "x", name: "x", type: type("int") }, { key: "y", name: "y", type: type("string") }] }),
  type("decimal", { precision: 10, scale: 2, mode: "unscaled" }),
);

const ROWS: Row[] = [
  {
    c0: 2n ** 60n,
    c1: "grüße",
    c2: 1.5,
    c3: true,
    c4: 1_700_000_000_123,
    c5: 20_000,
    c6: [1, null, 3],
    c7: null,
    c8: 5n,
  },
  { c0: -1n, c1: null, c2: null, c3: false, c4: null, c5: null, c6: null, c7: { x: 1, y: null }, c8: null },
  { c0: 0n, c1: "", c2: -0, c3: null, c4: -1, c5: -1, c6: [], c7: { x: null, y: "y" }, c8: 1_234_567_890n },
];

test("apache-arrow reads our streams", () => {
  const read = tableFromIPC(streamOf(OF, ROWS));
  assert.deepEqual(read.schema.names, OF.map((column) => column.key));
  const plain = (value: unknown): unknown =>
    typeof value === "object" && value !== null && typeof (value as Vector).toJSON === "function"
      ? (value as Vector).toJSON()
      : value;
  const valuesOf = (key: string) => Array.from(read.getChild(key)!, plain);
  for (const key of ["c0", "c1", "c2", "c3", "c4", "c6", "c7"]) {
    assert.deepEqual(valuesOf(key), ROWS.map((row) => row[key]), key);
  }
  // Days come as milliseconds, decimals as words.
  assert.deepEqual(
    valuesOf("c5").map((date) => date === null ? null : Number(date) / 86_400_000),
    ROWS.map((r) => r.c5),
  );
  const words = read.getChild("c8")!.get(2) as Uint32Array;
  assert.equal(words[0], 1_234_567_890);
});

test("we read the streams and files of apache-arrow", () => {
  const x = new Field("x", new Int32(), true);
  const struct = new Struct<{ x: Int32; y: Utf8 }>([x as Field<Int32>, new Field("y", new Utf8(), true) as never]);
  const values = (key: string) => ROWS.map((row) => row[key]) as never[];
  const table = new Table({
    c8: vectorFromArray(
      [Uint32Array.of(5, 0, 0, 0), null, Uint32Array.of(1_234_567_890, 0, 0, 0)],
      new Decimal(2, 10, 128),
    ),
    c0: vectorFromArray(values("c0"), new Int64()),
    c1: vectorFromArray(values("c1"), new Utf8()),
    c2: vectorFromArray(values("c2"), new Float64()),
    c3: vectorFromArray(values("c3"), new Bool()),
    c4: vectorFromArray(values("c4"), new TimestampMillisecond()),
    c5: vectorFromArray(
      [20_000, null, -1].map((day) => day === null ? null : new Date(day * 86_400_000)),
      new DateDay(),
    ),
    c6: vectorFromArray(values("c6"), new List(new Field("item", new Int32(), true))),
    c7: vectorFromArray(values("c7"), struct),
  });
  for (const format of ["stream", "file"] as const) {
    assert.deepEqual(rowsOf(OF, tableToIPC(table, format)).map(comparable), ROWS.map(comparable), format);
  }
  // Without a type, texts become places in a dictionary.
  const texts = ["a", "b", null, "a", "grüße"];
  const dictionary = new Table({ c1: vectorFromArray(texts) });
  for (const format of ["stream", "file"] as const) {
    assert.deepEqual(rowsOf([OF[1]!], tableToIPC(dictionary, format)), texts.map((c1) => ({ c1 })));
  }
});

test("batches that apache-arrow has sliced come back as they are", () => {
  const whole = [...RecordBatchReader.from(streamOf(OF, [...ROWS, ...ROWS]))][0]!;
  const bytes = tableToIPC(new Table(whole.slice(1, 5)));
  assert.deepEqual(rowsOf(OF, bytes).map(comparable), [...ROWS, ...ROWS].slice(1, 5).map(comparable));
});
