import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, existsSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { FlussStorageError } from "../../../../src/base/errors.ts";
import { openFileStorage } from "../../../../src/embedded/storage/file.ts";
import { UPGRADES } from "../../../../src/embedded/storage/file/layout.ts";
import type { Storage } from "../../../../src/embedded/storage/storage.ts";
import { runScript } from "../../../child.ts";
import { inFolder } from "./folder.ts";

const CHILD = fileURLToPath(new URL("holder_child.ts", import.meta.url));
const ID = { tableId: 1, partitionId: undefined, bucket: 0 };

/** Starts a process that opens a folder, and waits for what it says. */
async function holder(folder: string): Promise<{ child: ChildProcess; said: string }> {
  const flags = "Deno" in globalThis ? ["run", "-A", "--no-check"] : [];
  const child = spawn(process.execPath, [...flags, CHILD, folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const said = await new Promise<string>((resolve, reject) => {
    child.once("error", reject);
    let output = "";
    child.stdout!.on("data", (chunk) => {
      output += chunk;
      if (output.endsWith("\n")) resolve(output.trim());
    });
    child.once("close", () => resolve(output.trim()));
  });
  return { child, said };
}

/** Makes a storage that holds something, as many pages. */
async function filled(folder: string): Promise<void> {
  const storage = await openFileStorage(folder);
  fill(storage);
  storage.close();
}

function fill(storage: Storage): void {
  for (let i = 0; i < 100; i++) {
    storage.log(ID).append({ baseOffset: i, lastOffset: i, timestamp: i, size: 1 }, new Uint8Array(10_000));
  }
  storage.documents.put("is", "here");
  storage.commit();
}

test("a second process is told who has the folder; when the holder is killed, the next one takes over", async () => {
  await inFolder(async (folder) => {
    const before = Date.now();
    const { child, said } = await holder(folder);
    const ended = new Promise((resolve) => child.once("exit", resolve));
    try {
      assert.equal(said, `open ${child.pid}`);
      const locked = await openFileStorage(folder).catch((error: unknown) => error);
      assert.ok(locked instanceof FlussStorageError);
      assert.equal(locked.code, "STORAGE.LOCKED");
      assert.ok(locked.message.includes(folder) && locked.message.includes(`process ${child.pid} on ${hostname()}`));
      const since = Date.parse(/since (\S+)\. hint/.exec(locked.message)![1]!);
      assert.ok(before <= since && since <= Date.now(), locked.message);
    } finally {
      child.kill("SIGKILL");
    }
    await ended;
    assert.ok(existsSync(join(folder, "lock")), "the note of the dead is still there");
    const storage = await openFileStorage(folder);
    assert.equal(JSON.parse(readFileSync(join(folder, "lock"), "utf8")).pid, process.pid);
    assert.equal(storage.documents.get("from"), "the child");
    await assert.rejects(openFileStorage(folder), { code: "STORAGE.LOCKED" });
    assert.ok(existsSync(join(folder, "lock")), "who is refused leaves the note of the holder");
    storage.close();
    assert.ok(!existsSync(join(folder, "lock")));
    (await openFileStorage(folder)).close();
  });
});

test("files of older versions are upgraded, once; those of newer ones are refused and stay as they are", async () => {
  await inFolder(async (folder) => {
    await filled(folder);
    const step = "CREATE TABLE extra (x); INSERT INTO extra VALUES (1)";
    await assert.rejects(
      openFileStorage(folder, { upgrades: [...UPGRADES, step, "no SQL"] }),
      { code: "STORAGE.FAILED" },
    );
    for (let i = 0; i < 2; i++) {
      let rows = 0;
      const storage = await openFileStorage(folder, {
        upgrades: [...UPGRADES, step],
        opened: (database) => rows = database.query("SELECT count(*) FROM extra").get()![0] as number,
      });
      assert.equal(rows, 1);
      assert.equal(storage.documents.get("is"), "here");
      storage.close();
    }
    const bytes = readFileSync(join(folder, "sluice.db"));
    await assert.rejects(openFileStorage(folder), { code: "STORAGE.NEWER_VERSION", name: "FlussStorageError" });
    assert.deepEqual(readFileSync(join(folder, "sluice.db")), bytes);
    assert.ok(!existsSync(join(folder, "lock")));
  });
});

test("damaged files, and those of others, are refused, stay as they are, and nothing stays open", async () => {
  const damages: Record<string, (path: string) => void> = {
    "no database": (path) => writeFileSync(path, "this is a letter to a friend".repeat(1000)),
    "cut off": (path) => truncateSync(path, statSync(path).size - 8192),
    "not a whole page": (path) => truncateSync(path, statSync(path).size - 100),
    "of others": (path) => {
      writeFileSync(path, "");
      const database = new DatabaseSync(path);
      database.exec("CREATE TABLE theirs (x)");
      database.close();
    },
    "broken tables": (path) => {
      const bytes = readFileSync(path);
      bytes.fill(255, 100, 8192);
      writeFileSync(path, bytes);
    },
  };
  for (const [what, damage] of Object.entries(damages)) {
    await inFolder(async (folder) => {
      await filled(folder);
      const path = join(folder, "sluice.db");
      damage(path);
      const bytes = readFileSync(path);
      await assert.rejects(openFileStorage(folder), { code: "STORAGE.CORRUPT", name: "FlussStorageError" }, what);
      assert.deepEqual(readFileSync(path), bytes, what);
      assert.ok(!existsSync(join(folder, "lock")), what);
      if (what === "of others") new DatabaseSync(path).exec("BEGIN EXCLUSIVE");
    });
  }
});

test("what cannot be a folder is refused with a typed error", async () => {
  await inFolder(async (folder) => {
    const file = join(folder, "file");
    writeFileSync(file, "");
    for (const wrong of [file, join(file, "below")]) {
      await assert.rejects(openFileStorage(wrong), { code: "STORAGE.READ_ONLY", name: "FlussStorageError" });
    }
  });
});

/** Runs `body` with the rights of somebody to whom something is forbidden, as nothing is to root. */
async function withoutRoot(body: () => Promise<void>): Promise<void> {
  if (process.geteuid!() !== 0) return await body();
  process.seteuid!(65534);
  try {
    await body();
  } finally {
    process.seteuid!(0);
  }
}

test("a folder that may not be written is refused with a typed error, and what is in it stays", {
  skip: process.platform === "win32",
}, async () => {
  await inFolder(async (folder) => {
    await filled(folder);
    chmodSync(folder, 0o555);
    chmodSync(join(folder, "sluice.db"), 0o444);
    await withoutRoot(async () => {
      for (const wrong of [folder, join(folder, "below")]) {
        await assert.rejects(openFileStorage(wrong), { code: "STORAGE.READ_ONLY", name: "FlussStorageError" });
      }
    });
    chmodSync(folder, 0o755);
    chmodSync(join(folder, "sluice.db"), 0o644);
    const storage = await openFileStorage(folder);
    assert.equal(storage.documents.get("is"), "here");
    assert.equal(storage.log(ID).end, 100);
    storage.close();
  });
});

test("on Deno, the right to read and write the folder is all that is needed", {
  skip: !("Deno" in globalThis),
}, async () => {
  await inFolder(async (base) => {
    const folder = join(base, "data");
    const child = new URL("holder_child.ts", import.meta.url);
    const rights = [`--allow-read=${folder}`, `--allow-write=${folder}`];
    assert.match((await runScript(child, [folder, "close"], rights)).output, /^open \d+\n$/);
    assert.equal((await runScript(child, [folder, "close"], [rights[0]!])).output, "STORAGE.READ_ONLY\n");
    const storage = await openFileStorage(folder);
    assert.equal(storage.documents.get("from"), "the child");
    storage.close();
  });
});
