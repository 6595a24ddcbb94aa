// Servers say how far behind their storage is, and refuse what they cannot take. The launcher gives this one buffers of
// 64 KB, so that both happen at once.
import assert from "node:assert/strict";
import { test } from "node:test";
import { t, table } from "../../mod.ts";
import { API } from "../../src/client/rpc/api.ts";
import { PutKvResponseSchema } from "../../src/client/rpc/gen/fluss/v1/write_pb.ts";
import { readMessage } from "../../src/client/rpc/required.ts";
import { needsNext, targetNext } from "../cluster.ts";
import { withDatabase } from "../conformance/target.ts";
import { Relay } from "../relay.ts";

const STORAGE_BACKPRESSURE = 72;
const OUT_OF_ORDER = 31;

test(
  "rows that a server under pressure refuses are sent again until all are there, each as it was written last",
  needsNext,
  async () => {
    let refused = 0;
    let highest = 0;
    await using relay = new Relay((apiKey, body) => {
      if (apiKey !== API.PUT_KV.key) return;
      for (const { errorCode, pressure } of readMessage(PutKvResponseSchema, body).bucketsResp) {
        if (errorCode === STORAGE_BACKPRESSURE) refused++;
        // Batches that were under way behind a refused one come before their turn.
        else assert.ok(errorCode === 0 || errorCode === OUT_OF_ORDER, `a put was refused with ${errorCode}`);
        highest = Math.max(highest, pressure);
      }
    });
    const options = {
      resolveAddress: relay.resolveAddress,
      writer: { batchBytes: 256 << 10, maxBytes: 8 << 20, deliveryTimeoutMs: 60_000 },
    };
    await withDatabase(
      async (db) => {
        const blobs = table("blobs", { id: t.int(), version: t.int(), data: t.bytes() }, {
          primaryKey: ["id"],
          buckets: 1,
        });
        await db.admin.create(blobs);
        const handle = db.table(blobs);
        const data = new Uint8Array(2_000).fill(7);
        const rows = 1_000;
        const versions = 2;
        await handle.upsertAll((function* () {
          for (let version = 0; version < versions; version++) {
            for (let id = 0; id < rows; id++) yield { id, version, data };
          }
        })());
        assert.ok(refused > 0, "the server refused nothing");
        assert.ok(highest > 0 && highest < 1, `the highest pressure was ${highest}`);
        console.log(`${refused} refusals, pressure up to ${highest.toFixed(2)}`);
        const seen = new Set<number>();
        for await (const row of handle.scan().select("id", "version")) {
          assert.equal(row.version, versions - 1);
          seen.add(row.id);
        }
        assert.equal(seen.size, rows);
      },
      options,
      targetNext,
    );
  },
);
