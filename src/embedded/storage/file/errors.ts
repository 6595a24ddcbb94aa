/**
 * What a disk and SQLite say, as errors of Sluice.
 *
 * @module
 */
import type { ErrorCode } from "../../../base/error_table.ts";
import { FlussError, flussError } from "../../../base/errors.ts";

/** Parts of what SQLite says, which are the same on all runtimes; its numbers are not. */
const TEXTS: readonly (readonly [part: string, code: ErrorCode])[] = [
  ["database or disk is full", "STORAGE.FULL"],
  ["readonly database", "STORAGE.READ_ONLY"],
  ["unable to open database file", "STORAGE.READ_ONLY"],
  ["disk image is malformed", "STORAGE.CORRUPT"],
  ["file is not a database", "STORAGE.CORRUPT"],
  ["database is locked", "STORAGE.LOCKED"],
];

const SYSTEM: Readonly<Record<string, ErrorCode>> = {
  EACCES: "STORAGE.READ_ONLY",
  EPERM: "STORAGE.READ_ONLY",
  EROFS: "STORAGE.READ_ONLY",
  EEXIST: "STORAGE.READ_ONLY",
  ENOENT: "STORAGE.READ_ONLY",
  ENOTDIR: "STORAGE.READ_ONLY",
  ENOSPC: "STORAGE.FULL",
  EDQUOT: "STORAGE.FULL",
};

/** @param folder where it happened */
export function storageError(cause: unknown, folder: string): FlussError {
  if (FlussError.is(cause)) return cause;
  const said = cause instanceof Error ? cause.message : String(cause);
  const system = (cause as { code?: unknown } | null)?.code;
  const code = TEXTS.find(([part]) => said.includes(part))?.[1] ??
    (typeof system === "string" ? SYSTEM[system] : undefined) ??
    // Deno's, where the process was not given the right.
    (cause instanceof Error && cause.name === "NotCapable" ? "STORAGE.READ_ONLY" : "STORAGE.FAILED");
  return flussError(code, { message: `${folder}: ${said}`, cause });
}
