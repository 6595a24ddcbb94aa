/**
 * All requests that the embedded server answers.
 *
 * @module
 */
import { aclHandlers } from "./acls.ts";
import { clusterHandlers } from "./cluster.ts";
import { configHandlers } from "./configs.ts";
import { databaseHandlers } from "./databases.ts";
import { fetchHandlers } from "./fetch.ts";
import type { Handlers } from "./handler.ts";
import { lookupHandlers } from "./lookup.ts";
import { metadataHandlers } from "./metadata.ts";
import { offsetHandlers } from "./offsets.ts";
import { partitionHandlers } from "./partitions.ts";
import { produceHandlers } from "./produce.ts";
import { producerOffsetHandlers } from "./producer_offsets.ts";
import { putHandlers } from "./put.ts";
import { scanHandlers } from "./scan.ts";
import { snapshotHandlers } from "./snapshots.ts";
import { tableHandlers } from "./tables.ts";

/** Handlers by the names of their requests. */
export const HANDLERS: Handlers = {
  ...databaseHandlers,
  ...tableHandlers,
  ...partitionHandlers,
  ...metadataHandlers,
  ...produceHandlers,
  ...fetchHandlers,
  ...offsetHandlers,
  ...putHandlers,
  ...lookupHandlers,
  ...scanHandlers,
  ...clusterHandlers,
  ...configHandlers,
  ...producerOffsetHandlers,
  ...snapshotHandlers,
  ...aclHandlers,
};
