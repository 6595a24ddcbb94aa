/**
 * What requests that name a table by its number have in common.
 *
 * @module
 */
import type { Operation } from "../catalog/authorizer.ts";
import type { CatalogTable } from "../catalog/table.ts";
import { tableText } from "../catalog/table.ts";
import type { Engine } from "../engine.ts";
import { fault, type ServerFault } from "../fault.ts";
import { OPTION } from "../../schema/server_options.ts";
import type { Call } from "./handler.ts";

/**
 * Refuses the whole request of somebody who may not do this to a table. Where no rights are asked for, the table need
 * not even exist.
 *
 * @throws {ServerFault} 48; 21 when nobody knows the table
 */
export function authorizeTable(engine: Engine, call: Call, operation: Operation, tableId: bigint): void {
  if (!engine.settings.authorizer) return;
  const table = engine.catalog.tableById(Number(tableId));
  if (table === undefined) throw unknownTable(call, tableId);
  engine.authorizer.check(call.principal, operation, table.path);
}

/** As {@linkcode authorizeTable}, for answers that tell each bucket of its own: the fault, or undefined. */
export function refusalOf(
  engine: Engine,
  call: Call,
  operation: Operation,
  tableId: bigint,
): ServerFault | undefined {
  if (!engine.settings.authorizer) return undefined;
  const table = engine.catalog.tableById(Number(tableId));
  if (table === undefined) return unknownTable(call, tableId);
  if (engine.authorizer.may(call.principal, operation, table.path)) return undefined;
  const { path } = table;
  return fault(
    "SERVER.AUTHORIZATION_EXCEPTION",
    `No permission to ${operation} table ${path.table} in database ${path.database}`,
  );
}

/** Whether somebody may do this to a table. To one that nobody knows, only where no rights are asked for. */
export function mayTable(engine: Engine, call: Call, operation: Operation, tableId: bigint): boolean {
  return refusalOf(engine, call, operation, tableId) === undefined;
}

/** A fault 21. */
export function unknownTable({ server }: Call, tableId: bigint): ServerFault {
  const name = server === "coordinator" ? "coordinator" : "server-0";
  return fault(
    "SERVER.UNKNOWN_TABLE_OR_BUCKET_EXCEPTION",
    `This server ${name} does not know this table ID ${tableId}. This may happen when the table metadata ` +
      "cache in the server is not updated yet.",
  );
}

/**
 * Refuses clients that would encode keys of a table in an older way (Fluss: validateClientVersionForPkTable).
 *
 * @throws {ServerFault} 2
 */
export function checkKeyEncoding({ live, path }: CatalogTable, apiVersion: number): void {
  if (apiVersion > 0 || live.properties[OPTION.datalakeFormat] === undefined) return;
  const version = live.properties[OPTION.kvFormatVersion];
  if (version !== "2") return;
  const keys = live.schema.primaryKey.filter((name) => !live.partitionKey.includes(name));
  const buckets = live.bucketKey;
  if (buckets.length === 0 || (buckets.length === keys.length && buckets.every((name, i) => name === keys[i]))) return;
  throw fault(
    "SERVER.UNSUPPORTED_VERSION",
    `Client API version ${apiVersion} is not supported for table '${tableText(path)}'. This table uses new key ` +
      `encoding strategy (kv format version ${version}). Please upgrade your Fluss client to a newer version.`,
  );
}

/**
 * The parts of a request by bucket: of several for the same bucket only the last one counts, as with servers, which
 * keep them in a map.
 */
export function perBucket<P extends { readonly bucketId: number }>(
  parts: readonly P[],
  partitionOf: (part: P) => bigint | undefined,
): readonly P[] {
  if (parts.length < 2) return parts;
  const last = new Map<string, P>();
  for (const part of parts) last.set(`${partitionOf(part) ?? ""}/${part.bucketId}`, part);
  return last.size === parts.length ? parts : [...last.values()];
}
