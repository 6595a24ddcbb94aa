// Random faults, whole clusters of them: what is in the logs comes, once, in the order of each bucket.
import assert from "node:assert/strict";
import { test } from "node:test";
import { t, table } from "../../../../mod.ts";
import { LogReader } from "../../../../src/client/read/log_reader.ts";
import { EARLIEST } from "../../../../src/client/read/ranges.ts";
import { type Action, bind, type BucketAction, type FakeLogTable, withFakeLogs } from "../../../fake_log.ts";
import { within } from "../../../fake_cluster.ts";
import { long, Random, seed } from "../../../random.ts";

const schedules = long ? 500 : 30;

const first = { id: t.int().notNull(), s: t.string() };
const second = { ...first, n: t.bigint() };
const a = table("d.a", first, { buckets: 3 });
const wideA = table("d.a", second, { buckets: 3 });
const b = table("d.b", first, { buckets: 2, log: { format: "compacted" } });

async function schedule(own: number): Promise<void> {
  const random = new Random(own);
  const limits = {
    bucketMaxBytes: random.pick([300, 1_000, 5_000]),
    fetchMaxBytes: random.pick([500, 2_000, 20_000]),
    aheadBytes: random.pick([1_000, 5_000, 100_000]),
    maxWaitMs: random.pick([1, 10, 50]),
  };
  await withFakeLogs(3, {}, async (cluster, client) => {
    const fakes = [cluster.create(a), cluster.create(b)] as const;
    const appended = new Map<FakeLogTable, number>(fakes.map((fake) => [fake, 0]));
    const append = (fake: FakeLogTable) => {
      const evolved = fake.schemaId === 2;
      const schemaId = evolved && random.int(8) > 0 ? 2 : 1;
      const count = random.int(4) === 0 ? 0 : 1 + random.int(12);
      const rows = Array.from({ length: count }, () => {
        const id = appended.get(fake)!;
        appended.set(fake, id + 1);
        return { id, s: random.int(3) === 0 ? null : `text ${id}`, ...(schemaId === 2 ? { n: BigInt(id) } : {}) };
      });
      const { logs } = fake.partitions.get("")!;
      fake.append(random.int(logs.length), rows, { schemaId });
    };
    const rate = random.pick([0, 0.02, 0.05, 0.1]);
    const chance = () => random.int(1000) < rate * 1000;
    cluster.onFetch = ({ table, bucket }): BucketAction | undefined => {
      if (!chance()) return undefined;
      const kind = random.int(4);
      if (kind === 0) return "omit";
      if (kind === 1) {
        table.log(bucket).leader = random.int(4) - 1;
        return { code: 12 };
      }
      return { code: random.pick([1, 10, 11, 21, 24, 25, 26, 44]) };
    };
    cluster.onCall = ({ api }): Action | undefined => {
      for (const fake of fakes) {
        for (const log of fake.partitions.get("")!.logs) if (log.leader < 0) log.leader = random.int(3);
      }
      if (!chance()) return undefined;
      const hold = new Promise((resolve) => setTimeout(resolve, random.int(20)));
      if (api === "GET_METADATA") return random.pick<Action>([{ hold }, { hangUp: true }, { code: 1 }]);
      if (api === "GET_TABLE_SCHEMA") return random.pick<Action>([{ hold }, { code: 9 }]);
      return random.pick<Action>([{ hold }, { hangUp: true }, { code: 1 }, { code: 25 }]);
    };
    for (let i = 0; i < 20; i++) append(random.pick(fakes));
    const bounds = [await bind(client, a), await bind(client, b)] as const;
    const reader = new LogReader(client, limits);
    const read = new Map<string, { id: number; offset: bigint; n: unknown }[]>();
    const select = random.pick([["id"], ["id", "s"], undefined]);
    fakes.forEach((fake, i) => {
      const source = { bound: bounds[i]!, columns: bounds[i]!.codec.wanted(select) };
      fake.partitions.get("")!.logs.forEach((_, bucket) => {
        read.set(`${fake.declared.name} ${bucket}`, []);
        const start = random.pick([0n, EARLIEST]);
        reader.add({ source, partition: undefined, partitionId: undefined, bucket, start, stop: undefined });
      });
    });
    const total = () => fakes.reduce((sum, fake) => sum + appended.get(fake)!, 0);
    const toAppend = 40 + random.int(60);
    let count = 0;
    for (let i = 0; i < toAppend || count < total();) {
      // Appending and reading take turns, now and then several of one kind.
      while (i < toAppend && random.int(3) > 0) {
        if (i++ === 20 && random.int(2) === 0) fakes[0].evolve(wideA);
        append(random.pick(fakes));
      }
      if (count === total()) continue;
      const chunk = await within(20_000, reader.next());
      const rows = read.get(`${chunk!.source.bound.target.name} ${chunk!.bucket}`)!;
      let offset = chunk!.firstOffset;
      for (const row of chunk!.columns.rows()) {
        rows.push({ id: row.id as number, offset: offset++, n: row.n });
        count++;
      }
      if (random.int(10) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    reader.close();
    for (const fake of fakes) {
      fake.partitions.get("")!.logs.forEach((log, bucket) => {
        assert.deepEqual(
          read.get(`${fake.declared.name} ${bucket}`)!.map(({ id, offset }) => ({ offset, id })),
          log.rows.map(({ offset, row }) => ({ offset, id: row.id })),
          `seed ${own}, ${fake.declared.name}, bucket ${bucket}`,
        );
      });
    }
  });
}

test(`${schedules} schedules of random faults, seed ${seed}`, async () => {
  const random = new Random(seed);
  for (let i = 0; i < schedules; i++) {
    const own = random.bits();
    try {
      await schedule(own);
    } catch (error) {
      throw new Error(`schedule ${i}, seed ${own}: ${error}`, { cause: error });
    }
  }
});
