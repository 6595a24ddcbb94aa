/**
 * What is wrong with a table's declaration.
 *
 * @module
 */
import type { ErrorCode } from "../base/error_table.ts";

/** One mistake, in the words of an error. */
export interface Finding {
  /** What is wrong: names and values, no final period. */
  readonly message: string;
  /** What to write instead. */
  readonly hint?: string;
  /** The TypeScript key of the column concerned. */
  readonly column?: string;
}

/** A broken rule. */
export interface Violation extends Finding {
  /** The rule's name: `partition-key-in-primary-key`. */
  readonly rule: string;
  readonly code: ErrorCode;
  /** The number that a server answers with; absent where it accepts what it then cannot use. */
  readonly serverCode?: number;
}
