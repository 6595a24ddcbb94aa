/**
 * What servers can alter, by version: all that a planner has to know of them. Source: Fluss `FlussConfigUtils.java`,
 * `MetadataManager.java`; observed on 0.9.1.
 *
 * @module
 */
import { OPTION } from "../schema/server_options.ts";

/** The servers that there are: the last release, and what comes after it. */
export type ServerVersion = "0.9.1" | "main";

/** Every {@linkcode ServerVersion}. */
export const SERVER_VERSIONS: readonly ServerVersion[] = ["0.9.1", "main"];

/** What a server can alter. */
export interface ServerAbilities {
  /** Options of tables. */
  readonly options: readonly string[];
  /** Whether a column that is added can have an aggregation function; 0.9.1 forgets it without a word (observed). */
  readonly addsAggregated: boolean;
}

const RELEASED: readonly string[] = [OPTION.datalake, OPTION.datalakeFreshness, OPTION.tieredSegments];

/** By version. */
export const ABILITIES: Readonly<Record<ServerVersion, ServerAbilities>> = {
  "0.9.1": { options: RELEASED, addsAggregated: false },
  main: {
    options: [
      ...RELEASED,
      OPTION.logTtl,
      "table.log.local-ttl",
      OPTION.autoPartition,
      OPTION.autoPartitionRetain,
      OPTION.autoPartitionPrecreate,
      "table.statistics.columns",
      "table.kv.standby-replica.enabled",
      "table.datalake.auto-compaction",
      "table.datalake.historical-partition.enabled",
    ],
    addsAggregated: true,
  },
};
