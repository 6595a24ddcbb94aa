import assert from "node:assert/strict";
import { test } from "node:test";
import { ColumnError } from "../../../src/base/column_error.ts";
import { FlussError } from "../../../src/base/errors.ts";
import { compileValueReader } from "../../../src/format/row_codec.ts";
import { forEachValue, schemaIdOf } from "../../../src/format/value_batch.ts";
import { columns, encodeRow, FORMATS, notNull, type, unhex } from "./columns.ts";
import { Random, randomColumns, randomRow, rounds, SEED } from "./random.ts";

/** Bytes may be read as something else, but only our own errors may come out. */
function readsOrRefuses(read: () => unknown, where: string): void {
  try {
    read();
  } catch (error) {
    const refused = error instanceof ColumnError || FlussError.is(error, "CODEC.CORRUPT_BATCH");
    if (!refused) throw new Error(`${where}: ${String(error)}`, { cause: error });
  }
}

for (const format of FORMATS) {
  test(`cut and damaged ${format} rows are read or refused (seed ${SEED})`, () => {
    const random = new Random(SEED + 3);
    for (let round = 0; round < rounds(40, 1500); round++) {
      const of = randomColumns(random, random.int(1, 10));
      const bytes = encodeRow(of, format, randomRow(random, of));
      const read = compileValueReader(of, of, format);
      const readLast = compileValueReader(of, [of[of.length - 1]!], format);
      for (let i = 0; i < 20; i++) {
        const damaged = bytes.slice();
        for (let left = random.int(1, 3); left > 0; left--) {
          damaged[random.int(0, damaged.length - 1)] = random.pick([0, 1, 127, 128, 255, random.int(0, 255)]);
        }
        const end = random.chance(0.3) ? random.int(0, damaged.length) : damaged.length;
        const where = `seed ${SEED}, round ${round}`;
        readsOrRefuses(() => read(damaged, 0, end), where);
        readsOrRefuses(() => readLast(damaged, 0, end), where);
      }
      const noise = random.bytes(random.int(0, 100));
      readsOrRefuses(() => read(noise, 0, noise.length), `seed ${SEED}, round ${round}, noise`);
    }
  });

  test(`${format} rows cut at every byte are refused`, () => {
    const of = columns(
      notNull(type("bigint")),
      type("string"),
      type("decimal", { precision: 30, scale: 2 }),
      type("timestamp", { precision: 6, mode: "string" }),
      type("map", { key: notNull(type("int")), value: type("array", { element: type("string") }) }),
      notNull(type("double")),
    );
    const bytes = encodeRow(of, format, {
      c0: 300n,
      c1: "long enough to lie outside",
      c2: "12345678901234567890.12",
      c3: "2026-11-23T12:30:00.123456",
      c4: new Map([[1, ["a long string that is not inline", null]], [2, []]]),
      c5: 1.5,
    });
    const read = compileValueReader(of, of, format);
    read(bytes, 0, bytes.length);
    for (let end = 0; end < bytes.length; end++) {
      // The padding at the end of an aligned row carries nothing.
      if (format === "aligned" && bytes.subarray(end).every((byte) => byte === 0) && bytes.length - end < 8) continue;
      assert.throws(() => read(bytes, 0, end), { code: "CODEC.CORRUPT_BATCH" }, `cut at ${end}`);
      assert.throws(() => read(bytes.slice(0, end), 0, bytes.length), { code: "CODEC.CORRUPT_BATCH" }, `cut at ${end}`);
    }
  });
}

const INTS = columns(type("array", { element: notNull(type("int")) }));
const TEXTS = columns(type("array", { element: type("string") }));

for (
  const [name, of, bytes] of [
    ["a varint of six bytes", columns(notNull(type("int"))), "00ffffffffff01"],
    ["a varint of eleven bytes", columns(notNull(type("bigint"))), "00ffffffffffffffffffff01"],
    ["a string of 2 GB", columns(type("string")), "00ffffffff07"],
    ["a string of negative length", columns(type("string")), "00ffffffff0f"],
    ["a string that is not UTF-8", columns(type("string")), "0002c328"],
    ["a surrogate in UTF-8", columns(type("string")), "0003eda080"],
    ["an array of 2 billion elements", INTS, "0008ffffff7f00000000"],
    ["an array of -1 elements", INTS, "0008ffffffff00000000"],
    ["an array of two bytes", INTS, "00020000"],
    [
      "a map of keys beyond its end",
      columns(type("map", { key: notNull(type("int")), value: type("int") })),
      "0008ff0000000000ff00",
    ],
    [
      "a map of more keys than values",
      columns(type("map", { key: notNull(type("int")), value: type("int") })),
      "00181000000001000000000000000500000000000000" + "0000000000",
    ],
    ["an element outside of its array", TEXTS, "0010" + "0100000000000000" + "0800000010000000"],
    ["an element before its array", TEXTS, "0018" + "0100000000000000" + "08000000f8ffffff" + "6161616161616161"],
    ["an inline element of 9 bytes", TEXTS, "0010" + "0100000000000000" + "6161616161616189"],
    ["a decimal of 17 bytes", columns(type("decimal", { precision: 30, scale: 0 })), "0011" + "01".repeat(17)],
    ["a decimal of no bytes", columns(type("decimal", { precision: 30, scale: 0 })), "0000"],
    ["a million nanoseconds", columns(type("timestamp", { precision: 9, mode: "string" })), "0000c0843d"],
  ] as const
) {
  test(`${name} is refused`, () => {
    const value = unhex(bytes);
    assert.throws(() => compileValueReader(of, of, "compacted")(value, 0, value.length), {
      code: "CODEC.CORRUPT_BATCH",
    });
  });
}

test("elements that share their bytes cannot unfold to more than there is", () => {
  const count = 2000;
  const header = 4 + Math.ceil(count / 32) * 4;
  const size = header + count * 8 + 100_000;
  const array = new Uint8Array(size);
  const view = new DataView(array.buffer);
  view.setInt32(0, count, true);
  for (let i = 0; i < count; i++) {
    view.setInt32(header + i * 8, 100_000, true);
    view.setInt32(header + i * 8 + 4, header + count * 8, true);
  }
  const row = new Uint8Array(1 + 5 + size);
  // The varint length of the array, stretched to five bytes.
  row.set([
    0,
    (size & 127) | 128,
    ((size >> 7) & 127) | 128,
    ((size >> 14) & 127) | 128,
    ((size >> 21) & 127) | 128,
    0,
  ]);
  row.set(array, 6);
  assert.throws(() => compileValueReader(TEXTS, TEXTS, "compacted")(row, 0, row.length), {
    code: "CODEC.CORRUPT_BATCH",
  });
});

test(`damaged value batches are read or refused (seed ${SEED})`, () => {
  const random = new Random(SEED + 4);
  const bytes = unhex("1900000000020000000600000001000001016106000000020000010161");
  const visit = (batch: Uint8Array) => () =>
    forEachValue(batch, (_schemaId, start, end) => assert.ok(start <= end && end <= batch.length));
  for (let end = 1; end < bytes.length; end++) {
    assert.throws(visit(bytes.slice(0, end)), { code: "CODEC.CORRUPT_BATCH" }, `cut at ${end}`);
  }
  for (let round = 0; round < rounds(2000, 50_000); round++) {
    const damaged = bytes.slice();
    damaged[random.int(0, bytes.length - 1)] = random.pick([0, 1, 127, 128, 255]);
    readsOrRefuses(visit(damaged), `seed ${SEED}, round ${round}`);
  }
});

test("a varint does not read on into the bytes of the next value", () => {
  for (const wanted of [type("int"), type("bigint"), type("bigint", { mode: "number" })]) {
    const read = compileValueReader(columns(notNull(wanted)), columns(notNull(wanted)), "compacted");
    for (const bytes of ["008001", "00808080808001"]) {
      const value = unhex(bytes);
      if (wanted.kind === "bigint" || bytes.length === 6) read(value, 0, value.length);
      assert.throws(() => read(value, 0, value.length - 1), { code: "CODEC.CORRUPT_BATCH" }, `${wanted.kind} ${bytes}`);
    }
  }
});

test("a value batch with bytes after its last value is refused", () => {
  const bytes = unhex("1900000000010000000600000001000001016106000000020000010161");
  assert.throws(() => forEachValue(bytes, () => {}), { code: "CODEC.CORRUPT_BATCH" });
});

test("values without a schema id are refused", () => {
  assert.throws(() => schemaIdOf(new Uint8Array(1)), { code: "CODEC.CORRUPT_BATCH" });
  assert.throws(() => forEachValue(unhex("050000000100000000"), () => {}), { code: "CODEC.CORRUPT_BATCH" });
  assert.throws(() => forEachValue(unhex("0500000000ffffffff"), () => {}), { code: "CODEC.CORRUPT_BATCH" });
  assert.throws(() => forEachValue(unhex("05000000000100000000"), () => {}), { code: "CODEC.CORRUPT_BATCH" });
});
