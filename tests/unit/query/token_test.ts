import assert from "node:assert/strict";
import { test } from "node:test";
import { FlussError } from "../../../src/base/errors.ts";
import type { BoundTable } from "../../../src/client/table/bound_table.ts";
import {
  checkToken,
  FROM_EARLIEST,
  FROM_SNAPSHOT,
  readToken,
  type TokenPosition,
  type TokenTable,
  writeToken,
} from "../../../src/query/token.ts";
import { long, random } from "../../random.ts";

const isBad = (error: unknown) => FlussError.is(error, "SUBSCRIPTION.BAD_TOKEN");

/** As a token reads back: in order, every field told. */
function normal(tables: readonly TokenTable[]): unknown {
  return tables.map(({ table, tableId, schemaId, only, positions }) => ({
    table,
    tableId,
    schemaId,
    only: only === true,
    positions: positions.map(({ partition, partitionId, bucket, offset }) => ({
      partition,
      partitionId: partition === undefined ? undefined : partitionId,
      bucket,
      offset,
    })).sort((a, b) =>
      (a.partition ?? "") < (b.partition ?? "") ? -1 : a.partition === b.partition ? a.bucket - b.bucket : 1
    ),
  }));
}

test("tokens read back as they were written, for any tables", () => {
  const below = (n: number) => random.int(n);
  const next = () => random.bits() / 2 ** 32;
  for (let round = 0; round < (long ? 5000 : 300); round++) {
    const tables: TokenTable[] = Array.from({ length: below(4) }, (_, i) => {
      const partitioned = next() < 0.5;
      const positions: TokenPosition[] = [];
      for (let p = 0; p < (partitioned ? below(5) : 1); p++) {
        for (let bucket = 0; bucket < below(40); bucket++) {
          if (next() < 0.2) continue;
          const bits = BigInt(below(63));
          const offset = next() < 0.1
            ? (next() < 0.5 ? FROM_EARLIEST : FROM_SNAPSHOT)
            : BigInt(Math.floor(next() * 2 ** 53)) << 10n & (1n << bits) - 1n;
          positions.push({
            partition: partitioned ? `day=${p}ä` : undefined,
            partitionId: partitioned ? (p === 1 ? undefined : BigInt(p)) : undefined,
            bucket,
            offset,
          });
        }
      }
      positions.sort(() => next() - 0.5);
      return {
        table: `db.table_${i}`,
        tableId: BigInt(below(1 << 30)),
        schemaId: below(100),
        only: next() < 0.5,
        positions,
      };
    });
    const token = writeToken(tables);
    assert.match(token, /^[\w-]+$/);
    assert.deepEqual(normal(readToken(token)), normal(tables));
    assert.equal(writeToken(readToken(token)), token, "the order of positions shows");
  }
});

test("a token of many buckets is a few bytes for each", () => {
  const positions = Array.from({ length: 1000 }, (_, bucket) => ({
    bucket,
    offset: 10n ** 12n + BigInt(bucket * 7919 % 10_000),
  }));
  const token = writeToken([{ table: "shop.orders", tableId: 42n, schemaId: 1, positions }]);
  assert.ok(token.length < 1000 * 4, `${token.length} characters`);
});

test("a token that was cut, changed or made up is refused, whatever was done to it", () => {
  const token = writeToken([
    {
      table: "shop.orders",
      tableId: 42n,
      schemaId: 1,
      positions: [{ bucket: 0, offset: 5n }, { bucket: 1, offset: 9n }],
    },
    {
      table: "shop.days",
      tableId: 43n,
      schemaId: 2,
      positions: [{ partition: "d", partitionId: 7n, bucket: 0, offset: 1n }],
    },
  ]);
  for (let end = 0; end < token.length; end++) assert.throws(() => readToken(token.slice(0, end)), isBad);
  for (let at = 0; at < token.length; at++) {
    for (const char of ["A", "_", "9", " ", "=", "ä"]) {
      if (token[at] === char) continue;
      assert.throws(() => readToken(token.slice(0, at) + char + token.slice(at + 1)), isBad);
    }
  }
  for (const made of ["", "earliest", `${token}A`, `${token}${token}`, undefined, null, 7, {}]) {
    assert.throws(() => readToken(made as string), isBad);
  }
});

test("random bytes with a good checksum are read or refused, and claims of counts cost nothing", async () => {
  const { crc32c } = await import("../../../src/format/crc32c.ts");
  const forge = (body: number[]) => {
    const bytes = new Uint8Array([...body, 0, 0, 0, 0]);
    new DataView(bytes.buffer).setUint32(body.length, crc32c(bytes, 0, body.length));
    return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  };
  for (let round = 0; round < (long ? 200_000 : 5000); round++) {
    const token = forge([1, ...random.bytes(random.int(40))]);
    try {
      readToken(token);
    } catch (error) {
      assert.ok(isBad(error), String(error));
    }
  }
  assert.throws(() => readToken(forge([2, 0])), /version 2/);
  assert.throws(() => readToken(forge([1, 0xff, 0xff, 0xff, 0xff, 0x7f])), /claims 34359738367 tables/);
});

test("a token of another table, or of the same name made anew, is a mismatch", () => {
  const bound = { target: { name: "shop.orders", tableId: 42n } } as BoundTable;
  const token = (table: string, tableId: bigint): TokenTable => ({ table, tableId, schemaId: 1, positions: [] });
  checkToken(token("shop.orders", 42n), bound);
  for (const other of [token("shop.clicks", 42n), token("shop.orders", 41n)]) {
    assert.throws(() => checkToken(other, bound), (error) => FlussError.is(error, "SUBSCRIPTION.TOKEN_MISMATCH"));
  }
});
