/**
 * The error for bytes that cannot be what they claim to be.
 *
 * @module
 */
import { type FlussError, flussError } from "../base/errors.ts";

/** Makes the CODEC.CORRUPT_BATCH error for bytes that could not be read. */
export function corrupt(message: string): FlussError {
  return flussError("CODEC.CORRUPT_BATCH", { message });
}
