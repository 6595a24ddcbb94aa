/**
 * Files, and the standard streams in their place.
 *
 * @module
 */
import { type FlussError, flussError } from "../../base/errors.ts";
import type { Io } from "../command.ts";
import { plainText } from "../text.ts";

/** Bytes that are read at a time. */
const CHUNK = 1 << 18;

/** Bytes to read, as often as they can be. */
export interface InputFile {
  /** For messages. */
  readonly name: string;
  /** How many there are; undefined where nobody knows. */
  readonly size: number | undefined;
  /** Whether it can be read more than once. */
  readonly again: boolean;
  read(): AsyncIterable<Uint8Array<ArrayBuffer>>;
  /** Reads some of them, where they need not be read in turn. */
  readonly at?: (start: number, end: number) => Promise<ArrayBuffer>;
}

/**
 * A file by its path; standard input where the path is `-`.
 *
 * @throws FlussUsageError `INPUT.FAILED`
 */
export async function openInput(path: string, io: Io): Promise<InputFile> {
  if (path === "-") return { name: "standard input", size: undefined, again: false, read: () => io.input() };
  const { open, stat } = await import("node:fs/promises");
  const name = plainText(path);
  try {
    const found = await stat(path);
    if (found.isDirectory()) throw new Error("it is a folder");
    return {
      name,
      size: found.isFile() ? found.size : undefined,
      again: found.isFile(),
      async *read() {
        await using file = await open(path, "r");
        for (;;) {
          const { bytesRead, buffer } = await file.read(new Uint8Array(CHUNK), 0, CHUNK, null);
          if (bytesRead === 0) return;
          yield buffer.subarray(0, bytesRead);
        }
      },
      async at(start, end) {
        await using file = await open(path, "r");
        const bytes = new Uint8Array(end - start);
        for (let filled = 0; filled < bytes.length;) {
          const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, start + filled);
          if (bytesRead === 0) throw new Error(`the file ends before byte ${end}`);
          filled += bytesRead;
        }
        return bytes.buffer;
      },
    };
  } catch (error) {
    throw fileError(`cannot read ${name}`, error);
  }
}

/** A file that is written. */
export interface OutputFile {
  write(data: string | Uint8Array): Promise<void>;
  /** Closes it; only now it has its name. */
  done(): Promise<void>;
  /** Removes what was written. */
  undo(): Promise<void>;
}

/**
 * A file that is there as a whole, or not at all; standard output where there is no path.
 *
 * @throws FlussUsageError `INPUT.FAILED`
 */
export async function openOutput(path: string | undefined, io: Io, overwrite: boolean): Promise<OutputFile> {
  if (path === undefined) return { write: (data) => io.write(data), done: async () => {}, undo: async () => {} };
  const { open, rename, rm, stat } = await import("node:fs/promises");
  const name = plainText(path);
  if (!overwrite && await stat(path).then(() => true, () => false)) {
    throw flussError("INPUT.FAILED", {
      message: `${name} is there already`,
      hint: "name another file, or add --overwrite",
    });
  }
  const partial = `${path}.part`;
  const file = await open(partial, "w").catch((error: unknown) => {
    throw fileError(`cannot write ${name}`, error);
  });
  return {
    async write(data) {
      try {
        const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
        for (let at = 0; at < bytes.length;) {
          at += (await file.write(bytes, at, bytes.length - at)).bytesWritten;
        }
      } catch (error) {
        throw fileError(`cannot write ${name}`, error);
      }
    },
    async done() {
      await file.close();
      await rename(partial, path);
    },
    async undo() {
      await file.close();
      await rm(partial, { force: true });
    },
  };
}

/** What is wrong with a file, in words. */
function fileError(what: string, error: unknown): FlussError {
  const code = (error as { readonly code?: string }).code;
  const known: Readonly<Record<string, string>> = {
    ENOENT: "it is not there",
    EACCES: "this user may not",
    EISDIR: "it is a folder",
    ENOTDIR: "its folder is none",
    ENOSPC: "the disk is full",
    EROFS: "the disk is read-only",
  };
  const why = known[code ?? ""] ?? (error instanceof Error ? error.message : String(error));
  return flussError("INPUT.FAILED", { message: `${what}: ${why}`, hint: "check the path", cause: error });
}
