/**
 * What takes the writes of a batch back that cannot be finished.
 *
 * @module
 */
import { ByteWriter } from "../../format/byte_writer.ts";
import type { KeyText, RowStore } from "../storage/storage.ts";

/** Larger buffers are let go after a batch. */
const KEPT_BYTES = 1 << 20;

/** What there was before each write of a batch, in their order. One for all buckets: batches are not interleaved. */
export class Undo {
  readonly #keys: KeyText[] = [];
  /** Two numbers per write: where the value before it is, both -1 when there was none. */
  readonly #spans: number[] = [];
  #values = new ByteWriter(1024);

  /** Forgets everything: another batch begins, or one ended well. */
  clear(): void {
    this.#keys.length = 0;
    this.#spans.length = 0;
    this.#values.reset();
    if (this.#values.bytes.length > KEPT_BYTES) this.#values = new ByteWriter(1024);
  }

  /** Remembers what is there before a write; before the write, because stores lend what they give. */
  note(key: KeyText, value: Uint8Array | undefined): void {
    this.#keys.push(key);
    if (value === undefined) {
      this.#spans.push(-1, -1);
      return;
    }
    const values = this.#values;
    const start = values.position;
    const { length } = value;
    values.ensure(length);
    // Most values are short, and a call into the runtime costs more than copying them.
    if (length <= 32) { for (let i = 0; i < length; i++) values.bytes[start + i] = value[i]!; }
    else values.bytes.set(value, start);
    values.position = start + length;
    this.#spans.push(start, values.position);
  }

  /** Puts back what was there, and forgets it. */
  undo(store: RowStore): void {
    for (let i = this.#keys.length - 1; i >= 0; i--) {
      const start = this.#spans[2 * i]!;
      if (start < 0) store.delete(this.#keys[i]!);
      else store.put(this.#keys[i]!, this.#values.bytes, start, this.#spans[2 * i + 1]!);
    }
    this.clear();
  }
}
