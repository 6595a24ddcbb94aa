/**
 * CSV as records.
 *
 * @module
 */
import { JsonMismatch } from "../../schema/json_values.ts";
import { membersOf } from "../../schema/row_kind.ts";
import { type CellReader, textReader } from "./cells.ts";
import { CsvError, CsvReader, type CsvRecord, csvWriter } from "./csv.ts";
import type { InputFile } from "./files.ts";
import { badFormat, type CsvOptions, type FileRecord, type Records, type Row, RowProblem, textOf } from "./records.ts";

/** How the cells of a record become a row. */
interface Shape {
  readonly keys: readonly string[];
  /** Where `__proto__` is among them; -1 where it is not. */
  readonly hostile: number;
  readonly readers: readonly CellReader<string>[];
  readonly write: (cells: readonly (string | null)[]) => string;
}

/** See the module. Its columns are looked at before its first record is read. */
export async function csvRecords(file: InputFile, options: CsvOptions): Promise<Records> {
  const { columns, dialect } = options;
  const write = csvWriter(dialect).record;
  if (columns !== undefined) {
    const shape = shapeOf(columns, file, options);
    return { header: "", batches: () => records(file, options, shape, false) };
  }
  if (file.again) {
    const shape = shapeOf(await headerOf(file, options), file, options);
    return { header: write(shape.keys), batches: () => records(file, options, shape, true) };
  }
  // What can be read once is read on behind its first line.
  const begun = parsed(file, options)[Symbol.asyncIterator]();
  let first: readonly CsvRecord[] = [];
  for (let step = await begun.next(); first.length === 0 && !step.done; step = await begun.next()) {
    first = step.value;
    if (first.length > 0) break;
  }
  const shape = shapeOf(namesIn(first[0], file), file, options);
  return {
    header: write(shape.keys),
    async *batches() {
      yield first.slice(1).map((record) => new CsvFileRecord(record, shape));
      for await (const batch of { [Symbol.asyncIterator]: () => begun }) {
        yield batch.map((record) => new CsvFileRecord(record, shape));
      }
    },
  };
}

async function headerOf(file: InputFile, options: CsvOptions): Promise<readonly string[]> {
  for await (const batch of parsed(file, { ...options, onBytes: () => {} })) {
    if (batch.length > 0) return namesIn(batch[0], file);
  }
  return namesIn(undefined, file);
}

function namesIn(record: CsvRecord | undefined, file: InputFile): readonly string[] {
  if (record?.problem !== undefined) throw badFormat(`${file.name}: line ${record.line}: ${record.problem}`);
  if (record !== undefined) return record.cells.map((cell) => cell ?? "");
  throw badFormat(`${file.name} is empty`, "its first line names the columns; or name them with --columns a,b,c");
}

async function* records(
  file: InputFile,
  options: CsvOptions,
  shape: Shape,
  header: boolean,
): AsyncGenerator<readonly FileRecord[]> {
  let skip = header;
  for await (const batch of parsed(file, options, !header && shape.keys.length === 1)) {
    const found = skip ? batch.slice(1) : batch;
    if (batch.length > 0) skip = false;
    yield found.map((record) => new CsvFileRecord(record, shape));
  }
}

async function* parsed(file: InputFile, options: CsvOptions, blank = false): AsyncGenerator<CsvRecord[]> {
  const reader = new CsvReader(options.dialect, blank);
  let line = 1;
  try {
    for await (const text of textOf(file, options, () => line)) {
      const batch = reader.push(text);
      line = batch.at(-1)?.line ?? line;
      yield batch;
    }
    yield reader.end();
  } catch (error) {
    throw error instanceof CsvError ? badFormat(`${file.name}: line ${error.line}: ${error.message}`) : error;
  }
}

function shapeOf(headings: readonly string[], file: InputFile, { table, kind, dialect }: CsvOptions): Shape {
  const members = membersOf(table.definition, kind);
  const known = members.map(({ column }) => column.key);
  const hint = `the columns are ${known.join(", ")}`;
  // Spaces around a name are a matter of taste, unless they are part of it.
  const names = headings.map((heading) => known.includes(heading) ? heading : heading.trim());
  for (const [i, name] of names.entries()) {
    const where = `${file.name}: column ${i + 1}`;
    if (name === "") throw badFormat(`${where} has no name`, hint);
    if (!known.includes(name)) throw badFormat(`${where}: there is no column ${JSON.stringify(name)} to write`, hint);
    if (names.indexOf(name) < i) throw badFormat(`${where}: ${JSON.stringify(name)} is there twice`);
  }
  const missing = members.find(({ column, required }) => required && !names.includes(column.key));
  if (missing !== undefined) {
    throw badFormat(
      `${file.name} lacks the column ${JSON.stringify(missing.column.key)}, which cannot be left out`,
      hint,
    );
  }
  const types = new Map(members.map(({ column }) => [column.key, column.type]));
  return {
    keys: names,
    hostile: names.indexOf("__proto__"),
    readers: names.map((name) => textReader(types.get(name)!)),
    write: csvWriter(dialect).record,
  };
}

class CsvFileRecord implements FileRecord {
  readonly #record: CsvRecord;
  readonly #shape: Shape;

  constructor(record: CsvRecord, shape: Shape) {
    this.#record = record;
    this.#shape = shape;
  }

  get line(): number {
    return this.#record.line;
  }

  row(): Row {
    const { cells, problem } = this.#record;
    const { hostile, keys, readers } = this.#shape;
    if (problem !== undefined) throw new RowProblem(problem);
    if (cells.length !== keys.length) {
      const [has, wanted] = [cells.length, keys.length].map((count) => `${count} ${count === 1 ? "cell" : "cells"}`);
      throw new RowProblem(`it has ${has}, and there should be ${wanted}`);
    }
    const row: Row = {};
    for (let i = 0; i < keys.length; i++) {
      const cell = cells[i]!;
      let value: unknown = null;
      if (cell !== null) {
        try {
          value = readers[i]!(cell);
        } catch (error) {
          throw error instanceof JsonMismatch ? new RowProblem(error.message, keys[i]) : error;
        }
      }
      // Set as a property of its own, whatever its name is.
      if (i === hostile) Object.defineProperty(row, "__proto__", { value, enumerable: true });
      else row[keys[i]!] = value;
    }
    return row;
  }

  text(): string {
    const { cells, raw } = this.#record;
    return raw === undefined ? this.#shape.write(cells) : `${raw}\n`;
  }
}
