/**
 * From the options of `table()` to a definition. Options come from people, so everything is looked at.
 *
 * @module
 */
import type { DeleteBehavior, MergeEngineName, TableDefinition } from "./definition.ts";
import { OPTION, TYPED_OPTIONS } from "./server_options.ts";
import { suggestion } from "./suggest.ts";
import type { Violation } from "./violation.ts";

/** What options say of a table. */
export type OptionParts = Omit<TableDefinition, "database" | "name" | "columns">;

type Shape = "text" | "texts" | "keys" | "integer" | "boolean" | "engine" | readonly string[] | {
  readonly [key: string]: Shape;
};

const SHAPE: { readonly [key: string]: Shape } = {
  primaryKey: "keys",
  bucketKey: "keys",
  buckets: "integer",
  partitionBy: "keys",
  autoPartition: {
    key: "text",
    unit: ["hour", "day", "month", "quarter", "year"],
    retain: "integer",
    precreate: "integer",
    timeZone: "text",
  },
  mergeEngine: "engine",
  deleteBehavior: ["allow", "ignore", "disable"],
  changelog: ["full", "wal"],
  log: {
    ttl: "text",
    format: ["arrow", "indexed", "compacted"],
    compression: { type: ["none", "lz4", "zstd"], level: "integer" },
  },
  kv: { format: ["compacted", "indexed"] },
  datalake: { enabled: "boolean", format: ["paimon", "iceberg", "lance"], freshness: "text" },
  comment: "text",
  properties: "texts",
  customProperties: "texts",
};

const ENGINES: readonly string[] = ["last_row", "first_row", "aggregation"];

/** The options after they were found to have the right shape; members may be undefined. */
interface ShapedOptions {
  readonly primaryKey?: readonly string[];
  readonly bucketKey?: readonly string[];
  readonly buckets?: number;
  readonly partitionBy?: readonly string[];
  readonly autoPartition?: {
    readonly key?: string;
    readonly unit?: string;
    readonly retain?: number;
    readonly precreate?: number;
    readonly timeZone?: string;
  };
  readonly mergeEngine?: MergeEngineName | { readonly versioned: string };
  readonly deleteBehavior?: DeleteBehavior;
  readonly changelog?: "full" | "wal";
  readonly log?: {
    readonly ttl?: string;
    readonly format?: string;
    readonly compression?: { readonly type?: string; readonly level?: number };
  };
  readonly kv?: { readonly format?: string };
  readonly datalake?: { readonly enabled?: boolean; readonly format?: string; readonly freshness?: string };
  readonly comment?: string;
  readonly properties?: Readonly<Record<string, string>>;
  readonly customProperties?: Readonly<Record<string, string>>;
}

/**
 * Reads the options of `table()`; with violations there is nothing to go on with.
 *
 * @param physicalName from a column's key to its name on the server
 */
export function readOptions(
  options: unknown,
  physicalName: (key: string) => string,
): OptionParts | { readonly violations: readonly Violation[] } {
  const violations = [...shapeViolations(options, SHAPE, "")];
  if (violations.length > 0) return { violations };
  const shaped = (options ?? {}) as ShapedOptions;
  violations.push(...conflicts(shaped));
  return violations.length > 0 ? { violations } : partsOf(shaped, physicalName);
}

function partsOf(options: ShapedOptions, physicalName: (key: string) => string): OptionParts {
  const { mergeEngine = "last_row", bucketKey, buckets, deleteBehavior, comment } = options;
  const engine = typeof mergeEngine === "string" ? mergeEngine : "versioned";
  return {
    primaryKey: [...options.primaryKey ?? []],
    ...(bucketKey === undefined || bucketKey.length === 0 ? {} : { bucketKey: [...bucketKey] }),
    ...(buckets === undefined ? {} : { buckets }),
    partitionBy: [...options.partitionBy ?? []],
    mergeEngine: engine,
    ...(typeof mergeEngine === "string" ? {} : { versionColumn: mergeEngine.versioned }),
    ...(deleteBehavior === undefined ? {} : { deleteBehavior }),
    changelog: options.changelog ?? "full",
    properties: Object.fromEntries([
      ...serverOptions(options, physicalName),
      ...Object.entries(options.properties ?? {}),
    ]),
    customProperties: Object.fromEntries(Object.entries(options.customProperties ?? {})),
    ...(comment === undefined ? {} : { comment }),
  };
}

/** The server options that the named options stand for. */
function serverOptions(
  { autoPartition, log, kv, datalake }: ShapedOptions,
  physicalName: (key: string) => string,
): [key: string, value: string][] {
  const compression = log?.compression;
  const said: [string, string | number | boolean | undefined][] = [
    [OPTION.logTtl, log?.ttl],
    // Servers take any case; the official clients know the names of these in capitals alone.
    [OPTION.logFormat, log?.format?.toUpperCase()],
    [OPTION.compression, compression?.type === "lz4" ? "LZ4_FRAME" : compression?.type?.toUpperCase()],
    [OPTION.zstdLevel, compression?.level],
    [OPTION.kvFormat, kv?.format?.toUpperCase()],
    [OPTION.autoPartition, autoPartition === undefined ? undefined : true],
    [OPTION.autoPartitionKey, autoPartition?.key === undefined ? undefined : physicalName(autoPartition.key)],
    [OPTION.autoPartitionUnit, autoPartition?.unit?.toUpperCase()],
    [OPTION.autoPartitionRetain, autoPartition?.retain],
    [OPTION.autoPartitionPrecreate, autoPartition?.precreate],
    [OPTION.autoPartitionTimeZone, autoPartition?.timeZone],
    [OPTION.datalake, datalake?.enabled],
    [OPTION.datalakeFormat, datalake?.format],
    [OPTION.datalakeFreshness, datalake?.freshness],
  ];
  return said.flatMap(([key, value]): [string, string][] => value === undefined ? [] : [[key, String(value)]]);
}

/** Options that contradict each other. */
function* conflicts(options: ShapedOptions): Iterable<Violation> {
  const named = new Map(serverOptions(options, (key) => key));
  for (const key of Object.keys(options.properties ?? {})) {
    const typed = TYPED_OPTIONS.get(key);
    if (typed !== undefined) {
      yield optionViolation(
        `properties names ${JSON.stringify(key)}, from which types follow`,
        `write ${typed} instead`,
      );
    } else if (named.has(key)) {
      yield optionViolation(
        `properties names ${JSON.stringify(key)}, which another option says too`,
        "say it in one place",
      );
    }
  }
  const { type, level } = options.log?.compression ?? {};
  if (level !== undefined && type !== "zstd") {
    yield optionViolation(`log.compression has a level, which is for zstd alone, not for ${type}`, "leave level out");
  }
  if (options.log?.compression !== undefined && type === undefined) {
    yield optionViolation("log.compression lacks type", 'write log: { compression: { type: "zstd" } }');
  }
  if (options.autoPartition !== undefined && options.autoPartition.unit === undefined) {
    yield {
      rule: "auto-partition-unit",
      code: "SCHEMA.AUTO_PARTITION",
      message: "autoPartition lacks unit",
      hint: 'write autoPartition: { unit: "day" }, or hour, month, quarter, year',
    };
  }
}

function* shapeViolations(value: unknown, shape: Shape, path: string): Iterable<Violation> {
  if (value === undefined) return;
  if (typeof shape === "string" || Array.isArray(shape)) {
    const expected = whyNotShape(value, shape as Exclude<Shape, { readonly [key: string]: Shape }>);
    if (expected !== undefined) yield optionViolation(`${path} is ${shown(value)}`, `it must be ${expected}`);
    return;
  }
  if (!isRecord(value)) {
    yield optionViolation(`${path === "" ? "options" : path} is ${shown(value)}`, "it must be an object");
    return;
  }
  const known = Object.keys(shape);
  for (const [key, member] of Object.entries(value)) {
    const where = path === "" ? key : `${path}.${key}`;
    if (Object.hasOwn(shape, key)) yield* shapeViolations(member, (shape as Record<string, Shape>)[key]!, where);
    else yield optionViolation(`there is no option ${JSON.stringify(where)}`, suggestion(key, known, "options"));
  }
}

function whyNotShape(value: unknown, shape: string | readonly string[]): string | undefined {
  if (typeof shape !== "string") {
    return shape.includes(value as string)
      ? undefined
      : `one of ${shape.map((text) => JSON.stringify(text)).join(", ")}`;
  }
  switch (shape) {
    case "text":
      return typeof value === "string" ? undefined : "a string";
    case "integer":
      return Number.isInteger(value) ? undefined : "a whole number";
    case "boolean":
      return typeof value === "boolean" ? undefined : "true or false";
    case "keys":
      return Array.isArray(value) && value.every((key) => typeof key === "string")
        ? undefined
        : 'a list of column keys, such as ["id"]';
    case "texts":
      return isRecord(value) && Object.values(value).every((text) => typeof text === "string")
        ? undefined
        : "an object whose values are strings";
    default:
      return isEngine(value) ? undefined : '"last_row", "first_row", "aggregation" or { versioned: column }';
  }
}

function isEngine(value: unknown): boolean {
  if (typeof value === "string") return ENGINES.includes(value);
  return isRecord(value) && Object.keys(value).length === 1 && typeof value["versioned"] === "string";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "string" ? JSON.stringify(value) : typeof value === "object" ? "an object" : String(value);
}

function optionViolation(message: string, hint: string): Violation {
  return { rule: "option", code: "SCHEMA.OPTION", message, hint };
}
