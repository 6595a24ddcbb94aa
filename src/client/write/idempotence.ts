/**
 * What to do with a batch that the server answered: the decision table of idempotent writing.
 *
 * Source: Fluss `client/write/IdempotenceManager.java` and `Sender.java`.
 *
 * @module
 */
import type { FlussError } from "../../base/errors.ts";

/** What the decision depends on. */
export interface BatchStanding {
  /** The batch's sequence in its bucket; -1 when writing is not idempotent. */
  readonly sequence: number;
  /** The sequence that the server acknowledged last in this bucket; -1 before the first. */
  readonly lastAcked: number;
  /** True when the sequence changed since the batch was last sent. */
  readonly sequenceMoved: boolean;
  /** True when an earlier attempt ended with an error, after which it may be written all the same. */
  readonly sentBefore: boolean;
  /** True when the batch was sent with a writer id that has been given up since. */
  readonly writerIdChanged: boolean;
}

/** What to do. */
export type Decision =
  /** It is on the server, though the answer does not say where. */
  | "written"
  /** Send it again. */
  | "retry"
  /** Give it up; the sequences of the batches behind it move down by one. */
  | "fail"
  /** Give it up, and write on under a new writer id. */
  | "failAndReset"
  /** Give it up as written under a writer id that no longer counts. */
  | "failUnknownWriter";

/** Decides on a batch that the server refused with `error`. */
export function decide(error: FlussError, batch: BatchStanding): Decision {
  const idempotent = batch.sequence >= 0;
  if (idempotent && error.code === "SERVER.DUPLICATE_SEQUENCE_EXCEPTION") return "written";
  const outOfOrder = error.code === "SERVER.OUT_OF_ORDER_SEQUENCE_EXCEPTION";
  // A later batch was taken, so this one was too: its answer is what was lost.
  if (idempotent && outOfOrder && notAfter(batch.sequence, batch.lastAcked)) return "written";
  const unknownWriter = error.code === "SERVER.UNKNOWN_WRITER_ID_EXCEPTION";
  if (idempotent && (outOfOrder || unknownWriter)) {
    if (batch.writerIdChanged) return "failUnknownWriter";
    if (batch.sequenceMoved) return "retry";
    if (outOfOrder && batch.sequence !== nextSequence(batch.lastAcked)) return "retry";
    return "failAndReset";
  }
  if (!error.retriable) {
    // A server that says no at once has written nothing. When an answer was lost or made no sense, the batch may be
    // written, and the server would take other rows with its sequence for the same batch, and drop them with a word of
    // success.
    const unwritten = error.code.startsWith("SERVER.") && !batch.sentBefore;
    return idempotent && !unwritten ? "failAndReset" : "fail";
  }
  return idempotent && batch.writerIdChanged ? "failUnknownWriter" : "retry";
}

/** The sequence after `sequence`; after the largest int32 comes 0. */
export function nextSequence(sequence: number): number {
  return sequence === 0x7fffffff ? 0 : sequence + 1;
}

/** Whether `sequence` was given out before or with `lastAcked`, across the wrap of sequences too. */
function notAfter(sequence: number, lastAcked: number): boolean {
  return lastAcked >= 0 && ((lastAcked - sequence) & 0x7fffffff) < 0x40000000;
}
