/**
 * CHAR values with the padding of the INDEXED row format behind them.
 *
 * @module
 */
import type { RawColumn } from "./raw_column.ts";

/** The same texts without the zero bytes at their ends; the same buffers where there are none. */
export function withoutPadding(raw: RawColumn): RawColumn {
  const from = raw.offsets!;
  const data = raw.data!;
  const offsets = new Int32Array(raw.length + 1);
  let size = 0;
  for (let i = 0; i < raw.length; i++) {
    const start = from[i]!;
    let end = from[i + 1]!;
    while (end > start && data[end - 1] === 0) end--;
    size += end - start;
    offsets[i + 1] = size;
  }
  if (size === from[raw.length]! - from[0]!) return raw;
  const stripped = new Uint8Array(size);
  for (let i = 0; i < raw.length; i++) {
    const start = from[i]!;
    const target = offsets[i]!;
    const length = offsets[i + 1]! - target;
    for (let at = 0; at < length; at++) stripped[target + at] = data[start + at]!;
  }
  return { ...raw, offsets, data: stripped };
}
