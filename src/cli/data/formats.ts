/**
 * The formats of files, as options name them.
 *
 * @module
 */
import type { CommandOption, Values } from "../command.ts";
import type { CsvDialect } from "./csv.ts";
import type { FileFormat } from "./records.ts";
import { badUsage, textOf } from "./values.ts";

/** How CSV is written down, for commands that read or write it. */
export const CSV_OPTIONS: readonly CommandOption[] = [
  { flags: "--delimiter <character>", text: "what stands between the cells of CSV", default: "," },
  { flags: "--null <text>", text: 'what null is in CSV, without quotes; a cell in quotes is never null (default: "")' },
];

/** The format that the options, or the name of the file, say. */
export function formatOf(values: Values, source: string): FileFormat {
  const given = textOf(values, "format") ??
    /\.(csv|jsonl|ndjson|arrow|arrows|ipc|feather|parquet)$/i.exec(source)?.[1]?.toLowerCase() ?? "jsonl";
  switch (given) {
    case "jsonl":
    case "ndjson":
      return "jsonl";
    case "csv":
      return "csv";
    case "arrow":
    case "arrows":
    case "ipc":
    case "feather":
      return "arrow";
    case "parquet":
      return "parquet";
    default:
      throw badUsage(`--format ${JSON.stringify(given)} is no format`, "there are jsonl, csv, arrow and parquet");
  }
}

/**
 * Refuses options of CSV where it is another format.
 *
 * @throws FlussUsageError `CLI.BAD_USAGE`
 */
export function refuseCsvOptions(values: Values, format: FileFormat): void {
  if (format === "csv") return;
  const given = values["delimiter"] !== ","
    ? "delimiter"
    : ["null", "columns"].find((name) => values[name] !== undefined);
  if (given !== undefined) {
    throw badUsage(`--${given} is for CSV, and this is ${format}`, "add --format csv, or leave it out");
  }
}

/** CSV as the options say. */
export function dialectOf(values: Values): CsvDialect {
  const delimiter = textOf(values, "delimiter")!.replace(/^\\t$/, "\t");
  if (!/^[^"\r\n\ud800-\udfff]$/.test(delimiter)) {
    throw badUsage("--delimiter wants one character, and none of quote and line break", "for example --delimiter ';'");
  }
  const nullText = values["null"];
  if (typeof nullText !== "string") return { delimiter, nullText: "" };
  if (!nullText.includes(delimiter) && !/["\r\n]/.test(nullText)) return { delimiter, nullText };
  throw badUsage("--null cannot have the delimiter, quotes or line breaks in it");
}
