/** Bytes that the official Java client of Fluss 0.9.1 produced (protocol notes, test vectors 2 to 5). */
import type { DataType } from "../../../src/schema/data_type.ts";
import { notNull, type } from "./columns.ts";

const XY = type("row", {
  fields: [{ key: "x", name: "x", type: type("int") }, { key: "y", name: "y", type: type("string") }],
});

export interface RowVector {
  readonly name: string;
  readonly type: DataType;
  readonly value: unknown;
  readonly compacted: string;
  readonly indexed: string;
  readonly aligned: string;
}

/** One nullable column per row. TIME(0) has milliseconds there, which we refuse to write: TIME(3) has the same bytes. */
export const ROWS: readonly RowVector[] = [
  {
    name: "INT NOT NULL",
    type: notNull(type("int")),
    value: -7,
    compacted: "00f9ffffff0f",
    indexed: "00f9ffffff",
    aligned: "0000000000000000f9ffffff00000000",
  },
  {
    name: "BOOLEAN",
    type: type("boolean"),
    value: true,
    compacted: "0001",
    indexed: "0001",
    aligned: "00000000000000000100000000000000",
  },
  {
    name: "TINYINT",
    type: type("tinyint"),
    value: -3,
    compacted: "00fd",
    indexed: "00fd",
    aligned: "0000000000000000fd00000000000000",
  },
  {
    name: "SMALLINT",
    type: type("smallint"),
    value: 300,
    compacted: "002c01",
    indexed: "002c01",
    aligned: "00000000000000002c01000000000000",
  },
  {
    name: "BIGINT",
    type: type("bigint"),
    value: 1234567890123n,
    compacted: "00cb89ec8ff723",
    indexed: "00cb04fb711f010000",
    aligned: "0000000000000000cb04fb711f010000",
  },
  {
    name: "FLOAT",
    type: type("float"),
    value: 1.5,
    compacted: "000000c03f",
    indexed: "000000c03f",
    aligned: "00000000000000000000c03f00000000",
  },
  {
    name: "DOUBLE",
    type: type("double"),
    value: -2.25,
    compacted: "0000000000000002c0",
    indexed: "0000000000000002c0",
    aligned: "000000000000000000000000000002c0",
  },
  {
    name: "STRING",
    type: type("string"),
    value: "héllo world",
    compacted: "000c68c3a96c6c6f20776f726c64",
    indexed: "000c00000068c3a96c6c6f20776f726c64",
    aligned: "00000000000000000c0000001000000068c3a96c6c6f20776f726c6400000000",
  },
  {
    name: "CHAR(4)",
    type: type("char", { length: 4 }),
    value: "ab",
    compacted: "00026162",
    indexed: "0061620000",
    aligned: "00000000000000006162000000000082",
  },
  {
    name: "BINARY(3)",
    type: type("binary", { length: 3 }),
    value: Uint8Array.of(1, 2, 3),
    compacted: "0003010203",
    indexed: "00010203",
    aligned: "00000000000000000102030000000083",
  },
  {
    name: "BYTES",
    type: type("bytes"),
    value: Uint8Array.of(0xff, 0),
    compacted: "0002ff00",
    indexed: "0002000000ff00",
    aligned: "0000000000000000ff00000000000082",
  },
  {
    name: "DECIMAL(10, 2)",
    type: type("decimal", { precision: 10, scale: 2 }),
    value: "-12.34",
    compacted: "00aef6ffffffffffffff01",
    indexed: "002efbffffffffffff",
    aligned: "00000000000000002efbffffffffffff",
  },
  {
    name: "DECIMAL(38, 4)",
    type: type("decimal", { precision: 38, scale: 4 }),
    value: "-123456789012345678901.2345",
    compacted: "000bfefa91f0c959bbc21d2087",
    indexed: "000b000000fefa91f0c959bbc21d2087",
    aligned: "00000000000000000b00000010000000fefa91f0c959bbc21d20870000000000",
  },
  {
    name: "DATE",
    type: type("date", { mode: "days" }),
    value: 19655,
    compacted: "00c79901",
    indexed: "00c74c0000",
    aligned: "0000000000000000c74c000000000000",
  },
  {
    name: "TIME(0)",
    type: type("time", { precision: 3, mode: "millis" }),
    value: 34200123,
    compacted: "00bbb4a710",
    indexed: "003bda0902",
    aligned: "00000000000000003bda090200000000",
  },
  {
    name: "TIMESTAMP(3)",
    type: type("timestamp", { precision: 3, mode: "epochMillis" }),
    value: 1698235273182,
    compacted: "00de9fd7b5b631",
    indexed: "00decfb5668b010000",
    aligned: "0000000000000000decfb5668b010000",
  },
  {
    name: "TIMESTAMP(9)",
    type: type("timestamp", { precision: 9, mode: "epochNanos" }),
    value: 1698235273182123456n,
    compacted: "00de9fd7b5b631c0c407",
    indexed: "00decfb5668b01000040e20100",
    aligned: "000000000000000040e2010010000000decfb5668b010000",
  },
  {
    name: "TIMESTAMP_LTZ(3)",
    type: type("timestampLtz", { precision: 3, mode: "date" }),
    value: new Date(1698235273182),
    compacted: "00de9fd7b5b631",
    indexed: "00decfb5668b010000",
    aligned: "0000000000000000decfb5668b010000",
  },
  {
    name: "TIMESTAMP_LTZ(6)",
    type: type("timestampLtz", { precision: 6, mode: "epochMicros" }),
    value: 1698235273182123n,
    compacted: "00de9fd7b5b631f8c007",
    indexed: "00decfb5668b01000078e00100",
    aligned: "000000000000000078e0010010000000decfb5668b010000",
  },
  {
    name: "ARRAY<STRING>",
    type: type("array", { element: type("string") }),
    value: ["a", null, "long string here"],
    compacted: "003003000000020000006100000000000081000000000000000010000000200000006c6f6e6720737472696e672068657265",
    indexed:
      "003000000003000000020000006100000000000081000000000000000010000000200000006c6f6e6720737472696e672068657265",
    aligned:
      "0000000000000000300000001000000003000000020000006100000000000081000000000000000010000000200000006c6f6e6720737472696e672068657265",
  },
  {
    name: "MAP<STRING NOT NULL, INT>",
    type: type("map", { key: notNull(type("string")), value: type("int") }),
    value: new Map([["k1", 1], ["k2", null]]),
    compacted: "002c1800000002000000000000006b310000000000826b3200000000008202000000020000000100000000000000",
    indexed: "002c0000001800000002000000000000006b310000000000826b3200000000008202000000020000000100000000000000",
    aligned:
      "00000000000000002c000000100000001800000002000000000000006b310000000000826b320000000000820200000002000000010000000000000000000000",
  },
  {
    name: "ROW<x INT, y STRING>",
    type: XY,
    value: { x: 5, y: "in" },
    compacted: "0005000502696e",
    indexed: "000b000000000200000005000000696e",
    aligned: "0000000000000000180000001000000000000000000000000500000000000000696e000000000082",
  },
];

/** All 22 columns of ROWS together. */
export const WIDE = {
  compacted: {
    full:
      "000000f9ffffff0f01fd2c01cb89ec8ff7230000c03f00000000000002c00c68c3a96c6c6f20776f726c640261620301020302ff00aef6ffffffffffffff010bfefa91f0c959bbc21d2087c79901bbb4a710de9fd7b5b631de9fd7b5b631c0c407de9fd7b5b631de9fd7b5b631f8c0073003000000020000006100000000000081000000000000000010000000200000006c6f6e6720737472696e6720686572652c1800000002000000000000006b310000000000826b320000000000820200000002000000010000000000000005000502696e",
    nulls: "feff3ff9ffffff0f",
  },
  indexed: {
    full:
      "0000000c000000020000000b000000300000002c0000000b000000f9ffffff01fd2c01cb04fb711f0100000000c03f00000000000002c068c3a96c6c6f20776f726c6461620000010203ff002efbfffffffffffffefa91f0c959bbc21d2087c74c00003bda0902decfb5668b010000decfb5668b01000040e20100decfb5668b010000decfb5668b01000078e0010003000000020000006100000000000081000000000000000010000000200000006c6f6e6720737472696e6720686572651800000002000000000000006b310000000000826b3200000000008202000000020000000100000000000000000200000005000000696e",
    nulls: "feff3f000000000000000000000000000000000000000000000000f9ffffff",
  },
  aligned: {
    full:
      "0000000000000000f9ffffff000000000100000000000000fd000000000000002c01000000000000cb04fb711f0100000000c03f0000000000000000000002c00c000000b800000061620000000000820102030000000083ff000000000000822efbffffffffffff0b000000c8000000c74c0000000000003bda090200000000decfb5668b01000040e20100d8000000decfb5668b01000078e00100e000000030000000e80000002c00000018010000180000004801000068c3a96c6c6f20776f726c6400000000fefa91f0c959bbc21d20870000000000decfb5668b010000decfb5668b01000003000000020000006100000000000081000000000000000010000000200000006c6f6e6720737472696e6720686572651800000002000000000000006b310000000000826b32000000000082020000000200000001000000000000000000000000000000000000000500000000000000696e000000000082",
    nulls:
      "00feff3f00000000f9ffffff00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
  },
} as const;

type KeyCell = readonly [hex: string, bucketOf16: number] | "unsupported" | "empty";

export interface KeyVector {
  readonly type: DataType;
  readonly value: unknown;
  readonly compacted: KeyCell;
  readonly paimon: KeyCell;
  readonly iceberg: KeyCell;
}

/** Keys of one column, and their buckets of 16. */
export const KEYS: readonly KeyVector[] = [
  {
    type: type("int"),
    value: 1,
    compacted: ["01", 12],
    paimon: ["00000000000000000100000000000000", 14],
    iceberg: ["0100000000000000", 4],
  },
  {
    type: type("int"),
    value: 127,
    compacted: ["7f", 10],
    paimon: ["00000000000000007f00000000000000", 7],
    iceberg: ["7f00000000000000", 5],
  },
  {
    type: type("int"),
    value: 128,
    compacted: ["8001", 2],
    paimon: ["00000000000000008000000000000000", 14],
    iceberg: ["8000000000000000", 2],
  },
  {
    type: type("int"),
    value: -1,
    compacted: ["ffffffff0f", 10],
    paimon: ["0000000000000000ffffffff00000000", 3],
    iceberg: ["ffffffffffffffff", 8],
  },
  {
    type: type("int"),
    value: -2147483648,
    compacted: ["8080808008", 4],
    paimon: ["00000000000000000000008000000000", 3],
    iceberg: ["00000080ffffffff", 8],
  },
  {
    type: type("bigint"),
    value: 1n,
    compacted: ["01", 12],
    paimon: ["00000000000000000100000000000000", 14],
    iceberg: ["0100000000000000", 4],
  },
  {
    type: type("bigint"),
    value: -1n,
    compacted: ["ffffffffffffffffff01", 7],
    paimon: ["0000000000000000ffffffffffffffff", 0],
    iceberg: ["ffffffffffffffff", 8],
  },
  {
    type: type("bigint"),
    value: -9223372036854775808n,
    compacted: ["80808080808080808001", 15],
    paimon: ["00000000000000000000000000000080", 7],
    iceberg: ["0000000000000080", 5],
  },
  {
    type: type("bigint"),
    value: 9007199254740993n,
    compacted: ["8180808080808010", 7],
    paimon: ["00000000000000000100000000002000", 6],
    iceberg: ["0100000000002000", 6],
  },
  {
    type: type("string"),
    value: "a",
    compacted: ["0161", 11],
    paimon: ["00000000000000006100000000000081", 14],
    iceberg: ["61", 2],
  },
  {
    type: type("string"),
    value: "",
    compacted: ["00", 8],
    paimon: ["00000000000000000000000000000080", 7],
    iceberg: "empty",
  },
  {
    type: type("string"),
    value: "用户",
    compacted: ["06e794a8e688b7", 5],
    paimon: ["0000000000000000e794a8e688b70086", 2],
    iceberg: ["e794a8e688b7", 0],
  },
  {
    type: type("smallint"),
    value: -2,
    compacted: ["feff", 3],
    paimon: ["0000000000000000feff000000000000", 3],
    iceberg: "unsupported",
  },
  {
    type: type("tinyint"),
    value: -2,
    compacted: ["fe", 10],
    paimon: ["0000000000000000fe00000000000000", 15],
    iceberg: "unsupported",
  },
  {
    type: type("boolean"),
    value: true,
    compacted: ["01", 12],
    paimon: ["00000000000000000100000000000000", 14],
    iceberg: "unsupported",
  },
  {
    type: type("date", { mode: "days" }),
    value: 19655,
    compacted: ["c79901", 4],
    paimon: ["0000000000000000c74c000000000000", 1],
    iceberg: ["c74c000000000000", 11],
  },
  {
    type: type("decimal", { precision: 10, scale: 2 }),
    value: "-12.34",
    compacted: ["aef6ffffffffffffff01", 12],
    paimon: ["00000000000000002efbffffffffffff", 2],
    iceberg: ["fb2e", 2],
  },
  {
    type: type("decimal", { precision: 20, scale: 2 }),
    value: "-12.34",
    compacted: ["02fb2e", 15],
    paimon: ["00000000000000000200000010000000fb2e0000000000000000000000000000", 12],
    iceberg: ["fb2e", 2],
  },
  {
    type: type("timestamp", { precision: 3, mode: "string" }),
    value: "2023-10-25T12:01:13.182",
    compacted: ["de9fd7b5b631", 13],
    paimon: ["0000000000000000decfb5668b010000", 7],
    iceberg: ["30fb333689080600", 14],
  },
  {
    type: type("timestamp", { precision: 9, mode: "string" }),
    value: "2023-10-25T12:01:13.182123456",
    compacted: ["de9fd7b5b631c0c407", 15],
    paimon: ["000000000000000040e2010010000000decfb5668b010000", 13],
    iceberg: ["abfb333689080600", 5],
  },
  {
    type: type("double"),
    value: 1.5,
    compacted: ["000000000000f83f", 2],
    paimon: ["0000000000000000000000000000f83f", 1],
    iceberg: ["000000000000f83f", 11],
  },
  {
    type: type("bytes"),
    value: Uint8Array.of(1, 2, 3),
    compacted: ["03010203", 11],
    paimon: ["00000000000000000102030000000083", 1],
    iceberg: ["010203", 4],
  },
];

/** Buckets of 3, 7, 16 and 1000000. */
export const BUCKETS: readonly {
  key: string;
  murmur: number;
  fluss: readonly number[];
  paimon: readonly number[];
  iceberg: readonly number[];
}[] = [
  { key: "000a", murmur: 1530214680, fluss: [1, 1, 4, 977956], paimon: [0, 1, 8, 214680], iceberg: [1, 3, 4, 384228] },
  {
    key: "000a0a0a",
    murmur: 1248044039,
    fluss: [0, 2, 4, 672516],
    paimon: [2, 4, 7, 44039],
    iceberg: [1, 3, 4, 586068],
  },
  {
    key: "32626238376436382d626166392d346536342d393066392d663830393130343139666136",
    murmur: -1627959308,
    fluss: [2, 6, 6, 256422],
    paimon: [2, 3, 12, 959308],
    iceberg: [0, 1, 12, 493900],
  },
  {
    key: "54686520717569636b2062726f776e20666f78206a756d7073206f76657220746865206c617a7920646f67",
    murmur: 466024576,
    fluss: [2, 5, 6, 58742],
    paimon: [1, 3, 0, 24576],
    iceberg: [2, 2, 3, 992547],
  },
  { key: "01", murmur: -386724586, fluss: [0, 4, 12, 307500], paimon: [1, 3, 10, 724586], iceberg: [0, 6, 11, 673515] },
  { key: "ff", murmur: 1398487324, fluss: [0, 1, 9, 240473], paimon: [1, 3, 12, 487324], iceberg: [1, 2, 13, 291597] },
  {
    key: "8081fe0305",
    murmur: -203513375,
    fluss: [1, 5, 11, 474107],
    paimon: [2, 2, 15, 513375],
    iceberg: [2, 0, 7, 744199],
  },
  {
    key: "68c3a96c6c6f",
    murmur: 1212979866,
    fluss: [2, 6, 3, 112179],
    paimon: [0, 0, 10, 979866],
    iceberg: [0, 2, 8, 94248],
  },
];
