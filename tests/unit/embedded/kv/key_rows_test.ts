import assert from "node:assert/strict";
import { test } from "node:test";
import { tableRows } from "../../../../src/embedded/kv/table_rows.ts";
import { ByteWriter } from "../../../../src/format/byte_writer.ts";
import { compileKeyWriter, type KeyEncoding } from "../../../../src/format/key_encoder.ts";
import { compileRowWriter } from "../../../../src/format/row_codec.ts";
import type { DataType, SchemaColumn } from "../../../../src/schema/data_type.ts";
import { dataTypeToJson } from "../../../../src/schema/data_type_json.ts";
import { hex } from "../../format/columns.ts";
import { Random, randomRow, randomScalar, rounds, SEED } from "../../format/random.ts";
import { FakeEngine } from "../fake_catalog.ts";

const INT: DataType = { kind: "int", nullable: true };

/** Types that Iceberg's keys do not have, or not all of: they count microseconds. */
function hasIcebergKey(type: DataType): boolean {
  if (type.kind === "timestamp") return type.precision <= 6;
  return !["boolean", "tinyint", "smallint", "timestampLtz"].includes(type.kind);
}

/** The row of a key alone, made of the key and of the values. */
function both(
  keys: readonly SchemaColumn[],
  row: Record<string, unknown>,
  encoding: KeyEncoding,
  format: "compacted" | "indexed",
) {
  // The key's columns stand last and in another order: places in row and key differ.
  const columns = [
    { id: 0, key: "first", name: "first", type: INT },
    ...[...keys].reverse().map((column, i) => ({ ...column, id: i + 1 })),
    { id: keys.length + 1, key: "last", name: "last", type: INT },
  ];
  using fake = new FakeEngine();
  const table = fake.setTable(1, {
    version: 1,
    schema: {
      version: 1,
      columns: columns.map(({ id, name, type }) => ({ id, name, data_type: dataTypeToJson(type, () => 0) })),
      primary_key: keys.map(({ name }) => name),
      highest_field_id: columns.length - 1,
    },
    partition_key: [],
    bucket_key: keys.map(({ name }) => name),
    bucket_count: 1,
    properties: {
      "table.kv.format": format,
      "table.kv.format-version": "2",
      ...(encoding === "compacted" ? {} : { "table.datalake.format": encoding }),
    },
    custom_properties: {},
  });
  const key = new ByteWriter(64);
  compileKeyWriter(keys, encoding)(key, row);
  const { bytes, start, end, schemaId } = tableRows(table).keyRow(key.toBytes());
  assert.equal(schemaId, 1);
  const written = new ByteWriter(64);
  compileRowWriter(columns, format, keys.map(({ name }) => columns.findIndex((column) => column.name === name)))(
    written,
    row,
  );
  return { made: hex(bytes.subarray(start, end)), written: hex(written.toBytes()) };
}

for (const encoding of ["compacted", "paimon", "iceberg"] as const) {
  for (const format of ["compacted", "indexed"] as const) {
    test(`rows in ${format} form of keys in ${encoding} form (seed ${SEED})`, () => {
      const random = new Random(SEED);
      for (let round = 0; round < rounds(200, 3000); round++) {
        const keys = Array.from({ length: encoding === "iceberg" ? 1 : random.int(1, 4) }, (_, i): SchemaColumn => {
          let type = randomScalar(random, false);
          while (encoding === "iceberg" && !hasIcebergKey(type)) type = randomScalar(random, false);
          return { id: i, key: `k${i}`, name: `k${i}`, type };
        });
        const row = randomRow(random, keys);
        let found;
        try {
          found = both(keys, row, encoding, format);
        } catch (error) {
          // CHAR and BINARY have less room in indexed rows than in keys.
          if (/fit|OUT_OF_RANGE/.test(String(error))) continue;
          throw error;
        }
        assert.equal(found.made, found.written, JSON.stringify(keys));
      }
    });
  }
}
