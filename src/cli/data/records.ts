/**
 * Files as records, and records as rows of a table.
 *
 * @module
 */
import { bareMessage, FlussError, flussError } from "../../base/errors.ts";
import type { RowKind } from "../../schema/row_kind.ts";
import type { CsvDialect } from "./csv.ts";
import type { InputFile } from "./files.ts";
import type { OpenTable } from "./open_table.ts";

/** The formats of files. */
export type FileFormat = "jsonl" | "csv" | "arrow" | "parquet";

/** A row to write. */
export type Row = Record<string, unknown>;

/** What is wrong with a record. */
export class RowProblem extends Error {
  /** The column, where it is one. */
  readonly column: string | undefined;

  constructor(message: string, column?: string) {
    super(message);
    this.column = column;
  }
}

/** One record of a file. */
export interface FileRecord {
  /** The line that it begins in, from 1; its number where there are no lines. */
  readonly line: number;
  /**
   * The row. Its values may still be outside of their types: the write checks them.
   *
   * @throws RowProblem
   */
  row(): Row;
  /** The record as it would be written down again. */
  text(): string;
}

/** The records of a file. */
export interface Records {
  /** What stands before them in a file of their kind. */
  readonly header: string;
  batches(): AsyncIterable<readonly FileRecord[]>;
}

/** How a file is read. */
export interface RecordOptions {
  readonly table: OpenTable;
  /** What its rows are for. */
  readonly kind: RowKind;
  /** Told of every piece that was read. */
  readonly onBytes: (bytes: number) => void;
  /** Ends it with an error, also while nothing comes. */
  readonly signal?: AbortSignal;
}

/** How CSV is read. */
export interface CsvOptions extends RecordOptions {
  readonly dialect: CsvDialect;
  /** The columns, where the first line does not name them. */
  readonly columns: readonly string[] | undefined;
}

/** Text of a file, piece by piece. */
export async function* textOf(
  file: InputFile,
  { onBytes, signal }: RecordOptions,
  line: () => number,
): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const decode = (bytes?: Uint8Array<ArrayBuffer>) => {
    try {
      return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
    } catch {
      const before = new TextDecoder().decode(bytes).split("\ufffd", 1)[0]!;
      throw badFormat(`${file.name} is not text in UTF-8, in line ${line() + before.split("\n").length - 1}`);
    }
  };
  for await (const bytes of file.read(signal)) {
    onBytes(bytes.length);
    yield decode(bytes);
  }
  yield decode();
}

/** What is wrong with a record, if the record is to blame; everything else is thrown on. */
export function problemOf(error: unknown): RowProblem {
  if (error instanceof RowProblem) return error;
  const ofRow = FlussError.is(error) &&
    /^(CODEC|VALIDATION)\.|^WRITE\.(UNKNOWN_COLUMN|UNDEFINED_VALUE|MISSING_COLUMN|GENERATED_COLUMN|TOO_LARGE)$/
      .test(error.code);
  if (!ofRow) throw error;
  return new RowProblem(bareMessage(error), error.column);
}

/** A file that cannot be read as what it should be. */
export function badFormat(message: string, hint?: string): FlussError {
  return flussError("INPUT.BAD_FORMAT", { message, hint });
}
