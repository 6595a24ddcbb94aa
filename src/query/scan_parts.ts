/**
 * What a scan was told, checked as it is told: what a declaration shows to be wrong is refused before anything is asked
 * of a server.
 *
 * @module
 */
import { ColumnError } from "../base/column_error.ts";
import { type FlussError, flussError } from "../base/errors.ts";
import { partitionValue } from "../format/partition_name.ts";
import type { Predicate } from "../format/predicate.ts";
import type { TableDefinition } from "../schema/definition.ts";
import { joinPredicates, readCondition } from "./predicate_refs.ts";
import { checkPosition, millisOf, type ScanFrom, type Until } from "./read_position.ts";
import { readToken, type TokenTable } from "./token.ts";

/** What a scan was told; absent parts were not said. */
export interface ScanParts {
  /** Keys of the selected columns, in order. */
  readonly select?: readonly string[];
  readonly where?: Predicate;
  readonly limit?: number;
  readonly last?: number;
  /** The name of the partition. */
  readonly partition?: string;
  readonly from?: ScanFrom;
  readonly until?: Until;
}

/** The table that a scan is about. */
export interface ScannedTable {
  /** `database.table`. */
  readonly name: string;
  readonly definition: TableDefinition;
}

/** @throws FlussUsageError `SCAN.UNKNOWN_COLUMN`, `SCAN.BAD_SELECT` */
export function withSelect(table: ScannedTable, parts: ScanParts, select: readonly string[]): ScanParts {
  const { columns } = table.definition;
  for (const key of select) {
    if (columns.some((column) => column.key === key)) continue;
    throw flussError("SCAN.UNKNOWN_COLUMN", {
      table: table.name,
      column: String(key),
      message: `select: there is no column ${JSON.stringify(key)}`,
      hint: `the columns are ${columns.map((column) => column.key).join(", ")}`,
    });
  }
  if (select.length === 0) throw refused(table, "SCAN.BAD_SELECT", "select names no column");
  const twice = select.find((key, i) => select.indexOf(key) !== i);
  if (twice !== undefined) throw refused(table, "SCAN.BAD_SELECT", `select names column "${twice}" twice`);
  return { ...parts, select: [...select] };
}

/** @throws FlussUsageError `PREDICATE.*`, `SCAN.CONFLICT`; FlussCodecError `CODEC.*` */
export function withWhere(table: ScannedTable, parts: ScanParts, condition: unknown): ScanParts {
  const where = readCondition(condition, table.definition.columns, table.name);
  return checked(table, {
    ...parts,
    where: parts.where === undefined ? where : joinPredicates("and", parts.where, where),
  });
}

/** @throws FlussUsageError `SCAN.BAD_LIMIT`, `SCAN.CONFLICT` */
export function withLimit(table: ScannedTable, parts: ScanParts, rows: number): ScanParts {
  checkCount(table, "limit", rows);
  return checked(table, { ...parts, limit: rows });
}

/** @throws FlussUsageError `SCAN.NOT_SUPPORTED`, `SCAN.BAD_LIMIT`, `SCAN.CONFLICT` */
export function withLast(table: ScannedTable, parts: ScanParts, rows: number): ScanParts {
  if (hasKey(table)) {
    throw refused(
      table,
      "SCAN.NOT_SUPPORTED",
      "last() reads the newest rows of log tables; current rows have no age",
      "use limit(n) for some rows, or changes() for the newest changes",
    );
  }
  checkCount(table, "last", rows);
  return checked(table, { ...parts, last: rows });
}

/** @throws FlussUsageError `SCAN.BAD_PARTITION` */
export function withPartition(table: ScannedTable, parts: ScanParts, values: unknown): ScanParts {
  const { partitionBy, columns } = table.definition;
  const bad = (message: string, hint?: string) => refused(table, "SCAN.BAD_PARTITION", `partition: ${message}`, hint);
  if (partitionBy.length === 0) throw bad("the table is not partitioned", "leave partition() out");
  const shape = `it takes { ${partitionBy.join(", ")} }`;
  if (typeof values !== "object" || values === null) throw bad(`${String(values)} is no partition`, shape);
  const extra = Object.keys(values).find((key) => !partitionBy.includes(key));
  if (extra !== undefined) throw bad(`"${extra}" is no partition column`, shape);
  const names = partitionBy.map((key) => {
    const value = Object.hasOwn(values, key) ? (values as Record<string, unknown>)[key] : undefined;
    if (value === undefined || value === null) throw bad(`there is no value for "${key}"`, shape);
    try {
      return partitionValue(columns.find((column) => column.key === key)!.type, value);
    } catch (error) {
      throw error instanceof ColumnError ? bad(`"${key}": ${error.message}`, error.hint ?? shape) : error;
    }
  });
  return { ...parts, partition: names.join("$") };
}

/** @throws FlussUsageError `SCAN.NOT_SUPPORTED`, `SCAN.BAD_POSITION`, `SCAN.CONFLICT`; `SUBSCRIPTION.BAD_TOKEN` */
export function withFrom(table: ScannedTable, parts: ScanParts, from: ScanFrom): ScanParts {
  refuseForKeys(table);
  checkPosition(from, "from", table.name, ["earliest", "latest"]);
  if (typeof from === "object" && "token" in from) tokenOf(from.token, table.name);
  return checked(table, { ...parts, from });
}

/** @throws FlussUsageError `SCAN.NOT_SUPPORTED`, `SCAN.BAD_POSITION`, `SCAN.CONFLICT` */
export function withUntil(table: ScannedTable, parts: ScanParts, until: Until): ScanParts {
  refuseForKeys(table);
  checkPosition(until, "until", table.name, ["latest"]);
  return checked(table, { ...parts, until });
}

function hasKey({ definition }: ScannedTable): boolean {
  return definition.primaryKey.length > 0;
}

function refuseForKeys(table: ScannedTable): void {
  if (!hasKey(table)) return;
  throw refused(
    table,
    "SCAN.NOT_SUPPORTED",
    "a scan of a primary-key table reads its current rows: use changes() to read its log",
    "leave from() and until() out, or use changes({ from })",
  );
}

function checkCount(table: ScannedTable, call: string, rows: unknown): void {
  if (Number.isSafeInteger(rows) && (rows as number) >= 1) return;
  throw refused(table, "SCAN.BAD_LIMIT", `${call}(${String(rows)}): it takes a whole number of at least 1`);
}

/** Refuses parts that exclude each other. */
function checked(table: ScannedTable, parts: ScanParts): ScanParts {
  const { where, limit, last, from, until } = parts;
  if (last !== undefined) {
    const conflict = (other: string, hint: string) =>
      refused(table, "SCAN.CONFLICT", `last(${last}) cannot be combined with ${other}`, hint);
    if (limit !== undefined) throw conflict(`limit(${limit})`, "use one of them");
    if (where !== undefined) {
      throw conflict("where()", "the server finds the newest rows before any condition: filter the rows of last(n)");
    }
    if (from !== undefined || until !== undefined) {
      throw conflict("from() or until()", "it reads from the end of the log: leave them out");
    }
  }
  if (from !== undefined && until !== undefined) checkOrder(table, from, until);
  return parts;
}

/** Refuses ranges that end before they start, where that shows already. */
function checkOrder(table: ScannedTable, from: ScanFrom, until: Until): void {
  const backwards = (what: string) =>
    refused(table, "SCAN.CONFLICT", `the scan ends before it starts: ${what}`, "exchange from and until");
  if (typeof until === "string") return;
  if (from === "latest") throw backwards('it starts at "latest"');
  if (typeof from === "string") return;
  if ("timestamp" in from && "timestamp" in until) {
    const [start, end] = [millisOf(from.timestamp), millisOf(until.timestamp)];
    if (end < start) throw backwards(`until ${end} is before from ${start}, in milliseconds`);
  }
  if (!("offsets" in from && "offsets" in until)) return;
  for (const { bucket, partition, offset } of from.offsets) {
    const end = until.offsets.find((other) => other.bucket === bucket && other.partition === partition);
    if (end === undefined || end.offset >= offset) continue;
    throw backwards(`bucket ${bucket} from ${offset} until ${end.offset}`);
  }
}

function refused(
  table: ScannedTable,
  code: "SCAN.BAD_SELECT" | "SCAN.BAD_LIMIT" | "SCAN.CONFLICT" | "SCAN.NOT_SUPPORTED" | "SCAN.BAD_PARTITION",
  message: string,
  hint?: string,
): FlussError {
  return flussError(code, { table: table.name, message, hint });
}

/**
 * The part of a token that is about a table.
 *
 * @throws FlussSubscriptionError `SUBSCRIPTION.BAD_TOKEN`, `SUBSCRIPTION.TOKEN_MISMATCH`
 */
export function tokenOf(text: string, table: string): TokenTable {
  const tables = readToken(text);
  const found = tables.find((one) => one.table === table);
  if (found !== undefined) return found;
  throw flussError("SUBSCRIPTION.TOKEN_MISMATCH", {
    table,
    message: `the token was made for ${tables.map((one) => one.table).join(", ")}`,
    hint: "keep one token per table and subscription",
  });
}
