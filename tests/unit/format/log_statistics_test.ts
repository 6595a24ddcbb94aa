import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { checkCrc, logBatchAt, STATISTICS_HEADER_BYTES } from "../../../src/format/log_batch.ts";
import { compileLogBuilder } from "../../../src/format/log_builder.ts";
import { compileLogDecoder } from "../../../src/format/log_decoder.ts";
import { hasStatistics } from "../../../src/format/log_statistics.ts";
import { compileValueReader } from "../../../src/format/row_codec.ts";
import type { DataType, SchemaColumn } from "../../../src/schema/data_type.ts";
import { columns, hex, notNull, type } from "./columns.ts";
import { Random, rounds, SEED } from "./random.ts";

interface Statistics {
  readonly positions: number[];
  readonly nullCounts: number[];
  readonly min: unknown[];
  readonly max: unknown[];
}

/** The batch of some rows, taken apart by the notes of the format. */
function statisticsOf(
  of: readonly SchemaColumn[],
  positions: readonly number[],
  rows: readonly Record<string, unknown>[],
): Statistics {
  const options = { format: "arrow", compression: { type: "zstd" }, statistics: positions } as const;
  const builder = compileLogBuilder(of, options)(3);
  for (const row of rows) builder.append(row);
  const bytes = builder.finish(-1n, -1);
  const batch = logBatchAt(bytes, 0)!;
  checkCrc(batch);
  assert.deepEqual([batch.magic, batch.recordCount, batch.schemaId], [1, rows.length, 3]);
  const read = compileLogDecoder({ format: "arrow", sent: of, wanted: of })(batch);
  assert.deepEqual([...read.columns.rows()], rows);

  const view = new DataView(bytes.buffer, bytes.byteOffset);
  let at = STATISTICS_HEADER_BYTES;
  assert.equal(view.getInt8(at), 1);
  const count = view.getInt16(at + 1, true);
  at += 3;
  const each = <T>(size: number, get: (at: number) => T): T[] =>
    Array.from({ length: count }, () => {
      at += size;
      return get(at - size);
    });
  const found = each(2, (place) => view.getInt16(place, true));
  const nullCounts = each(4, (place) => view.getInt32(place, true));
  const listed = found.map((position, i): SchemaColumn => {
    const { mode: _mode, codec: _codec, ...plain } = of[position]!.type;
    return { id: i, key: `${i}`, name: `${i}`, type: { ...plain, nullable: true } as DataType };
  });
  const rowOf = (): unknown[] => {
    const size = view.getInt32(at, true);
    const row = compileValueReader(listed, listed, "aligned")(bytes, at + 4, at + 4 + size);
    at += 4 + size;
    return Object.values(row).map((value) => typeof value === "object" && value !== null ? String(value) : value);
  };
  const [min, max] = [rowOf(), rowOf()];
  assert.equal(at, batch.recordsStart);
  return { positions: found, nullCounts, min, max };
}

test("least and greatest values of every type that has some", () => {
  const of = columns(
    type("boolean"),
    type("tinyint"),
    type("smallint"),
    type("int"),
    type("bigint", { mode: "number" }),
    type("float"),
    type("double"),
    type("string"),
    type("char", { length: 3 }),
    type("decimal", { precision: 10, scale: 2 }),
    type("decimal", { precision: 38, scale: 0 }),
    type("date", { mode: "days" }),
    type("time", { precision: 0, mode: "string" }),
    type("time", { precision: 3, mode: "string" }),
    type("time", { precision: 6, mode: "string" }),
    type("time", { precision: 9, mode: "string" }),
    type("timestamp", { precision: 0, mode: "string" }),
    type("timestamp", { precision: 3, mode: "string" }),
    type("timestamp", { precision: 6, mode: "string" }),
    type("timestampLtz", { precision: 9, mode: "string" }),
  );
  const values = [
    [false, -3, -300, -70_000, -5, -1.5, -0, "Zeta", "a", "-12.34", "-99999999999999999999999999999999999999", -1],
    [true, 5, 300, 70_000, 2 ** 40, 1.5, 0, "ä", "b", "12.34", "5", 20_000],
  ];
  const times = [
    ["01:00:00", "01:00:00.001", "01:00:00.001", "01:00:00.001", "1969-12-31T23:59:59", "1969-12-31T23:59:59.999"],
    ["02:00:00", "02:00:00", "02:00:00", "02:00:00", "2020-01-01T00:00:00", "2020-01-01T00:00:00"],
  ];
  const fine = [
    ["1969-12-31T23:59:59.999999", "1969-12-31T23:59:59.999999999Z"],
    ["2020-01-01T00:00:00", "2020-01-01T00:00:00Z"],
  ];
  const low = [...values[0]!, ...times[0]!, ...fine[0]!];
  const high = [...values[1]!, ...times[1]!, ...fine[1]!];
  const row = (from: readonly unknown[]) => Object.fromEntries(from.map((value, i) => [`c${i}`, value]));
  const nulls = row(low.map(() => null));
  const found = statisticsOf(of, of.map((_, i) => i), [nulls, row(high), row(low), nulls, row(high), nulls]);
  assert.deepEqual(found.positions, of.map((_, i) => i));
  assert.deepEqual(found.nullCounts, of.map(() => 3));
  // CHAR has none, as from Java; the statistics know nothing of modes.
  const plain = (from: readonly unknown[], day: string) =>
    from.map((value, i) => i === 8 ? null : i === 4 ? BigInt(value as number) : i === 11 ? day : value);
  assert.deepEqual(found.min, plain(low, "1969-12-31"));
  assert.deepEqual(found.max, plain(high, "2024-10-04"));
});

test("columns without values have no bounds, and NaN is above all numbers", () => {
  const of = columns(type("double"), type("float"), type("int"), notNull(type("string")));
  const rows = [{ c0: NaN, c1: 1, c2: null, c3: "" }, { c0: 1, c1: NaN, c2: null, c3: "a" }];
  assert.deepEqual(statisticsOf(of, [0, 1, 2, 3], rows), {
    positions: [0, 1, 2, 3],
    nullCounts: [0, 0, 2, 0],
    min: [1, 1, null, ""],
    max: [NaN, NaN, null, "a"],
  });
  assert.deepEqual(statisticsOf(of, [3, 2], rows.slice(1)), {
    positions: [3, 2],
    nullCounts: [0, 1],
    min: ["a", null],
    max: ["a", null],
  });
});

test(`texts are compared by their bytes (seed ${SEED})`, () => {
  const random = new Random(SEED);
  const of = columns(type("string"));
  for (let round = 0; round < rounds(30, 500); round++) {
    const texts = Array.from({ length: random.int(1, 20) }, () => random.text(random.int(0, 12)));
    const sorted = texts.map((text) => Buffer.from(text)).sort(Buffer.compare).map(String);
    const { min, max } = statisticsOf(of, [0], texts.map((c0) => ({ c0 })));
    assert.deepEqual([min, max], [[sorted[0]], [sorted.at(-1)]], `seed ${SEED}`);
  }
});

test("statistics are no part of a batch of the row formats, nor of one that has none", () => {
  const of = columns(type("int"));
  const bytes = (statistics?: number[]) => {
    const options = { format: "compacted", compression: { type: "none" } } as const;
    const builder = compileLogBuilder(of, statistics === undefined ? options : { ...options, statistics })(1);
    builder.append({ c0: 1 });
    return hex(builder.finish(-1n, -1));
  };
  assert.equal(bytes([0]), bytes());
  const types = [type("int"), type("char", { length: 1 }), type("bytes"), type("array", { element: type("int") })];
  assert.deepEqual(types.map(hasStatistics), [true, true, false, false]);
});
