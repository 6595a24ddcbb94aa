/**
 * Columns whose values are places in a dictionary, made plain: apache-arrow writes texts so when nobody says otherwise,
 * pandas its categories.
 *
 * @module
 */
import { corrupt } from "../corrupt.ts";
import type { ArrowLayout } from "./layout.ts";
import type { RawColumn } from "./raw_column.ts";
import { takeRaw } from "./take.ts";

/** The integers that places are stored as, in the words of `foundTypeText`. */
export type IndexType = "int8" | "int16" | "int32" | "int64" | "uint8" | "uint16" | "uint32" | "uint64";

const ITEMS = {
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
} as const;

/** Whether a dictionary can have places of this type. */
export function isIndexType(type: string): type is IndexType {
  return Object.hasOwn(ITEMS, type);
}

/** The layout of the places. */
export function indexLayout(type: IndexType): ArrowLayout {
  return { form: "fixed", width: ITEMS[type].BYTES_PER_ELEMENT, children: [] };
}

/**
 * The values that a column of places stands for.
 *
 * @param places the column
 * @param type what its places are stored as
 * @param values the dictionary; of a type without parts
 * @param layout the layout of the values
 * @param maxBytes what the result may take: a few bytes of places can name a large value many times
 * @throws {FlussError} CODEC.CORRUPT_BATCH for a place that is not in the dictionary, and when the values are too many
 */
export function decodeDictionary(
  places: RawColumn,
  type: IndexType,
  values: RawColumn,
  layout: ArrowLayout,
  maxBytes: number,
): RawColumn {
  const { length, validity, data } = places;
  const items = new ITEMS[type](data!.buffer as ArrayBuffer, data!.byteOffset, length);
  const indices = new Int32Array(length);
  let bytes = length * layout.width;
  for (let i = 0; i < length; i++) {
    // Under a null stands anything.
    if (!isSet(validity, i)) {
      indices[i] = values.length;
      continue;
    }
    const place = Number(items[i]!);
    if (!(place >= 0 && place < values.length)) {
      throw corrupt(`place ${place} of an Arrow dictionary that has ${values.length}`);
    }
    indices[i] = place;
    if (layout.form === "variable") bytes += values.offsets![place + 1]! - values.offsets![place]!;
  }
  if (bytes > maxBytes) throw corrupt(`an Arrow dictionary unfolds to ${bytes} bytes, and ${maxBytes} are taken`);
  return takeRaw(withNullEnd(values, layout), layout, indices);
}

function isSet(bits: Uint8Array | undefined, i: number): boolean {
  return bits === undefined || (bits[i >> 3]! & (1 << (i & 7))) !== 0;
}

/** The dictionary with one value more, which is null and takes no room. */
function withNullEnd(values: RawColumn, layout: ArrowLayout): RawColumn {
  const length = values.length + 1;
  const validity = new Uint8Array((length + 7) >> 3).fill(255);
  if (values.validity !== undefined) validity.set(values.validity.subarray(0, (values.length + 7) >> 3));
  validity[values.length >> 3]! &= ~(1 << (values.length & 7));
  const common = { length, nullCount: values.nullCount + 1, validity, children: [] };
  if (layout.form === "variable") {
    const offsets = new Int32Array(length + 1);
    offsets.set(values.offsets!.subarray(0, length));
    offsets[length] = offsets[length - 1]!;
    return { ...common, offsets, data: values.data };
  }
  const data = new Uint8Array(layout.form === "bits" ? (length + 7) >> 3 : length * layout.width);
  data.set(values.data!.subarray(0, data.length));
  return { ...common, offsets: undefined, data };
}
