/**
 * Bytes of segments, for tests of what reads them.
 *
 * @module
 */
import { t, table } from "../../../../../mod.ts";
import { compileLogBuilder } from "../../../../../src/format/log_builder.ts";
import { logBatchAt } from "../../../../../src/format/log_batch.ts";
import { definitionOf } from "../../../../../src/schema/definition.ts";
import { parseDescriptor, toDescriptorJson } from "../../../../../src/schema/descriptor.ts";

const rows = table("d.rows", { n: t.int(), text: t.string() });
const json = new TextEncoder().encode(JSON.stringify(toDescriptorJson(definitionOf(rows))));
const make = compileLogBuilder(parseDescriptor(json, 1, "d.rows").schema.columns, {
  format: "arrow",
  compression: { type: "none" },
});

/** A batch of rows from an offset on. */
export function logBatch(offset: number, count: number, text: string = "x"): Uint8Array {
  const builder = make(1);
  for (let i = 0; i < count; i++) builder.append({ n: offset + i, text });
  const bytes = builder.finish(-1n, -1).slice();
  new DataView(bytes.buffer).setBigInt64(0, BigInt(offset), true);
  return bytes;
}

/** Bytes one after the other. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The first offset of every batch, and the one behind it. */
export function offsetsOf(bytes: Uint8Array): { readonly base: bigint; readonly next: bigint }[] {
  const found: { base: bigint; next: bigint }[] = [];
  for (let at = 0, batch; (batch = logBatchAt(bytes, at)) !== undefined; at = batch.end) {
    found.push({ base: batch.baseOffset, next: batch.nextOffset });
  }
  return found;
}
