/**
 * Requests about partitions. Source: Fluss `CoordinatorService.java`, `RpcServiceBase.java`.
 *
 * @module
 */
import type { PbPartitionSpec } from "../../client/rpc/gen/fluss/v1/common_pb.ts";
import { isSet } from "../../client/rpc/required.ts";
import type { CatalogTable } from "../catalog/table.ts";
import { tableText } from "../catalog/table.ts";
import type { Engine } from "../engine.ts";
import { checkPath } from "../catalog/names.ts";
import { fault, runtimeFailure } from "../fault.ts";
import type { Call, Handlers } from "./handler.ts";
import { GET, readPath } from "./tables.ts";

/** See the module. */
export const partitionHandlers: Handlers = {
  CREATE_PARTITION(engine, request, call) {
    const table = writable(engine, request.tablePath!, call, "create");
    // The field's name on the wire is a slip: true means that an existing partition is no error.
    engine.catalog.createPartition(table, readSpec(request.partitionSpec!), request.ignoreIfNotExists);
    return {};
  },

  DROP_PARTITION(engine, request, call) {
    const table = writable(engine, request.tablePath!, call, "drop");
    engine.catalog.dropPartition(table, readSpec(request.partitionSpec!), request.ignoreIfNotExists);
    return {};
  },

  LIST_PARTITION_INFOS(engine, request, { principal }) {
    const path = readPath(request.tablePath!);
    engine.authorizer.check(principal, "DESCRIBE", path);
    checkPath(path, GET);
    const table = engine.catalog.table(path);
    const keys = table.live.partitionKey;
    if (keys.length === 0) {
      throw fault("SERVER.TABLE_NOT_PARTITIONED_EXCEPTION", `Table '${tableText(path)}' is not a partitioned table.`);
    }
    const wanted = isSet(request, "partialPartitionSpec")
      ? readSpec(request.partialPartitionSpec!)
      : new Map<string, string>();
    const unknown = [...wanted.keys()].find((key) => !keys.includes(key));
    if (unknown !== undefined) {
      const asked = [...wanted].map(([key, value]) => `${key}=${value}`).join("/");
      throw runtimeFailure(`Fail to list partitions for table: ${tableText(path)}, partitionSpec: ${asked}.`);
    }
    const found = [...table.partitions.values()].filter(({ name }) => {
      const values = name.split("$");
      return keys.every((key, i) => !wanted.has(key) || wanted.get(key) === values[i]);
    });
    return {
      partitionsInfo: found.map(({ id, name }) => {
        const values = name.split("$");
        return {
          partitionId: BigInt(id),
          partitionSpec: { partitionKeyValues: keys.map((key, i) => ({ key, value: values[i]! })) },
        };
      }),
    };
  },
};

function writable(
  engine: Engine,
  tablePath: Parameters<typeof readPath>[0],
  { principal }: Call,
  what: "create" | "drop",
): CatalogTable {
  const path = readPath(tablePath);
  engine.authorizer.check(principal, "WRITE", path);
  checkPath(path, GET);
  const table = engine.catalog.table(path);
  if (table.live.partitionKey.length > 0) return table;
  throw fault("SERVER.TABLE_NOT_PARTITIONED_EXCEPTION", `Only partitioned table support ${what} partition.`);
}

function readSpec({ partitionKeyValues }: PbPartitionSpec): ReadonlyMap<string, string> {
  return new Map(partitionKeyValues.map(({ key, value }) => [key, value]));
}
