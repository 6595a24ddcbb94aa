import assert from "node:assert/strict";
import { cpSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openFileStorage } from "../../../../src/embedded/storage/file.ts";
import type { Database } from "../../../../src/embedded/storage/file/database.ts";
import type { LogStore, RowStore, Storage } from "../../../../src/embedded/storage/storage.ts";
import { long, Random, seed } from "../../../random.ts";
import { runContract } from "./contract.ts";
import { shownBatches, shownRows } from "./model.ts";
import { inFolder } from "./folder.ts";

const ROUNDS = long ? 100 : 3;
const ID = { tableId: 1, partitionId: undefined, bucket: 0 };

test(`${ROUNDS} random runs on storage in a file do as a model does (SLUICE_SEED=${seed})`, async () => {
  for (let round = 0; round < ROUNDS; round++) {
    await inFolder(async (base) => {
      let copies = 0;
      let folder = join(base, "0");
      let database: Database | undefined;
      // So that rows settle all the time.
      const options = { changedBytes: 5000, opened: (opened: Database) => database = opened };
      const storage = await runContract(await openFileStorage(folder, options), new Random(seed + round), 1000, {
        reopen: (storage, how) => {
          if (how === "crash") {
            // What a process leaves that is killed now.
            const copy = join(base, `${++copies}`);
            cpSync(folder, copy, { recursive: true });
            storage.close();
            folder = copy;
          } else storage.close();
          return openFileStorage(folder, options);
        },
        failCommits: () => {
          database!.exec(
            "CREATE TEMP TRIGGER full BEFORE INSERT ON main.documents WHEN new.name = 'b' " +
              "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END",
          );
          return () => database!.exec("DROP TRIGGER full");
        },
      });
      storage.close();
    });
  }
});

/** Upserts a thousand rows from a number on, and appends as many records. */
function write(storage: Storage, from: number): void {
  const [log, rows] = [storage.log(ID), storage.rows(ID)];
  const value = new Uint8Array(100).fill(from & 255);
  for (let i = from; i < from + 1000; i++) rows.put(`key ${String(i).padStart(9, "0")}`, value, 0, value.length);
  const bytes = new Random(from).bytes(100_000);
  log.append({ baseOffset: log.end, lastOffset: log.end + 999, timestamp: from, size: bytes.length }, bytes);
}

function shown(log: LogStore, rows: RowStore): unknown {
  return [log.start, log.end, log.size, shownBatches(log, log.start), rows.count, shownRows(rows)];
}

test("a disk that is full undoes what was not committed, and keeps the rest; with room again all goes on", async () => {
  await inFolder(async (folder) => {
    let database: Database | undefined;
    const storage = await openFileStorage(folder, { changedBytes: 300_000, opened: (opened) => database = opened });
    for (let i = 0; i < 10; i++) {
      write(storage, i * 500);
      storage.commit();
    }
    const [log, rows] = [storage.log(ID), storage.rows(ID)];
    const before = shown(log, rows);
    const full = () => {
      write(storage, 1_000_000);
      assert.equal(storage.dirty, true);
      assert.throws(() => storage.commit(), { code: "STORAGE.FULL", retriable: true });
      assert.equal(storage.dirty, false);
      assert.deepEqual(shown(log, rows), before);
    };
    // As large as it is now: there may be some pages left that are not in use.
    database!.exec("PRAGMA max_page_count = 1");
    for (let written = 0; written < 3;) {
      try {
        storage.log({ ...ID, bucket: 1 }).append({
          baseOffset: storage.log({ ...ID, bucket: 1 }).end,
          lastOffset: storage.log({ ...ID, bucket: 1 }).end,
          timestamp: 1,
          size: 1,
        }, new Uint8Array(50_000));
        storage.commit();
      } catch {
        written++;
      }
    }
    full();
    full();
    database!.exec("PRAGMA max_page_count = 100000");
    write(storage, 1_000_000);
    storage.commit();
    const after = shown(log, rows);
    assert.notDeepEqual(after, before);
    storage.close();
    const again = await openFileStorage(folder);
    assert.deepEqual(shown(again.log(ID), again.rows(ID)), after);
    again.close();
  });
});

test("a file that may not grow any more is refused with a typed error when it is made", async () => {
  await inFolder(async (folder) => {
    await assert.rejects(openFileStorage(folder, { maxPages: 2 }), { code: "STORAGE.FULL" });
    const storage = await openFileStorage(folder);
    storage.close();
  });
});

test("what was trimmed and dropped gives its room back to the disk, and so does what was written ahead", async () => {
  await inFolder(async (folder) => {
    const storage = await openFileStorage(folder, { changedBytes: 1 << 20 });
    const size = () => statSync(join(folder, "sluice.db")).size + statSync(join(folder, "sluice.db-wal")).size;
    const settled = async (limit: number) => {
      for (let i = 0; i < 200 && size() > limit; i++) await new Promise((resolve) => setTimeout(resolve, 100));
      assert.ok(size() <= limit, `${size()} bytes, expected at most ${limit}`);
    };
    for (let i = 0; i < 100; i++) {
      write(storage, i * 1000);
      storage.commit();
    }
    assert.ok(size() > 20_000_000, `${size()}`);
    const rows = shownRows(storage.rows(ID));
    storage.log(ID).trim(90_500);
    storage.commit();
    // 10 MB of batches go; rows, and changes of rows that have not settled, stay.
    await settled(18_000_000);
    assert.equal(storage.log(ID).size, 1_000_000);
    assert.deepEqual(shownRows(storage.rows(ID)), rows);
    storage.drop(ID);
    storage.commit();
    await settled(2_500_000);
    storage.close();
    assert.ok(statSync(join(folder, "sluice.db")).size < 2_500_000);
  });
});
