/**
 * How the rows of one table are laid out on the wire: the live schema seen through the user's declaration.
 *
 * @module
 */
import { flussError } from "../../base/errors.ts";
import type { Bucketing } from "../../format/bucketing.ts";
import type { KeyEncoding } from "../../format/key_encoder.ts";
import type { LogFormat } from "../../format/log_decoder.ts";
import type { BodyCompression } from "../../format/arrow/message_writer.ts";
import { hasStatistics } from "../../format/log_statistics.ts";
import type { LiveTable } from "../../schema/descriptor.ts";
import type { DataType, SchemaColumn } from "../../schema/data_type.ts";
import type { TableDefinition } from "../../schema/definition.ts";

/** Everything that encoding a table's rows and keys depends on. */
export interface TableLayout {
  readonly schemaId: number;
  readonly rowFormat: "compacted" | "indexed";
  /** How the records of the log are laid out. */
  readonly logFormat: LogFormat;
  /** How the log's batches are compressed. */
  readonly compression: BodyCompression;
  /** Positions of the columns whose statistics batches of the log carry, ascending; servers newer than 0.9.1 use them. */
  readonly statistics: readonly number[];
  /** All live columns in their order on the server, with the JavaScript types of the declaration, for writing. */
  readonly columns: readonly SchemaColumn[];
  /** The same columns as they may be stored: nullable where the server says so. For reading. */
  readonly stored: readonly SchemaColumn[];
  /** The columns that the declaration has, in its order. */
  readonly declared: readonly SchemaColumn[];
  /** Primary-key columns without partition columns, in key order: what a KV key is made of. */
  readonly keyColumns: readonly SchemaColumn[];
  /** Bucket-key columns in their order. */
  readonly bucketColumns: readonly SchemaColumn[];
  /** Partition columns in their order; empty when the table is not partitioned. */
  readonly partitionColumns: readonly SchemaColumn[];
  /** JavaScript keys of the columns that a prefix lookup takes: bucket key and partition columns. */
  readonly prefixKeys: readonly string[];
  readonly keyEncoding: KeyEncoding;
  readonly bucketEncoding: KeyEncoding;
  readonly bucketing: Bucketing;
  /** True when key and bucket key have the same bytes. */
  readonly bucketByKey: boolean;
  readonly buckets: number;
  /** Whether the merge engine takes partial updates at all. */
  readonly partialUpdates: boolean;
  /** Position in `columns` of the column that the server numbers; -1 when there is none. */
  readonly autoIncrement: number;
  /** Positions in `columns` of the primary key, partition columns included. */
  readonly primaryKey: readonly number[];
}

/**
 * Lays a table out.
 *
 * @throws FlussError when the table is kept in a way that this version cannot write or read
 */
export function layOut(definition: TableDefinition, live: LiveTable, name: string): TableLayout {
  const byName = new Map(definition.columns.map((column) => [column.name, column]));
  const typed = (column: SchemaColumn): SchemaColumn => {
    const declared = byName.get(column.name);
    if (declared === undefined) return { ...column, key: freeKey(column.name, definition) };
    return { ...column, key: declared.key, type: withFieldIds(declared.type, column.type) };
  };
  const columns = live.schema.columns.map(typed);
  const stored = columns.map((column, i): SchemaColumn => ({
    ...column,
    type: { ...column.type, nullable: live.schema.columns[i]!.type.nullable },
  }));
  const at = (physical: string): SchemaColumn => {
    const found = columns.find((column) => column.name === physical);
    if (found !== undefined) return found;
    throw flussError("CONNECTION.PROTOCOL", {
      table: name,
      message: `the server names a key column "${physical}" that the table does not have`,
    });
  };
  const partitionColumns = live.partitionKey.map(at);
  const keyNames = live.schema.primaryKey.filter((column) => !live.partitionKey.includes(column));
  const bucketNames = live.bucketKey.length > 0 ? live.bucketKey : keyNames;
  const bucketByKeyNames = bucketNames.join("\0") === keyNames.join("\0");
  const encodings = encodingsOf(live, bucketByKeyNames, name);
  return {
    schemaId: live.schema.schemaId,
    rowFormat: (live.properties["table.kv.format"] ?? "COMPACTED").toUpperCase() === "INDEXED"
      ? "indexed"
      : "compacted",
    logFormat: (live.properties["table.log.format"] ?? "arrow").toLowerCase() as LogFormat,
    compression: compressionOf(live, name),
    statistics: statisticsOf(live),
    columns,
    stored,
    declared: definition.columns.flatMap((column) => stored.filter((live) => live.name === column.name)),
    keyColumns: keyNames.map(at),
    bucketColumns: bucketNames.map(at),
    partitionColumns,
    prefixKeys: [...bucketNames.map(at), ...partitionColumns].map((column) => column.key),
    ...encodings,
    bucketByKey: bucketByKeyNames && encodings.keyEncoding === encodings.bucketEncoding,
    buckets: live.bucketCount ?? 1,
    partialUpdates: !["first_row", "versioned"].includes((live.properties["table.merge-engine"] ?? "").toLowerCase()),
    autoIncrement: columns.findIndex((column) => column.name === live.schema.autoIncrement),
    primaryKey: live.schema.primaryKey.map((physical) => columns.indexOf(at(physical))),
  };
}

/** Absent options are the server's defaults (Fluss: ConfigOptions.java, ArrowCompressionInfo.java). */
function compressionOf({ properties }: LiveTable, table: string): BodyCompression {
  const type = (properties["table.log.arrow.compression.type"] ?? "zstd").toLowerCase();
  const level = Number(properties["table.log.arrow.compression.zstd.level"] ?? "3");
  if (type === "none") return { type };
  if (type === "lz4_frame") return { type: "lz4" };
  if (type === "zstd") return { type, level };
  throw flussError("CONNECTION.UNSUPPORTED_VERSION", {
    table,
    message: `logs that are compressed with "${type}" cannot be written or read by this version`,
  });
}

/** `*` is every column that can have statistics, else names of columns (Fluss: StatisticsConfigUtils.java). */
function statisticsOf({ properties, schema }: LiveTable): number[] {
  const names = (properties["table.statistics.columns"] ?? "").split(",").map((name) => name.trim());
  return schema.columns.flatMap(({ name, type }, i) =>
    (names.includes(name) || names[0] === "*") && hasStatistics(type) ? [i] : []
  );
}

/** Source: Fluss `KeyEncoder.java`, `BucketingFunction.java`; the table in the protocol's rules for lake formats. */
function encodingsOf(
  live: LiveTable,
  defaultBucketKey: boolean,
  table: string,
): { keyEncoding: KeyEncoding; bucketEncoding: KeyEncoding; bucketing: Bucketing } {
  const lake = live.properties["table.datalake.format"]?.toLowerCase();
  if (lake === undefined || lake === "lance") {
    return { keyEncoding: "compacted", bucketEncoding: "compacted", bucketing: "fluss" };
  }
  if (lake !== "paimon" && lake !== "iceberg") {
    throw flussError("CONNECTION.UNSUPPORTED_VERSION", {
      table,
      message: `keys of tables with table.datalake.format "${lake}" cannot be encoded by this version`,
    });
  }
  const version = Number(live.properties["table.kv.format-version"] ?? "1");
  const compacted = version >= 2 && !defaultBucketKey;
  return { keyEncoding: compacted ? "compacted" : lake, bucketEncoding: lake, bucketing: lake };
}

/** A live column that the declaration does not have gets its own name, unless that is the key of another column. */
function freeKey(name: string, definition: TableDefinition): string {
  let key = name;
  while (definition.columns.some((column) => column.key === key)) key = `${key} (live)`;
  return key;
}

/** The declared type with the field ids that the server gave; nested fields are matched by their names. */
function withFieldIds(declared: DataType, live: DataType): DataType {
  if (declared.kind === "array" && live.kind === "array") {
    return { ...declared, element: withFieldIds(declared.element, live.element) };
  }
  if (declared.kind === "map" && live.kind === "map") {
    return { ...declared, key: withFieldIds(declared.key, live.key), value: withFieldIds(declared.value, live.value) };
  }
  if (declared.kind === "row" && live.kind === "row") {
    const fields = declared.fields.map((field) => {
      const found = live.fields.find((other) => other.name === field.name);
      if (found?.id === undefined) return field;
      return { ...field, id: found.id, type: withFieldIds(field.type, found.type) };
    });
    return { ...declared, fields };
  }
  return declared;
}
