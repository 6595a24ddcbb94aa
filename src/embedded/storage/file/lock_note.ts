/**
 * A note beside the file of who has it open. It is not the lock: that is SQLite's, which ends with its process.
 *
 * @module
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pid } from "node:process";
import { hostName } from "../../../client/transport/host.ts";

interface Note {
  readonly pid: number;
  readonly host: string;
  readonly since: string;
}

/** Leaves the note; whoever calls this has the lock. */
export function leaveNote(folder: string): void {
  const note: Note = { pid, host: hostName() ?? "this machine", since: new Date().toISOString() };
  writeFileSync(join(folder, "lock"), JSON.stringify(note) + "\n");
}

/** Takes the note away, before the lock is let go. */
export function removeNote(folder: string): void {
  rmSync(join(folder, "lock"), { force: true });
}

/** Who holds the lock, in words. */
export function holder(folder: string): string {
  try {
    const note = JSON.parse(readFileSync(join(folder, "lock"), "utf8")) as Note;
    return `process ${note.pid} on ${note.host} has it open since ${note.since}`;
  } catch {
    return "another process has it open";
  }
}
