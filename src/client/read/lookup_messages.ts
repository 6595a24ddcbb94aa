/**
 * The messages of LOOKUP and PREFIX_LOOKUP, written and read by hand: they are the ones that a profile of many lookups
 * shows, and here no object is made per key. `tests/unit/client/read/` holds them against the generated codec.
 *
 * @module
 */
import { flussError } from "../../base/errors.ts";
import { bucketHeadSize, writeBucketHead } from "../rpc/bucket_head.ts";
import { int32Size, intSize, longSize, writeInt, writeInt32, writeLong } from "../rpc/varint.ts";
import { copyBytes, type EncodedKey } from "./key_slab.ts";

/** The keys that go to one bucket. */
export interface BucketKeys {
  readonly partitionId: bigint | undefined;
  readonly bucket: number;
  /** Encoded keys, in the order in which their answers will come. */
  readonly keys: readonly EncodedKey[];
}

/** Asks the server to insert what it does not find. */
export interface InsertOptions {
  readonly acks: -1 | 0 | 1;
  readonly timeoutMs: number;
}

/** What a server says of one bucket. Element ranges are positions in the answer's bytes. */
export interface BucketAnswer {
  partitionId: bigint | undefined;
  bucket: number;
  errorCode: number;
  errorMessage: string | undefined;
  /** Start and end of every element, one pair per key: a PbValue of LOOKUP or a PbValueList of PREFIX_LOOKUP. */
  readonly elements: number[];
}

/**
 * Writes a LookupRequest or PrefixLookupRequest; the two share their first fields.
 *
 * @param headroom bytes left free at the start for the frame's header
 */
export function encodeLookup(
  tableId: bigint,
  buckets: readonly BucketKeys[],
  insert: InsertOptions | undefined,
  headroom: number,
): Uint8Array {
  let size = headroom + 1 + longSize(tableId);
  const sizes: number[] = [];
  for (const { partitionId, bucket, keys } of buckets) {
    let inner = bucketHeadSize(partitionId, bucket);
    for (const { start, end } of keys) inner += 1 + intSize(end - start) + end - start;
    sizes.push(inner);
    size += 1 + intSize(inner) + inner;
  }
  if (insert !== undefined) size += 2 + 1 + int32Size(insert.acks) + 1 + intSize(insert.timeoutMs);
  const out = new Uint8Array(size);
  let at = headroom;
  out[at++] = 0x08;
  at = writeLong(out, at, tableId);
  for (let i = 0; i < buckets.length; i++) {
    const { partitionId, bucket, keys } = buckets[i]!;
    out[at++] = 0x12;
    at = writeInt(out, at, sizes[i]!);
    at = writeBucketHead(out, at, partitionId, bucket);
    for (const { bytes, start, end } of keys) {
      out[at++] = 0x1a;
      at = writeInt(out, at, end - start);
      copyBytes(bytes, start, end, out, at);
      at += end - start;
    }
  }
  if (insert !== undefined) {
    out[at++] = 0x18;
    out[at++] = 1;
    out[at++] = 0x20;
    at = writeInt32(out, at, insert.acks);
    out[at++] = 0x28;
    writeInt(out, at, insert.timeoutMs);
  }
  return out;
}

/** Reads a LookupResponse or PrefixLookupResponse: both are a list of buckets with elements in field 5. */
export function decodeLookup(body: Uint8Array): BucketAnswer[] {
  const reader = new Fields(body, 0, body.length);
  const answers: BucketAnswer[] = [];
  while (reader.next()) {
    if (reader.field === 1 && reader.wire === 2) answers.push(decodeBucket(reader.enter()));
    else reader.skip();
  }
  return answers;
}

function decodeBucket(reader: Fields): BucketAnswer {
  const answer: BucketAnswer = {
    partitionId: undefined,
    bucket: -1,
    errorCode: 0,
    errorMessage: undefined,
    elements: [],
  };
  while (reader.next()) {
    if (reader.wire === 2 && reader.field === 5) reader.range(answer.elements);
    else if (reader.wire === 0 && reader.field === 1) answer.partitionId = reader.long();
    else if (reader.wire === 0 && reader.field === 2) answer.bucket = reader.int();
    else if (reader.wire === 0 && reader.field === 3) answer.errorCode = reader.int();
    else if (reader.wire === 2 && reader.field === 4) answer.errorMessage = reader.text();
    else reader.skip();
  }
  return answer;
}

/**
 * Appends the ranges of the values within an element: none or one for a PbValue, any number for a PbValueList. Both
 * messages hold their bytes in field 1.
 */
export function readValues(body: Uint8Array, start: number, end: number, ranges: number[]): void {
  const reader = new Fields(body, start, end);
  while (reader.next()) {
    if (reader.field === 1 && reader.wire === 2) reader.range(ranges);
    else reader.skip();
  }
}

/** What {@linkcode onlyValue} gives for a PbValue without a value. */
export const MISSING = -1;

/**
 * Where the value of a PbValue starts, if the value is all that there is in it: the common case, without an object.
 *
 * @returns {@linkcode MISSING} when there is no value, -2 when the element is something else and `readValues` must see it
 */
export function onlyValue(body: Uint8Array, start: number, end: number): number {
  if (start === end) return MISSING;
  if (body[start] !== 0x0a) return -2;
  let at = start + 1;
  let length = 0;
  for (let shift = 0; shift < 28 && at < end; shift += 7) {
    const byte = body[at++]!;
    length |= (byte & 0x7f) << shift;
    if (byte < 0x80) return at + length === end ? at : -2;
  }
  return -2;
}

/** Walks over the fields of a protobuf message. */
class Fields {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;
  field = 0;
  wire = 0;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  next(): boolean {
    if (this.#at >= this.#end) return false;
    const tag = this.#varint();
    this.field = tag >>> 3;
    this.wire = tag & 7;
    return true;
  }

  int(): number {
    return this.#varint() | 0;
  }

  long(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, value);
    }
    throw corrupt("a number of more than ten bytes");
  }

  text(): string {
    const end = this.#length();
    const text = new TextDecoder().decode(this.#bytes.subarray(this.#at, end));
    this.#at = end;
    return text;
  }

  range(ranges: number[]): void {
    const end = this.#length();
    ranges.push(this.#at, end);
    this.#at = end;
  }

  enter(): Fields {
    const end = this.#length();
    const inner = new Fields(this.#bytes, this.#at, end);
    this.#at = end;
    return inner;
  }

  skip(): void {
    if (this.wire === 0) this.long();
    else if (this.wire === 1) this.#jump(8);
    else if (this.wire === 2) this.#at = this.#length();
    else if (this.wire === 5) this.#jump(4);
    else throw corrupt(`wire type ${this.wire}`);
  }

  #jump(bytes: number): void {
    if (this.#end - this.#at < bytes) throw corrupt("a field that ends behind the message");
    this.#at += bytes;
  }

  /** Reads a length and returns where what it counts ends. */
  #length(): number {
    const length = this.#varint() >>> 0;
    if (length > this.#end - this.#at) {
      throw corrupt(`a length of ${length} bytes where ${this.#end - this.#at} are left`);
    }
    return this.#at + length;
  }

  /** The low 32 bits of a varint. */
  #varint(): number {
    let byte = this.#byte();
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    for (let shift = 7; shift < 70; shift += 7) {
      byte = this.#byte();
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw corrupt("a number of more than ten bytes");
  }

  #byte(): number {
    if (this.#at >= this.#end) throw corrupt("a message that ends early");
    return this.#bytes[this.#at++]!;
  }
}

function corrupt(what: string): Error {
  return flussError("CONNECTION.PROTOCOL", { message: `the server's answer to a lookup has ${what}` });
}
