/**
 * Random programs for two servers: a database, a table, and requests to it, good and bad ones. A program is data that
 * depends on nothing but its seed, so that any server can be told the same.
 *
 * @module
 */
import type { DataType, SchemaColumn } from "../../src/schema/data_type.ts";
import { dataTypeToJson } from "../../src/schema/data_type_json.ts";
import { Random, randomScalar, randomType, randomValue } from "../unit/format/random.ts";

/** A row by column key. */
export type Row = Record<string, unknown>;

/** One record of a KV batch: without a row it is a delete. */
export interface KvRecord {
  readonly key: Row;
  readonly row: Row | undefined;
}

/** Which bucket a request is for. */
export interface Place {
  readonly bucket: number;
  /** By name; one that does not exist has the id 999,999. */
  readonly partition: string | undefined;
}

/** Who wrote a batch: nobody, or the program's own writer with a number. */
export type Sequence = number | undefined;

/** One request. */
export type Step =
  | {
    readonly kind: "put";
    readonly place: Place;
    readonly records: readonly KvRecord[];
    readonly targets: readonly number[] | undefined;
    readonly overwrite: boolean;
    readonly sequence: Sequence;
    /** The schema that the rows are written with, from 1; others than the latest stand for writers that know less. */
    readonly schemaId: number | undefined;
  }
  | {
    readonly kind: "produce";
    readonly place: Place;
    readonly rows: readonly Row[];
    readonly sequence: Sequence;
    readonly damage: "none" | "checksum" | "tail";
    readonly acks: number;
  }
  | { readonly kind: "lookup"; readonly place: Place; readonly keys: readonly Row[]; readonly insert: boolean }
  | { readonly kind: "prefixLookup"; readonly place: Place; readonly keys: readonly Row[] }
  | { readonly kind: "limitScan"; readonly place: Place; readonly limit: number }
  | {
    readonly kind: "fetch";
    readonly place: Place;
    readonly offset: number;
    readonly projection: readonly number[] | undefined;
    readonly maxBytes: number;
  }
  | { readonly kind: "offsets"; readonly place: Place; readonly type: number; readonly timestamp: number | undefined }
  | { readonly kind: "stats"; readonly place: Place }
  | { readonly kind: "addColumns"; readonly columns: readonly AddedColumn[] }
  | { readonly kind: "otherAlter"; readonly what: "drop" | "rename" | "modify" | "nothing" }
  | { readonly kind: "options"; readonly changes: readonly OptionChange[] }
  | { readonly kind: "createPartition"; readonly values: Readonly<Record<string, string>>; readonly ignore: boolean }
  | { readonly kind: "dropPartition"; readonly values: Readonly<Record<string, string>>; readonly ignore: boolean }
  | { readonly kind: "listPartitions" }
  | { readonly kind: "tableInfo" }
  | { readonly kind: "schema"; readonly id: number | undefined }
  | { readonly kind: "createAgain"; readonly ignore: boolean }
  | { readonly kind: "tables" }
  | { readonly kind: "dropTable"; readonly name: string; readonly ignore: boolean }
  | { readonly kind: "database"; readonly what: "create" | "dropFull" | "exists" | "info"; readonly name: string };

/** A column that is added. */
export interface AddedColumn {
  readonly column: SchemaColumn;
  readonly position: number;
}

/** A change of an option: 0 sets, 1 deletes. */
export interface OptionChange {
  readonly key: string;
  readonly value: string | undefined;
  readonly type: number;
}

/** See the module. */
export interface Program {
  readonly seed: number;
  readonly columns: readonly SchemaColumn[];
  /** Names; empty in log tables. */
  readonly primaryKey: readonly string[];
  readonly partitionKey: readonly string[];
  readonly properties: Readonly<Record<string, string>>;
  readonly buckets: number;
  /** The descriptor, which need not be a good one. */
  readonly descriptor: Readonly<Record<string, unknown>>;
  readonly steps: readonly Step[];
}

/** Types that a key may have, with few enough values that keys meet again. */
const KEY_TYPES: readonly DataType[] = [
  { kind: "int", nullable: false },
  { kind: "bigint", nullable: false },
  { kind: "string", nullable: false },
  { kind: "smallint", nullable: false },
  { kind: "boolean", nullable: false },
  { kind: "date", nullable: false, mode: "days" },
  { kind: "bytes", nullable: false },
  { kind: "double", nullable: false },
];

const VALUE_TYPES: readonly DataType[] = [
  { kind: "int", nullable: true },
  { kind: "bigint", nullable: true },
  { kind: "string", nullable: true },
  { kind: "double", nullable: true },
  { kind: "boolean", nullable: true },
  { kind: "decimal", nullable: true, precision: 20, scale: 2 },
  { kind: "timestamp", nullable: true, precision: 3, mode: "epochMillis" },
];

const NUMBERS = ["tinyint", "smallint", "int", "bigint", "float", "double", "decimal"];
const FUNCTIONS = [
  "sum",
  "product",
  "max",
  "min",
  "last_value",
  "last_value_ignore_nulls",
  "first_value",
  "first_value_ignore_nulls",
  "listagg",
  "string_agg",
  "bool_and",
  "bool_or",
] as const;

/** Makes the program of a seed. */
export function makeProgram(seed: number): Program {
  const random = new Random(seed);
  const log = random.chance(0.3);
  const partitioned = random.chance(0.15);
  const keys = log ? 0 : random.chance(0.3) ? 2 : 1;
  const engine = log ? "none" : random.pick(["none", "none", "none", "first_row", "versioned", "aggregation"]);
  const columns: SchemaColumn[] = [];
  const add = (type: DataType) => {
    const id = columns.length;
    const column: SchemaColumn = { id, key: `c${id}`, name: `c${id}`, type };
    columns.push(column);
    return column;
  };
  for (let i = 0; i < keys; i++) add(random.pick(KEY_TYPES));
  // Partial updates need columns that may be null; some tables have others.
  const strict = random.chance(0.3);
  for (let i = random.int(1, 5); i > 0; i--) {
    const type = random.chance(0.5)
      ? random.pick(VALUE_TYPES)
      : random.chance(0.8)
      ? randomScalar(random, true)
      : randomType(random, 1);
    add({ ...type, nullable: !strict || random.chance(0.5) });
  }
  const versionColumn = engine === "versioned"
    ? add({ kind: random.pick(["int", "bigint"] as const), nullable: random.chance(0.7) }).name
    : undefined;
  const partitionKey = partitioned ? [add({ kind: "string", nullable: log }).name] : [];
  const primaryKey = log ? [] : [...columns.slice(0, keys).map(({ name }) => name), ...partitionKey];
  const autoIncrement = !log && engine === "none" && random.chance(0.1)
    ? add({ kind: random.pick(["int", "bigint"] as const), nullable: true }).name
    : undefined;

  const properties: Record<string, string> = {};
  const image = !log && random.chance(0.25) && (engine !== "aggregation" || random.chance(0.1));
  if (image) properties["table.changelog.image"] = random.pick(["WAL", "wal"]);
  const logFormat = random.chance(0.35) ? random.pick(log ? ["INDEXED", "COMPACTED"] : ["COMPACTED"]) : undefined;
  if (logFormat !== undefined) properties["table.log.format"] = logFormat;
  if (!log && random.chance(0.25)) properties["table.kv.format"] = "INDEXED";
  if (engine !== "none") properties["table.merge-engine"] = engine.toUpperCase();
  if (versionColumn !== undefined) properties["table.merge-engine.versioned.ver-column"] = versionColumn;
  if (!log && random.chance(0.3)) {
    properties["table.delete.behavior"] = random.pick(["allow", "ignore", "disable", "IGNORE"]);
  }
  if (random.chance(0.3)) {
    properties["table.log.arrow.compression.type"] = random.pick(["NONE", "LZ4_FRAME", "ZSTD", "zstd"]);
  }
  const functions = new Map<string, string>();
  if (engine === "aggregation") {
    for (const { name, type } of columns) {
      if (primaryKey.includes(name) || random.chance(0.2)) continue;
      functions.set(name, fitting(random, type));
    }
  }
  const buckets = random.pick([1, 1, 2, 3]);
  const bucketKey = log
    ? random.chance(0.5) ? [columns[0]!.name] : []
    : keys === 2 && random.chance(0.6)
    ? primaryKey.slice(0, 1)
    : primaryKey.filter((name) => !partitionKey.includes(name));
  const shape = { columns, primaryKey, partitionKey, properties, buckets };
  const descriptor = spoil(random, {
    version: 1,
    schema: schemaJson(columns, primaryKey, autoIncrement, functions),
    ...(random.chance(0.2) ? { comment: "a comment" } : {}),
    partition_key: partitionKey,
    ...(buckets > 1 || random.chance(0.7) ? { bucket_key: bucketKey, bucket_count: buckets } : {}),
    properties,
    custom_properties: random.chance(0.3) ? { owner: "tests" } : {},
  }, partitioned);
  return { seed, ...shape, descriptor, steps: makeSteps(random, shape, autoIncrement, random.int(6, 16)) };
}

/** A function that a column can have, mostly. */
function fitting(random: Random, type: DataType): string {
  if (random.chance(0.04)) return random.pick(FUNCTIONS);
  const any = ["last_value", "last_value_ignore_nulls", "first_value", "first_value_ignore_nulls"];
  if (NUMBERS.includes(type.kind)) return random.pick([...any, "sum", "product", "max", "min"]);
  if (type.kind === "string") return random.pick([...any, "listagg", "string_agg", "max", "min"]);
  if (type.kind === "boolean") return random.pick([...any, "bool_and", "bool_or"]);
  if (["date", "time", "timestamp", "timestampLtz"].includes(type.kind)) return random.pick([...any, "max", "min"]);
  return random.pick(any);
}

function schemaJson(
  columns: readonly SchemaColumn[],
  primaryKey: readonly string[],
  autoIncrement: string | undefined,
  functions: ReadonlyMap<string, string>,
): Record<string, unknown> {
  let highest = columns.length - 1;
  const listed = columns.map(({ id, name, type }) => ({
    name,
    data_type: dataTypeToJson(type, () => ++highest),
    id,
    ...(functions.has(name) ? { agg_function: { type: functions.get(name) } } : {}),
  }));
  return {
    version: 1,
    columns: listed,
    ...(primaryKey.length === 0 ? {} : { primary_key: primaryKey }),
    ...(autoIncrement === undefined ? {} : { auto_increment_column: [autoIncrement] }),
    highest_field_id: highest,
  };
}

type Descriptor = Record<string, unknown> & {
  schema: Record<string, unknown>;
  properties: Record<string, string>;
};

/** Makes some descriptors wrong. */
function spoil(random: Random, descriptor: Descriptor, partitioned: boolean): Descriptor {
  if (random.chance(0.87)) return descriptor;
  const property = (key: string, value: string): Descriptor => ({
    ...descriptor,
    properties: { ...descriptor.properties, [key]: value },
  });
  const choices: (() => Descriptor)[] = [
    () => property("table.nonsense", "1"),
    () => property("nonsense", "1"),
    () => property("table.log.ttl", random.pick(["P7D", "0", "-1", "7 d"])),
    () => property("table.log.format", "bogus"),
    () => property("table.kv.format", "bogus"),
    () => property("table.log.arrow.compression.zstd.level", random.pick(["0", "23", "-5", "x", "7"])),
    () => property("table.replication.factor", random.pick(["0", "2", "1"])),
    () => property("table.merge-engine", random.pick(["FIRST_ROW", "VERSIONED", "AGGREGATION"])),
    () => property("table.merge-engine.versioned.ver-column", random.pick(["nope", "c0"])),
    () => property("table.changelog.image", "bogus"),
    () => property("table.delete.behavior", random.pick(["bogus", "allow"])),
    () => property("table.kv.format-version", random.pick(["1", "2", "3"])),
    () => property("table.log.tiered.local-segments", random.pick(["0", "-1", "2"])),
    () => property("table.auto-partition.enabled", "true"),
    () => property("table.datalake.enabled", "true"),
    () => property("table.auto-increment.cache-size", random.pick(["3", "x"])),
    // A partitioned table without buckets is made by 0.9.1, which then refuses its partitions; we refuse the table.
    () => ({ ...descriptor, bucket_count: partitioned ? 128_001 : random.pick([0, -1, 128_001]) }),
    () => ({ ...descriptor, bucket_key: random.pick([["nope"], ["c1"], ["c0", "c0"]]) }),
    () => ({ ...descriptor, partition_key: random.pick([["nope"], ["c0"], ["c1"], ["c0", "c0"]]) }),
    () => ({
      ...descriptor,
      schema: { ...descriptor.schema, primary_key: random.pick([["nope"], ["c0", "c0"], ["c1"], ["c0", "c1"]]) },
    }),
    () => ({
      ...descriptor,
      schema: { ...descriptor.schema, auto_increment_column: [random.pick(["c0", "c1", "nope"])] },
    }),
    () => ({ ...descriptor, schema: { ...descriptor.schema, highest_field_id: 0 } }),
    () => {
      const columns = (descriptor.schema["columns"] as Record<string, unknown>[]).map((column, i, all) =>
        i === all.length - 1 ? { ...column, name: random.pick(["c0", "__offset", " ", "C0", "_change_type"]) } : column
      );
      return { ...descriptor, schema: { ...descriptor.schema, columns } };
    },
  ];
  return random.pick(choices)();
}

type Shape = Pick<Program, "columns" | "primaryKey" | "partitionKey" | "properties" | "buckets">;

function makeSteps(random: Random, shape: Shape, autoIncrement: string | undefined, count: number): Step[] {
  const { primaryKey, partitionKey, buckets } = shape;
  const log = primaryKey.length === 0;
  const columns = [...shape.columns];
  const original = columns.length;
  const steps: Step[] = [];
  const partitions = partitionKey.length === 0 ? [undefined] : ["a", "b", "2026", "missing"];
  /** Those that surely are there. */
  const made: (string | undefined)[] = partitionKey.length === 0 ? [undefined] : ["a"];
  const autoAt = columns.findIndex(({ name }) => name === autoIncrement);
  /** Rows with few different keys. */
  const pool = Array.from({ length: 5 }, () =>
    Object.fromEntries(
      columns.filter(({ name }) => primaryKey.includes(name) && !partitionKey.includes(name))
        .map(({ key, type }) => [key, randomValue(random, type)]),
    ));
  const place = (): Place => ({
    bucket: random.chance(0.02) ? 99 : random.chance(0.7) ? 0 : random.int(0, buckets - 1),
    partition: random.pick(partitions.length === 1 || random.chance(0.05) ? partitions : made),
  });
  const keyIn = ({ partition }: Place): Row => ({
    ...random.pick(pool),
    ...Object.fromEntries(partitionKey.map((name) => [name, partition])),
  });
  const rowIn = (at: Place, key: Row | undefined, known: readonly SchemaColumn[]): Row => ({
    ...Object.fromEntries(known.map((column) => [column.key, small(random, column.type)])),
    ...(key ?? Object.fromEntries(partitionKey.map((name) => [name, at.partition]))),
  });
  let sequence = 0;
  const nextSequence = (): Sequence => {
    if (random.chance(0.6)) return undefined;
    if (sequence > 0 && random.chance(0.15)) return random.int(Math.max(0, sequence - 6), sequence - 1);
    if (random.chance(0.08)) return sequence + random.int(1, 3);
    return sequence++;
  };
  const put = (): Step => {
    const at = place();
    const old = columns.length > original && random.chance(0.2);
    const known = old ? columns.slice(0, original) : columns;
    const partial = autoIncrement !== undefined ? random.chance(0.9) : random.chance(0.3);
    let targets = partial
      ? known.map((_, i) => i).filter((i) =>
        primaryKey.includes(known[i]!.name) || (i !== autoAt && (autoIncrement !== undefined || random.chance(0.5)))
      )
      : undefined;
    if (targets !== undefined && random.chance(0.08)) {
      targets = random.pick([targets.slice(1), [...targets, 9], [...targets].reverse(), known.map((_, i) => i)]);
    }
    const records = Array.from({ length: random.int(random.chance(0.05) ? 0 : 1, 5) }, (): KvRecord => {
      const key = keyIn(at);
      return { key, row: random.chance(0.25) ? undefined : rowIn(at, key, known) };
    });
    return {
      kind: "put",
      place: at,
      records,
      targets,
      overwrite: random.chance(0.06),
      sequence: nextSequence(),
      schemaId: random.chance(0.03) ? random.pick([0, 7]) : old ? 1 : undefined,
    };
  };
  const produce = (): Step => {
    const at = place();
    return {
      kind: "produce",
      place: at,
      rows: Array.from({ length: random.int(1, 6) }, () => rowIn(at, undefined, columns)),
      sequence: nextSequence(),
      damage: random.chance(0.05) ? random.pick(["checksum", "tail"] as const) : "none",
      acks: random.pick([-1, -1, -1, 1, 1, random.chance(0.2) ? 7 : 0]),
    };
  };
  const partitionValues = (): Readonly<Record<string, string>> =>
    random.chance(0.15)
      ? random.pick<Readonly<Record<string, string>>>([{ nope: "a" }, {}, { c0: "a", c1: "b" }])
      : Object.fromEntries((partitionKey.length === 0 ? ["c0"] : partitionKey).map((name) => [
        name,
        random.pick(["a", "b", "2026", random.chance(0.3) ? "no spaces" : "a"]),
      ]));
  const reads: (() => Step)[] = [
    () => ({
      kind: "lookup",
      place: place(),
      keys: Array.from({ length: random.int(1, 4) }, () => random.pick(pool)),
      insert: random.chance(0.12),
    }),
    () => ({ kind: "prefixLookup", place: place(), keys: [random.pick(pool)] }),
    () => ({ kind: "limitScan", place: place(), limit: random.pick([1, 3, 100, 0, random.chance(0.3) ? -1 : 10]) }),
    () => ({
      kind: "fetch",
      place: place(),
      offset: random.pick([0, 0, 0, 1, random.int(0, 8), -2, random.chance(0.3) ? random.pick([-1, 500]) : 0]),
      projection: projection(random, columns.length, original),
      maxBytes: random.pick([1_000_000, 1_000_000, random.int(0, 400)]),
    }),
    () => {
      const type = random.pick([0, 1, 2, random.chance(0.2) ? 9 : 1]);
      const timestamp = random.pick([0, 1, random.chance(0.2) ? -1 : 0, undefined, 4_000_000_000_000]);
      return { kind: "offsets", place: place(), type, timestamp: type === 2 ? timestamp : undefined };
    },
    () => ({ kind: "stats", place: place() }),
  ];
  const admin: (() => Step)[] = [
    () => {
      const added = Array.from({ length: random.int(1, 2) }, (_, i): AddedColumn => ({
        column: {
          id: columns.length + i,
          key: `c${columns.length + i}`,
          name: random.chance(0.06) ? random.pick(["c0", "", "C0"]) : `c${columns.length + i}`,
          type: { ...random.pick(VALUE_TYPES), nullable: !random.chance(0.06) },
        },
        position: random.chance(0.05) ? random.pick([1, 2]) : 0,
      }));
      const names = [...columns, ...added.map(({ column }) => column)].map(({ name }) => name);
      const good = new Set(names).size === names.length &&
        added.every(({ column, position }) => column.type.nullable && position === 0 && column.name !== "");
      // What follows is written with the columns that the table has then.
      if (good) columns.push(...added.map(({ column }) => column));
      return { kind: "addColumns", columns: added };
    },
    () => ({ kind: "otherAlter", what: random.pick(["drop", "rename", "modify", "nothing"] as const) }),
    () => ({
      kind: "options",
      changes: [
        random.pick([
          { key: "table.log.ttl", value: "8d", type: 0 },
          { key: "table.log.tiered.local-segments", value: "3", type: 0 },
          { key: "table.log.tiered.local-segments", value: undefined, type: 1 },
          { key: "table.log.tiered.local-segments", value: "-3", type: 0 },
          { key: "table.datalake.freshness", value: "5min", type: 0 },
          { key: "owner", value: "others", type: 0 },
          { key: "owner", value: undefined, type: 1 },
          { key: "table.nonsense", value: "1", type: 0 },
          { key: "table.merge-engine", value: "FIRST_ROW", type: 0 },
          { key: "owner", value: "x", type: 2 },
        ]),
      ],
    }),
    () => ({ kind: "createPartition", values: partitionValues(), ignore: random.chance(0.3) }),
    () => ({ kind: "dropPartition", values: partitionValues(), ignore: random.chance(0.3) }),
    () => ({ kind: "listPartitions" }),
    () => ({ kind: "tableInfo" }),
    () => ({ kind: "schema", id: random.pick([undefined, 1, 2, 5, 0]) }),
    () => ({ kind: "createAgain", ignore: random.chance(0.5) }),
    () => ({ kind: "tables" }),
    () => ({ kind: "dropTable", name: "nope", ignore: random.chance(0.5) }),
    () => ({
      kind: "database",
      what: random.pick(["create", "dropFull", "exists", "info"] as const),
      name: random.pick(["own", "nope", "__bad", "with space"]),
    }),
  ];
  if (partitionKey.length > 0) {
    steps.push({ kind: "createPartition", values: { [partitionKey[0]!]: "a" }, ignore: false });
    if (random.chance(0.7)) {
      steps.push({ kind: "createPartition", values: { [partitionKey[0]!]: "b" }, ignore: true });
      made.push("b");
    }
  }
  while (steps.length < count) {
    const dice = random.next();
    if (dice < 0.5) steps.push(log !== random.chance(0.02) ? produce() : put());
    else if (dice < 0.82) steps.push(random.pick(reads)());
    else steps.push(random.pick(admin)());
  }
  // In the end everything that is there is read.
  for (const partition of partitions.slice(0, 2)) {
    for (let bucket = 0; bucket < buckets; bucket++) {
      const at = { bucket, partition };
      steps.push({ kind: "fetch", place: at, offset: 0, projection: undefined, maxBytes: 10_000_000 });
      if (!log) steps.push({ kind: "limitScan", place: at, limit: 1000 });
    }
  }
  steps.push({ kind: "tableInfo" }, { kind: "schema", id: undefined });
  return steps;
}

function projection(random: Random, columns: number, original: number): readonly number[] | undefined {
  if (random.chance(0.6)) return undefined;
  if (random.chance(0.15)) return random.pick([[1, 0], [0, 0], [0, 99]]);
  const chosen = Array.from({ length: random.chance(0.2) ? columns : original }, (_, i) => i)
    .filter(() => random.chance(0.5));
  return chosen.length === 0 ? [0] : chosen;
}

/** Values whose sums and products stay what their columns can hold, mostly, and that meet again. */
function small(random: Random, type: DataType): unknown {
  if (type.nullable && random.chance(0.2)) return null;
  if (type.kind === "decimal" && random.chance(0.7)) {
    const most = 10 ** Math.min(type.precision, 3) - 1;
    const unscaled = random.int(0, most);
    if (type.mode === "unscaled") return BigInt(unscaled);
    return type.scale === 0
      ? String(unscaled)
      : `${String(unscaled).padStart(type.scale + 1, "0").replace(new RegExp(`(\\d{${type.scale}})$`), ".$1")}`;
  }
  if (type.kind === "int" && random.chance(0.7)) return random.int(-3, 3);
  if (type.kind === "bigint" && random.chance(0.7)) {
    const value = random.int(-3, 3);
    return type.mode === "number" ? value : BigInt(value);
  }
  return randomValue(random, type);
}
