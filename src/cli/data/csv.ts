/**
 * CSV as RFC 4180 has it, read in pieces of any size, and written. A cell without anything is null, and `""` is an empty
 * text: none of the small libraries tells quoted cells from others, so a table would not come back as it left.
 *
 * @module
 */

/** How it is written down. */
export interface CsvDialect {
  /** Between cells. One character. */
  readonly delimiter: string;
  /** What stands for null, without quotes. */
  readonly nullText: string;
}

/** One record. */
export interface CsvRecord {
  /** The line that it begins in, from 1. */
  readonly line: number;
  readonly cells: readonly (string | null)[];
  /** What is wrong with it. */
  readonly problem?: string;
  /** Where something is wrong: how it stands in the file. */
  readonly raw?: string;
}

/** No record is longer: a quote that is never closed would otherwise take everything behind it into memory. */
const MAX_RECORD = 16 << 20;

const QUOTE = 34;
const NEWLINE = 10;
const RETURN = 13;

/** A file that cannot be taken apart. */
export class CsvError extends Error {
  readonly line: number;

  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}

/** Takes text apart. */
export class CsvReader {
  readonly #delimiter: string;
  readonly #nullText: string;
  /** Whether a line with nothing on it is a record, of one cell that is null. */
  #blank: boolean;
  #first = true;
  #text = "";
  #line = 1;
  #limit = MAX_RECORD;
  /** Where the next delimiter of the text is; Infinity where there is none. */
  #found = -1;

  /** @param blank whether the first line is a record even with nothing on it; later ones are where it has one cell */
  constructor({ delimiter, nullText }: CsvDialect, blank = false) {
    this.#delimiter = delimiter;
    this.#nullText = nullText;
    this.#blank = blank;
  }

  /**
   * The records that are complete with this text.
   *
   * @throws CsvError
   */
  push(text: string): CsvRecord[] {
    // What was left is short: a record.
    this.#text = this.#text === "" ? text : this.#text + text;
    return this.#take(false);
  }

  /**
   * The record that no line break ended.
   *
   * @throws CsvError
   */
  end(): CsvRecord[] {
    return this.#text === "" ? [] : this.#take(true);
  }

  #take(last: boolean): CsvRecord[] {
    const text = this.#text;
    const records: CsvRecord[] = [];
    let at = 0;
    let quote = text.indexOf('"');
    this.#found = -1;
    while (at < text.length) {
      let end = text.indexOf("\n", at);
      if (end < 0) end = last ? text.length : -1;
      if (quote >= 0 && quote < at) quote = text.indexOf('"', at);
      let next: number | undefined;
      if (end >= 0 && (quote < 0 || quote > end)) {
        this.#addLine(records, text, at, end);
        next = end + 1;
      } else if (quote >= 0) {
        next = this.#addQuoted(records, text, at, last);
      }
      if (next === undefined) break;
      at = next;
    }
    this.#text = at >= text.length ? "" : text.slice(at);
    if (this.#text.length > this.#limit) {
      throw new CsvError(`the record is longer than ${MAX_RECORD >> 20} MiB: is a quote missing?`, this.#line);
    }
    return records;
  }

  /** A record without quotes. */
  #addLine(records: CsvRecord[], text: string, from: number, end: number): void {
    const to = end > from && text.charCodeAt(end - 1) === RETURN ? end - 1 : end;
    const line = this.#line++;
    if (to === from && !this.#blank) return;
    const delimiter = this.#delimiter;
    const nullText = this.#nullText;
    const cells: (string | null)[] = [];
    let found = this.#found;
    for (let at = from; at <= to;) {
      // Looked for once: behind the last one of a text, every line would look to its end again.
      if (found < at) found = placeOf(text, delimiter, at);
      const end = found < to ? found : to;
      const cell = text.slice(at, end);
      cells.push(cell === nullText ? null : cell);
      at = end + 1;
    }
    this.#found = found;
    this.#keep(records, { line, cells });
  }

  #keep(records: CsvRecord[], record: CsvRecord): void {
    if (this.#first) this.#blank = record.cells.length === 1;
    this.#first = false;
    records.push(record);
  }

  /** @returns where the next record begins; undefined when this one is not there as a whole */
  #addQuoted(records: CsvRecord[], text: string, from: number, last: boolean): number | undefined {
    const cells: (string | null)[] = [];
    const delimiter = this.#delimiter.charCodeAt(0);
    const first = this.#line;
    let line = first;
    let problem: string | undefined;
    let at = from;
    for (;;) {
      if (text.charCodeAt(at) === QUOTE) {
        let cell = "";
        at++;
        for (;;) {
          const close = text.indexOf('"', at);
          if (close < 0 || (close === text.length - 1 && !last)) {
            if (last) throw new CsvError("a quote is not closed", first);
            return undefined;
          }
          cell += text.slice(at, close);
          at = close + 1;
          if (text.charCodeAt(at) !== QUOTE) break;
          cell += '"';
          at++;
        }
        for (let i = cell.indexOf("\n"); i >= 0; i = cell.indexOf("\n", i + 1)) line++;
        cells.push(cell);
        const closed = at;
        while (at < text.length && text.charCodeAt(at) !== delimiter && text.charCodeAt(at) !== NEWLINE) at++;
        const behind = text.slice(closed, at);
        if (behind !== "" && behind !== "\r") problem ??= `cell ${cells.length} goes on behind its closing quote`;
      } else {
        const begin = at;
        while (at < text.length && text.charCodeAt(at) !== delimiter && text.charCodeAt(at) !== NEWLINE) at++;
        const ends = at === text.length || text.charCodeAt(at) === NEWLINE;
        const to = ends && at > begin && text.charCodeAt(at - 1) === RETURN ? at - 1 : at;
        const cell = text.slice(begin, to);
        cells.push(cell === this.#nullText ? null : cell);
      }
      if (at === text.length && !last) return undefined;
      if (at === text.length || text.charCodeAt(at) === NEWLINE) break;
      at++;
    }
    this.#line = line + 1;
    this.#keep(
      records,
      problem === undefined ? { line: first, cells } : { line: first, cells, problem, raw: text.slice(from, at) },
    );
    return at + 1;
  }
}

function placeOf(text: string, part: string, from: number): number {
  const at = text.indexOf(part, from);
  return at < 0 ? Infinity : at;
}

/** What writes cells. */
export interface CsvWriter {
  /** A cell that may have anything in it. */
  any(cell: string): string;
  /** A cell of digits, letters and `+-.:` alone, and not empty. */
  plain(cell: string): string;
  /** A record, with its line break. */
  record(cells: readonly (string | null)[]): string;
}

/** See {@linkcode CsvWriter}. */
export function csvWriter({ delimiter, nullText }: CsvDialect): CsvWriter {
  const special = new RegExp(`["\\r\\n${delimiter.replace(/[\\\]^-]/, "\\$&")}]`);
  const any = (cell: string) =>
    cell === nullText || cell === "" || special.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
  return {
    any,
    plain: /[\w.:+-]/.test(delimiter + nullText) ? any : (cell) => cell,
    record: (cells) => `${cells.map((cell) => cell === null ? nullText : any(cell)).join(delimiter)}\n`,
  };
}
