/**
 * Resume tokens: where reading stood, as a short text.
 *
 * A token is base64url of: a version, the tables (name, id, schema id, positions), and a CRC-32C over all of it. Numbers
 * are varints, buckets come as runs, and offsets as the difference to the one before, so that a bucket takes two or
 * three bytes whatever its offset is.
 *
 * @module
 */
import { flussError } from "../base/errors.ts";
import type { BoundTable } from "../client/table/bound_table.ts";
import { crc32c } from "../format/crc32c.ts";

/** The offset of a bucket that is read from its first record, which is not known yet. */
export const FROM_EARLIEST: bigint = -2n;
/** The offset of a bucket whose current rows are being read: they come again, all of them. */
export const FROM_SNAPSHOT: bigint = -3n;

/** Where reading of one bucket goes on. */
export interface TokenPosition {
  /** The name of the partition. */
  readonly partition?: string | undefined;
  /** The server's number for it: a partition made anew under the same name has another. */
  readonly partitionId?: bigint | undefined;
  readonly bucket: number;
  /** The next offset to read; or {@linkcode FROM_EARLIEST}, or {@linkcode FROM_SNAPSHOT}. */
  readonly offset: bigint;
}

/** Where reading of one table goes on. */
export interface TokenTable {
  /** `database.table`. */
  readonly table: string;
  readonly tableId: bigint;
  /** The schema that was the latest when the token was made. */
  readonly schemaId: number;
  /** Only these buckets are read: partitions that the token does not know are not new but unwanted. */
  readonly only?: boolean | undefined;
  readonly positions: readonly TokenPosition[];
}

const VERSION = 1;
const CRC_BYTES = 4;
/** In the first number of a table: whether it has partitions, and whether only the named buckets are read. */
const PARTITIONED = 1;
const ONLY = 2;
/** What a varint of 64 bits can take. */
const MAX_VARINT_BYTES = 10;
/** A bucket is an int32 on the wire. */
const MAX_BUCKET = 0x7fffffff;
const MAX_INT64 = 0x7fffffffffffffffn;

/** Makes the text. The order of positions does not matter: the same positions give the same text. */
export function writeToken(tables: readonly TokenTable[]): string {
  const out: number[] = [VERSION];
  varint(out, tables.length);
  for (const table of tables) writeTable(out, table);
  const bytes = new Uint8Array(out.length + CRC_BYTES);
  bytes.set(out);
  new DataView(bytes.buffer).setUint32(out.length, crc32c(bytes, 0, out.length));
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function writeTable(out: number[], { table, tableId, schemaId, only, positions }: TokenTable): void {
  const groups = new Map<string | undefined, TokenPosition[]>();
  for (const position of positions) {
    const group = groups.get(position.partition);
    if (group === undefined) groups.set(position.partition, [position]);
    else group.push(position);
  }
  const partitioned = !groups.has(undefined);
  varint(out, (partitioned ? PARTITIONED : 0) | (only === true ? ONLY : 0));
  text(out, table);
  signed(out, tableId);
  varint(out, schemaId);
  if (partitioned) varint(out, groups.size);
  let last = 0n;
  for (const [partition, group] of [...groups].sort(([a = ""], [b = ""]) => a < b ? -1 : 1)) {
    if (partition !== undefined) {
      text(out, partition);
      signed(out, group[0]!.partitionId ?? -1n);
    }
    group.sort((a, b) => a.bucket - b.bucket);
    const runs = runsOf(group);
    varint(out, runs.length);
    let next = 0;
    for (const run of runs) {
      varint(out, run[0]!.bucket - next);
      varint(out, run.length);
      next = run.at(-1)!.bucket + 1;
      for (const { offset } of run) {
        signed(out, offset - last);
        last = offset;
      }
    }
  }
}

/** Positions of buckets without a gap between them. */
function runsOf(sorted: readonly TokenPosition[]): TokenPosition[][] {
  const runs: TokenPosition[][] = [];
  for (const position of sorted) {
    const run = runs.at(-1);
    if (run !== undefined && run.at(-1)!.bucket + 1 === position.bucket) run.push(position);
    else runs.push([position]);
  }
  return runs;
}

function varint(out: number[], value: number): void {
  while (value >= 0x80) {
    out.push(value % 0x80 | 0x80);
    value = Math.floor(value / 0x80);
  }
  out.push(value);
}

function signed(out: number[], value: bigint): void {
  let left = value < 0n ? -value * 2n - 1n : value * 2n;
  while (left >= 0x80n) {
    out.push(Number(left & 0x7fn) | 0x80);
    left >>= 7n;
  }
  out.push(Number(left));
}

function text(out: number[], value: string): void {
  const bytes = new TextEncoder().encode(value);
  varint(out, bytes.length);
  for (const byte of bytes) out.push(byte);
}

/**
 * Reads a token.
 *
 * @throws FlussSubscriptionError `SUBSCRIPTION.BAD_TOKEN` for anything that {@linkcode writeToken} did not make
 */
export function readToken(token: string): TokenTable[] {
  const reader = new TokenReader(bytesOf(token));
  const tables: TokenTable[] = [];
  for (let left = reader.count("tables"); left > 0; left--) tables.push(readTable(reader));
  reader.end();
  return tables;
}

function bytesOf(token: unknown): Uint8Array {
  if (typeof token !== "string") throw bad(`it is ${token === null ? "null" : `a ${typeof token}`}, not a text`);
  if (!/^[\w-]+$/.test(token)) throw bad(token === "" ? "it is empty" : "it has characters that no token has");
  let binary: string;
  try {
    binary = atob(token.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    throw bad("it is cut or damaged");
  }
  const bytes = Uint8Array.from(binary, (char) => char.charCodeAt(0));
  if (bytes.length <= CRC_BYTES) throw bad("it is too short");
  const end = bytes.length - CRC_BYTES;
  if (new DataView(bytes.buffer).getUint32(end) !== crc32c(bytes, 0, end)) throw bad("it is cut or damaged");
  if (bytes[0] !== VERSION) {
    throw bad(`it has version ${bytes[0]}, and this version of Sluice reads version ${VERSION}`);
  }
  return bytes.subarray(1, end);
}

function readTable(reader: TokenReader): TokenTable {
  const flags = reader.varint();
  if (flags > (PARTITIONED | ONLY)) throw bad(`it has flags ${flags}`);
  const table = reader.text();
  const tableId = reader.signed();
  const schemaId = reader.varint();
  const partitioned = (flags & PARTITIONED) !== 0;
  const positions: TokenPosition[] = [];
  let last = 0n;
  for (let groups = partitioned ? reader.count("partitions") : 1; groups > 0; groups--) {
    const partition = partitioned ? reader.text() : undefined;
    const id = partitioned ? reader.signed() : -1n;
    let next = 0;
    for (let runs = reader.count("runs"); runs > 0; runs--) {
      next += reader.varint();
      for (let left = reader.count("offsets"); left > 0; left--) {
        last += reader.signed();
        if (last < FROM_SNAPSHOT || last === -1n || last > MAX_INT64) throw bad(`it has offset ${last}`);
        if (next > MAX_BUCKET) throw bad(`it has bucket ${next}`);
        positions.push({ partition, partitionId: id === -1n ? undefined : id, bucket: next, offset: last });
        next++;
      }
    }
  }
  return { table, tableId, schemaId, only: (flags & ONLY) !== 0, positions };
}

/** Reads what a token is made of; every number is a claim until it was checked. */
class TokenReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw bad("it ends too early");
    return byte;
  }

  varint(): number {
    let value = 0;
    let unit = 1;
    for (;;) {
      const byte = this.#byte();
      value += (byte & 0x7f) * unit;
      if (value > Number.MAX_SAFE_INTEGER) throw bad("it has a number that is too large");
      if (byte < 0x80) return value;
      unit *= 0x80;
    }
  }

  signed(): bigint {
    let value = 0n;
    for (let i = 0; i < MAX_VARINT_BYTES; i++) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte < 0x80) return (value & 1n) === 0n ? value >> 1n : -(value >> 1n) - 1n;
    }
    throw bad("it has a number that is too large");
  }

  /** How many of something follow; each takes a byte at least. */
  count(what: string): number {
    const count = this.varint();
    if (count > this.#bytes.length - this.#at) throw bad(`it claims ${count} ${what}, and ends before them`);
    return count;
  }

  text(): string {
    const length = this.count("characters");
    const bytes = this.#bytes.subarray(this.#at, this.#at += length);
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw bad("it has a name that is no text");
    }
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw bad("it is longer than what it says");
  }
}

function bad(why: string): Error {
  return flussError("SUBSCRIPTION.BAD_TOKEN", { message: `the token cannot be read: ${why}` });
}

/**
 * Checks that a token was made for this table, and not for another one, nor for one of the same name that was dropped
 * since.
 *
 * @throws FlussSubscriptionError `SUBSCRIPTION.TOKEN_MISMATCH`
 */
export function checkToken(token: TokenTable, bound: BoundTable): void {
  const { name, tableId } = bound.target;
  if (token.table !== name) {
    throw flussError("SUBSCRIPTION.TOKEN_MISMATCH", {
      table: name,
      message: `the token was made for table ${token.table}`,
      hint: "keep one token per table and subscription",
    });
  }
  if (token.tableId === tableId) return;
  throw flussError("SUBSCRIPTION.TOKEN_MISMATCH", {
    table: name,
    message: `the token was made for the table with id ${token.tableId}; the one of this name has id ${tableId}`,
    hint: 'the table was dropped and made anew: its old log is gone, start with from: "earliest"',
  });
}
