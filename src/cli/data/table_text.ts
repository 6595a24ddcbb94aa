/**
 * Tables for terminals. Widths are those of the first rows, so that a table of any length needs no memory.
 *
 * @module
 */
import { plainText } from "../text.ts";
import type { OutputColumn } from "./output.ts";
import type { Style } from "./style.ts";

/** Rows that are looked at before the first one is shown. */
const SAMPLE = 100;
/** Between columns. */
const GAP = "  ";
/** A column is not made narrower than this, unless it needs no more. */
const NARROW = 8;

type Cells = readonly (string | null)[];

/** See the module. Where the columns do not fit side by side, each row is shown with one line for each column. */
export class TableText {
  readonly #columns: readonly OutputColumn[];
  readonly #width: number;
  readonly #style: Style;
  #sample: Cells[] | undefined = [];
  #widths: readonly number[] | undefined;
  #rows = 0;

  constructor(columns: readonly OutputColumn[], width: number, style: Style) {
    this.#columns = columns;
    this.#width = width;
    this.#style = style;
  }

  /** Takes a row. @returns what can be shown now */
  add(cells: Cells): string {
    const plain = cells.map((cell) => cell === null ? null : plainText(cell));
    if (this.#sample === undefined) return this.#show(plain);
    this.#sample.push(plain);
    return this.#sample.length < SAMPLE ? "" : this.flush();
  }

  /** Shows the rows that were held back. */
  flush(): string {
    if (this.#sample === undefined || this.#sample.length === 0) return "";
    const rows = this.#sample;
    this.#sample = undefined;
    this.#widths = this.#fit(rows);
    let text = "";
    if (this.#widths !== undefined) {
      const names = this.#columns.map(({ name }) => plainText(name));
      text = `${this.#style.bold(this.#line(names, (cell) => cell))}\n`;
    }
    for (const row of rows) text += this.#show(row);
    return text;
  }

  /** The widths; undefined when the columns do not fit. */
  #fit(rows: readonly Cells[]): readonly number[] | undefined {
    const wanted = this.#columns.map(({ name }, i) =>
      rows.reduce((most, row) => Math.max(most, widthOf(row[i] ?? "null")), widthOf(plainText(name)))
    );
    const room = this.#width - GAP.length * (wanted.length - 1);
    const sum = (widths: readonly number[]) => widths.reduce((total, width) => total + width, 0);
    if (sum(wanted) <= room) return wanted;
    // The widest columns give way, all down to one width.
    for (let most = Math.max(...wanted); most >= NARROW; most--) {
      const widths = wanted.map((width) => Math.min(width, most));
      if (sum(widths) <= room) return widths;
    }
    return undefined;
  }

  #show(cells: Cells): string {
    this.#rows++;
    if (this.#widths === undefined) return this.#record(cells);
    return `${this.#line(cells, this.#value).replace(/ +$/, "")}\n`;
  }

  readonly #value = (text: string, cell: string | null) => cell === null ? this.#style.dim(text) : text;

  #line(cells: Cells, paint: (text: string, cell: string | null) => string): string {
    return this.#columns.map(({ right }, i) => {
      const cell = cells[i] ?? null;
      const text = cut(cell ?? "null", this.#widths![i]!);
      const last = i === this.#columns.length - 1 && right !== true;
      const room = last ? "" : " ".repeat(Math.max(0, this.#widths![i]! - widthOf(text)));
      return right === true ? room + paint(text, cell) : paint(text, cell) + room;
    }).join(GAP);
  }

  #record(cells: Cells): string {
    const names = this.#columns.map(({ name }) => plainText(name));
    const widest = Math.min(Math.max(...names.map(widthOf)), Math.max(1, Math.floor(this.#width / 2)));
    const title = this.#style.dim(`row ${this.#rows}`);
    const lines = names.map((name, i) => {
      const text = cut(name, widest);
      const value = this.#value(cells[i] ?? "null", cells[i] ?? null);
      return `${this.#style.bold(text)}${" ".repeat(widest - widthOf(text))}${GAP}${value}`;
    });
    return `${title}\n${lines.join("\n")}\n`;
  }
}

const SIMPLE = /^[\u0020-\u007e]*$/;
const NOTHING = /^[\p{M}\u200b-\u200d\u2060\ufe00-\ufe0f]$/u;
const WIDE =
  /^[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]$/u;

/** How many cells of a terminal a text takes. */
export function widthOf(text: string): number {
  if (SIMPLE.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

function characterWidth(character: string): number {
  return NOTHING.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
}

/** A text of at most so many cells; what was cut ends in an ellipsis. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let taken = "";
  let room = width - 1;
  for (const character of text) {
    room -= characterWidth(character);
    if (room < 0) break;
    taken += character;
  }
  return `${taken}…`;
}
