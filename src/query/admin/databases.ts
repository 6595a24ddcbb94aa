/**
 * Databases.
 *
 * @module
 */
import { flussError } from "../../base/errors.ts";
import type { CallOptions } from "../../base/wait.ts";
import { API } from "../../client/rpc/api.ts";
import { type AdminPlace, type CreateOptions, type DropOptions, wait } from "./place.ts";

/** A database. */
export interface DatabaseInfo {
  /** Its name. */
  readonly name: string;
  /** What its creator said of it. */
  readonly comment?: string;
  /** Whatever its creator kept with it. */
  readonly customProperties: Readonly<Record<string, string>>;
  /** When it was created. */
  readonly createdAt: Date;
  /** When it was altered last. */
  readonly modifiedAt: Date;
}

/** A database in a list. */
export interface DatabaseSummary {
  /** Its name. */
  readonly name: string;
  /** When it was created. */
  readonly createdAt: Date;
  /** How many tables it has. */
  readonly tableCount: number;
}

/** What is kept with a new database. */
export interface CreateDatabaseOptions extends CreateOptions {
  /** What it is for. */
  readonly comment?: string;
  /** Whatever you want to keep with it. */
  readonly customProperties?: Readonly<Record<string, string>>;
}

/** What is changed about a database. */
export interface DatabaseChanges {
  /** A new comment. */
  readonly comment?: string;
  /** Custom properties to set. */
  readonly set?: Readonly<Record<string, string>>;
  /** Names of custom properties to remove. */
  readonly remove?: readonly string[];
}

export async function createDatabase(place: AdminPlace, name: string, options: CreateDatabaseOptions): Promise<void> {
  const { comment, customProperties = {} } = options;
  const descriptor = {
    version: 1,
    ...(comment === undefined ? {} : { comment }),
    custom_properties: customProperties,
  };
  await place.client.cluster.callCoordinator(API.CREATE_DATABASE, {
    databaseName: name,
    ignoreIfExists: options.ignoreIfExists === true,
    databaseJson: new TextEncoder().encode(JSON.stringify(descriptor)),
  }, { ...wait(options), repeatable: options.ignoreIfExists === true });
}

export async function alterDatabase(
  place: AdminPlace,
  name: string,
  changes: DatabaseChanges,
  options: DropOptions,
): Promise<void> {
  await place.client.cluster.callCoordinator(API.ALTER_DATABASE, {
    databaseName: name,
    ignoreIfNotExists: options.ignoreIfNotExists === true,
    configChanges: optionChanges(changes.set, changes.remove),
    ...(changes.comment === undefined ? {} : { comment: changes.comment }),
  }, { ...wait(options), repeatable: true });
}

export async function databaseSummaries(place: AdminPlace, options: CallOptions): Promise<DatabaseSummary[]> {
  const { cluster } = place.client;
  const { databaseSummary } = await cluster.callAny(API.LIST_DATABASES, { includeSummary: true }, wait(options));
  return databaseSummary.map(({ databaseName: name, createdTime, tableCount }) => ({
    name,
    createdAt: new Date(Number(createdTime)),
    tableCount,
  }));
}

export async function describeDatabase(place: AdminPlace, name: string, options: CallOptions): Promise<DatabaseInfo> {
  const answer = await place.client.cluster.callAny(API.GET_DATABASE_INFO, { databaseName: name }, wait(options));
  const json = JSON.parse(new TextDecoder().decode(answer.databaseJson)) as {
    comment?: string;
    custom_properties?: Record<string, string>;
  };
  return {
    name,
    ...(json.comment === undefined ? {} : { comment: json.comment }),
    customProperties: json.custom_properties ?? {},
    createdAt: new Date(Number(answer.createdTime)),
    modifiedAt: new Date(Number(answer.modifiedTime)),
  };
}

/** One change of an option on the wire. */
export interface OptionChange {
  readonly configKey: string;
  readonly configValue?: string;
  /** Source: Fluss `AlterConfigOpType.java`. */
  readonly opType: number;
}

/** Options to set (0) and to remove (1). */
export function optionChanges(
  set: Readonly<Record<string, string>> = {},
  remove: readonly string[] = [],
): OptionChange[] {
  const twice = remove.find((key) => Object.hasOwn(set, key));
  if (twice !== undefined) {
    throw flussError("ADMIN.BAD_OPTION", {
      message: `the option ${JSON.stringify(twice)} is set and removed at once`,
      hint: "name it in one of the two",
    });
  }
  return [
    ...Object.entries(set).map(([configKey, configValue]) => ({ configKey, configValue, opType: 0 })),
    ...remove.map((configKey) => ({ configKey, opType: 1 })),
  ];
}
