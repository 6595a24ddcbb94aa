/**
 * Requests about tables. Source: Fluss `CoordinatorService.java`, `RpcServiceBase.java`, `MetadataManager.java`,
 * `SchemaUpdate.java`.
 *
 * @module
 */
import type { MessageShape } from "@bufbuild/protobuf";
import type { PbTablePath } from "../../client/rpc/gen/fluss/v1/common_pb.ts";
import type { AlterTableRequestSchema } from "../../client/rpc/gen/fluss/v1/table_pb.ts";
import { isSet, optionalField } from "../../client/rpc/required.ts";
import { checkDatabasePath, checkPath, checkTablePath } from "../catalog/names.ts";
import { hashOrder } from "../catalog/java.ts";
import {
  type ColumnDocument,
  readSchema,
  type SchemaDocument,
  schemaJson,
  withFreshIds,
} from "../catalog/schema_document.ts";
import { type TablePath, tableText } from "../catalog/table.ts";
import { ALTERABLE, isTableOption, type Options } from "../catalog/table_options.ts";
import type { TableDocument } from "../catalog/table_document.ts";
import { readType } from "../catalog/type_document.ts";
import { fault, illegalArgument, illegalState, type ServerFault, uncoded } from "../fault.ts";
import type { Handlers } from "./handler.ts";

/** See the module. */
export const tableHandlers: Handlers = {
  CREATE_TABLE(engine, { tablePath, tableJson, ignoreIfExists }, { principal }) {
    const path = readPath(tablePath!);
    checkTablePath(path);
    engine.authorizer.check(principal, "CREATE", { database: path.database });
    engine.catalog.createTable(path, tableJson, ignoreIfExists);
    return {};
  },

  ALTER_TABLE(engine, request, { principal }) {
    const path = readPath(request.tablePath!);
    checkTablePath(path);
    engine.authorizer.check(principal, "ALTER", path);
    const options = optionChanges(request);
    const added = schemaChanges(request);
    const toSchema = added.length > 0 || request.dropColumns.length > 0 || request.renameColumns.length > 0 ||
      request.modifyColumns.length > 0;
    if (toSchema && options.length > 0) {
      throw alterFault(
        "Table alteration can only be applied to one of the following: table properties or table schema.",
      );
    }
    if (!toSchema && options.length === 0) return {};
    const found = engine.catalog.findTable(path);
    if (found === undefined && request.ignoreIfNotExists) return {};
    const table = engine.catalog.table(path);
    if (toSchema) {
      engine.catalog.alterTable(
        table,
        (document) => ({ ...document, schema: changed(document.schema, added, request) }),
      );
    } else engine.catalog.alterTable(table, (document) => withOptions(document, options));
    return {};
  },

  DROP_TABLE(engine, { tablePath, ignoreIfNotExists }, { principal }) {
    const path = readPath(tablePath!);
    engine.authorizer.check(principal, "DROP", path);
    checkPath(path, EXISTS);
    const found = engine.catalog.findTable(path);
    if (found !== undefined) engine.catalog.dropTable(found);
    else if (!ignoreIfNotExists) throw fault("SERVER.TABLE_NOT_EXIST", `Table ${tableText(path)} does not exist.`);
    return {};
  },

  LIST_TABLES(engine, { databaseName: database }, { principal }) {
    checkDatabasePath(database);
    if (engine.catalog.findDatabase(database) === undefined) {
      throw fault("SERVER.DATABASE_NOT_EXIST", `Database ${database} does not exist.`);
    }
    const names = engine.catalog.tableNames(database);
    return { tableName: names.filter((table) => engine.authorizer.may(principal, "DESCRIBE", { database, table })) };
  },

  // Whether something exists may be asked by anybody.
  TABLE_EXISTS(engine, { tablePath }) {
    const path = readPath(tablePath!);
    checkPath(path, EXISTS);
    return { exists: engine.catalog.findTable(path) !== undefined };
  },

  GET_TABLE_INFO(engine, { tablePath }, { principal }) {
    const path = readPath(tablePath!);
    engine.authorizer.check(principal, "DESCRIBE", path);
    checkPath(path, GET);
    const { id, live, json, createdTime, modifiedTime } = engine.catalog.table(path);
    return {
      tableId: BigInt(id),
      schemaId: live.schema.schemaId,
      tableJson: json,
      createdTime: BigInt(createdTime),
      modifiedTime: BigInt(modifiedTime),
    };
  },

  GET_TABLE_SCHEMA(engine, request, { principal }) {
    const path = readPath(request.tablePath!);
    engine.authorizer.check(principal, "DESCRIBE", path);
    const asked = optionalField(request, "schemaId");
    checkPath(
      path,
      asked === undefined ? "Failed to get latest schema id of table %" : `Fail to get schema of ${asked} for table %`,
    );
    const table = engine.catalog.findTable(path);
    const latest = table?.live.schema.schemaId ?? 0;
    const schemaId = asked ?? latest;
    const json = table === undefined ? undefined : engine.catalog.schemaJson(table, schemaId);
    if (json !== undefined) return { schemaId, schemaJson: json };
    throw fault(
      "SERVER.SCHEMA_NOT_EXIST",
      `Schema for table ${tableText(path)} with schema id ${schemaId} does not exist.`,
    );
  },
};

const EXISTS = "Fail to check the table % exist or not.";
/** What servers say that cannot look for a table. */
export const GET = "Failed to get table '%'.";

/** The path of a table in a request. */
export function readPath({ databaseName, tableName }: Pick<PbTablePath, "databaseName" | "tableName">): TablePath {
  return { database: databaseName, table: tableName };
}

type AlterRequest = MessageShape<typeof AlterTableRequestSchema>;

interface OptionChange {
  readonly key: string;
  /** Undefined takes the option away. */
  readonly value: string | undefined;
}

function alterFault(message: string): ServerFault {
  return fault("SERVER.INVALID_ALTER_TABLE_EXCEPTION", message);
}

function optionChanges({ configChanges }: AlterRequest): OptionChange[] {
  return configChanges.map((change) => {
    const { configKey: key, opType } = change;
    if (opType === 0) {
      if (isSet(change, "configValue")) return { key, value: change.configValue };
      throw illegalState("Field 'config_value' is not set");
    }
    if (opType === 1) return { key, value: undefined };
    throw illegalArgument(
      opType === 2 || opType === 3
        ? `Unsupported alter configs op type ${opType}`
        : `Unsupported AlterConfigOpType: ${opType}`,
    );
  });
}

type NewColumn = Omit<ColumnDocument, "id">;

function schemaChanges({ addColumns, modifyColumns }: AlterRequest): NewColumn[] {
  const added = addColumns.map((column): NewColumn => {
    const { columnName: name, dataTypeJson, columnPositionType } = column;
    const type = readType(JSON.parse(new TextDecoder().decode(dataTypeJson)));
    checkPosition(columnPositionType);
    return { name, type, comment: optionalField(column, "comment"), aggregate: undefined };
  });
  for (const column of modifyColumns) {
    if (!isSet(column, "dataTypeJson")) throw illegalArgument('argument "content" is null');
    readType(JSON.parse(new TextDecoder().decode(column.dataTypeJson)));
    if (isSet(column, "columnPositionType")) checkPosition(column.columnPositionType);
  }
  return added;
}

function checkPosition(type: number): void {
  if (type !== 0) throw illegalArgument(`Unsupported ColumnPositionType: ${type}`);
}

function changed(
  schema: SchemaDocument,
  added: readonly NewColumn[],
  { dropColumns, renameColumns, modifyColumns }: AlterRequest,
): SchemaDocument {
  let highest = schema.highestFieldId;
  const next = () => ++highest;
  const columns = [...schema.columns];
  for (const column of added) {
    const { name, type } = column;
    if (columns.some((one) => one.name === name)) throw alterFault(`Column ${name} already exists.`);
    if (!type.nullable) throw illegalArgument(`Column ${name} must be nullable.`);
    const id = next();
    columns.push({ ...column, id, type: withFreshIds(type, next) });
  }
  const what = dropColumns.length > 0
    ? "drop"
    : renameColumns.length > 0
    ? "rename"
    : modifyColumns.length > 0
    ? "modify"
    : undefined;
  if (what !== undefined) {
    throw uncoded("org.apache.fluss.exception.SchemaChangeException", `Not support ${what} column now.`);
  }
  return readSchema(schemaJson({ ...schema, columns, highestFieldId: highest }));
}

function withOptions(document: TableDocument, changes: readonly OptionChange[]): TableDocument {
  for (const key of hashOrder(changes.map(({ key }) => key))) {
    if (!isTableOption(key)) continue;
    if (!ALTERABLE.includes(key)) throw alterFault(`The option '${key}' is not supported to alter yet.`);
    if (key === "table.datalake.enabled" && document.properties["table.datalake.format"] === undefined) {
      throw alterFault(
        `The option '${key}' cannot be altered for tables that were created before the Fluss cluster enabled datalake.`,
      );
    }
  }
  const properties: Record<string, string> = { ...document.properties };
  const customProperties: Record<string, string> = { ...document.customProperties };
  // In whatever order they come, servers take options away after they have set others.
  for (
    const { key, value } of changes.toSorted((a, b) => Number(a.value === undefined) - Number(b.value === undefined))
  ) {
    const options = isTableOption(key) ? properties : customProperties;
    if (value === undefined) delete options[key];
    else options[key] = value;
  }
  const isChanged = !sameOptions(properties, document.properties) ||
    !sameOptions(customProperties, document.customProperties);
  return isChanged ? { ...document, properties, customProperties } : document;
}

function sameOptions(a: Options, b: Options): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
