import assert from "node:assert/strict";
import { test } from "node:test";
import { changeLogBuilder } from "../../../../src/embedded/log/change_log.ts";
import { compileProjector } from "../../../../src/embedded/log/projection.ts";
import { logBatchAt, STATISTICS_HEADER_BYTES } from "../../../../src/format/log_batch.ts";
import { compileLogBuilder } from "../../../../src/format/log_builder.ts";
import { CHANGE_DELETE, CHANGE_INSERT, compileLogDecoder } from "../../../../src/format/log_decoder.ts";
import type { SchemaColumn } from "../../../../src/schema/data_type.ts";
import type { LiveSchema } from "../../../../src/schema/descriptor.ts";
import { columns, encodeRow, hex, notNull, type, unhex } from "../../format/columns.ts";
import { PROJECTIONS } from "../../format/projection_vectors.ts";
import { comparable, Random, randomColumns, randomRow, rounds, SEED } from "../../format/random.ts";
import { tableOf } from "./engine.ts";

function schemaOf(of: readonly SchemaColumn[]): LiveSchema {
  return { schemaId: 1, columns: of, primaryKey: [] };
}

function project(of: readonly SchemaColumn[], positions: readonly number[], batch: Uint8Array): Uint8Array {
  const projected = compileProjector(schemaOf(of), positions)(batch);
  // Somewhere within a larger buffer, as in an answer.
  const out = new Uint8Array(projected.size + 20).fill(0xee);
  projected.writeTo(out, 7);
  assert.ok(out.subarray(0, 7).every((byte) => byte === 0xee));
  assert.ok(out.subarray(7 + projected.size).every((byte) => byte === 0xee));
  return out.slice(7, 7 + projected.size);
}

const ABC = columns(notNull(type("int")), type("string"), type("bigint"));

test("projected batches have the bytes that servers send", () => {
  const { none, none02, none1, zstd, zstd2 } = PROJECTIONS;
  assert.equal(hex(project(ABC, [0, 2], unhex(none))), none02);
  assert.equal(hex(project(ABC, [1], unhex(none))), none1);
  assert.equal(hex(project(ABC, [2], unhex(zstd))), zstd2);
});

test("projections that make no sense are refused", () => {
  const refused = (positions: readonly number[], message: string): void => {
    assert.throws(() => compileProjector(schemaOf(ABC), positions), { code: 34, message });
  };
  refused([2, 0], "The projection indexes should be in field order, but is [2, 0]");
  refused([0, 0], "The projection indexes should not contain duplicated fields, but is [0, 0]");
  refused([9], "Projected fields [9] is out of bound for schema with 3 fields.");
  refused([0, 3], "Projected fields [0, 3] is out of bound for schema with 3 fields.");
  assert.throws(() => project(ABC, [], unhex(PROJECTIONS.none)), { code: -1, message: "Invalid metadata length" });
});

test("batches without records stay as they are", () => {
  const table = tableOf([ABC]);
  const batch = changeLogBuilder(table).finish(1n, 2);
  assert.equal(compileProjector(schemaOf(ABC), [1])(batch).empty, true);
  assert.equal(hex(project(ABC, [1], batch)), hex(batch));
});

test(`any columns of any batch (seed ${SEED})`, () => {
  const random = new Random(SEED);
  for (let round = 0; round < rounds(60, 2000); round++) {
    const of = randomColumns(random, random.int(1, 12));
    const rows = Array.from({ length: random.int(1, 40) }, () => randomRow(random, of));
    const codec = random.pick(["none", "lz4", "zstd"] as const);
    let batch: Uint8Array;
    const changes = random.chance(0.5) ? rows.map(() => random.pick([CHANGE_INSERT, CHANGE_DELETE])) : undefined;
    const statistics = random.chance(0.5) ? of.flatMap(({ type }, i) => type.kind === "int" ? [i] : []) : [];
    if (changes === undefined) {
      const builder = compileLogBuilder(of, { format: "arrow", compression: { type: codec }, statistics })(1);
      for (const row of rows) builder.append(row);
      batch = builder.finish(5n, 6);
    } else {
      const option = codec === "lz4" ? "LZ4_FRAME" : codec.toUpperCase();
      const builder = changeLogBuilder(tableOf([of], { "table.log.arrow.compression.type": option }));
      rows.forEach((row, i) => {
        const bytes = encodeRow(of, "compacted", row);
        builder.append(changes[i]!, 1, bytes, 0, bytes.length);
      });
      batch = builder.finish(5n, 6);
    }
    const positions = of.map((_, i) => i).filter(() => random.chance(0.5));
    if (positions.length === 0) positions.push(random.int(0, of.length - 1));
    const projected = project(of, positions, batch);
    const header = logBatchAt(projected, 0)!;
    assert.deepEqual([header.end, header.writerId, header.sequence], [projected.length, 5n, 6]);
    if (header.magic === 1) assert.equal(header.recordsStart, STATISTICS_HEADER_BYTES);
    const sent = positions.map((position) => of[position]!);
    const read = compileLogDecoder({ format: "arrow", sent, wanted: sent })(header);
    assert.deepEqual(read.changeTypes === undefined ? undefined : [...read.changeTypes], changes);
    assert.deepEqual(
      [...read.columns.rows()].map(comparable),
      rows.map((row) => comparable(Object.fromEntries(sent.map(({ key }) => [key, row[key]])))),
      `seed ${SEED}, round ${round}`,
    );
  }
});

test("payloads that nobody checked fail instead of being sent", () => {
  const builder = compileLogBuilder(ABC, { format: "arrow", compression: { type: "none" } })(1);
  builder.append({ c0: 1, c1: "a", c2: 2n });
  const batch = builder.finish(-1n, -1);
  const other = columns(type("int"));
  assert.throws(() => project(other, [0], batch), { code: "CODEC.CORRUPT_BATCH" });
  const random = new Random(SEED + 1);
  for (let round = 0; round < rounds(300, 20_000); round++) {
    const damaged = batch.slice();
    damaged[random.int(48, damaged.length - 1)] = random.int(0, 255);
    try {
      assert.ok(project(ABC, [1], damaged).length <= 2 * batch.length);
    } catch (error) {
      assert.equal((error as { code?: unknown }).code, "CODEC.CORRUPT_BATCH", `seed ${SEED}, round ${round}`);
    }
  }
});
