/**
 * What commands print: a table for people, JSON lines in a pipe, one envelope with `--json`.
 *
 * @module
 */
import type { Io, Values } from "../command.ts";
import { envelopeOf, ToldError } from "../report.ts";
import { plainText } from "../text.ts";
import { isOn } from "./values.ts";
import { type Style, styleOf } from "./style.ts";
import { TableText } from "./table_text.ts";

/** Characters that are gathered before they are written. */
const CHUNK = 1 << 16;

/** A column of what is printed. */
export interface OutputColumn {
  /** The heading. */
  readonly name: string;
  /** Whether it stands on the right, as numbers do. */
  readonly right?: boolean;
}

/** How rows of one kind are printed. */
export interface RowForm<R> {
  readonly columns: readonly OutputColumn[];
  /** The cells for people, as they are: whatever would move the cursor is taken out later. Null is nothing. */
  cells(row: R): readonly (string | null)[];
  /** The row as JSON text. */
  json(row: R): string;
  /** The row for people as lines of its own, which nothing is taken out of, instead of cells of a table. */
  line?(row: R): string;
}

/** Where rows go. */
export interface RowOutput<R> {
  /** Takes rows; resolves when there is room for more. */
  add(rows: Iterable<R>): Promise<void>;
  /** Writes what was gathered. For rows that come slowly. */
  flush(): Promise<void>;
  /** Ends it. @param more what the envelope also says */
  end(more?: Readonly<Record<string, unknown>>): Promise<void>;
  /** How many rows there were. */
  readonly count: number;
}

/**
 * Runs a command that prints rows, to the end of its output.
 *
 * @param produce adds rows; what it returns stands in the envelope
 */
export async function printRows<R>(
  form: RowForm<R>,
  values: Values,
  io: Io,
  produce: (output: RowOutput<R>) => Promise<Readonly<Record<string, unknown>> | void>,
): Promise<number> {
  const output = isOn(values, "json")
    ? new Envelope(form, io)
    : io.screen.out
    ? new People(form, io)
    : new Lines(form, io);
  let more: Readonly<Record<string, unknown>> | void;
  try {
    more = await produce(output);
  } catch (error) {
    await output.fail(error);
    throw error;
  }
  await output.end(more ?? {});
  return output.count;
}

/** Prints one object: as JSON, and for people by `show`. */
export async function printObject(
  object: Readonly<Record<string, unknown>>,
  values: Values,
  io: Io,
  show: (style: Style) => string,
): Promise<void> {
  if (isOn(values, "json")) return await io.write(`${onScreen(jsonText({ ok: true, ...object }), io)}\n`);
  await io.write(io.screen.out ? show(styleOf(io, "out")) : `${jsonText(object)}\n`);
}

/** JSON with bigints as text. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_, inner) => typeof inner === "bigint" ? String(inner) : inner);
}

/** JSON text, which on a terminal has only characters that stay where they are. */
function onScreen(json: string, io: Io): string {
  return io.screen.out ? plainText(json) : json;
}

class Lines<R> implements RowOutput<R> {
  protected readonly form: RowForm<R>;
  protected readonly io: Io;
  protected text = "";
  count = 0;

  constructor(form: RowForm<R>, io: Io) {
    this.form = form;
    this.io = io;
  }

  async add(rows: Iterable<R>): Promise<void> {
    for (const row of rows) {
      this.put(this.form.json(row));
      this.count++;
      if (this.text.length > CHUNK) await this.flush();
    }
  }

  protected put(json: string): void {
    this.text += `${json}\n`;
  }

  async flush(): Promise<void> {
    if (this.text === "") return;
    const { text } = this;
    this.text = "";
    await this.io.write(text);
  }

  async end(_more: Readonly<Record<string, unknown>>): Promise<void> {
    await this.flush();
  }

  async fail(_error: unknown): Promise<void> {
    await this.flush();
  }
}

/** The rows come as they are found, so whether it went well stands at the end. */
class Envelope<R> extends Lines<R> {
  constructor(form: RowForm<R>, io: Io) {
    super(form, io);
    this.text = '{"rows":[';
  }

  protected override put(json: string): void {
    this.text += `${this.count === 0 ? "" : ","}\n${onScreen(json, this.io)}`;
  }

  override async end(more: Readonly<Record<string, unknown>>): Promise<void> {
    this.text += `],${jsonText({ count: this.count, ...more, ok: true }).slice(1)}\n`;
    await this.flush();
  }

  override async fail(error: unknown): Promise<void> {
    // With no row there is an envelope of the usual form.
    if (this.count === 0) return;
    this.text += `],${jsonText({ count: this.count, ok: false, error: envelopeOf(error) }).slice(1)}\n`;
    await this.flush();
    throw new ToldError("told", { cause: error });
  }
}

class People<R> implements RowOutput<R> {
  readonly #form: RowForm<R>;
  readonly #io: Io;
  readonly #table: TableText;
  count = 0;

  constructor(form: RowForm<R>, io: Io) {
    this.#form = form;
    this.#io = io;
    this.#table = new TableText(form.columns, io.screen.columns, styleOf(io, "out"));
  }

  async add(rows: Iterable<R>): Promise<void> {
    for (const row of rows) {
      this.count++;
      const text = this.#form.line?.(row) ?? this.#table.add(this.#form.cells(row));
      if (text !== "") await this.#io.write(text);
    }
  }

  async flush(): Promise<void> {
    const text = this.#table.flush();
    if (text !== "") await this.#io.write(text);
  }

  async end(): Promise<void> {
    await this.flush();
    this.#io.err(`${this.count} ${this.count === 1 ? "row" : "rows"}\n`);
  }

  async fail(): Promise<void> {
    await this.flush();
  }
}
