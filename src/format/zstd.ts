/**
 * Zstandard by the runtime's own library. Where a runtime has none, `fzstd` reads and nothing writes.
 *
 * @module
 */
import { Decompress } from "fzstd";
import * as zlib from "node:zlib";
import { flussError } from "../base/errors.ts";
import { int32At } from "./byte_reader.ts";
import { corrupt } from "./corrupt.ts";

/** The level that tables have when they name none (Fluss: ConfigOptions.java). */
const DEFAULT_LEVEL = 3;

// A runtime may lack these, whatever the types say.
const { zstdCompressSync, zstdDecompressSync } = zlib as Partial<typeof zlib>;

/** No frame becomes more than this many times its size: a block of 4 bytes holds at most 128 KiB. */
export const ZSTD_MAX_RATIO: number = 2 ** 15;

/** What readers of the format have to support at least (RFC 8878); more only where there is as much to hold. */
const WINDOW_BYTES = 2 ** 23;

/**
 * Compresses to one frame.
 *
 * @param level 1 to 22
 * @throws {FlussError} RUNTIME.NO_ZSTD where the runtime has no Zstandard
 */
export function compressZstd(bytes: Uint8Array, level: number = DEFAULT_LEVEL): Uint8Array {
  if (zstdCompressSync === undefined) {
    throw flussError("RUNTIME.NO_ZSTD", { message: "this runtime cannot compress with Zstandard" });
  }
  // The types do not know the size, but all runtimes take it.
  const options: zlib.ZstdOptions & { readonly pledgedSrcSize: number } = {
    params: { [zlib.constants.ZSTD_c_compressionLevel]: level },
    // Without it Deno makes tables for contents of any size, which takes up to ten times as long.
    pledgedSrcSize: bytes.length,
    // All in one chunk, whatever happens.
    chunkSize: bytes.length + (bytes.length >> 7) + 128,
  };
  return zstdCompressSync(bytes, options);
}

/**
 * Decompresses one frame.
 *
 * @param length the length of the content, which must be right
 * @throws {FlussError} CODEC.CORRUPT_BATCH when the bytes are no frame of that content
 */
export function decompressZstd(bytes: Uint8Array, length: number): Uint8Array {
  return zstdDecompressSync === undefined ? decompressByScript(bytes, length) : decompressNative(bytes, length);
}

function decompressNative(bytes: Uint8Array, length: number): Uint8Array {
  let content: Uint8Array;
  try {
    // One chunk takes it all; with its last byte left over, the library knows that no other one is needed.
    content = zstdDecompressSync!(bytes, { chunkSize: Math.max(64, length + 1), maxOutputLength: Math.max(1, length) });
  } catch (error) {
    throw broken(error);
  }
  if (content.length !== length) throw wrongLength(content.length, length);
  return content;
}

/** {@linkcode decompressZstd} without the runtime's help; exported for the tests. */
export function decompressByScript(bytes: Uint8Array, length: number): Uint8Array {
  checkWindow(bytes, length);
  const content = new Uint8Array(length);
  let position = 0;
  try {
    const stream = new Decompress((chunk) => {
      if (chunk.length > length - position) throw wrongLength(position + chunk.length, length);
      content.set(chunk, position);
      position += chunk.length;
    });
    stream.push(bytes, true);
  } catch (error) {
    throw broken(error);
  }
  if (position !== length) throw wrongLength(position, length);
  return content;
}

/** The library makes a window as large as the frame claims, so the claim is looked at first. */
function checkWindow(bytes: Uint8Array, length: number): void {
  if (bytes.length < 9 || int32At(bytes, 0) >>> 0 !== 0xfd2fb528) throw corrupt("a Zstandard frame has no header");
  const flags = bytes[4]!;
  const single = (flags & 0x20) !== 0;
  // In a single segment the window is the content, whose size has 1, 2, 4 or 8 bytes behind the dictionary's id.
  const at = 5 + [0, 1, 2, 4][flags & 3]!;
  const sizeForm = flags >> 6;
  let window: number;
  if (!single) window = 2 ** (10 + (bytes[5]! >> 3)) * (1 + (bytes[5]! & 7) / 8);
  else if (sizeForm === 0) window = bytes[at]!;
  else if (sizeForm === 1) window = 256 + (bytes[at]! | (bytes[at + 1]! << 8));
  else if (bytes.length < at + 4) throw corrupt("a Zstandard frame has no header");
  else window = sizeForm === 2 || int32At(bytes, at + 4) === 0 ? int32At(bytes, at) >>> 0 : Infinity;
  if (window > Math.max(WINDOW_BYTES, 2 * length)) {
    throw corrupt(`a Zstandard frame asks for a window of ${window} bytes for ${length}`);
  }
}

function wrongLength(found: number, length: number): Error {
  return corrupt(`a Zstandard frame holds ${found} bytes instead of ${length}`);
}

/** Our own errors pass as they are. */
function broken(error: unknown): unknown {
  if (error instanceof Error && "code" in error && error.code === "CODEC.CORRUPT_BATCH") return error;
  return corrupt(`a Zstandard frame cannot be read: ${error instanceof Error ? error.message : String(error)}`);
}
