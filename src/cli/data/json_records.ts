/**
 * JSON lines as records.
 *
 * @module
 */
import { JsonMismatch } from "../../schema/json_values.ts";
import { membersOf } from "../../schema/row_kind.ts";
import { asItIs, jsonReader } from "./cells.ts";
import { JsonScanner } from "./json_scan.ts";
import type { InputFile } from "./files.ts";
import {
  badFormat,
  type FileRecord,
  type RecordOptions,
  type Records,
  type Row,
  RowProblem,
  textOf,
} from "./records.ts";

/** No line is longer. */
const MAX_LINE = 16 << 20;

/** See the module. Lines with nothing on them are left out. */
export function jsonRecords(file: InputFile, options: RecordOptions): Records {
  return { header: "", batches: () => lines(file, options) };
}

async function* lines(file: InputFile, options: RecordOptions): AsyncGenerator<readonly FileRecord[]> {
  const read = rowReader(options);
  let line = 1;
  let rest = "";
  const record = (text: string): FileRecord => new JsonRecord(line, text, read);
  for await (const piece of textOf(file, options, () => line)) {
    const text = rest === "" ? piece : rest + piece;
    const records: FileRecord[] = [];
    let at = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", at)) {
      const one = text.slice(at, end).trim();
      if (one !== "") records.push(record(one));
      at = end + 1;
      line++;
    }
    rest = text.slice(at);
    if (rest.length > MAX_LINE) throw badFormat(`${file.name}: line ${line} is longer than ${MAX_LINE >> 20} MiB`);
    yield records;
  }
  if (rest.trim() !== "") yield [record(rest.trim())];
}

class JsonRecord implements FileRecord {
  readonly line: number;
  readonly #text: string;
  readonly #read: RowReader;

  constructor(line: number, text: string, read: RowReader) {
    this.line = line;
    this.#text = text;
    this.#read = read;
  }

  row(): Row {
    return this.#read(this.#text);
  }

  text(): string {
    return `${this.#text}\n`;
  }
}

type RowReader = (text: string) => Row;

function rowReader({ table, kind }: RecordOptions): RowReader {
  const members = membersOf(table.definition, kind);
  const readers = new Map(members.map(({ column }) => [column.key, jsonReader(column.type)]));
  const decimals = new Set(
    members.filter(({ column }) => column.type.kind === "decimal").map(({ column }) => column.key),
  );
  const scanner = new JsonScanner(
    new Map([...readers].map(([key, read]) => [
      key,
      { read: read === asItIs ? undefined : read, decimal: decimals.has(key) },
    ])),
  );
  return (text) => {
    const scanned = scanner.scan(text, problemIn);
    if (scanned !== undefined) return scanned;
    const json = parsed(text);
    const keys = Object.keys(json);
    scanner.learn(text, keys);
    for (const key of decimals) {
      if (typeof json[key] !== "number") continue;
      Object.assign(json, digitsOf(text, decimals));
      break;
    }
    for (const key of keys) {
      const read = readers.get(key);
      if (read === undefined) throw new RowProblem(notAColumn([...readers.keys()]), key);
      const value = json[key];
      if (read === asItIs || value === null) continue;
      try {
        json[key] = read(value);
      } catch (error) {
        throw problemIn(error, key);
      }
    }
    return json;
  };
}

function parsed(text: string): Row {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new RowProblem("it is not JSON");
  }
  if (typeof json === "object" && json !== null && !Array.isArray(json)) return json as Row;
  throw new RowProblem("it is not an object with the columns of the table");
}

function problemIn(error: unknown, key: string): unknown {
  return error instanceof JsonMismatch ? new RowProblem(error.message, key) : error;
}

/** Numbers of a JSON object as they are written: a decimal may have more digits than a number keeps. */
function digitsOf(text: string, keys: ReadonlySet<string>): Row {
  const found = new Map<unknown, Row>();
  const parse = JSON.parse as (
    text: string,
    reviver: (this: unknown, key: string, value: unknown, context?: { readonly source?: string }) => unknown,
  ) => unknown;
  const root = parse(text, function (key, value, context) {
    const digits = typeof value === "number" && keys.has(key) ? context?.source : undefined;
    if (digits !== undefined && /^-?[\d.]+$/.test(digits)) found.set(this, { ...found.get(this), [key]: digits });
    return value;
  });
  return found.get(root) ?? {};
}

function notAColumn(known: readonly string[]): string {
  return `there is no such column to write; there are ${known.join(", ")}`;
}
