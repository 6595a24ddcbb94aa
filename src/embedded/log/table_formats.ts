/**
 * How the rows and logs of a table are laid out, by its options (Fluss: ConfigOptions.java, ArrowCompressionInfo.java).
 *
 * @module
 */
import type { BodyCompression } from "../../format/arrow/message_writer.ts";
import type { LogFormat } from "../../format/log_decoder.ts";
import type { CatalogTable } from "../catalog/table.ts";

/** `table.log.format` */
export function logFormatOf({ live }: CatalogTable): LogFormat {
  return (live.properties["table.log.format"] ?? "arrow").toLowerCase() as LogFormat;
}

/** `table.kv.format` */
export function kvFormatOf({ live }: CatalogTable): "compacted" | "indexed" {
  return (live.properties["table.kv.format"] ?? "compacted").toLowerCase() as "compacted" | "indexed";
}

/** `table.log.arrow.compression.*` */
export function compressionOf({ live: { properties } }: CatalogTable): BodyCompression {
  const type = (properties["table.log.arrow.compression.type"] ?? "zstd").toLowerCase();
  if (type === "none") return { type };
  if (type === "lz4_frame") return { type: "lz4" };
  return { type: "zstd", level: Number(properties["table.log.arrow.compression.zstd.level"] ?? "3") };
}
