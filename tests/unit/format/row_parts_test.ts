import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteWriter } from "../../../src/format/byte_writer.ts";
import { compileKeyWriter } from "../../../src/format/key_encoder.ts";
import { compileKeyParts, compileRowParts, type RowParts, type StoredFormat } from "../../../src/format/row_parts.ts";
import { column, columns, encodeRow, hex, type } from "./columns.ts";
import { Random, randomColumns, randomRow, randomScalar, rounds, SEED } from "./random.ts";

const FORMATS: readonly StoredFormat[] = ["compacted", "indexed"];

function put(parts: RowParts, bytes: Uint8Array, spans: Int32Array): Uint8Array {
  const out = new ByteWriter(16);
  out.position = 2;
  const row = parts.begin(out);
  for (let i = 0; i < parts.count; i++) {
    if (spans[2 * i]! < 0) parts.putNull(out, row, i);
    else parts.put(out, i, bytes, spans[2 * i]!, spans[2 * i + 1]!);
  }
  return out.bytes.slice(2, out.position);
}

for (const format of FORMATS) {
  test(`${format}: a row put together of its parts is the row (seed ${SEED})`, () => {
    const random = new Random(SEED);
    for (let round = 0; round < rounds(300, 5000); round++) {
      const schema = randomColumns(random, random.int(1, 20));
      const parts = compileRowParts(schema, format);
      const row = randomRow(random, schema);
      let bytes: Uint8Array;
      try {
        bytes = encodeRow(schema, format, row);
      } catch (error) {
        // CHAR and BINARY have less room in indexed rows.
        if ((error as { code?: string }).code === "CODEC.OUT_OF_RANGE") continue;
        throw error;
      }
      const padded = Uint8Array.from([9, 9, 9, ...bytes, 7]);
      const spans = new Int32Array(2 * schema.length);
      parts.locate(padded, 3, 3 + bytes.length, spans);
      schema.forEach(({ key }, i) => {
        assert.equal(spans[2 * i]! < 0, row[key] === null);
        assert.equal(parts.isNull(padded, 3, i), row[key] === null);
      });
      assert.equal(hex(put(parts, padded, spans)), hex(bytes));
      for (let cut = random.int(1, 9), end = bytes.length - 1; end >= 0; end -= cut) {
        assert.throws(() => parts.locate(bytes.slice(0, end), 0, end, spans), { code: "CODEC.CORRUPT_BATCH" });
      }
    }
  });

  test(`${format}: lengths that are nonsense are refused`, () => {
    const parts = compileRowParts(columns(type("string")), format);
    const spans = new Int32Array(2);
    const rows = format === "compacted"
      ? [[0, 255, 255, 255, 255, 15], [0, 200], [0, 5, 1], [0, 128, 128, 128, 128, 128, 128]]
      : [[0, 255, 255, 255, 255], [0, 9, 0, 0, 0, 1], [0, 1, 0]];
    for (const row of rows) {
      assert.throws(() => parts.locate(Uint8Array.from(row), 0, row.length, spans), { code: "CODEC.CORRUPT_BATCH" });
    }
  });
}

test(`the parts of a key are those of its columns (seed ${SEED})`, () => {
  const random = new Random(SEED);
  for (let round = 0; round < rounds(300, 5000); round++) {
    const schema = Array.from({ length: random.int(1, 5) }, (_, i) => column(i, `k${i}`, randomScalar(random, false)));
    const row = randomRow(random, schema);
    const key = (of: typeof schema) => {
      const out = new ByteWriter(16);
      compileKeyWriter(of, "compacted")(out, row);
      return out.toBytes();
    };
    const bytes = key(schema);
    const spans = new Int32Array(2 * schema.length);
    compileKeyParts(schema).locate(bytes, 0, bytes.length, spans);
    schema.forEach((_, i) => assert.equal(spans[2 * i + 1], key(schema.slice(0, i + 1)).length));
  }
});
