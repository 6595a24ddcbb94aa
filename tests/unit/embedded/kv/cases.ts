/**
 * Writes to primary-key tables of every kind. `observed.json` has what a server of 0.9.1 said to each of them;
 * `record.ts` asks one again.
 *
 * @module
 */
import type { DataType } from "../../../../src/schema/data_type.ts";
import type { Case, CaseColumn, CaseStep, PutStep } from "./case_run.ts";

const INT: DataType = { kind: "int", nullable: true };
const TEXT: DataType = { kind: "string", nullable: true };
const BIGINT: DataType = { kind: "bigint", nullable: true };
const BOOLEAN: DataType = { kind: "boolean", nullable: true };
const BYTES: DataType = { kind: "bytes", nullable: true };
const required = (type: DataType): DataType => ({ ...type, nullable: false });
const decimal = (precision: number, scale: number): DataType => ({
  kind: "decimal",
  precision,
  scale,
  nullable: true,
  mode: "string",
});
const timestamp = (precision: number, kind: "timestamp" | "timestampLtz" = "timestamp"): DataType => ({
  kind,
  precision,
  nullable: true,
  mode: "epochNanos",
});

const ID: CaseColumn = ["id", INT];
const PLAIN: readonly CaseColumn[] = [ID, ["a", INT], ["b", TEXT]];

const put = (...rows: PutStep["put"][number][]): PutStep => ({ put: rows });
const gone = (...key: unknown[]) => ({ delete: key });
const engine = (name: string, more: Record<string, string> = {}) => ({ "table.merge-engine": name, ...more });
const WAL = { "table.changelog.image": "WAL" };

/** Everything that can be done to rows, whatever the merge engine. */
const ROUND: readonly CaseStep[] = [
  put([1, 10, "x"]),
  put([1, 11, "y"]),
  put([1, 11, "y"]),
  put([1, null, null]),
  put([2, 20, "z"], [2, 21, "zz"], gone(2), [2, 22, null]),
  put(gone(1)),
  put(gone(9)),
  put(gone(8), gone(9)),
  put(),
  put([3, 30, "q"], gone(3)),
  put([0, 1, "k"], [-1, 2, "l"], [300, 3, "m"], [128, 4, "n"]),
  { limit: 3 },
  { limit: 0 },
  { limit: -1 },
  { stats: true },
];

const engines: readonly Case[] = [
  { name: "no merge engine", columns: PLAIN, steps: ROUND },
  { name: "no merge engine, image WAL", columns: PLAIN, options: WAL, steps: ROUND },
  {
    name: "no merge engine, log COMPACTED",
    columns: PLAIN,
    options: { "table.log.format": "COMPACTED" },
    steps: ROUND,
  },
  { name: "no merge engine, rows INDEXED", columns: PLAIN, options: { "table.kv.format": "INDEXED" }, steps: ROUND },
  {
    name: "rows INDEXED, log COMPACTED",
    columns: PLAIN,
    options: { "table.kv.format": "INDEXED", "table.log.format": "COMPACTED" },
    steps: ROUND,
  },
  {
    name: "rows INDEXED, log INDEXED",
    columns: PLAIN,
    options: { "table.kv.format": "INDEXED", "table.log.format": "INDEXED" },
    steps: [put([1, 1, "a"]), put(gone(1))],
  },
  { name: "FIRST_ROW", columns: PLAIN, options: engine("FIRST_ROW"), steps: ROUND },
  { name: "FIRST_ROW, image WAL", columns: PLAIN, options: engine("FIRST_ROW", WAL), steps: ROUND },
  { name: "AGGREGATION without functions", columns: PLAIN, options: engine("AGGREGATION"), steps: ROUND },
  {
    name: "AGGREGATION that allows deletes",
    columns: [ID, ["a", INT, "sum"], ["b", TEXT]],
    options: engine("AGGREGATION", { "table.delete.behavior": "ALLOW" }),
    steps: ROUND,
  },
  ...versioned("int", INT, [10, 5, 10, null, 11]),
  ...versioned("bigint", BIGINT, [10n, 5n, 10n, null, -(2n ** 63n), 11n]),
  ...versioned("timestamp(3)", timestamp(3), [10_000_000n, 5_000_000n, 10_000_000n, null, 11_000_000n]),
  ...versioned("timestamp(9)", timestamp(9), [1_000_010n, 1_000_005n, 1_000_010n, null, 2_000_001n, 1_999_999n]),
  ...versioned("timestamp_ltz(6)", timestamp(6, "timestampLtz"), [-1_000n, -2_000n, null, -1_000n, 0n]),
  {
    name: "VERSIONED, the key is the version",
    columns: PLAIN,
    options: engine("VERSIONED", { "table.merge-engine.versioned.ver-column": "id" }),
    steps: [put([1, 1, "a"]), put([1, 2, "b"])],
  },
];

function versioned(name: string, type: DataType, versions: readonly unknown[]): Case[] {
  const columns: CaseColumn[] = [ID, ["v", type], ["b", TEXT]];
  const options = engine("VERSIONED", { "table.merge-engine.versioned.ver-column": "v" });
  const steps: CaseStep[] = versions.map((version, i) => put([1, version, `${i}`]));
  steps.push(put([2, null, "n"]), put([2, null, "later"]), put([2, versions[0], "o"]), put(gone(1)));
  return [
    { name: `VERSIONED by ${name}`, columns, options, steps },
    {
      name: `VERSIONED by ${name}, image WAL, rows INDEXED`,
      columns,
      options: { ...options, ...WAL, "table.kv.format": "INDEXED" },
      steps,
    },
  ];
}

const deletes: readonly Case[] = ["ALLOW", "allow", "ignore", "IGNORE", "disable"].flatMap((behavior) =>
  [undefined, "FIRST_ROW", "VERSIONED", "AGGREGATION"].flatMap((name): Case[] => {
    if (/allow/i.test(behavior) && (name === "FIRST_ROW" || name === "VERSIONED")) return [];
    return [{
      name: `deletes ${behavior} with ${name ?? "no merge engine"}`,
      columns: [ID, ["a", INT], ["b", TEXT]],
      options: {
        "table.delete.behavior": behavior,
        ...(name === undefined ? {} : { "table.merge-engine": name }),
        ...(name === "VERSIONED" ? { "table.merge-engine.versioned.ver-column": "a" } : {}),
      },
      steps: [
        put([1, 1, "a"], [2, 2, "b"]),
        put(gone(1)),
        put([3, 3, "c"], gone(2), [4, 4, "d"]),
        put(gone(7)),
        { ...put([5, 5, "e"], gone(2)), mode: 1 },
        { ...put([2, 1, "f"], [2, 0, "g"]), mode: 1 },
        { ...put(gone(2)), targets: [0, 1], mode: 1 },
        { ...put([1, 9, "h"]), mode: 7 },
      ],
    }];
  })
);

const wide: readonly CaseColumn[] = [ID, ["a", INT], ["b", TEXT], ["c", decimal(10, 2)]];
const PARTIAL: readonly CaseStep[] = [
  { ...put([1, 10, "not sent", null]), targets: [0, 1] },
  { ...put([1, 99, "b1", null]), targets: [0, 2] },
  { ...put([1, 99, "b1", null]), targets: [0, 2] },
  { ...put([1, 7, "q", "1.00"]), targets: [0] },
  { ...put([2, 7, "q", "1.00"]), targets: [0] },
  { ...put([1, null, null, null]), targets: [0, 1] },
  put([3, 30, "c", "3.00"]),
  { ...put([3, 31, "d", "4.00"]), targets: [3, 0] },
  { ...put([3, 32, "d", "5.00"]), targets: [0, 1, 1, 0] },
  { ...put([3, 33, "e", "5.50"]), targets: [0, 1, 2, 3] },
  { ...put(gone(3)), targets: [0, 1] },
  { ...put(gone(3)), targets: [0, 1] },
  { ...put(gone(3)), targets: [0] },
  { ...put(gone(3)), targets: [0, 2, 3] },
  { ...put(gone(3)), targets: [0, 2, 3] },
  { ...put(gone(77)), targets: [0, 2] },
  { ...put([4, 1, "x", null], gone(4), [4, 2, "y", null]), targets: [0, 1] },
  { ...put([5, 1, "x", "1.25"]), targets: [1, 2] },
  { ...put([5, 1, "x", "1.25"]), targets: [0, 9] },
  { ...put([5, 1, "x", "1.25"]), targets: [0, -1] },
  { ...put([5, 1, "x", "1.25"]), targets: [0, 1], mode: 1 },
  { ...put([5, 1, "y", "1.25"]), targets: [0, 2], mode: 1 },
  { ...put(gone(5)), targets: [0, 1], mode: 1 },
  { lookup: [[1], [6], [6], [3]], insert: true },
  { lookup: [[1], [6], [8], [3]] },
];

const partial: readonly Case[] = [
  { name: "partial updates", columns: wide, steps: PARTIAL },
  { name: "partial updates, image WAL", columns: wide, options: WAL, steps: PARTIAL },
  { name: "partial updates, rows INDEXED", columns: wide, options: { "table.kv.format": "INDEXED" }, steps: PARTIAL },
  {
    name: "partial updates, deletes ignored",
    columns: wide,
    options: { "table.delete.behavior": "ignore" },
    steps: PARTIAL,
  },
  {
    name: "partial aggregation",
    columns: [ID, ["a", INT, "sum"], ["b", TEXT, "listagg"], ["c", decimal(10, 2), "max"]],
    options: engine("AGGREGATION"),
    steps: PARTIAL,
  },
  {
    name: "partial aggregation that allows deletes",
    columns: [ID, ["a", INT, "sum"], ["b", TEXT, "listagg"], ["c", decimal(10, 2), "max"]],
    options: engine("AGGREGATION", { "table.delete.behavior": "allow" }),
    steps: PARTIAL,
  },
  {
    name: "partial updates of a table with a NOT NULL column",
    columns: [ID, ["a", INT], ["b", required(TEXT)]],
    steps: [
      { ...put([1, 1, "x"]), targets: [0, 1] },
      { ...put([1, 1, "x"]), targets: [0, 2] },
      { ...put([1, 1, "x"]), targets: [0] },
      { ...put([1, 1, "x"]), targets: [0, 1, 2] },
      { ...put([1, 1, "x"]), targets: [0, 1, 2], mode: 1 },
      put([1, 1, "x"]),
      { lookup: [[1]], insert: true },
      { lookup: [[2]], insert: true },
    ],
  },
  {
    name: "partial aggregation of a table with a NOT NULL column",
    columns: [ID, ["a", INT, "sum"], ["b", required(TEXT)]],
    options: engine("AGGREGATION"),
    steps: [{ ...put([1, 1, "x"]), targets: [0, 1] }, { ...put([1, 1, "x"]), targets: [1] }],
  },
  ...["FIRST_ROW", "VERSIONED"].map((name): Case => ({
    name: `partial updates with ${name}`,
    columns: wide,
    options: engine(name, name === "VERSIONED" ? { "table.merge-engine.versioned.ver-column": "a" } : {}),
    steps: [
      put([1, 1, "x", null]),
      { ...put([1, 2, "y", null]), targets: [0, 1] },
      { ...put([1, 2, "y", null]), targets: [0, 1, 2, 3] },
      { ...put([1, 2, "y", null]), targets: [0, 1], mode: 1 },
      { lookup: [[1]], insert: true },
      { lookup: [[2]], insert: true },
    ],
  })),
  {
    name: "a key of three columns",
    columns: [["x", TEXT], ["y", INT], ["z", BYTES], ["v", INT], ["w", TEXT]],
    keys: 3,
    bucketKey: ["x"],
    steps: [
      put(["a", 1, Uint8Array.of(), 1], ["a", 2, Uint8Array.of(0), 2], ["ab", -1, Uint8Array.of(255), 3], [
        "",
        0,
        Uint8Array.of(1),
        4,
      ]),
      { prefix: [["a"], ["ab"], [""], ["zz"]], columns: 1 },
      { prefix: [["a", 2], ["a", 3]], columns: 2 },
      { prefix: [["a", 2, Uint8Array.of(0)]], columns: 3 },
      { ...put(["a", 1, Uint8Array.of(), 9, "w"]), targets: [0, 1, 2, 4] },
      { ...put(["a", 1, Uint8Array.of(), 9, "w"]), targets: [0, 1, 4] },
      { lookup: [["n", 5, Uint8Array.of(7)]], insert: true },
      { lookup: [["a", 1, Uint8Array.of()], ["a", 1, Uint8Array.of(1)]] },
    ],
  },
];

const BITMAP = (hex: string) => Uint8Array.from(hex.match(/../g)!, (byte) => parseInt(byte, 16));
const RBM_1_2_3 = BITMAP("3a300000010000000000020010000000010002000300");
const RBM_3_9 = BITMAP("3a30000001000000000001001000000003000900");
const RBM_HIGH = BITMAP("3a300000010000000100000010000000" + "0700");

/** 1 and 2; 2 and 3; 2^40: of RoaringBitmap 1.3.0. */
const RBM64 = [
  "01010000000000000004000000000000000000000000000000000001000000fe010000000102020000000100020001000000000000000000000000000000",
  "01010000000000000004000000000000000000000000000000000001000000fe010000000102020000000200030001000000000000000000000000000000",
  "01010000000000000004000000000001000000000000000000000001000000fe01000000010201000000000001000000000000000000000000000000",
].map(BITMAP);

const FUNCTIONS: readonly (readonly [fn: string, type: DataType, values: readonly unknown[], delimiter?: string])[] = [
  ["sum", { kind: "tinyint", nullable: true }, [100, 100, null, -1]],
  ["sum", { kind: "smallint", nullable: true }, [32_767, 1, null, 5]],
  ["sum", INT, [2_147_483_647, 1, null, -5]],
  ["sum", BIGINT, [2n ** 63n - 1n, 1n, null, 3n]],
  ["sum", { kind: "float", nullable: true }, [0.1, 0.2, null, 1e38, 3e38]],
  ["sum", { kind: "double", nullable: true }, [0.1, 0.2, null, NaN, 1]],
  ["sum", decimal(10, 2), ["1.25", "2.50", null, "-3.80"]],
  ["sum", decimal(5, 2), ["999.99", "999.99", "1.00"]],
  ["sum", decimal(30, 4), ["12345678901234567890.0001", "0.9999", null]],
  ["sum", decimal(38, 0), ["99999999999999999999999999999999999999", "1", "5"]],
  ["product", { kind: "tinyint", nullable: true }, [100, 3, null]],
  ["product", { kind: "smallint", nullable: true }, [300, 300, null]],
  ["product", INT, [65_537, 65_537, null]],
  ["product", BIGINT, [2n ** 62n, 6n, -7n]],
  ["product", { kind: "float", nullable: true }, [0.1, 3, null]],
  ["product", { kind: "double", nullable: true }, [0.1, 3, null]],
  ["product", decimal(10, 2), ["1.25", "1.50", "-1.33", null, "0.01", "-0.01"]],
  ["product", decimal(5, 2), ["999.99", "2.00", "3.00"]],
  ["product", decimal(25, 3), ["1234567890.125", "2.222", "-3.001"]],
  ...(["max", "min"] as const).flatMap((fn) =>
    ([
      [{ kind: "tinyint", nullable: true }, [1, -128, null, 127]],
      [INT, [1, -5, null, 7]],
      [BIGINT, [1n, -5n, null, 2n ** 60n]],
      [{ kind: "float", nullable: true }, [0, -0, NaN, 1, null]],
      [{ kind: "double", nullable: true }, [-0, 0, 1, NaN]],
      [decimal(10, 2), ["1.25", "-1.50", null, "7.00"]],
      [decimal(25, 2), ["1.25", "-12345678901234567890.50", null, "12345678901234567890.00"]],
      [TEXT, ["b", "a", "ba", null, "ä", "\u{1f600}", "\uffff"]],
      [{ kind: "char", length: 4, nullable: true }, ["b", "a", "ba", null]],
      [{ kind: "date", nullable: true, mode: "days" }, [1, -1, null, 20_000]],
      [{ kind: "time", precision: 3, nullable: true, mode: "millis" }, [5, 3, null, 86_399_999]],
      [timestamp(3), [1_000_000n, -1_000_000n, null, 2_000_000n]],
      [timestamp(9), [1_000_001n, 1_000_000n, null, 1_000_002n]],
      [timestamp(6, "timestampLtz"), [-1_000n, -2_000n, null, 0n]],
    ] as [DataType, unknown[]][]).map(([type, values]) => [fn, type, values] as const)
  ),
  ...["last_value", "last_value_ignore_nulls", "first_value", "first_value_ignore_nulls"].flatMap((fn) => [
    [fn, INT, [null, 1, 2, null, 3]] as const,
    [fn, { kind: "array", element: INT, nullable: true }, [null, [1, null], [], null]] as const,
    [fn, { kind: "map", key: TEXT, value: INT, nullable: true }, [new Map([["a", 1]]), null, new Map()]] as const,
    [fn, { kind: "row", fields: [{ key: "f", name: "f", type: INT }], nullable: true }, [null, { f: 1 }, {
      f: null,
    }]] as const,
  ]),
  ["listagg", TEXT, ["a", "", null, "b"]],
  ["listagg", TEXT, ["a", "b", null, "c"], " | "],
  ["string_agg", TEXT, [null, "ä", "b"], "ö"],
  ["bool_and", BOOLEAN, [true, true, null, false, true]],
  ["bool_or", BOOLEAN, [false, false, null, true, false]],
  ["rbm32", BYTES, [RBM_1_2_3, null, RBM_3_9, RBM_HIGH]],
  ["rbm32", BYTES, [Uint8Array.of(1, 2, 3), RBM_3_9]],
  ["rbm64", BYTES, [RBM64[0], null, RBM64[1], RBM64[2], RBM64[0]]],
];

const functions: readonly Case[] = FUNCTIONS.flatMap(([fn, type, values, delimiter], i) => {
  const columns: CaseColumn[] = [ID, delimiter === undefined ? ["v", type, fn] : ["v", type, fn, delimiter]];
  const name = `${fn} of ${type.kind} ${i}`;
  const steps = values.map((value) => put([1, value]));
  const all = put(...[...values].reverse().map((value) => [2, value]));
  const more: Record<string, string> = i % 3 === 0 ? { "table.kv.format": "INDEXED" } : {};
  return [{ name, columns, options: engine("AGGREGATION", more), steps: [...steps, all] }];
});

const evolution: readonly Case[] = [
  {
    name: "rows of older schemas",
    columns: PLAIN,
    steps: [
      put([1, 10, "a"], [2, 20, "b"], [3, 30, "c"]),
      { add: ["c", INT] },
      put([1, 11, "aa", 111]),
      { ...put([2, 21, "bb"]), schemaId: 1 },
      { ...put([1, 12, "ab"]), schemaId: 1 },
      { ...put([3, 31, null, 333]), targets: [0, 3] },
      { ...put([3, 32, null]), targets: [0, 1], schemaId: 1 },
      { ...put([2, 32, null]), targets: [0, 3], schemaId: 1 },
      { ...put(gone(2)), targets: [0, 1] },
      { lookup: [[1], [2], [3]] },
      { lookup: [[4], [2]], insert: true },
      { add: ["d", TEXT] },
      put([1, 1, "x", 2, "y"], gone(2), gone(3)),
      put(gone(1)),
      { ...put([9, 1, "x"]), claim: 4 },
      { ...put([9, 1, "x"]), claim: 0 },
      { ...put(), claim: 0 },
      { ...put([9, 1, "x"]), claim: -3 },
    ],
  },
  {
    name: "rows of older schemas, image WAL, rows INDEXED",
    columns: PLAIN,
    options: { ...WAL, "table.kv.format": "INDEXED" },
    steps: [
      put([1, 10, "a"], [2, 20, "b"]),
      { add: ["c", INT] },
      { ...put([2, 21, "bb"]), schemaId: 1 },
      put([1, 11, "aa", 111]),
      { ...put([2, 31, null, 333]), targets: [0, 3] },
      put(gone(2)),
    ],
  },
  {
    name: "rows of older schemas in an aggregation",
    columns: [ID, ["a", INT, "sum"], ["b", TEXT, "listagg"]],
    options: engine("AGGREGATION", { "table.delete.behavior": "allow" }),
    steps: [
      put([1, 10, "a"], [2, 20, "b"]),
      { add: ["c", INT] },
      put([1, 11, "aa", 111]),
      { ...put([2, 21, "bb"]), schemaId: 1 },
      { ...put([3, 1, "first"]), schemaId: 1 },
      { ...put([3, 1, "second", 5]), targets: [0, 3] },
      { ...put([4, 1, "first"]), schemaId: 1, targets: [0, 1] },
      { ...put(gone(4)), targets: [0, 1] },
      { ...put(gone(4)), targets: [0, 2, 3] },
    ],
  },
  {
    name: "rows of older schemas with FIRST_ROW",
    columns: PLAIN,
    options: engine("FIRST_ROW"),
    steps: [put([1, 1, "a"]), { add: ["c", INT] }, put([1, 2, "b", 3]), put([2, 2, "b", 3])],
  },
  {
    name: "rows of older schemas with VERSIONED",
    columns: PLAIN,
    options: engine("VERSIONED", { "table.merge-engine.versioned.ver-column": "a" }),
    steps: [put([1, 5, "a"]), { add: ["c", INT] }, put([1, 4, "b", 3]), put([1, 6, "b", 3]), {
      ...put([1, 7, "c"]),
      schemaId: 1,
    }],
  },
];

const numbered: readonly CaseColumn[] = [ID, ["n", BIGINT], ["a", INT]];
const numbers = (five: number | bigint): readonly CaseStep[] => [
  put([1, null, 1]),
  { ...put([1, null, 1]), mode: 1 },
  { ...put([1, five, 1]), targets: [0, 1, 2] },
  { ...put([1, five, 1], [2, null, 2], [1, null, 3]), targets: [0, 2] },
  { ...put([3, null, 3]), targets: [2] },
  put(gone(1)),
  { ...put(gone(1)), targets: [0, 2] },
  { ...put([4, null, 4], [5, null, 5]), targets: [0, 2], mode: 1 },
  { lookup: [[6], [7], [6], [1]], insert: true },
  { lookup: [[6], [7]], insert: true },
];

const autoIncrement: readonly Case[] = [
  { name: "a numbered column", columns: numbered, autoIncrement: "n", steps: numbers(5n) },
  {
    name: "a numbered column, INT, ranges of 3",
    columns: [ID, ["n", INT], ["a", INT]],
    autoIncrement: "n",
    options: { "table.auto-increment.cache-size": "3" },
    steps: numbers(5),
  },
  { name: "a numbered column, image WAL", columns: numbered, autoIncrement: "n", options: WAL, steps: numbers(5n) },
  {
    name: "a numbered column, rows INDEXED",
    columns: numbered,
    autoIncrement: "n",
    options: { "table.kv.format": "INDEXED" },
    steps: numbers(5n),
  },
  {
    name: "a numbered column in an aggregation",
    columns: [ID, ["n", BIGINT], ["a", INT, "sum"]],
    autoIncrement: "n",
    options: engine("AGGREGATION"),
    steps: numbers(5n),
  },
  {
    name: "a numbered column with FIRST_ROW",
    columns: numbered,
    autoIncrement: "n",
    options: engine("FIRST_ROW"),
    steps: [put([1, null, 1]), { ...put([1, null, 1]), targets: [0, 2] }, { lookup: [[1]], insert: true }],
  },
  {
    name: "a numbered column of a table with a NOT NULL column",
    columns: [ID, ["n", BIGINT], ["a", required(INT)]],
    autoIncrement: "n",
    steps: [put([1, null, 1]), { ...put([1, null, 1]), targets: [0, 2] }, { lookup: [[1]], insert: true }],
  },
  {
    name: "a numbered column of ranges of nothing",
    columns: numbered,
    autoIncrement: "n",
    options: { "table.auto-increment.cache-size": "0" },
    steps: [{ ...put([1], [2]), targets: [0, 2] }, { ...put([3]), targets: [0, 2] }],
  },
  {
    name: "numbers of a batch that fails are gone",
    columns: numbered,
    autoIncrement: "n",
    options: { "table.delete.behavior": "disable" },
    steps: [{ ...put([1], [2], gone(1)), targets: [0, 2] }, { ...put([3]), targets: [0, 2] }],
  },
];

const writers: readonly Case[] = [
  {
    name: "sequences",
    columns: PLAIN,
    steps: [
      { ...put([1, 1, "a"]), sequence: 1 },
      { ...put([1, 1, "a"]), sequence: 0 },
      { ...put([1, 9, "other"], [7, 7, "other"], gone(1)), sequence: 0 },
      { ...put([1, 2, "b"], [2, 2, "b"]), sequence: 1 },
      { ...put([3, 3, "c"]), sequence: 3 },
      { ...put(gone(99)), sequence: 2 },
      { ...put(), sequence: 3 },
      { ...put([4, 4, "d"]), sequence: 4 },
      { ...put([5, 5, "e"]), sequence: 5 },
      { ...put([6, 6, "f"]), sequence: 6 },
      { ...put([6, 6, "f"]), sequence: 2 },
      { ...put([6, 6, "f"]), sequence: 1 },
      put([7, 7, "g"]),
      { ...put([8, 8, "h"]), acks: 1 },
      { ...put([8, 9, "h"]), acks: 0 },
      { ...put([8, 9, "h"]), acks: 2 },
      { ...put([8, 9, "h"]), acks: -2 },
    ],
  },
  {
    name: "sequences of a batch that fails",
    columns: PLAIN,
    options: { "table.delete.behavior": "disable" },
    steps: [
      { ...put([1, 1, "a"], gone(1)), sequence: 0 },
      { ...put([1, 1, "a"], gone(1)), sequence: 5 },
      { ...put([1, 1, "a"]), sequence: 0 },
      { ...put([1, 1, "a"], gone(1)), sequence: 0 },
      { ...put([1, 2, "b"]), sequence: 1 },
    ],
  },
  {
    name: "sequences of an aggregation",
    columns: [ID, ["a", INT, "sum"], ["b", TEXT]],
    options: engine("AGGREGATION"),
    steps: [
      { ...put([1, 1]), sequence: 0 },
      { ...put([1, 2]), sequence: 1 },
      { ...put([1, 2]), sequence: 1 },
      { ...put([1, 4]), sequence: 2 },
      { ...put([1, 1]), sequence: 0 },
    ],
  },
];

const damaged: readonly Case[] = [
  {
    name: "rows that are too short",
    columns: [ID, ["a", INT], ["b", required(TEXT)]],
    steps: [
      put([1, 1, "a"]),
      { ...put([2]), bytes: [0] },
      { ...put([2]), bytes: [0, 2, 2, 9, 65] },
      { ...put([2]), bytes: [4, 2, 2] },
      { ...put([2]), bytes: [0, 2, 2, 1, 65, 1, 2, 3] },
      put([3, null, null]),
    ],
  },
  {
    name: "decimals beyond their precision",
    columns: [ID, ["a", decimal(5, 2)]],
    steps: [put([1, "1.00"]), { ...put([2]), bytes: [0, 2, 0xff, 0xc1, 0xd7, 0x2f] }],
  },
  {
    name: "decimals beyond their precision, log COMPACTED",
    columns: [ID, ["a", decimal(5, 2)]],
    options: { "table.log.format": "COMPACTED" },
    steps: [put([1, "1.00"]), put([1, "2.00"])],
  },
  {
    name: "requests that a log table does not have",
    columns: PLAIN,
    keys: 0,
    steps: [put([1, 1, "a"]), { stats: true }, { limit: 5 }],
  },
];

/** See the module. */
export const CASES: readonly Case[] = [
  ...engines,
  ...deletes,
  ...partial,
  ...functions,
  ...evolution,
  ...autoIncrement,
  ...writers,
  ...damaged,
];
