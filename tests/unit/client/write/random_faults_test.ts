// Random faults, whole clusters of them: what was acknowledged is there, once, and in the order of the calls.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type FlussError, t, table, type WriteReceipt } from "../../../../mod.ts";
import { type Action, type BucketAction, type FakeCluster, withFakeCluster, within } from "../../../fake_cluster.ts";
import { long, Random, seed } from "../../../random.ts";

const schedules = long ? 500 : 30;

const users = table(
  "d.users",
  { id: t.int(), n: t.int(), a: t.string(), b: t.string() },
  { primaryKey: ["id"], buckets: 3 },
);
type User = { id: number; n: number; a: string | null; b: string | null };

/** One call, and what became of it. */
interface Made {
  readonly operation: "upsert" | "update" | "delete";
  readonly row: Partial<User> & { id: number };
  readonly key: string;
  readonly bucket: number;
  outcome: WriteReceipt | FlussError | undefined;
}

const retriable = [3, 10, 11, 12, 14, 21, 25, 26, 28, 29, 44, 70, 72];

/** Faults with a probability of `rate`; all of them leave the batch to be written in the end. */
function inject(cluster: FakeCluster, random: Random, rate: number, hard: boolean): void {
  const chance = () => random.int(1000) < rate * 1000;
  cluster.onPut = ({ table, bucket }): BucketAction | undefined => {
    if (!chance()) return undefined;
    const kind = random.int(hard ? 6 : 4);
    if (kind === 0) return "omit";
    if (kind === 1) {
      table.bucket(bucket).leader = random.int(3);
      return undefined;
    }
    if (kind === 4) return { code: random.pick([-1, 13, 48, 57]) };
    if (kind === 5) return { code: random.pick([31, 33]) };
    return { code: random.pick(retriable), applied: kind === 3 };
  };
  cluster.onCall = ({ api }): Action | undefined => {
    if (!chance()) return undefined;
    // Whoever answers late does so within some turns of the event loop.
    const hold = new Promise((resolve) => setTimeout(resolve, random.int(20)));
    if (api === "GET_METADATA" || api === "INIT_WRITER") {
      return random.pick<Action>([{ hold }, { hangUp: "undone" }, { hangUp: "midway" }, { code: 1 }]);
    }
    if (api !== "PUT_KV" && api !== "PRODUCE_LOG") return undefined;
    const kinds: Action[] = [{ hold }, { hangUp: "undone" }, { hangUp: "done" }, { code: 1 }, { code: 25 }];
    if (hard) kinds.push({ body: new Uint8Array([0x0a, 0x7f]) }, { code: -1 });
    return random.pick(kinds);
  };
}

async function schedule(own: number, hard: boolean): Promise<void> {
  const random = new Random(own);
  const options = {
    writer: {
      batchBytes: random.pick([128, 200, 1000]),
      lingerMs: random.pick([0, 1, 5]),
      deliveryTimeoutMs: 60_000,
      idempotent: true,
    },
  };
  await withFakeCluster(3, options, async (cluster, db) => {
    const fake = cluster.create(users);
    const handle = db.table(users);
    if (random.int(2) === 0) await handle.lookup({ id: 0 });
    inject(cluster, random, random.pick([0.02, 0.05, 0.15]), hard);
    const made: Made[] = [];
    const acks: PromiseLike<unknown>[] = [];
    const count = 60 + random.int(100);
    for (let n = 0; n < count; n++) {
      const id = random.int(12);
      const operation = random.pick(["upsert", "upsert", "update", "delete"] as const);
      const row = operation === "upsert"
        ? { id, n, a: `a${n}`, b: random.int(2) === 0 ? null : `b${n}` }
        : operation === "update"
        ? random.int(2) === 0 ? { id, n, a: `u${n}` } : { id, n, b: `u${n}` }
        : { id };
      const key = { id, n, a: null, b: null };
      const call: Made = { operation, row, key: fake.keyText(key), bucket: fake.bucketOf(key), outcome: undefined };
      made.push(call);
      acks.push(
        handle[operation](row as User).then(
          (receipt) => call.outcome = receipt,
          (error) => call.outcome = error as FlussError,
        ),
      );
      if (random.int(12) === 0) await new Promise((resolve) => setTimeout(resolve, random.int(4)));
      if (random.int(40) === 0) await db.flush().catch(() => {});
    }
    await within(50_000, Promise.all(acks));
    if (!hard) assert.deepEqual(made.filter(({ outcome }) => outcome instanceof Error).map((m) => m.outcome), []);
    for (let bucket = 0; bucket < 3; bucket++) checkBucket(fake.bucket(bucket).applied, made, bucket);
    const rows = new Map([...fake.rows()].map(([key, row]) => [key, { ...row }]));
    assert.deepEqual(rows, model(fake.buckets.flatMap((bucket) => bucket.applied)));
    // What was written is what a lookup says.
    cluster.onCall = () => {};
    for (let id = 0; id < 12; id++) {
      assert.deepEqual(await handle.lookup({ id }), rows.get(fake.keyText({ id })) ?? null);
    }
    assert.equal(db.queuedBytes, 0);
  });
}

/** The records of a bucket are its calls, in order, each once; only calls that failed may be missing. */
function checkBucket(
  applied: readonly { readonly key: string; readonly row: object | null }[],
  made: readonly Made[],
  bucket: number,
): void {
  const calls = made.filter((call) => call.bucket === bucket);
  // How many records the calls so far may account for; more than one number where a failed call looks like the next one.
  let ends = new Set([0]);
  let last = 0n;
  for (const { operation, row, key, outcome } of calls) {
    const failed = outcome instanceof Error;
    const next = new Set(failed ? ends : []);
    for (const at of ends) {
      const record = applied[at];
      const same = record !== undefined && record.key === key && (record.row === null) === (operation === "delete") &&
        (record.row === null || (record.row as User).n === row.n);
      if (same) next.add(at + 1);
    }
    assert.ok(next.size > 0, `${operation} ${JSON.stringify(row)} was acknowledged and is not in place`);
    ends = next;
    if (outcome === undefined || outcome instanceof Error) continue;
    assert.equal(outcome.bucket, bucket);
    if (outcome.endOffset < 0n) continue;
    assert.ok(outcome.endOffset >= last, `end offset ${outcome.endOffset} after ${last}`);
    assert.ok(outcome.endOffset >= BigInt(Math.min(...ends)), `end offset ${outcome.endOffset} is too small`);
    last = outcome.endOffset;
  }
  assert.ok(ends.has(applied.length), `bucket ${bucket} has records of no call, twice or out of order`);
}

/** What tables hold after these records. */
function model(
  applied: readonly {
    readonly key: string;
    readonly row: object | null;
    readonly targets: readonly number[] | undefined;
  }[],
): Map<string, object> {
  const names = ["id", "n", "a", "b"];
  const rows = new Map<string, object>();
  for (const { key, row, targets } of applied) {
    if (row === null) rows.delete(key);
    else if (targets === undefined || !rows.has(key)) rows.set(key, { ...row });
    else {
      const columns = targets.map((at) => [names[at]!, (row as Record<string, unknown>)[names[at]!]]);
      rows.set(key, { ...rows.get(key), ...Object.fromEntries(columns) });
    }
  }
  return rows;
}

const events = table("d.events", { n: t.int().notNull(), user: t.int().notNull(), a: t.string() }, {
  bucketKey: ["user"],
  buckets: 3,
});

/** Rows of a log are those of the calls that were acknowledged, once, in the order of the calls per bucket. */
async function logSchedule(own: number, hard: boolean): Promise<void> {
  const random = new Random(own);
  const options = {
    writer: {
      batchBytes: random.pick([300, 600, 3000]),
      lingerMs: random.pick([0, 1, 5]),
      deliveryTimeoutMs: 60_000,
      idempotent: true,
    },
  };
  await withFakeCluster(3, options, async (cluster, db) => {
    const keyed = random.int(2) === 0;
    const declared = keyed ? events : table("d.events", events.columns, { buckets: 3 });
    const fake = cluster.create(declared);
    const handle = db.table(declared);
    inject(cluster, random, random.pick([0.02, 0.05, 0.15]), hard);
    const outcomes: (WriteReceipt | FlussError)[] = [];
    const acks: PromiseLike<unknown>[] = [];
    const count = 60 + random.int(100);
    for (let n = 0; n < count; n++) {
      const ack = handle.append({ n, user: random.int(12), a: random.int(3) === 0 ? null : `a${n}` });
      acks.push(ack.then((receipt) => outcomes[n] = receipt, (error) => outcomes[n] = error as FlussError));
      if (random.int(12) === 0) await new Promise((resolve) => setTimeout(resolve, random.int(4)));
      if (random.int(40) === 0) await db.flush().catch(() => {});
    }
    await within(50_000, Promise.all(acks));
    if (!hard) assert.deepEqual(outcomes.filter((outcome) => outcome instanceof Error), []);
    const seen = new Set<number>();
    for (let bucket = 0; bucket < 3; bucket++) {
      const written = fake.bucket(bucket).applied.map(({ row }) => (row as { n: number }).n);
      assert.deepEqual(written, written.toSorted((a, b) => a - b), `bucket ${bucket} is out of order`);
      for (const [at, n] of written.entries()) {
        assert.ok(!seen.has(n), `row ${n} is there twice`);
        seen.add(n);
        const outcome = outcomes[n]!;
        if (outcome instanceof Error) continue;
        assert.equal(outcome.bucket, bucket);
        // The end of the batch, which is behind the row.
        if (outcome.endOffset >= 0n) assert.ok(outcome.endOffset > BigInt(at), `row ${n} ends at ${outcome.endOffset}`);
      }
    }
    for (const [n, outcome] of outcomes.entries()) {
      if (!(outcome instanceof Error)) assert.ok(seen.has(n), `row ${n} was acknowledged and is not there`);
    }
    assert.equal(db.queuedBytes, 0);
  });
}

for (const [target, run] of [["tables", schedule], ["logs", logSchedule]] as const) {
  for (const hard of [false, true]) {
    const what = hard ? "refusals, resets and garbage" : "faults that pass";
    test(`${schedules} random schedules on ${target} with ${what} (SLUICE_SEED=${seed})`, async () => {
      // They wait more than they work, so several run at a time.
      for (let i = 0; i < schedules; i += 15) {
        const group = Array.from({ length: Math.min(15, schedules - i) }, (_, k) => seed + i + k);
        await Promise.all(group.map(async (own) => {
          try {
            await run(own, hard);
          } catch (error) {
            throw new Error(`schedule with seed ${own}: ${(error as Error).message}`, { cause: error });
          }
        }));
      }
    });
  }
}
