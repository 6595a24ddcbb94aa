/**
 * Where pyfluss looks in another bucket than the official Java client, and so than we.
 *
 * @module
 */
import type { AnyTable } from "../../mod.ts";
import { ByteWriter } from "../../src/format/byte_writer.ts";
import { compileKeyWriter, type KeyEncoding } from "../../src/format/key_encoder.ts";
import { definitionOf } from "../../src/schema/definition.ts";

/** Why rows of such keys are not exchanged with Python. */
export const OTHER_BUCKETS = "pyfluss 1.0.0 hashes the last bytes of a key as unsigned, Java hashes them as signed";

/**
 * Tells whether the bucket of a row is the same for pyfluss 1.0.0 and Java. Their hash takes the last (length % 4) bytes
 * of a bucket key one by one, pyfluss as numbers from 0 to 255, Java from -128 to 127; Iceberg's hash has no such step.
 */
export function sameBucketFor(table: AnyTable, encoding: KeyEncoding): (row: Record<string, unknown>) => boolean {
  if (encoding === "iceberg") return () => true;
  const { columns, bucketKey, primaryKey, partitionBy } = definitionOf(table);
  const names = bucketKey ?? primaryKey.filter((name) => !partitionBy.includes(name));
  const write = compileKeyWriter(
    names.map((name, id) => ({ ...columns.find(({ key }) => key === name)!, id })),
    encoding,
  );
  return (row) => {
    const out = new ByteWriter(64);
    write(out, row);
    const key = out.toBytes();
    return key.subarray(key.length - key.length % 4).every((byte) => byte < 0x80);
  };
}
