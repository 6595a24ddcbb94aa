/**
 * Who may do what. Servers ask for rights when they are started with `authorizer.enabled`.
 *
 * @module
 */
import { flussError, serverError } from "../../base/errors.ts";
import type { CallOptions } from "../../base/wait.ts";
import { API } from "../../client/rpc/api.ts";
import { type AdminPlace, wait } from "./place.ts";

/** What a right is about: everything, a database with all its tables, or a table. `*` is any name. */
export type AclResource = "cluster" | { readonly database: string } | { readonly table: string };

/** What a right allows. `all` is everything; each of the others but `all` comes with `describe`. */
export type AclOperation = "all" | "read" | "write" | "create" | "drop" | "alter" | "describe";

/** One right. There are none that forbid. */
export interface Acl {
  /** What it is about. A table is `database.table`. */
  readonly resource: AclResource;
  /** Who has it: the name of a user, `*` for everybody. */
  readonly user: string;
  /** What the user may do. */
  readonly operation: AclOperation;
  /** The kind of principal. Default `User`; `*` goes with the user `*`. */
  readonly userType?: string;
  /** The host from which the user may do it. Default `*`, any. */
  readonly host?: string;
}

/** Which rights are meant; whatever is left out does not matter. */
export interface AclFilter {
  /** Rights about exactly this. */
  readonly resource?: AclResource;
  /** Rights of this user. */
  readonly user?: string;
  /** The kind of principal. Default `User`, where a user is named. */
  readonly userType?: string;
  /** Rights for this operation. */
  readonly operation?: AclOperation;
  /** Rights from this host. */
  readonly host?: string;
}

/** Source: Fluss `ResourceType.java`. */
const ANY_RESOURCE = 1;
const CLUSTER = 2;
const DATABASE = 3;
const TABLE = 4;
/** Source: Fluss `Resource.java`. */
const CLUSTER_NAME = "fluss-cluster";
/** From 2 on; 1 is any. Source: Fluss `OperationType.java`. */
const OPERATIONS: readonly AclOperation[] = ["all", "read", "write", "create", "drop", "alter", "describe"];
const FIRST_OPERATION = 2;
const ANY_OPERATION = 1;
/** Source: Fluss `PermissionType.java`. */
const ALLOW = 2;
const ANY_PERMISSION = 1;

interface WireResource {
  readonly resourceType: number;
  readonly resourceName: string;
}

interface WireAcl extends WireResource {
  readonly principalName: string;
  readonly principalType: string;
  readonly host: string;
  readonly operationType: number;
}

export async function createAcls(place: AdminPlace, acls: readonly Acl[], options: CallOptions): Promise<void> {
  const acl = acls.map((one) => ({
    ...wireResource(one.resource),
    principalName: one.user,
    principalType: one.userType ?? (one.user === "*" ? "*" : "User"),
    host: one.host ?? "*",
    operationType: wireOperation(one.operation),
    permissionType: ALLOW,
  }));
  const answer = await place.client.cluster.callCoordinator(API.CREATE_ACLS, { acl }, {
    ...wait(options),
    repeatable: true,
  });
  const failed = answer.aclRes.find(({ errorCode }) => errorCode !== 0);
  if (failed === undefined) return;
  throw serverError(failed.errorCode, failed.errorMessage, { doing: `granting ${aclText(fromWire(failed.acl!))}` });
}

export async function acls(place: AdminPlace, filter: AclFilter, options: CallOptions): Promise<Acl[]> {
  // Tablet servers hear of a change a moment later.
  const { acl } = await place.client.cluster.callCoordinator(API.LIST_ACLS, { aclFilter: wireFilter(filter) }, {
    ...wait(options),
    repeatable: true,
  });
  return acl.map(fromWire);
}

export async function dropAcls(
  place: AdminPlace,
  filters: readonly AclFilter[],
  options: CallOptions,
): Promise<Acl[]> {
  const answer = await place.client.cluster.callCoordinator(API.DROP_ACLS, { aclFilter: filters.map(wireFilter) }, {
    ...wait(options),
    repeatable: true,
  });
  const dropped: Acl[] = [];
  let failure: { readonly errorCode: number; readonly errorMessage: string; readonly what: string } | undefined;
  for (const { errorCode, errorMessage, matchingAcls } of answer.filterResults) {
    if (errorCode !== 0) failure ??= { errorCode, errorMessage, what: "rights" };
    for (const one of matchingAcls) {
      const acl = fromWire(one.acl!);
      if (one.errorCode === 0) dropped.push(acl);
      else failure ??= { errorCode: one.errorCode, errorMessage: one.errorMessage, what: aclText(acl) };
    }
  }
  if (failure === undefined) return dropped;
  const { errorCode, errorMessage, what } = failure;
  throw serverError(errorCode, errorMessage, { doing: `taking back ${what}` });
}

function wireResource(resource: AclResource): WireResource {
  if (resource === "cluster") return { resourceType: CLUSTER, resourceName: CLUSTER_NAME };
  if (typeof resource === "object" && resource !== null) {
    if ("database" in resource) return { resourceType: DATABASE, resourceName: resource.database };
    if ("table" in resource) {
      if (resource.table === "*" || /^[^.]+\.[^.]+$/.test(resource.table)) {
        return { resourceType: TABLE, resourceName: resource.table };
      }
      throw flussError("ADMIN.BAD_OPTION", {
        message: `${JSON.stringify(resource.table)} is not the full name of a table`,
        hint: 'write { table: "database.table" }',
      });
    }
  }
  throw flussError("ADMIN.BAD_OPTION", {
    message: `${JSON.stringify(resource)} is nothing that rights are about`,
    hint: 'it is "cluster", { database } or { table }',
  });
}

function wireOperation(operation: AclOperation): number {
  const at = OPERATIONS.indexOf(operation);
  if (at >= 0) return at + FIRST_OPERATION;
  throw flussError("ADMIN.BAD_OPTION", {
    message: `${JSON.stringify(operation)} is no operation of a right`,
    hint: `the operations are ${OPERATIONS.join(", ")}`,
  });
}

function wireFilter({ resource, user, userType, operation, host }: AclFilter) {
  return {
    ...(resource === undefined ? { resourceType: ANY_RESOURCE } : wireResource(resource)),
    ...(user === undefined ? {} : { principalName: user, principalType: userType ?? (user === "*" ? "*" : "User") }),
    ...(host === undefined ? {} : { host }),
    operationType: operation === undefined ? ANY_OPERATION : wireOperation(operation),
    permissionType: ANY_PERMISSION,
  };
}

function fromWire(acl: WireAcl): Acl {
  const { resourceType, resourceName, principalName: user, principalType: userType, host } = acl;
  return {
    resource: resourceType === CLUSTER
      ? "cluster"
      : resourceType === DATABASE
      ? { database: resourceName }
      : { table: resourceName },
    user,
    operation: OPERATIONS[acl.operationType - FIRST_OPERATION] ?? "all",
    userType,
    host,
  };
}

function aclText({ resource, user, operation }: Acl): string {
  const what = resource === "cluster"
    ? "the cluster"
    : "database" in resource
    ? `database ${resource.database}`
    : `table ${resource.table}`;
  return `${operation} on ${what} to ${user}`;
}
