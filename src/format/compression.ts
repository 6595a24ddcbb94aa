/**
 * The codecs of Arrow buffers (Fluss: ArrowCompressionType.java).
 *
 * @module
 */
import { corrupt } from "./corrupt.ts";
import { compressLz4, decompressLz4, LZ4_MAX_RATIO } from "./lz4_frame.ts";
import { compressZstd, decompressZstd, ZSTD_MAX_RATIO } from "./zstd.ts";

/** How bytes are compressed: not at all, in LZ4 frames, in Zstandard frames. */
export type Codec = "none" | "lz4" | "zstd";

/**
 * Compresses bytes.
 *
 * @param level of "zstd", 1 to 22. Default 3
 * @returns one frame; with "none" the same bytes
 * @throws {FlussError} RUNTIME.NO_ZSTD for "zstd" where the runtime has none
 */
export function compressBuffer(codec: Codec, level: number | undefined, bytes: Uint8Array): Uint8Array {
  switch (codec) {
    case "none":
      return bytes;
    case "lz4":
      return compressLz4(bytes);
    case "zstd":
      return compressZstd(bytes, level);
  }
}

/**
 * Decompresses one frame.
 *
 * @param length the length of the content as it is claimed; not one byte is reserved that the frame could not fill
 * @returns fresh memory that starts at a multiple of 8; with "none" the same bytes
 * @throws {FlussError} CODEC.CORRUPT_BATCH when the bytes are no frame of that content
 */
export function decompressBuffer(codec: Codec, bytes: Uint8Array, length: number): Uint8Array {
  if (codec === "none") {
    if (bytes.length !== length) throw corrupt(`${bytes.length} bytes instead of ${length}`);
    return bytes;
  }
  if (length > bytes.length * (codec === "lz4" ? LZ4_MAX_RATIO : ZSTD_MAX_RATIO)) {
    throw corrupt(`${bytes.length} bytes of ${codec} cannot hold ${length}`);
  }
  const content = codec === "lz4" ? decompressLz4(bytes, length) : decompressZstd(bytes, length);
  // The runtime may take small pieces from a pool.
  return content.byteOffset % 8 === 0 ? content : new Uint8Array(content);
}
