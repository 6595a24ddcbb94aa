/**
 * What codecs throw when a value does not fit: light, without a stack, because the layer above knows table and row
 * and makes the public error.
 *
 * @module
 */
import type { ErrorCode } from "./error_table.ts";

/** What a {@linkcode ColumnError} may say beyond its code and message. */
export interface ColumnErrorDetails {
  /** The path of the value, in JavaScript keys: `items[2].sku`. Empty until an outer codec puts its part in front. */
  readonly column?: string;
  /** The next action. */
  readonly hint?: string | undefined;
  /** What a user's own codec threw. */
  readonly cause?: unknown;
}

/** A value that cannot be written or read, with the path of the value and nothing about table or row. */
export class ColumnError {
  /** One of `CODEC.*` and `WRITE.*`. */
  readonly code: ErrorCode;
  /** The path of the value, in JavaScript keys: `items[2].sku`. */
  readonly column: string;
  /** What is wrong, without the path: `expected bigint, got number 5`. */
  readonly message: string;
  /** The next action; absent where the error table's own advice for the code is right. */
  readonly hint: string | undefined;
  /** What a user's own codec threw. */
  readonly cause: unknown;

  constructor(code: ErrorCode, message: string, details?: ColumnErrorDetails) {
    this.code = code;
    this.message = message;
    this.column = details?.column ?? "";
    this.hint = details?.hint;
    this.cause = details?.cause;
  }
}

/** Puts the name of a column or field in front of the path of a {@linkcode ColumnError}; other errors pass as they are. */
export function inColumn(error: unknown, key: string): unknown {
  if (!(error instanceof ColumnError)) return error;
  const separator = error.column === "" || error.column.startsWith("[") ? "" : ".";
  return withPath(error, `${key}${separator}${error.column}`);
}

/** Puts `[label]`, an index or a quoted map key, in front of the path of a {@linkcode ColumnError}. */
export function inElement(error: unknown, label: number | string): unknown {
  if (!(error instanceof ColumnError)) return error;
  const separator = error.column === "" || error.column.startsWith("[") ? "" : ".";
  return withPath(error, `[${label}]${separator}${error.column}`);
}

function withPath(error: ColumnError, column: string): ColumnError {
  return new ColumnError(error.code, error.message, { column, hint: error.hint, cause: error.cause });
}
