// The decision table of idempotent writing, from the public API down to what the server has in the end.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FlussError, t, table, type WriteReceipt } from "../../../../mod.ts";
import { API } from "../../../../src/client/rpc/api.ts";
import { type BucketAction, type BucketPut, type FakeCluster, withFakeCluster } from "../../../fake_cluster.ts";

const users = table("d.users", { id: t.int(), n: t.int() }, { primaryKey: ["id"] });

/** Writes `count` rows as batches of one row, all but the first pipelined behind each other. */
async function writeRows(
  count: number,
  onPut: (put: BucketPut) => BucketAction | undefined | void,
  options: { readonly waitForFirst?: boolean; prepare?: (cluster: FakeCluster) => void } = {},
): Promise<{ outcomes: (WriteReceipt | FlussError)[]; ids: number[]; sequences: string[]; cluster: FakeCluster }> {
  let result!: Awaited<ReturnType<typeof writeRows>>;
  // A batch is closed by its first row, so every row is a batch of its own.
  await withFakeCluster(
    1,
    { writer: { batchBytes: 128, lingerMs: 0, deliveryTimeoutMs: 5_000 } },
    async (cluster, db) => {
      const fake = cluster.create(users);
      const sequences: string[] = [];
      cluster.onPut = (put) => {
        sequences.push(`${put.writerId - 100n}:${put.sequence}`);
        return onPut(put);
      };
      options.prepare?.(cluster);
      const handle = db.table(users);
      await handle.lookup({ id: 0 });
      const acks = [];
      for (let id = 0; id < count; id++) {
        // 100 bytes of payload would do too; an update with another set of columns also closes a batch.
        acks.push(id % 2 === 0 ? handle.upsert({ id, n: id }) : handle.update({ id, n: id }));
        if (id === 0 && options.waitForFirst === true) await acks[0];
      }
      const outcomes = await Promise.all(acks.map((ack) => ack.catch((error) => error as FlussError)));
      const ids = fake.bucket(0).applied.map(({ row }) => row!.id as number);
      result = { outcomes, ids, sequences, cluster };
    },
  );
  return result;
}

const codes = (outcomes: (WriteReceipt | FlussError)[]) =>
  outcomes.map((outcome) => outcome instanceof Error ? (outcome as FlussError).code : Number(outcome.endOffset));

test("every batch has its own sequence, counted from 0 under one writer id", async () => {
  const { outcomes, sequences, ids } = await writeRows(4, () => {});
  assert.deepEqual(sequences, ["0:0", "0:1", "0:2", "0:3"]);
  assert.deepEqual(codes(outcomes), [1, 2, 3, 4]);
  assert.deepEqual(ids, [0, 1, 2, 3]);
});

for (const code of [3, 10, 11, 12, 14, 21, 25, 26, 28, 29, 44, 72]) {
  for (const applied of [false, true]) {
    test(`error ${code} ${applied ? "after" : "before"} the batch was applied is retried, once and in order`, async () => {
      const { outcomes, ids } = await writeRows(4, ({ nth }) => nth === 2 ? { code, applied } : undefined);
      assert.deepEqual(codes(outcomes), [1, 2, 3, 4]);
      assert.deepEqual(ids, [0, 1, 2, 3]);
    });
  }
}

test("DUPLICATE_SEQUENCE counts as written, at an unknown offset", async () => {
  const { outcomes, ids } = await writeRows(3, ({ nth }) => nth === 2 ? { code: 32, applied: true } : undefined);
  assert.deepEqual(codes(outcomes), [1, -1, 3]);
  assert.deepEqual(ids, [0, 1, 2]);
});

test("OUT_OF_ORDER behind a lost batch is retried", async () => {
  // The fake itself answers 31 to those behind the one that is refused.
  const { outcomes, ids, sequences } = await writeRows(
    5,
    ({ nth }) => nth === 2 ? { code: 26 } : undefined,
    { waitForFirst: true },
  );
  assert.deepEqual(codes(outcomes), [1, 2, 3, 4, 5]);
  assert.deepEqual(ids, [0, 1, 2, 3, 4]);
  assert.ok(sequences.every((text) => text.startsWith("0:")), sequences.join());
});

test("OUT_OF_ORDER for the next batch in line fails it, and writing goes on under a new writer id", async () => {
  const { outcomes, ids, sequences } = await writeRows(
    2,
    ({ nth }) => nth === 2 ? { code: 31 } : undefined,
    { waitForFirst: true },
  );
  assert.deepEqual(codes(outcomes), [1, "SERVER.OUT_OF_ORDER_SEQUENCE_EXCEPTION"]);
  assert.deepEqual(ids, [0]);
  assert.deepEqual(sequences, ["0:0", "0:1"]);
});

test("after a reset of the writer id, sequences begin at 0 and nothing overtakes", async () => {
  await withFakeCluster(1, { writer: { lingerMs: 0 } }, async (cluster, db) => {
    const fake = cluster.create(users);
    const seen: string[] = [];
    cluster.onPut = ({ nth, writerId, sequence }) => {
      seen.push(`${writerId - 100n}:${sequence}`);
      return nth === 2 ? { code: 33 } : undefined;
    };
    const handle = db.table(users);
    await handle.upsert({ id: 0 });
    await assert.rejects(
      Promise.resolve(handle.upsert({ id: 1 })),
      (error) => FlussError.is(error, "SERVER.UNKNOWN_WRITER_ID_EXCEPTION"),
    );
    assert.equal((await handle.upsert({ id: 2 })).endOffset, 2n);
    assert.equal((await handle.upsert({ id: 3 })).endOffset, 3n);
    assert.deepEqual(seen, ["0:0", "0:1", "1:0", "1:1"]);
    assert.deepEqual(fake.bucket(0).applied.map(({ row }) => row!.id), [0, 2, 3]);
  });
});

test("a reset of the writer id with nothing else to send leaves the event loop alone", async () => {
  await withFakeCluster(1, { writer: { lingerMs: 0 } }, async (cluster, db) => {
    cluster.create(users);
    cluster.onPut = ({ nth }) => nth === 2 ? { code: 33 } : undefined;
    const handle = db.table(users);
    await handle.upsert({ id: 0 });
    const ack = handle.upsert({ id: 1 });
    // Timers run only if microtasks come to an end.
    while (ack.state === "queued") await new Promise((resolve) => setTimeout(resolve, 1));
    await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(ack.state, "failed");
    assert.equal(cluster.count(API.INIT_WRITER), 1);
    await assert.rejects(db.flush(), (error) => FlussError.is(error, "WRITE.FAILED"));
    assert.equal((await handle.upsert({ id: 2 })).endOffset, 2n);
  });
});

test("a fatal error fails its batch alone; those behind it take its place in the sequence", async () => {
  const { outcomes, ids, sequences } = await writeRows(
    5,
    ({ nth }) => nth === 3 ? { code: 57, message: "no" } : undefined,
    { waitForFirst: true },
  );
  assert.deepEqual(codes(outcomes), [1, 2, "SERVER.DELETION_DISABLED_EXCEPTION", 3, 4]);
  assert.deepEqual(ids, [0, 1, 3, 4]);
  assert.ok(sequences.every((text) => text.startsWith("0:")), sequences.join());
});

test("when it is unknown whether a failed batch was written, its sequence is never used for other rows", async () => {
  // The put is done, and its answer is garbage: CONNECTION.PROTOCOL, which is not retried.
  for (const fault of [{ body: new Uint8Array([0x0a, 0x7f]) }, { body: new Uint8Array([0xff]) }]) {
    await withFakeCluster(1, { writer: { lingerMs: 0 } }, async (cluster, db) => {
      const fake = cluster.create(users);
      cluster.onCall = ({ api, nth }) => api === "PUT_KV" && nth === 2 ? fault : undefined;
      const handle = db.table(users);
      await handle.upsert({ id: 0 });
      const second = await handle.upsert({ id: 1 }).catch((error) => error as FlussError);
      const third = await handle.upsert({ id: 2 });
      const ids = fake.bucket(0).applied.map(({ row }) => row!.id);
      assert.ok(ids.includes(2), `row 2 was acknowledged and is not there: ${ids}`);
      assert.equal(third.endOffset, 3n);
      assert.ok(FlussError.is(second, "CONNECTION.PROTOCOL"), String(second));
    });
  }
});

for (const hangUp of ["undone", "done", "midway"] as const) {
  test(`a connection that closes (${hangUp}) loses nothing and doubles nothing`, async () => {
    const { outcomes, ids } = await writeRows(6, () => {}, {
      prepare: (cluster) => {
        cluster.onCall = ({ api, nth }) => api === "PUT_KV" && (nth === 2 || nth === 4) ? { hangUp } : undefined;
      },
    });
    assert.deepEqual(codes(outcomes), [1, 2, 3, 4, 5, 6]);
    assert.deepEqual(ids, [0, 1, 2, 3, 4, 5]);
  });
}

test("an answer that leaves a bucket out is no answer: the batch is sent again and not doubled", async () => {
  const { outcomes, ids } = await writeRows(3, ({ nth }) => nth === 1 ? "omit" : undefined);
  assert.deepEqual(codes(outcomes), [1, 2, 3]);
  assert.deepEqual(ids, [0, 1, 2]);
});

test("answers may come in any order", async () => {
  const later = Promise.withResolvers<void>();
  let held = 0;
  const { outcomes, ids } = await writeRows(4, () => {}, {
    waitForFirst: true,
    prepare: (cluster) => {
      cluster.onCall = ({ api, nth }) => {
        if (api !== "PUT_KV") return undefined;
        if (nth === 2) {
          held++;
          return { hold: later.promise };
        }
        if (nth === 4) setTimeout(later.resolve, 5);
        return undefined;
      };
    },
  });
  assert.equal(held, 1);
  assert.deepEqual(codes(outcomes), [1, 2, 3, 4]);
  assert.deepEqual(ids, [0, 1, 2, 3]);
});
