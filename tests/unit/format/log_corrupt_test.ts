import assert from "node:assert/strict";
import { test } from "node:test";
import { ColumnError } from "../../../src/base/column_error.ts";
import { FlussError } from "../../../src/base/errors.ts";
import { messageAt } from "../../../src/format/arrow/message_reader.ts";
import { checkCrc, logBatchAt } from "../../../src/format/log_batch.ts";
import { compileLogBuilder, type LogFormatOptions } from "../../../src/format/log_builder.ts";
import { compileLogDecoder, type LogFormat } from "../../../src/format/log_decoder.ts";
import { columns, notNull, type, unhex } from "./columns.ts";
import { LOG_BATCHES } from "./log_vectors.ts";
import { Random, randomColumns, randomRow, rounds, SEED } from "./random.ts";

const AB = columns(notNull(type("int")), type("string"));
const CORRUPT = { code: "CODEC.CORRUPT_BATCH" } as const;

function read(bytes: Uint8Array, format: LogFormat = "arrow", wanted = AB): Record<string, unknown>[] {
  return [...compileLogDecoder({ format, sent: AB, wanted })(logBatchAt(bytes, 0)!).columns.rows()];
}

/** Where the parts of the Arrow metadata of a batch are, which has nothing but appends. */
interface Places {
  /** A node has 16 bytes: length, null count. */
  readonly nodes: number;
  /** A buffer has 16 bytes: offset, length. */
  readonly buffers: number;
  readonly body: number;
}

const RECORDS = 48;
const METADATA = RECORDS + 8;

function placesOf(bytes: Uint8Array): Places {
  const message = messageAt(bytes, RECORDS, bytes.length);
  return {
    nodes: message.header.vector(1, 16).start,
    buffers: message.header.vector(2, 16).start,
    body: message.bodyStart,
  };
}

type Lie = (view: DataView, places: Places) => void;

function lying(name: keyof typeof LOG_BATCHES, lie: Lie): Uint8Array {
  const bytes = unhex(LOG_BATCHES[name]);
  const places = placesOf(bytes);
  lie(new DataView(bytes.buffer), places);
  return bytes;
}

// The buffers are: validity and data of `a`, validity, offsets and data of `b`.
const LIES: readonly (readonly [string, Lie])[] = [
  ["no continuation mark", (view) => view.setInt32(RECORDS, 0, true)],
  ["metadata of a negative size", (view) => view.setInt32(RECORDS + 4, -8, true)],
  ["metadata beyond the batch", (view) => view.setInt32(RECORDS + 4, 2 ** 31 - 8, true)],
  ["metadata of no size", (view) => view.setInt32(RECORDS + 4, 0, true)],
  ["a root outside of the metadata", (view) => view.setInt32(METADATA, 1000, true)],
  ["a negative root", (view) => view.setInt32(METADATA, -100, true)],
  ["a table of fields outside of the metadata", (view) => view.setInt32(METADATA + 20, -1000, true)],
  ["a table of fields before the metadata", (view) => view.setInt32(METADATA + 20, 1000, true)],
  ["a table of 64 KiB", (view) => view.setUint16(METADATA + 10, 65535, true)],
  ["a list of fields of 64 KiB", (view) => view.setUint16(METADATA + 8, 65535, true)],
  ["a field outside of its table", (view) => view.setUint16(METADATA + 14, 60000, true)],
  ["a field before its table", (view) => view.setUint16(METADATA + 14, 2, true)],
  ["no header", (view) => view.setUint16(METADATA + 16, 0, true)],
  ["a schema instead of a record batch", (view) => view.setInt8(METADATA + 41, 1)],
  ["a body beyond the batch", (view) => view.setBigInt64(METADATA + 24, 2n ** 31n, true)],
  ["a negative body", (view) => view.setBigInt64(METADATA + 24, -8n, true)],
  ["a body of 2^60 bytes", (view) => view.setBigInt64(METADATA + 24, 2n ** 60n, true)],
  ["a body that ends early", (view) => view.setBigInt64(METADATA + 24, 8n, true)],
  ["more rows than records", (view) => view.setBigInt64(METADATA + 64, 4n, true)],
  ["2^40 rows", (view) => view.setBigInt64(METADATA + 64, 2n ** 40n, true)],
  ["more columns than there are", (view, { nodes }) => view.setInt32(nodes - 4, 3, true)],
  ["fewer columns than there are", (view, { nodes }) => view.setInt32(nodes - 4, 1, true)],
  ["2^30 columns", (view, { nodes }) => view.setInt32(nodes - 4, 2 ** 30, true)],
  ["a negative number of columns", (view, { nodes }) => view.setInt32(nodes - 4, -1, true)],
  ["fewer buffers than there are", (view, { buffers }) => view.setInt32(buffers - 4, 4, true)],
  ["2^31 buffers", (view, { buffers }) => view.setInt32(buffers - 4, 2 ** 31 - 1, true)],
  ["a column of 2^31 values", (view, { nodes }) => view.setBigInt64(nodes, 2n ** 31n, true)],
  ["a column of -1 values", (view, { nodes }) => view.setBigInt64(nodes, -1n, true)],
  ["a column of fewer values", (view, { nodes }) => view.setBigInt64(nodes, 2n, true)],
  ["more nulls than values", (view, { nodes }) => view.setBigInt64(nodes + 8, 4n, true)],
  ["other nulls than it has", (view, { nodes }) => view.setBigInt64(nodes + 24, 2n, true)],
  ["-1 nulls", (view, { nodes }) => view.setBigInt64(nodes + 24, -1n, true)],
  ["a buffer behind the body", (view, { buffers }) => view.setBigInt64(buffers + 16, 1000n, true)],
  ["a buffer before the body", (view, { buffers }) => view.setBigInt64(buffers + 16, -8n, true)],
  ["a buffer of 2^31 bytes", (view, { buffers }) => view.setBigInt64(buffers + 24, 2n ** 31n, true)],
  ["a buffer of -1 bytes", (view, { buffers }) => view.setBigInt64(buffers + 24, -1n, true)],
  ["a buffer of too few bytes", (view, { buffers }) => view.setBigInt64(buffers + 24, 11n, true)],
  ["a buffer of no bytes", (view, { buffers }) => view.setBigInt64(buffers + 24, 0n, true)],
  ["buffers that overlap", (view, { buffers }) => view.setBigInt64(buffers + 64, 32n, true)],
  ["no validity for some nulls", (view, { buffers }) => view.setBigInt64(buffers + 40, 0n, true)],
  ["no offsets", (view, { buffers }) => view.setBigInt64(buffers + 56, 0n, true)],
  ["a negative offset", (view, { body }) => view.setInt32(body + 32, -1, true)],
  ["offsets that fall", (view, { body }) => view.setInt32(body + 36, 2, true)],
  ["a last offset behind the data", (view, { body }) => view.setInt32(body + 44, 5, true)],
  ["a last offset of 2^31", (view, { body }) => view.setInt32(body + 44, 2 ** 31 - 1, true)],
];

for (const [name, lie] of LIES) {
  test(`an Arrow batch with ${name} is refused`, () => {
    assert.throws(() => read(lying("arrowNone", lie)), CORRUPT);
  });
}

const COMPRESSED_LIES: readonly (readonly [string, Lie])[] = [
  // The fields of the compression are listed at 86, its table is at 92, the codec at 99.
  ["an unknown codec", (view) => view.setInt8(METADATA + 99, 2)],
  ["an unknown method", (view) => {
    // With one more field its place is read from what follows the list: 6 bytes into the table.
    view.setUint16(METADATA + 86, 8, true);
    view.setInt8(METADATA + 98, 1);
  }],
  ["a buffer that claims 4 GiB", (view, { body }) => view.setBigInt64(body + 16, 2n ** 32n - 1n, true)],
  ["a buffer that claims 2^60 bytes", (view, { body }) => view.setBigInt64(body + 16, 2n ** 60n, true)],
  ["a buffer that claims -2 bytes", (view, { body }) => view.setBigInt64(body + 16, -2n, true)],
  ["a buffer that claims one byte more", (view, { body }) => view.setBigInt64(body + 16, 161n, true)],
  ["a buffer that claims one byte less", (view, { body }) => view.setBigInt64(body + 16, 159n, true)],
  ["texts that claim 500 MB", (view, { body, buffers }) => {
    view.setBigInt64(body + Number(view.getBigInt64(buffers + 64, true)), 500_000_000n, true);
  }],
  ["a buffer that is not compressed as it claims", (view, { body }) => view.setInt8(body + 24, 1)],
  ["a buffer without room for its length", (view, { buffers }) => view.setBigInt64(buffers + 24, 7n, true)],
];

for (const [name, lie] of COMPRESSED_LIES) {
  test(`a compressed Arrow batch with ${name} is refused`, () => {
    assert.throws(() => read(lying("arrowZstd", lie)), CORRUPT);
  });
}

test("columns that nobody wants are not decompressed", () => {
  const bytes = lying("arrowZstd", (view, { body }) => view.setInt8(body + 24, 1));
  assert.throws(() => read(bytes), CORRUPT);
  assert.equal(read(bytes, "arrow", AB.slice(1)).length, 40);
});

test("a validity buffer may be absent where no value or every value is null", () => {
  const noNulls = lying("arrowNone", (view, { buffers }) => view.setBigInt64(buffers + 8, 0n, true));
  assert.deepEqual(read(noNulls).map((row) => row.c0), [1, 2, -3]);
  const allNulls = lying("arrowNone", (view, { nodes, buffers }) => {
    view.setBigInt64(nodes + 24, 3n, true);
    view.setBigInt64(buffers + 40, 0n, true);
  });
  assert.deepEqual(read(allNulls).map((row) => row.c1), [null, null, null]);
  // Java puts the length 0 in front of an empty buffer.
  const compressed = lying("arrowZstd", (view, { nodes, buffers, body }) => {
    view.setBigInt64(nodes + 8, 40n, true);
    view.setBigInt64(buffers + 8, 8n, true);
    view.setBigInt64(body, 0n, true);
  });
  assert.deepEqual(read(compressed)[39], { c0: null, c1: "aaaaaaaaaa" });
});

test("more rows or bytes than a reader may hold are refused", () => {
  for (const [name, format] of [["arrowNone", "arrow"], ["indexed", "indexed"]] as const) {
    const limits = { maxRows: 2, maxBytes: 2 ** 20 };
    const decode = compileLogDecoder({ format, sent: AB, wanted: AB, limits });
    assert.throws(() => decode(logBatchAt(unhex(LOG_BATCHES[name]), 0)!), CORRUPT);
  }
  const limits = { maxRows: 100, maxBytes: 300 };
  const decode = compileLogDecoder({ format: "arrow", sent: AB, wanted: AB, limits });
  assert.throws(() => decode(logBatchAt(unhex(LOG_BATCHES.arrowZstd), 0)!), CORRUPT);
});

test("an unknown change type is refused", () => {
  for (
    const [name, format, at] of [["arrowNoneChanges", "arrow", 50], ["compactedChanges", "compacted", 52]] as const
  ) {
    const bytes = unhex(LOG_BATCHES[name]);
    bytes[at] = 5;
    assert.throws(() => read(bytes, format), { ...CORRUPT, message: /change type 5/ });
  }
});

test("records that do not fit into their batch are refused", () => {
  for (const length of [-1, 0, 1000, 2 ** 31 - 1]) {
    const bytes = unhex(LOG_BATCHES.indexed);
    new DataView(bytes.buffer).setInt32(48, length, true);
    assert.throws(() => read(bytes, "indexed"), CORRUPT, `${length} bytes`);
  }
  const more = unhex(LOG_BATCHES.indexed);
  const view = new DataView(more.buffer);
  view.setInt32(44, 4, true);
  view.setInt32(28, 3, true);
  assert.throws(() => read(more, "indexed"), CORRUPT);
});

test("a text that is not UTF-8 is refused when it is read", () => {
  const bytes = lying("arrowNone", (view, { body }) => view.setUint8(body + 48, 0xff));
  const { columns: found } = compileLogDecoder({ format: "arrow", sent: AB, wanted: AB })(logBatchAt(bytes, 0)!);
  assert.equal(found.columns[0]!.get(0), 1);
  assert.throws(() => found.columns[1]!.get(0), { ...CORRUPT, message: /UTF-8/ });
});

test("texts that are UTF-8 only together are refused", () => {
  const bytes = lying("arrowNone", (view, { body }) => {
    // "a" and "ccc" become the two bytes of one character and "cc".
    view.setUint8(body + 48, 0xc3);
    view.setUint8(body + 49, 0xa9);
  });
  const { columns: found } = compileLogDecoder({ format: "arrow", sent: AB, wanted: AB })(logBatchAt(bytes, 0)!);
  assert.throws(() => found.columns[1]!.get(0), { ...CORRUPT, message: /UTF-8/ });
  assert.throws(() => found.columns[1]!.get(2), { ...CORRUPT, message: /UTF-8/ });
});

const OPTIONS: readonly (LogFormatOptions & { readonly ratio: number })[] = [
  { format: "arrow", compression: { type: "none" }, ratio: 1 },
  { format: "arrow", compression: { type: "lz4" }, ratio: 255 },
  { format: "arrow", compression: { type: "zstd" }, ratio: 2 ** 15 },
  { format: "indexed", compression: { type: "none" }, ratio: 1 },
  { format: "compacted", compression: { type: "none" }, ratio: 1 },
];

/** Runs with every typed array watched, and returns the most bytes that were reserved at once. */
function largestAllocation(run: () => void): number {
  const names = ["Uint8Array", "Int32Array"] as const;
  const originals = names.map((name) => globalThis[name]);
  let largest = 0;
  for (const [i, name] of names.entries()) {
    const watched: unknown = new Proxy(originals[i]!, {
      construct(target, args: unknown[], newTarget): object {
        const [size] = args;
        if (typeof size === "number") largest = Math.max(largest, size * target.BYTES_PER_ELEMENT);
        return Reflect.construct(target, args, newTarget === watched ? target : newTarget);
      },
    });
    Object.defineProperty(globalThis, name, { value: watched, configurable: true, writable: true });
  }
  try {
    run();
  } finally {
    for (const [i, name] of names.entries()) {
      Object.defineProperty(globalThis, name, { value: originals[i], configurable: true, writable: true });
    }
  }
  return largest;
}

for (const options of OPTIONS) {
  const { format } = options;
  const name = `${format} ${options.compression.type}`;
  test(`mutated batches are read or refused, and reserve no more than they could fill: ${name} (seed ${SEED})`, () => {
    const random = new Random(SEED + 30);
    const mutations = 50;
    // A million in all.
    for (let round = 0; round < rounds(40, 4000); round++) {
      const where = `seed ${SEED}, round ${round}`;
      const of = randomColumns(random, random.int(1, 6));
      const builder = compileLogBuilder(of, options)(1);
      for (let left = random.int(1, 20); left > 0; left--) builder.append(randomRow(random, of));
      const bytes = builder.finish(-1n, -1).slice();
      const wanted = of.filter(() => random.chance(0.8));
      const decode = compileLogDecoder({ format, sent: of, wanted });
      for (let i = 0; i < mutations; i++) {
        const damaged = mutate(random, bytes);
        const largest = largestAllocation(() => {
          try {
            const batch = logBatchAt(damaged, 0);
            if (batch === undefined) return;
            if (random.chance(0.1)) checkCrc(batch);
            const found = decode(batch);
            // Only reading proves that values can be made.
            for (const row of found.columns.rows()) assert.equal(typeof row, "object");
          } catch (error) {
            const refused = error instanceof ColumnError || FlussError.is(error, "CODEC.CORRUPT_BATCH");
            if (!refused) throw new Error(`${where}, mutation ${i}: ${String(error)}`, { cause: error });
          }
        });
        assert.ok(largest <= options.ratio * bytes.length + 1024, `${where}, mutation ${i}: ${largest} bytes reserved`);
      }
    }
  });
}

/** A batch with some bytes or words changed, most often in its metadata. */
function mutate(random: Random, bytes: Uint8Array): Uint8Array {
  const damaged = bytes.slice();
  const view = new DataView(damaged.buffer);
  for (let left = random.int(1, 3); left > 0; left--) {
    const near = random.pick([48, 300, bytes.length, bytes.length]);
    const at = random.int(near === 48 ? 0 : 28, Math.min(bytes.length, near) - 1);
    if (random.chance(0.5) || at + 4 > bytes.length) {
      damaged[at] = random.pick([0, 1, 127, 128, 255, random.int(0, 255)]);
    } else {
      const word = random.pick([0, 1, -1, 2 ** 31 - 1, -(2 ** 31), view.getInt32(at, true) + random.int(-9, 9)]);
      view.setInt32(at, word, true);
    }
  }
  return damaged;
}
