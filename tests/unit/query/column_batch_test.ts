import assert from "node:assert/strict";
import { test } from "node:test";
import { tableFromIPC } from "apache-arrow";
import { FlussError } from "../../../src/base/errors.ts";
import { arrowColumns } from "../../../src/format/arrow/arrow_column.ts";
import { compileColumnsBuilder } from "../../../src/format/arrow/builder.ts";
import type { Columns } from "../../../src/format/columns.ts";
import { compileFirstColumns } from "../../../src/format/pick_columns.ts";
import { rowColumns } from "../../../src/format/row_columns.ts";
import { columnsOf, RuntimeColumnBatch } from "../../../src/query/column_batch.ts";
import type { SchemaColumn } from "../../../src/schema/data_type.ts";
import { columns, notNull, type } from "../format/columns.ts";

function batchOf(given: Columns, more: Partial<ConstructorParameters<typeof RuntimeColumnBatch>[0]> = {}) {
  const place = { table: "a.b", bucket: 3, partition: undefined, firstOffset: 7n, checkpoint: undefined };
  return new RuntimeColumnBatch({ columns: given, ...place, ...more });
}

function asArrow(schema: readonly SchemaColumn[], rows: readonly Record<string, unknown>[]): Columns {
  const builder = compileColumnsBuilder(schema)();
  for (const row of rows) builder.append(row);
  return arrowColumns(schema, builder.raw(), rows.length);
}

const schema = columns(notNull(type("int")), type("string"), type("bigint"));
const rows = [{ c0: 1, c1: "a", c2: null }, { c0: 2, c1: null, c2: 5n }];

test("a batch has rows and columns, from buffers and from rows", () => {
  for (const given of [asArrow(schema, rows), rowColumns(schema, rows)]) {
    const batch = batchOf(given);
    assert.deepEqual([...batch], rows);
    assert.deepEqual([...batch], rows);
    assert.deepEqual([batch.length, batch.keys, batch.firstOffset], [2, ["c0", "c1", "c2"], 7n]);
    const names = batch.column("c1");
    assert.deepEqual([...names], ["a", null]);
    assert.deepEqual([names.get(0), names.isNull(1), names.nullCount, names.length], ["a", true, 1, 2]);
    assert.equal(columnsOf(batch), given);
    assert.deepEqual(tableFromIPC(batch.toIPC()).toArray().map((row) => ({ ...row })), rows);
  }
  assert.deepEqual(batchOf(asArrow(schema, rows)).column("c0").values, Int32Array.of(1, 2));
  assert.equal(columnsOf({ length: 1 }), undefined);
});

test("the first columns of a batch, none included", () => {
  for (const given of [asArrow(schema, rows), rowColumns(schema, rows)]) {
    assert.deepEqual([...compileFirstColumns(2)(given).rows()], [{ c0: 1, c1: "a" }, { c0: 2, c1: null }]);
    assert.deepEqual([...compileFirstColumns(0)(given).rows()], [{}, {}]);
    assert.equal(compileFirstColumns(3)(given), given);
  }
});

test("a stored value that cannot be shown is named with table, bucket and column", () => {
  const narrow = columns(type("bigint", { mode: "number" }));
  const given = arrowColumns(
    narrow,
    asArrow(columns(type("bigint")), [{ c0: 2n ** 60n }]).columns.map(({ raw }) => raw),
    1,
  );
  const batch = batchOf(given);
  const unsafe = (error: unknown) => {
    assert.ok(FlussError.is(error, "CODEC.UNSAFE_INTEGER"), String(error));
    assert.deepEqual([error.table, error.bucket, error.column], ["a.b", 3, "c0"]);
    return true;
  };
  assert.throws(() => [...batch], unsafe);
  assert.throws(() => batch.column("c0" as never).get(0), unsafe);
  assert.throws(() => batch.column("c0" as never).toArray(), unsafe);
});

test("checks of a declaration see what is read, where the connection says so", () => {
  const checks = (row: Readonly<Record<string, unknown>>) =>
    row["c0"] === 2 ? [{ message: "no twos", path: ["c0"] }] : undefined;
  const read = batchOf(asArrow(schema, rows), { checks })[Symbol.iterator]();
  assert.deepEqual(read.next().value, rows[0]);
  assert.throws(
    () => read.next(),
    (error) => FlussError.is(error, "VALIDATION.FAILED") && /no twos/.test(error.message),
  );
});

test("rows and columns that are not there are refused", () => {
  const batch = batchOf(asArrow(schema, rows));
  for (const row of [-1, 2, 0.5, NaN, "0"]) {
    assert.throws(
      () => batch.column("c0").get(row as number),
      (error) => FlussError.is(error, "SCAN.ROW_OUT_OF_RANGE"),
    );
    assert.throws(() => batch.column("c0").isNull(row as number), (error) => FlussError.is(error));
  }
  assert.throws(() => batch.column("toString"), (error) => FlussError.is(error, "SCAN.UNKNOWN_COLUMN"));
  assert.throws(() => batch.checkpoint, (error) => FlussError.is(error, "SCAN.NO_CHECKPOINT"));
});
