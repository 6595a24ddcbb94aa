/**
 * Parquet as records.
 *
 * @module
 */
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import type { Compressors, DecodedArray, FileMetaData, SchemaElement } from "hyparquet";
import { typeText } from "../../schema/data_type.ts";
import { JsonMismatch } from "../../schema/json_values.ts";
import { membersOf } from "../../schema/row_kind.ts";
import { type CellWriter, jsonWriter } from "./cells.ts";
import { jsonText } from "./output.ts";
import type { InputFile } from "./files.ts";
import { meaningText, parquetReader } from "./parquet_columns.ts";
import { badFormat, type FileRecord, type RecordOptions, type Records, type Row, RowProblem } from "./records.ts";

/** Codecs besides Snappy, which the library has. */
const COMPRESSORS: Compressors = {
  GZIP: (bytes, length) => gunzipSync(bytes, { maxOutputLength: length }),
  ZSTD: (bytes, length) => zstdDecompressSync(bytes, { maxOutputLength: length }),
  BROTLI: (bytes, length) => brotliDecompressSync(bytes, { maxOutputLength: length }),
};

/** Times of the old kind of 96 bits come as nanoseconds, too. */
const PARSERS = { timestampFromNanoseconds: (nanos: bigint) => nanos };

/** Records that are made at a time: most of a group's would outlive the collections of what is young. */
const SLICE_ROWS = 1000;

interface ReadColumn {
  readonly key: string;
  read(raw: never): unknown;
  readonly write: CellWriter;
}

/**
 * See the module. A group of rows of the file is in memory at a time.
 *
 * @throws FlussUsageError `INPUT.BAD_FORMAT`
 */
export async function parquetRecords(file: InputFile, options: RecordOptions): Promise<Records> {
  const { at, size } = file;
  if (at === undefined || size === undefined) {
    throw badFormat(
      `Parquet cannot be read from ${file.name}, for such a file is read from its end`,
      "save it first, and name it with --file",
    );
  }
  const { parquetMetadataAsync, parquetRead } = await import("hyparquet");
  const source = {
    byteLength: size,
    async slice(start: number, end: number = size) {
      options.onBytes(end - start);
      return await at(start, end);
    },
  };
  const metadata = await sound(file, () => parquetMetadataAsync(source, { geoparquet: false }));
  const columns = columnsOf(file, metadata, options);
  const plain = withoutMeanings(metadata);
  return {
    header: "",
    async *batches() {
      let start = 0;
      for (const { num_rows: count } of metadata.row_groups) {
        const end = start + Number(count);
        const pages = columns.map((): DecodedArray[] => []);
        await sound(file, () =>
          parquetRead({
            file: source,
            metadata: plain,
            rowStart: start,
            rowEnd: end,
            compressors: COMPRESSORS,
            parsers: PARSERS,
            utf8: false,
            geoparquet: false,
            onChunk: ({ columnName, columnData }) =>
              pages[columns.findIndex(({ key }) => key === columnName)]!.push(columnData),
          }));
        const values = pages.map((found) => found.length === 1 ? found[0]! : found.flatMap((page) => [...page]));
        for (let from = start; from < end; from += SLICE_ROWS) {
          const length = Math.min(SLICE_ROWS, end - from);
          yield Array.from({ length }, (_, i) => new ParquetRecord(from + i + 1, from + i - start, values, columns));
        }
        start = end;
      }
    },
  };
}

/** A row of a group, which stays in columns: rows as arrays of their own would take 100 MiB more in all. */
class ParquetRecord implements FileRecord {
  /** Rows are counted: there are no lines. */
  readonly line: number;
  readonly #at: number;
  readonly #values: readonly DecodedArray[];
  readonly #columns: readonly ReadColumn[];

  constructor(line: number, at: number, values: readonly DecodedArray[], columns: readonly ReadColumn[]) {
    this.line = line;
    this.#at = at;
    this.#values = values;
    this.#columns = columns;
  }

  row(): Row {
    const row: [string, unknown][] = [];
    for (const [i, { key, read }] of this.#columns.entries()) {
      const raw = this.#values[i]![this.#at];
      try {
        row.push([key, raw === null || raw === undefined ? null : read(raw as never)]);
      } catch (error) {
        throw error instanceof JsonMismatch ? new RowProblem(error.message, key) : error;
      }
    }
    return Object.fromEntries(row);
  }

  /** As a JSON line, to be corrected. */
  text(): string {
    const shown = this.#columns.map((column, i) =>
      `${JSON.stringify(column.key)}:${jsonOf(column, this.#values[i]![this.#at])}`
    );
    return `{${shown.join(",")}}\n`;
  }
}

/** As export writes it; a value that is none of the column's is shown as far as it goes. */
function jsonOf({ read, write }: ReadColumn, raw: unknown): string {
  if (raw === null || raw === undefined) return "null";
  try {
    return write(read(raw as never));
  } catch {
    return jsonText(raw instanceof Uint8Array ? new TextDecoder().decode(raw) : raw);
  }
}

function columnsOf(
  file: InputFile,
  { schema: [root, ...elements] }: FileMetaData,
  { table, kind }: RecordOptions,
): readonly ReadColumn[] {
  const known = new Map(membersOf(table.definition, kind).map(({ column }) => [column.key, column.type]));
  if (elements.length !== root?.num_children) {
    const group = elements.find(({ num_children }) => num_children !== undefined);
    throw badFormat(
      `${file.name}: column ${JSON.stringify(group?.name)} has columns of its own`,
      "nested values are read from JSON text, as export writes them",
    );
  }
  return elements.map((element) => {
    const { name: key } = element;
    const type = known.get(key);
    const where = `${file.name}: column ${JSON.stringify(key)}`;
    if (type === undefined) {
      throw badFormat(`${where} is none of the table's to write; there are ${[...known.keys()].join(", ")}`);
    }
    const read = parquetReader(type, element);
    if (read === undefined) {
      throw badFormat(`${where} is ${meaningText(element)}, which is no ${typeText(type)}`);
    }
    return { key, read, write: jsonWriter(type) };
  });
}

/** So that the library gives values as they are stored: what it makes of decimals and times loses digits. */
function withoutMeanings(metadata: FileMetaData): FileMetaData {
  const schema = metadata.schema.map(({ converted_type: _, logical_type: __, ...rest }): SchemaElement => rest);
  return { ...metadata, schema };
}

async function sound<T>(file: InputFile, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw badFormat(`${file.name} cannot be read as Parquet: ${error instanceof Error ? error.message : error}`);
  }
}
