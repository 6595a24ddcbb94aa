/**
 * Files, and the standard streams in their place.
 *
 * @module
 */
import { type FlussError, flussError } from "../../base/errors.ts";
import { endingWith, unlessAborted } from "../../query/abortable.ts";
import type { Io } from "../command.ts";
import { plainText } from "../text.ts";

/** Bytes that are read at a time. */
const CHUNK = 1 << 18;

/** How a command ends that cannot use a file, or its output. */
export const FILE_EXIT = { code: 7, errors: "INPUT.FAILED", text: "a file, or the output, cannot be used" } as const;

/** Bytes to read, as often as they can be. */
export interface InputFile {
  /** For messages. */
  readonly name: string;
  /** How many there are; undefined where nobody knows. */
  readonly size: number | undefined;
  /** Whether it can be read more than once. */
  readonly again: boolean;
  /** @param signal ends it, also while nothing comes, with an error */
  read(signal?: AbortSignal): AsyncIterable<Uint8Array<ArrayBuffer>>;
  /** Reads some of them, where they need not be read in turn. */
  readonly at?: (start: number, end: number) => Promise<ArrayBuffer>;
}

/**
 * A file by its path; standard input where the path is `-`.
 *
 * @throws FlussUsageError `INPUT.FAILED`; so does reading
 */
export async function openInput(path: string, io: Io): Promise<InputFile> {
  if (path === "-") {
    const read = (signal?: AbortSignal) => endingWith(io.input(signal), signal);
    return { name: "standard input", size: undefined, again: false, read };
  }
  const { open, stat } = await import("node:fs/promises");
  const name = plainText(path);
  const failed = (error: unknown) => fileError(`cannot read ${name}`, error);
  const found = await stat(path).catch((error: unknown) => {
    throw failed(error);
  });
  if (found.isDirectory()) throw failed({ code: "EISDIR" });
  return {
    name,
    size: found.isFile() ? found.size : undefined,
    again: found.isFile(),
    async *read(signal) {
      const opened = await open(path, "r").catch((error: unknown) => {
        throw failed(error);
      });
      await using file = opened;
      const next = async () => {
        try {
          return await file.read(new Uint8Array(CHUNK), 0, CHUNK, null);
        } catch (error) {
          throw failed(error);
        }
      };
      for (;;) {
        const { bytesRead, buffer } = await unlessAborted(next(), signal);
        if (bytesRead === 0) return;
        yield buffer.subarray(0, bytesRead);
      }
    },
    async at(start, end) {
      try {
        await using file = await open(path, "r");
        const bytes = new Uint8Array(end - start);
        for (let filled = 0; filled < bytes.length;) {
          const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, start + filled);
          if (bytesRead === 0) throw new Error(`it ends before byte ${end}`);
          filled += bytesRead;
        }
        return bytes.buffer;
      } catch (error) {
        throw failed(error);
      }
    },
  };
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
 * A file that is there as a whole, or not at all; standard output where there is no path. What is no plain file, such as
 * a pipe, takes what is written as it comes.
 *
 * @param overwrite whether it may replace a file; undefined where nobody can say so
 * @throws FlussUsageError `INPUT.FAILED`; so does what it does
 */
export async function openOutput(path: string | undefined, io: Io, overwrite?: boolean): Promise<OutputFile> {
  if (path === undefined) return { write: (data) => io.write(data), done: async () => {}, undo: async () => {} };
  const { open, realpath, rename, rm, stat } = await import("node:fs/promises");
  const name = plainText(path);
  const told = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw fileError(`cannot write ${name}`, error);
    }
  };
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) throw fileError(`cannot write ${name}`, { code: "EISDIR" });
  const plain = found?.isFile() ?? true;
  if (found !== undefined && plain && overwrite !== true) {
    throw flussError("INPUT.FAILED", {
      message: `${name} is there already`,
      hint: overwrite === undefined ? "name another file" : "name another file, or add --overwrite",
    });
  }
  // A link stays one: what it leads to is replaced.
  const target = found === undefined ? path : await told(() => realpath(path));
  const partial = plain ? `${target}.${crypto.randomUUID().slice(0, 8)}.part` : target;
  const file = await told(() => open(partial, plain ? "wx" : "w"));
  const remove = async () => {
    if (plain) await rm(partial, { force: true });
  };
  return {
    write: (data) =>
      told(async () => {
        const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
        for (let at = 0; at < bytes.length;) {
          at += (await file.write(bytes, at, bytes.length - at)).bytesWritten;
        }
      }),
    done: () =>
      told(async () => {
        await file.close();
        if (plain) await rename(partial, target);
      }).catch(async (error: unknown) => {
        await remove();
        throw error;
      }),
    async undo() {
      await file.close();
      await remove();
    },
  };
}

/** What is wrong with a file, in words. */
export function fileError(what: string, error: unknown): FlussError {
  const code = (error as { readonly code?: string }).code;
  const known: Readonly<Record<string, string>> = {
    ENOENT: "it is not there",
    EACCES: "this user may not",
    EISDIR: "it is a folder",
    ENOTDIR: "its folder is none",
    ENOSPC: "the disk is full",
    EROFS: "the disk is read-only",
    EIO: "the machine cannot",
  };
  const why = known[code ?? ""] ?? (error instanceof Error ? error.message : String(error));
  return flussError("INPUT.FAILED", { message: `${what}: ${why}`, hint: "check the path", cause: error });
}
