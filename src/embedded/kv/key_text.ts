/**
 * Encoded keys as texts, one UTF-16 unit per byte: what rows are found by.
 *
 * @module
 */
import type { KeyText } from "../storage/storage.ts";

/** Arguments of one call: engines take some 65,000, and a larger stack for many. */
const MOST_AT_ONCE = 1024;

/** The text of the key in `bytes[start..end)`. */
export function keyText(bytes: Uint8Array, start: number, end: number): KeyText {
  const length = end - start;
  // Most keys are short, and a view for `apply` costs more than the text.
  if (length <= 16) {
    let text = "";
    let at = start;
    for (; at + 4 <= end; at += 4) {
      text += String.fromCharCode(bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!);
    }
    for (; at < end; at++) text += String.fromCharCode(bytes[at]!);
    return text;
  }
  let text = "";
  for (let at = start; at < end; at += MOST_AT_ONCE) {
    text += String.fromCharCode.apply(
      null,
      bytes.subarray(at, Math.min(end, at + MOST_AT_ONCE)) as unknown as number[],
    );
  }
  return text;
}
