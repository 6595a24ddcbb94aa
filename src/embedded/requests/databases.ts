/**
 * Requests about databases. Source: Fluss `CoordinatorService.java`, `RpcServiceBase.java`, `MetadataManager.java`.
 *
 * @module
 */
import { isSet, optionalField } from "../../client/rpc/required.ts";
import type { CatalogDatabase } from "../catalog/catalog.ts";
import { memberOf, textOf, textsOf } from "../catalog/java.ts";
import { checkDatabaseName, checkDatabasePath } from "../catalog/names.ts";
import type { Options } from "../catalog/table_options.ts";
import type { Engine } from "../engine.ts";
import { fault, illegalArgument } from "../fault.ts";
import type { Handlers } from "./handler.ts";

/** See the module. */
export const databaseHandlers: Handlers = {
  CREATE_DATABASE(engine, request, { principal }) {
    engine.authorizer.check(principal, "CREATE", "cluster");
    const { databaseName: name } = request;
    checkDatabaseName(name);
    const json = isSet(request, "databaseJson") ? request.databaseJson : undefined;
    const { comment, customProperties } = readDescriptor(json);
    if (engine.catalog.findDatabase(name) === undefined) {
      engine.catalog.createDatabase(name, comment, customProperties);
    } else if (!request.ignoreIfExists) {
      throw fault("SERVER.DATABASE_ALREADY_EXIST", `Database ${name} already exists.`);
    }
    return {};
  },

  DROP_DATABASE(engine, { databaseName: name, ignoreIfNotExists, cascade }, { principal }) {
    engine.authorizer.check(principal, "DROP", { database: name });
    checkDatabasePath(name);
    if (engine.catalog.findDatabase(name) === undefined) {
      if (ignoreIfNotExists) return {};
      throw fault("SERVER.DATABASE_NOT_EXIST", `Database ${name} does not exist.`);
    }
    if (!cascade && engine.catalog.tableNames(name).length > 0) {
      throw fault("SERVER.DATABASE_NOT_EMPTY", `Database ${name} is not empty.`);
    }
    engine.catalog.dropDatabase(name);
    return {};
  },

  ALTER_DATABASE(engine, request, { principal }) {
    const { databaseName, configChanges, ignoreIfNotExists } = request;
    engine.authorizer.check(principal, "ALTER", { database: databaseName });
    const found = engine.catalog.findDatabase(databaseName);
    if (found === undefined && ignoreIfNotExists) return {};
    const database = existing(engine, databaseName);
    const customProperties: Record<string, string> = { ...database.customProperties };
    for (const change of configChanges) {
      const { configKey: key, configValue, opType } = change;
      if (opType === 0) customProperties[key] = configValue;
      else if (opType === 1) delete customProperties[key];
      else throw illegalArgument(`Unsupported alter configs op type ${opType}`);
    }
    const comment = optionalField(request, "comment") ?? database.comment;
    engine.catalog.alterDatabase({ ...database, comment, customProperties });
    return {};
  },

  LIST_DATABASES(engine, { includeSummary }, { principal }) {
    const seen = engine.catalog.databases.filter(({ name }) =>
      engine.authorizer.may(principal, "DESCRIBE", { database: name })
    );
    if (!includeSummary) return { databaseName: seen.map(({ name }) => name) };
    return {
      databaseSummary: seen.map(({ name, createdTime }) => ({
        databaseName: name,
        createdTime: BigInt(createdTime),
        tableCount: engine.catalog.tableNames(name).length,
      })),
    };
  },

  // Whether something exists may be asked by anybody.
  DATABASE_EXISTS(engine, { databaseName }) {
    checkDatabasePath(databaseName);
    return { exists: engine.catalog.findDatabase(databaseName) !== undefined };
  },

  GET_DATABASE_INFO(engine, { databaseName }, { principal }) {
    engine.authorizer.check(principal, "DESCRIBE", { database: databaseName });
    checkDatabasePath(databaseName, `Fail to get database '${databaseName}'.`);
    const { comment, customProperties, createdTime, modifiedTime } = existing(engine, databaseName);
    const json = {
      version: 1,
      ...(comment === undefined ? {} : { comment }),
      custom_properties: customProperties,
    };
    return {
      databaseJson: new TextEncoder().encode(JSON.stringify(json)),
      createdTime: BigInt(createdTime),
      modifiedTime: BigInt(modifiedTime),
    };
  },
};

function existing(engine: Engine, name: string): CatalogDatabase {
  const found = engine.catalog.findDatabase(name);
  if (found !== undefined) return found;
  throw fault("SERVER.DATABASE_NOT_EXIST", `Database '${name}' does not exist.`);
}

function readDescriptor(json: Uint8Array | undefined): {
  readonly comment: string | undefined;
  readonly customProperties: Options;
} {
  if (json === undefined) return { comment: undefined, customProperties: {} };
  const object: unknown = JSON.parse(new TextDecoder().decode(json));
  const comment = memberOf(object, "comment");
  return {
    comment: comment === undefined ? undefined : textOf(comment, "comment"),
    customProperties: textsOf(memberOf(object, "custom_properties"), "custom_properties"),
  };
}
