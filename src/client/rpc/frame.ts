/**
 * Frames: a length, then a request or a response (Fluss: rpc/protocol/MessageCodec.java). All integers are big-endian.
 *
 * @module
 */

/** Bytes in front of a request's body: length, API key, API version, request id. */
export const REQUEST_HEADER_BYTES = 12;

/** The largest answer that is accepted unless told otherwise. */
export const DEFAULT_MAX_FRAME_BYTES: number = 256 << 20;

/** What a response frame is about; its first byte (Fluss: rpc/protocol/ResponseType.java). */
export const ResponseType = { SUCCESS: 0, ERROR: 1, SERVER_FAILURE: 2 } as const;

/** The other side sent something that is no frame. The stream cannot be read any further. */
export class FrameError extends Error {
  /** For duplicate copies of this module, where `instanceof` fails. */
  override readonly name = "FrameError";
}

/**
 * Takes one frame, without its length.
 *
 * @param bytes the frame lies in here, between `start` and `end`
 * @param owned false: the bytes are valid only during the call. true: `bytes` belongs to the callee from now on
 */
export type OnFrame = (bytes: Uint8Array, start: number, end: number, owned: boolean) => void;

const LENGTH_BYTES = 4;
/**
 * A length is a claim: this much is believed at once; beyond it the buffer doubles as the bytes come. A frame that says
 * 2 GB and sends nothing costs this much.
 */
const TRUSTED_BYTES = 1 << 20;

/** Cuts a stream of chunks into frames. */
export class FrameReader {
  readonly #onFrame: OnFrame;
  readonly #maxFrameBytes: number;
  readonly #trustedBytes: number;
  /** The length of the current frame, as far as it came: its value so far, and how many of its four bytes. */
  #length = 0;
  #lengthBytes = 0;
  /** A frame that came in pieces: `#filled` of its `#length` bytes are here. */
  #body: Uint8Array | undefined;
  #filled = 0;
  #stopped = false;

  /** @param trustedBytes how much of what a length claims is believed before it has come */
  constructor(
    onFrame: OnFrame,
    maxFrameBytes: number = DEFAULT_MAX_FRAME_BYTES,
    trustedBytes: number = TRUSTED_BYTES,
  ) {
    this.#onFrame = onFrame;
    this.#maxFrameBytes = maxFrameBytes;
    this.#trustedBytes = trustedBytes;
  }

  /** True in the middle of a frame. */
  get partial(): boolean {
    return this.#lengthBytes > 0;
  }

  /** Bytes of the frame that is being gathered. */
  get gathered(): number {
    return this.#filled;
  }

  /** Ignores everything from here on, also the rest of a chunk that is being read. */
  stop(): void {
    this.#stopped = true;
    this.#body = undefined;
    this.#filled = 0;
  }

  /**
   * Reads on. Whole frames are handed out as views of the chunk; nothing of the chunk is kept.
   *
   * @throws FrameError when a length is not possible; the reader is of no more use then
   */
  push(chunk: Uint8Array): void {
    let position = 0;
    while (position < chunk.length && !this.#stopped) {
      if (this.#body === undefined) {
        while (this.#lengthBytes < LENGTH_BYTES) {
          if (position === chunk.length) return;
          this.#length = (this.#length << 8) | chunk[position++]!;
          this.#lengthBytes++;
        }
        const length = this.#checkedLength();
        if (chunk.length - position >= length) {
          const start = position;
          position += length;
          this.#reset();
          this.#onFrame(chunk, start, position, false);
          continue;
        }
        if (position === chunk.length) return;
        this.#body = new Uint8Array(Math.min(length, Math.max(this.#trustedBytes, chunk.length - position)));
      }
      position = this.#fill(chunk, position);
    }
  }

  #checkedLength(): number {
    const length = this.#length;
    if (length < 1) throw new FrameError(`a frame cannot have ${length} bytes`);
    if (length > this.#maxFrameBytes) {
      throw new FrameError(`a frame claims ${length} bytes, more than the ${this.#maxFrameBytes} that are accepted`);
    }
    return length;
  }

  /** Moves bytes of the chunk into the frame that is being gathered; returns the position behind them. */
  #fill(chunk: Uint8Array, position: number): number {
    const end = Math.min(chunk.length, position + this.#length - this.#filled);
    const filled = this.#filled + end - position;
    let body = this.#body!;
    if (filled > body.length) {
      body = new Uint8Array(Math.min(this.#length, Math.max(filled, body.length * 2)));
      body.set(this.#body!.subarray(0, this.#filled));
      this.#body = body;
    }
    body.set(position === 0 && end === chunk.length ? chunk : chunk.subarray(position, end), this.#filled);
    this.#filled = filled;
    if (filled === this.#length) {
      this.#reset();
      this.#onFrame(body, 0, filled, true);
    }
    return end;
  }

  #reset(): void {
    this.#length = 0;
    this.#lengthBytes = 0;
    this.#body = undefined;
    this.#filled = 0;
  }
}

/** Where finished bytes go: `Transport.write`. */
export type Sink = (bytes: Uint8Array) => void | Promise<void>;

/** Small frames are gathered in buffers of this size. */
const BUFFER_BYTES = 64 << 10;
/** A body up to this size is copied; a copy costs less than a write of its own. */
const COPIED_BYTES = 8 << 10;

/** Writes request frames. Small ones wait for {@linkcode FrameWriter.flush} and leave together. */
export class FrameWriter {
  readonly #sink: Sink;
  /** Frames lie here side by side and are never overwritten: a sink may keep what it got. */
  #buffer: Uint8Array = EMPTY;
  #start = 0;
  #end = 0;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  /**
   * Adds a frame. A large body leaves at once, with all frames before it.
   *
   * @param body handed over: it must not change any more
   * @param headroom the first {@linkcode REQUEST_HEADER_BYTES} bytes of `body` are room for the header
   * @returns a promise when the sink asks to wait
   */
  add(
    apiKey: number,
    apiVersion: number,
    requestId: number,
    body: Uint8Array,
    headroom: boolean,
  ): void | Promise<void> {
    const size = headroom ? body.length : REQUEST_HEADER_BYTES + body.length;
    if (size > COPIED_BYTES) {
      if (headroom) {
        writeHeader(body, 0, size, apiKey, apiVersion, requestId);
        const before = this.flush();
        return this.#sink(body) ?? before;
      }
      this.#reserve(REQUEST_HEADER_BYTES);
      writeHeader(this.#buffer, this.#end, size, apiKey, apiVersion, requestId);
      this.#end += REQUEST_HEADER_BYTES;
      const before = this.flush();
      return this.#sink(body) ?? before;
    }
    this.#reserve(size);
    this.#buffer.set(body, this.#end + size - body.length);
    writeHeader(this.#buffer, this.#end, size, apiKey, apiVersion, requestId);
    this.#end += size;
  }

  /** Hands what was gathered to the sink; returns a promise when the sink asks to wait. */
  flush(): void | Promise<void> {
    if (this.#start === this.#end) return;
    const bytes = this.#buffer.subarray(this.#start, this.#end);
    this.#start = this.#end;
    return this.#sink(bytes);
  }

  #reserve(size: number): void {
    if (this.#buffer.length - this.#end >= size) return;
    this.flush();
    this.#buffer = new Uint8Array(BUFFER_BYTES);
    this.#start = 0;
    this.#end = 0;
  }
}

const EMPTY = new Uint8Array(0);

/** `size` counts the header. Byte by byte: a DataView per body would cost more. */
function writeHeader(
  out: Uint8Array,
  at: number,
  size: number,
  apiKey: number,
  apiVersion: number,
  requestId: number,
): void {
  const length = size - LENGTH_BYTES;
  out[at] = length >>> 24;
  out[at + 1] = length >>> 16;
  out[at + 2] = length >>> 8;
  out[at + 3] = length;
  out[at + 4] = apiKey >>> 8;
  out[at + 5] = apiKey;
  out[at + 6] = apiVersion >>> 8;
  out[at + 7] = apiVersion;
  out[at + 8] = requestId >>> 24;
  out[at + 9] = requestId >>> 16;
  out[at + 10] = requestId >>> 8;
  out[at + 11] = requestId;
}

/** Reads a big-endian int32. */
export function readInt32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}
