/**
 * The options of commands that read a table, and the scan that they make.
 *
 * @module
 */
import type { Scan } from "../../query/scan_types.ts";
import type { UntypedRow, UntypedTable } from "../../query/handle_types.ts";
import type { From, ScanFrom, Until } from "../../query/read_position.ts";
import type { ConnectOptions } from "../../query/options.ts";
import type { CommandOption, Exit, Values } from "../command.ts";
import { readConditions, WHERE_TEXT } from "./conditions.ts";
import type { OpenTable } from "./open_table.ts";
import { readPairs } from "./pairs.ts";
import { readPosition, TIME_TEXT } from "./positions.ts";
import { countOf, namesOf, textOf, textsOf } from "./values.ts";

/** A scan of which the columns are known at run time. */
export type AnyScan = Scan<UntypedTable, string>;

/** The options that say what of a table is read. */
export const READING_OPTIONS: readonly CommandOption[] = [
  { flags: "--select <columns>", text: "only these columns, in this order: a,b,c" },
  { flags: "--where <condition>", text: WHERE_TEXT, repeats: true },
  { flags: "--limit <rows>", text: "at most so many rows" },
  { flags: "--last <rows>", text: "the newest rows of a log table" },
  {
    flags: "--partition <column=value>",
    text: "the rows of one partition; again for each partition column",
    repeats: true,
  },
  {
    flags: "--from <place>",
    text: `where to start in the log: earliest, ${TIME_TEXT}, offsets such as 0:1200,1:1180, or token=...`,
  },
  { flags: "--until <place>", text: "where to end in the log: a time, or offsets" },
  {
    flags: "--full-rows <rows>",
    text: "how many current rows of a bucket may be read from servers without a scan of them",
  },
];

/** How such a command ends when there is nothing at the place where it is to start. */
export const READING_EXITS: readonly Exit[] = [
  { code: 7, errors: "SUBSCRIPTION.", text: "what was to be read first is gone, or the token is of another table" },
];

/** What the connection has to know for it. */
export function readingConnection(values: Values): ConnectOptions {
  const fullScanRows = countOf(values, "fullRows");
  return fullScanRows === undefined ? {} : { scanner: { fullScanRows } };
}

/**
 * The scan that the options describe.
 *
 * @throws FlussUsageError `CLI.BAD_USAGE`, `SCAN.*`, `PREDICATE.*`
 */
export function readScan(values: Values, table: OpenTable): AnyScan {
  let scan: AnyScan = table.handle.scan();
  const select = namesOf(values, "select");
  if (select !== undefined) scan = scan.select(...select);
  const condition = readConditions(textsOf(values, "where"), table);
  if (condition !== undefined) scan = scan.where(condition);
  const limit = countOf(values, "limit");
  if (limit !== undefined) scan = scan.limit(limit);
  // Which of these a table can have is known at run time, where they say why not.
  const loose = scan as unknown as LooseScan;
  const last = countOf(values, "last");
  let refined: LooseScan = loose;
  if (last !== undefined) refined = refined.last(last);
  const partition = textsOf(values, "partition");
  if (partition.length > 0) refined = refined.partition(readPairs(partition, table));
  const from = textOf(values, "from");
  if (from !== undefined) refined = refined.from(readFrom(from, ["earliest", "latest"]) as ScanFrom);
  const until = textOf(values, "until");
  if (until !== undefined) refined = refined.until(readPosition("until", until, ["latest"]) as Until);
  return refined as unknown as AnyScan;
}

/** Reads `--from`, which may also be a token. */
export function readFrom(text: string, words: readonly ("earliest" | "latest" | "snapshot")[]): From {
  const token = /^token=(.*)$/s.exec(text)?.[1];
  return token === undefined ? readPosition("from", text, words) : { token };
}

interface LooseScan {
  last(rows: number): LooseScan;
  partition(values: UntypedRow): LooseScan;
  from(position: ScanFrom): LooseScan;
  until(position: Until): LooseScan;
}
