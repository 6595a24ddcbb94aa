/**
 * Keys as bytes.
 *
 * @module
 */
import type { KeyText } from "./storage.ts";

/** The bytes of a key. */
export function bytesOfKey(key: KeyText): Uint8Array {
  const bytes = new Uint8Array(key.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = key.charCodeAt(i);
  return bytes;
}
