/**
 * A folder with tables for commands to work on. One process at a time has it, so it is seeded and looked into between
 * commands.
 *
 * @module
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type Db, t, table } from "../../mod.ts";
import { CommandLine } from "./command_line.ts";

/** What would harm a terminal. */
export const HOSTILE = "\u001b[31mred\u0007\u009b2J\u202etxt\r\n";

export const users = table("shop.users", {
  id: t.bigint(),
  name: t.string().comment(`what they call themselves ${HOSTILE}`),
  score: t.double(),
  tags: t.array(t.string()),
  at: t.timestampLtz(6),
}, { primaryKey: ["id"], buckets: 2 });

export const orders = table("shop.orders", {
  region: t.string(),
  id: t.int(),
  total: t.decimal(10, 2),
}, { primaryKey: ["region", "id"], bucketKey: ["region"], buckets: 2 });

export const clicks = table("web.clicks", {
  url: t.string().notNull(),
  ms: t.int(),
  day: t.string().notNull(),
}, { partitionBy: ["day"], buckets: 2 });

/** A folder of its own for a test, as a `file:` URL. */
export class DataFolder implements Disposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), "sluice-cli-"));
  readonly url = `file:${join(this.folder, "data")}`;

  /** With the tables above. */
  static async seeded(): Promise<DataFolder> {
    const folder = new DataFolder();
    await folder.use(async (db) => {
      for (const name of ["shop", "web"]) await db.admin.createDatabase(name);
      for (const each of [users, orders, clicks]) await db.admin.create(each);
      for (const day of ["d1", "d2"]) await db.admin.createPartition(clicks, { day });
      await db.table(users).upsert({
        id: 1n,
        name: `Ada ${HOSTILE}`,
        score: -0,
        tags: ["a", "日本"],
        at: Temporal.Instant.from("2026-01-01T00:00:00.000001Z"),
      });
      await db.table(users).upsert({ id: 2n });
      await db.table(orders).upsertAll([1, 2, 3].map((id) => ({ region: "eu", id, total: `${id}.50` })));
      await db.table(clicks).appendAll(
        Array.from({ length: 20 }, (_, i) => ({ url: `/${i}`, ms: i, day: i % 2 === 0 ? "d1" : "d2" })),
      );
    });
    return folder;
  }

  /** A path in it, beside the data. */
  path(name: string): string {
    return join(this.folder, name);
  }

  async use<T>(work: (db: Db) => Promise<T>): Promise<T> {
    await using db = await connect(this.url);
    return await work(db);
  }

  /** Runs a command to its end. */
  async run(
    args: readonly string[],
    input?: string | Uint8Array,
    output?: string,
  ): Promise<{ code: number; out: string; err: string }> {
    await using run = new CommandLine(args, { SLUICE_URL: this.url, SLUICE_PASSWORD: "" }, { input, output });
    const code = await run.ended();
    assert.notEqual(code, null, `it was killed; it said ${run.err}`);
    return { code: code!, out: run.out, err: run.err };
  }

  /** Runs a command that may take minutes, and looks at how much memory it takes. */
  async measured(args: readonly string[]): Promise<{ code: number | null; err: string; mostMiB: number | undefined }> {
    await using run = new CommandLine(args, { SLUICE_URL: this.url });
    let mostMiB: number | undefined;
    const looks = setInterval(() => mostMiB = run.mostMiB ?? mostMiB, 50);
    try {
      const code = await run.ended(600_000);
      return { code, err: run.err, mostMiB };
    } finally {
      clearInterval(looks);
    }
  }

  /** Runs a command that must succeed, and say nothing besides its data. @returns its lines as JSON */
  async rows(args: readonly string[]): Promise<unknown[]> {
    const { code, out, err } = await this.run(args);
    assert.deepEqual([code, err], [0, ""]);
    return out.split("\n").slice(0, -1).map((line) => JSON.parse(line));
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
