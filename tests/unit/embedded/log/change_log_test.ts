import assert from "node:assert/strict";
import { test } from "node:test";
import { changeLogBuilder } from "../../../../src/embedded/log/change_log.ts";
import { checkCrc, LOG_BATCH_HEADER_BYTES, logBatchAt } from "../../../../src/format/log_batch.ts";
import {
  CHANGE_DELETE,
  CHANGE_INSERT,
  CHANGE_UPDATE_AFTER,
  CHANGE_UPDATE_BEFORE,
  compileLogDecoder,
  type DecodedBatch,
  type LogFormat,
} from "../../../../src/format/log_decoder.ts";
import type { SchemaColumn } from "../../../../src/schema/data_type.ts";
import { column, columns, encodeRow, notNull, type } from "../../format/columns.ts";
import { comparable, Random, randomColumns, randomRow, rounds, SEED } from "../../format/random.ts";
import { tableOf } from "./engine.ts";

const CHANGES = [CHANGE_INSERT, CHANGE_UPDATE_BEFORE, CHANGE_UPDATE_AFTER, CHANGE_DELETE];

const FORMATS: readonly (readonly ["compacted" | "indexed", LogFormat, Record<string, string>])[] = [
  ["compacted", "arrow", {}],
  ["compacted", "arrow", { "table.log.arrow.compression.type": "LZ4_FRAME" }],
  ["indexed", "arrow", { "table.log.arrow.compression.type": "NONE" }],
  ["compacted", "compacted", {}],
  ["indexed", "compacted", {}],
];

function decode(bytes: Uint8Array, of: readonly SchemaColumn[], format: LogFormat, paddedChars = false): DecodedBatch {
  const batch = logBatchAt(bytes, 0)!;
  assert.equal(batch.end, bytes.length);
  assert.equal(batch.appendOnly, false);
  checkCrc(batch);
  return compileLogDecoder({ format, sent: of, wanted: of, paddedChars })(batch);
}

for (const [kvFormat, logFormat, more] of FORMATS) {
  test(`rows stored ${kvFormat} come back from ${logFormat} change logs (seed ${SEED})`, () => {
    const random = new Random(SEED);
    for (let round = 0; round < rounds(40, 1000); round++) {
      const of = randomColumns(random, random.int(1, 20));
      // Columns that were added later are nullable.
      const before = of.slice(0, random.int(1, of.length));
      for (const later of of.slice(before.length)) (later.type as { nullable: boolean }).nullable = true;
      const table = tableOf([before, of], { "table.kv.format": kvFormat, "table.log.format": logFormat, ...more });
      for (let batch = 0; batch < 3; batch++) {
        const builder = changeLogBuilder(table);
        const expected: { readonly change: number; readonly row: unknown }[] = [];
        for (let left = random.int(1, random.pick([3, 100])); left > 0; left--) {
          const schemaId = random.int(1, 2);
          const written = schemaId === 1 ? before : of;
          const row = randomRow(random, written);
          const change = random.pick(CHANGES);
          const bytes = encodeRow(written, kvFormat, row);
          const around = new Uint8Array(bytes.length + 5).fill(0xee);
          around.set(bytes, 3);
          builder.append(change, schemaId, around, 3, 3 + bytes.length);
          const full = Object.fromEntries(of.map(({ key }) => [key, Object.hasOwn(row, key) ? row[key] : null]));
          expected.push({ change, row: comparable(full) });
        }
        assert.equal(builder.count, expected.length);
        const bytes = builder.finish(7n, batch);
        const { writerId, sequence, schemaId, recordCount } = logBatchAt(bytes, 0)!;
        assert.deepEqual([writerId, sequence, schemaId, recordCount], [7n, batch, 2, expected.length]);
        const read = decode(bytes, of, logFormat, kvFormat === "indexed");
        assert.deepEqual(
          [...read.columns.rows()].map((row, i) => ({ change: read.changeTypes![i], row: comparable(row) })),
          expected,
          `seed ${SEED}, round ${round}`,
        );
      }
    }
  });
}

test("a batch without records is a header", () => {
  for (const format of ["ARROW", "COMPACTED", "INDEXED"]) {
    const table = tableOf([columns(type("int"))], { "table.log.format": format });
    const bytes = changeLogBuilder(table).finish(3n, 4);
    assert.equal(bytes.length, LOG_BATCH_HEADER_BYTES);
    const batch = logBatchAt(bytes, 0)!;
    checkCrc(batch);
    assert.deepEqual([batch.recordCount, batch.writerId, batch.sequence, batch.nextOffset], [0, 3n, 4, 1n]);
  }
});

/** What a change log holds of one stored value, whose column was declared otherwise when it was written. */
function moved(written: ReturnType<typeof type>, declared: ReturnType<typeof type>, value: unknown): unknown {
  const table = tableOf([columns(declared)]);
  const bytes = encodeRow(columns(written), "compacted", { c0: value });
  const builder = changeLogBuilder(table);
  builder.append(CHANGE_INSERT, 1, bytes, 0, bytes.length);
  const [row] = [...decode(builder.finish(-1n, -1), columns(declared), "arrow").columns.rows()];
  return row!["c0"];
}

test("values of any size go into the log as servers put them there", () => {
  const time = (precision: number) => type("time", { precision, mode: "millis" });
  // Written as INT, because clients write no such times.
  assert.equal(moved(type("int"), time(3), 86_400_000), 86_400_000);
  assert.equal(moved(type("int"), time(9), -5), -5);
  assert.equal(moved(time(3), time(0), 34_200_123), 34_200_000);
  assert.equal(moved(time(3), time(9), 34_200_123), 34_200_123);
  const at = (precision: number) => type("timestamp", { precision, mode: "epochNanos" });
  assert.equal(moved(at(9), at(6), 1_700_000_000_123_456_789n), 1_700_000_000_123_456_000n);
  assert.equal(moved(at(9), at(9), 1_700_000_000_123_456_789n), 1_700_000_000_123_456_789n);
  assert.equal(moved(at(9), at(9), -1n), -1n);
  assert.equal(moved(at(3), at(0), 1_700_000_000_999_000_000n), 1_700_000_000_000_000_000n);
  // Seconds are cut towards 1970.
  assert.equal(moved(at(3), at(0), -1_500_000_000n), -1_000_000_000n);
  const binary = (length: number) => type("binary", { length });
  assert.deepEqual(moved(binary(5), binary(3), Uint8Array.of(1, 2, 3, 4, 5)), Uint8Array.of(1, 2, 3));
  assert.throws(() => moved(binary(2), binary(3), Uint8Array.of(1, 2)), { code: -1, message: /Not enough space/ });
});

test("decimals beyond their precision are refused", () => {
  const decimal = (precision: number) => type("decimal", { precision, scale: 2, mode: "unscaled" });
  const tooLarge = (digits: number, precision: number) => ({
    code: -1,
    message: `BigDecimal precision cannot be greater than that in the Arrow vector: ${digits} > ${precision}`,
  });
  assert.equal(moved(decimal(9), decimal(5), 99_999n), 99_999n);
  assert.throws(() => moved(decimal(9), decimal(5), 99_999_999n), tooLarge(8, 5));
  assert.throws(() => moved(decimal(9), decimal(5), -100_000n), tooLarge(6, 5));
  assert.equal(moved(decimal(18), decimal(17), 10n ** 17n - 1n), 10n ** 17n - 1n);
  assert.throws(() => moved(decimal(18), decimal(17), 10n ** 17n), tooLarge(18, 17));
  assert.equal(moved(decimal(38), decimal(30), -(10n ** 30n) + 1n), -(10n ** 30n) + 1n);
  assert.throws(() => moved(decimal(38), decimal(30), 10n ** 30n), tooLarge(31, 30));
});

test("CHARs of indexed rows keep their padding in Arrow logs", () => {
  const of = columns(type("char", { length: 3 }));
  const bytes = encodeRow(of, "indexed", { c0: "a" });
  const builder = changeLogBuilder(tableOf([of], { "table.kv.format": "INDEXED" }));
  builder.append(CHANGE_INSERT, 1, bytes, 0, bytes.length);
  const batch = builder.finish(-1n, -1);
  assert.deepEqual([...decode(batch, of, "arrow").columns.rows()], [{ c0: "a\0\0" }]);
  assert.deepEqual([...decode(batch, of, "arrow", true).columns.rows()], [{ c0: "a" }]);
});

test("rows that are none are refused", () => {
  const of = [column(0, "id", notNull(type("int"))), column(1, "name", notNull(type("string")))];
  for (const format of ["ARROW", "COMPACTED"]) {
    const builder = changeLogBuilder(tableOf([of], { "table.log.format": format }));
    assert.throws(() => builder.append(CHANGE_INSERT, 1, new Uint8Array(0), 0, 0), { code: -1 });
    assert.throws(() => builder.append(CHANGE_INSERT, 9, new Uint8Array(9), 0, 9), { code: -1 });
    // The length of the name is more than what is left.
    assert.throws(() => builder.append(CHANGE_INSERT, 1, Uint8Array.of(0, 5, 7, 65), 0, 4), { code: -1 });
    assert.throws(
      () => builder.append(CHANGE_INSERT, 1, Uint8Array.of(2, 5), 0, 2),
      { code: -1 },
      "a null that is none",
    );
  }
  for (const format of ["ARROW", "COMPACTED"] as const) {
    const builder = changeLogBuilder(tableOf([of], { "table.log.format": format }));
    // Null bits of NOT NULL columns mean nothing, and neither does what is behind the last value.
    builder.append(CHANGE_INSERT, 1, Uint8Array.of(3, 5, 1, 65, 99, 99), 0, 6);
    const { columns } = decode(builder.finish(-1n, -1), of, format.toLowerCase() as LogFormat);
    assert.deepEqual([...columns.rows()], [{ id: 5, name: "A" }]);
  }
  const indexed = changeLogBuilder(tableOf([of], { "table.kv.format": "INDEXED", "table.log.format": "INDEXED" }));
  const bytes = encodeRow(of, "indexed", { id: 1, name: "a" });
  assert.throws(() => indexed.append(CHANGE_INSERT, 1, bytes, 0, bytes.length), {
    code: -1,
    message: "IndexWalBuilder requires the log row to be IndexedRow.",
  });
});
