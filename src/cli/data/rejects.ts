/**
 * The file that takes the rows which the table does not.
 *
 * @module
 */
import type { Io } from "../command.ts";
import { plainText } from "../text.ts";
import { openOutput, type OutputFile } from "./files.ts";
import type { FileRecord, RowProblem } from "./records.ts";

/** How many are told one by one. */
const TOLD = 10;

/** See the module. The rejected rows stand there as they came, to be corrected and written again. */
export class Rejects {
  readonly #file: OutputFile;
  readonly #io: Io;
  count = 0;

  private constructor(file: OutputFile, io: Io) {
    this.#file = file;
    this.#io = io;
  }

  /**
   * @param header what stands above the rows in a file of their kind
   * @throws FlussUsageError `INPUT.FAILED`
   */
  static async open(path: string, header: string, io: Io): Promise<Rejects> {
    const file = await openOutput(path, io);
    await file.write(header);
    return new Rejects(file, io);
  }

  async add(record: FileRecord, problem: RowProblem): Promise<void> {
    this.count++;
    if (this.count <= TOLD) this.#tell(`rejected: ${plainText(problemText(record.line, problem))}`);
    if (this.count === TOLD + 1) this.#tell("further ones stand in the file alone");
    await this.#file.write(record.text());
  }

  /** A line in the place of the progress bar, which comes again below it. */
  #tell(line: string): void {
    this.#io.err(`${this.#io.screen.err ? "\r\u001b[K" : ""}${line}\n`);
  }

  /** Closes the file; without rows there is none. */
  async end(): Promise<void> {
    await (this.count === 0 ? this.#file.undo() : this.#file.done());
  }
}

/** What is wrong, and where. */
export function problemText(line: number, { column, message }: RowProblem): string {
  return `line ${line}${column === undefined ? "" : `, column ${JSON.stringify(column)}`}: ${message}`;
}
