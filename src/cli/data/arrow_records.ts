/**
 * Arrow IPC as records, and as it is.
 *
 * @module
 */
import { ipcRows } from "../../query/ipc_rows.ts";
import type { SchemaColumn } from "../../schema/data_type.ts";
import type { InputFile } from "./files.ts";
import type { OpenTable } from "./open_table.ts";
import type { FileRecord, RecordOptions, Records, Row } from "./records.ts";

/** Its rows. They are not kept as text. */
export function arrowRecords(file: InputFile, options: RecordOptions): Records {
  return {
    header: "",
    async *batches() {
      let line = 0;
      for await (const rows of ipcRows(counted(file, options), ipcColumns(options.table))) {
        yield Array.from(rows, (row: Row): FileRecord => ({ line: ++line, row: () => row, text: () => "" }));
      }
    },
  };
}

/**
 * Reads it to its end, which looks at everything: frames, types, nulls and values.
 *
 * @throws FlussUsageError `ARROW.*`; FlussCodecError `CODEC.*`
 */
export async function checkArrow(file: InputFile, options: RecordOptions): Promise<void> {
  for await (const _ of ipcRows(counted(file, options), ipcColumns(options.table)));
}

/** As it is. */
export function arrowStream(file: InputFile, options: RecordOptions): ReadableStream<Uint8Array<ArrayBuffer>> {
  const chunks = counted(file, options);
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: async () => void await chunks.return(undefined),
  }, { highWaterMark: 0 });
}

function ipcColumns({ definition, info }: OpenTable): readonly SchemaColumn[] {
  const ids = new Map(info.table.schema.columns.map(({ key, id }) => [key, id]));
  return definition.columns.map(({ key, name, type }) => ({ key, name, type, id: ids.get(key)! }));
}

async function* counted(
  file: InputFile,
  { onBytes, signal }: RecordOptions,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for await (const bytes of file.read(signal)) {
    onBytes(bytes.length);
    yield bytes;
  }
}
