/**
 * Rights: who may do what to which resource. Source: Fluss `security/acl/*.java`.
 *
 * @module
 */

/** By the numbers of the wire, from 1 on. `ANY` is for filters. */
export const RESOURCE_TYPES = ["ANY", "CLUSTER", "DATABASE", "TABLE"] as const;
/** By the numbers of the wire, from 1 on. `ANY` is for filters; `ALL` allows everything. */
export const OPERATIONS = ["ANY", "ALL", "READ", "WRITE", "CREATE", "DROP", "ALTER", "DESCRIBE"] as const;
/** By the numbers of the wire, from 1 on. `ANY` is for filters. */
export const PERMISSIONS = ["ANY", "ALLOW"] as const;

/** The name of the one resource of type `CLUSTER`. */
export const CLUSTER = "fluss-cluster";
/** Stands for any name of a resource, any principal and any host. */
export const WILDCARD = "*";

/** What a right is about. */
export interface AclResource {
  readonly type: (typeof RESOURCE_TYPES)[number];
  /** The name of a database, `database.table`, {@linkcode CLUSTER}, or {@linkcode WILDCARD}. */
  readonly name: string;
}

/** Who may do what. */
export interface AclEntry {
  readonly principalName: string;
  readonly principalType: string;
  /** The client's address. */
  readonly host: string;
  readonly operation: (typeof OPERATIONS)[number];
  readonly permission: (typeof PERMISSIONS)[number];
}

/** A right. */
export interface Acl {
  readonly resource: AclResource;
  readonly entry: AclEntry;
}

/** Finds rights. What is absent matches all. */
export interface AclFilter {
  readonly resourceType: (typeof RESOURCE_TYPES)[number];
  readonly resourceName: string | undefined;
  readonly principal: { readonly name: string; readonly type: string } | undefined;
  readonly host: string | undefined;
  readonly operation: (typeof OPERATIONS)[number];
  readonly permission: (typeof PERMISSIONS)[number];
}

/** Whether a filter is about this resource. Where any type will do, the name is not looked at. */
export function matchesResource({ resourceType, resourceName }: AclFilter, { type, name }: AclResource): boolean {
  if (resourceType === "ANY") return true;
  return resourceType === type && (resourceName === undefined || resourceName === name);
}

/** Whether a filter finds this entry. */
export function matchesEntry({ principal, host, operation, permission }: AclFilter, entry: AclEntry): boolean {
  return (principal === undefined ||
    principal.name === entry.principalName && principal.type === entry.principalType) &&
    (host === undefined || host === entry.host) &&
    (operation === "ANY" || operation === entry.operation) &&
    (permission === "ANY" || permission === entry.permission);
}

/** Whether two entries are the same. */
export function sameEntry(one: AclEntry, other: AclEntry): boolean {
  return one.principalName === other.principalName && one.principalType === other.principalType &&
    one.host === other.host && one.operation === other.operation && one.permission === other.permission;
}

/** A resource in the words of servers. */
export function resourceText({ type, name }: AclResource): string {
  return `Resource{type=${type}, name='${name}'}`;
}
