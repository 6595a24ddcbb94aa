/**
 * Rows into a Parquet file, a group of rows at a time.
 *
 * @module
 */
import type { UntypedRow } from "../../query/handle_types.ts";
import type { ColumnDefinition } from "../../schema/definition.ts";
import { JsonMismatch } from "../../schema/json_values.ts";
import type { OutputFile } from "./files.ts";
import { parquetColumn } from "./parquet_columns.ts";
import { badFormat } from "./records.ts";

/** A group has no more rows and, a row more or less, no more bytes: readers hold one in memory, and so does this. */
const GROUP_ROWS = 50_000;
const GROUP_BYTES = 16 << 20;

/** Takes rows. */
export interface ParquetOutput {
  add(row: UntypedRow): Promise<void> | undefined;
  /** Writes the rest, and what stands at the end of such a file. */
  end(): Promise<void>;
}

/** Begins a file with these columns. */
export async function parquetOutput(columns: readonly ColumnDefinition[], file: OutputFile): Promise<ParquetOutput> {
  // Loaded here: no other format needs it.
  const { ByteWriter, ParquetWriter } = await import("hyparquet-writer");
  const parts = columns.map((column) => ({ key: column.key, ...parquetColumn(column) }));
  const bytes = new ByteWriter();
  const schema = [{ name: "table", num_children: parts.length }, ...parts.map(({ element }) => element)];
  const writer = new ParquetWriter({ writer: bytes, schema, createdBy: "sluice" });
  let values: unknown[][] = parts.map(() => []);
  let rows = 0;
  let size = 0;

  const drain = async (): Promise<void> => {
    await file.write(bytes.getBytes().slice());
    // Its offset in the file goes on.
    bytes.index = 0;
  };
  const group = async (): Promise<void> => {
    // Values have the forms that the elements of the schema name.
    const columnData = parts.map(({ element: { name } }, i) => ({ name, data: values[i]! }));
    await writer.write({ columnData, rowGroupSize: rows });
    values = parts.map(() => []);
    rows = 0;
    size = 0;
    await drain();
  };
  return {
    add(row) {
      for (const [i, { key, encode }] of parts.entries()) {
        const value = row[key];
        try {
          const encoded = value === null ? null : encode(value);
          values[i]!.push(encoded);
          size += typeof encoded === "string" || encoded instanceof Uint8Array ? encoded.length : 8;
        } catch (error) {
          if (!(error instanceof JsonMismatch)) throw error;
          throw badFormat(`column ${JSON.stringify(key)}: ${error.message}`, "export it as jsonl, csv or arrow");
        }
      }
      return ++rows === GROUP_ROWS || size >= GROUP_BYTES ? group() : undefined;
    },
    async end() {
      if (rows > 0) await group();
      await writer.finish();
      await drain();
    },
  };
}
