/**
 * Who may do what. Source: Fluss `DefaultAuthorizer.java`, `AbstractAuthorizer.java`.
 *
 * @module
 */
import type { Engine } from "../engine.ts";
import { fault } from "../fault.ts";
import type { Principal } from "../requests/handler.ts";
import {
  type Acl,
  type AclEntry,
  type AclFilter,
  type AclResource,
  CLUSTER,
  matchesEntry,
  matchesResource,
  type OPERATIONS,
  resourceText,
  sameEntry,
  WILDCARD,
} from "./acl.ts";
import { type TablePath, tableText } from "./table.ts";

/** What can be done to a resource. */
export type Operation = Exclude<(typeof OPERATIONS)[number], "ANY">;

/** What rights are about. */
export type Resource = "cluster" | { readonly database: string } | TablePath;

/** Who is allowed one of these may look, too. */
const SEEING: readonly string[] = ["DESCRIBE", "READ", "WRITE", "CREATE", "DROP", "ALTER"];

const PREFIX = "acl/";

/** The rights to one resource, as they are stored. */
interface StoredAcls {
  readonly resource: AclResource;
  readonly entries: readonly AclEntry[];
}

/** See the module. */
export class Authorizer {
  readonly #engine: Engine;
  readonly #superUsers: ReadonlySet<string>;
  /** By the names of their documents. */
  readonly #acls = new Map<string, StoredAcls>();

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#superUsers = new Set(engine.settings.superUsers);
    this.reload();
  }

  /** Whether rights are asked for. */
  get enabled(): boolean {
    return this.#engine.settings.authorizer;
  }

  /** Whether somebody may do something. Always, where no rights are asked for. */
  may(principal: Principal, operation: Operation, resource: Resource): boolean {
    return !this.enabled || this.#allows(principal, operation, aclResource(resource));
  }

  /** @throws {ServerFault} 48 when somebody may not */
  check(principal: Principal, operation: Operation, resource: Resource): void {
    if (this.enabled) this.#demand(principal, operation, aclResource(resource));
  }

  /**
   * Grants rights. Whoever does must be allowed to alter the resources, of tables their databases.
   *
   * @throws {ServerFault} 48; then none was granted
   */
  create(principal: Principal, acls: readonly Acl[]): void {
    const grants = new Map<string, { readonly resource: AclResource; readonly entries: AclEntry[] }>();
    for (const { resource, entry } of acls) {
      const name = documentOf(resource);
      const grant = grants.get(name) ?? { resource, entries: [] };
      grants.set(name, grant);
      if (grant.entries.some((one) => sameEntry(one, entry))) {
        throw new Error(`Duplicate key: ${entry.operation} on ${resourceText(resource)}`);
      }
      grant.entries.push(entry);
    }
    for (const { resource } of grants.values()) this.#demandRule(principal, resource);
    for (const [name, { resource, entries }] of grants) {
      const before = this.#acls.get(name)?.entries ?? [];
      const added = entries.filter((entry) => !before.some((one) => sameEntry(one, entry)));
      if (added.length > 0) this.#store(name, { resource, entries: [...before, ...added] });
    }
  }

  /**
   * Takes rights back.
   *
   * @returns for each filter what it found, and no filter before it
   * @throws {ServerFault} 48 when somebody may not alter a resource that a filter is about; then none was taken
   */
  drop(principal: Principal, filters: readonly AclFilter[]): Acl[][] {
    const concerned = [...this.#acls].filter(([, { resource }]) =>
      filters.some((filter) => matchesResource(filter, resource))
    );
    for (const [, { resource }] of concerned) this.#demandRule(principal, resource);
    const found: Acl[][] = filters.map(() => []);
    for (const [name, { resource, entries }] of concerned) {
      const left = entries.filter((entry) => {
        const i = filters.findIndex((filter) => matchesResource(filter, resource) && matchesEntry(filter, entry));
        if (i >= 0) found[i]!.push({ resource, entry });
        return i < 0;
      });
      if (left.length < entries.length) this.#store(name, { resource, entries: left });
    }
    return found;
  }

  /** The rights that a filter finds, to resources that somebody may see. */
  list(principal: Principal, filter: AclFilter): Acl[] {
    return [...this.#acls.values()]
      .filter(({ resource }) => matchesResource(filter, resource) && this.#allows(principal, "DESCRIBE", resource))
      .flatMap(({ resource, entries }) =>
        entries.filter((entry) => matchesEntry(filter, entry)).map((entry) => ({ resource, entry }))
      );
  }

  /** Reads everything from the storage again. */
  reload(): void {
    this.#acls.clear();
    for (const { name, document } of this.#engine.storage.documents.list(PREFIX)) {
      this.#acls.set(name, document as StoredAcls);
    }
  }

  #store(name: string, acls: StoredAcls): void {
    const { documents } = this.#engine.storage;
    if (acls.entries.length === 0) {
      documents.delete(name);
      this.#acls.delete(name);
    } else {
      documents.put(name, acls);
      this.#acls.set(name, acls);
    }
  }

  /** Rights to tables are the business of whoever rules the database. */
  #demandRule(principal: Principal, resource: AclResource): void {
    this.#demand(principal, "ALTER", resource.type === "TABLE" ? databaseOf(resource) : resource);
  }

  #demand(principal: Principal, operation: Operation, resource: AclResource): void {
    if (this.#allows(principal, operation, resource)) return;
    const { name, type } = principal;
    throw fault(
      "SERVER.AUTHORIZATION_EXCEPTION",
      `Principal FlussPrincipal{name='${name}', type='${type}'} have no authorization to operate ${operation} on ` +
        `resource ${resourceText(resource)} `,
    );
  }

  #allows(principal: Principal, operation: Operation, resource: AclResource): boolean {
    if (principal.type === "User" && this.#superUsers.has(principal.name)) return true;
    return covering(resource).some((one) =>
      this.#acls.get(documentOf(one))?.entries.some((entry) => allows(entry, principal, operation))
    );
  }
}

function aclResource(resource: Resource): AclResource {
  if (resource === "cluster") return { type: "CLUSTER", name: CLUSTER };
  return "table" in resource
    ? { type: "TABLE", name: tableText(resource) }
    : { type: "DATABASE", name: resource.database };
}

function databaseOf({ name }: AclResource): AclResource {
  return { type: "DATABASE", name: name.split(".")[0]! };
}

/** A resource, what it is in, and whatever there is of its type. */
function covering(resource: AclResource): AclResource[] {
  const { type } = resource;
  const any: AclResource = { type, name: WILDCARD };
  const cluster: AclResource = { type: "CLUSTER", name: CLUSTER };
  switch (type) {
    case "TABLE":
      return [any, resource, databaseOf(resource), cluster];
    case "DATABASE":
      return [any, resource, cluster];
    case "CLUSTER":
      return [any, resource];
    case "ANY":
      return [any];
  }
}

function allows(entry: AclEntry, { name, type, host }: Principal, operation: Operation): boolean {
  const { principalName, principalType } = entry;
  return entry.permission === "ALLOW" &&
    (principalName === name && principalType === type ||
      principalName === WILDCARD && principalType === WILDCARD) &&
    (entry.operation === "ALL" ||
      (operation === "DESCRIBE" ? SEEING.includes(entry.operation) : entry.operation === operation)) &&
    (entry.host === WILDCARD || entry.host === host);
}

function documentOf({ type, name }: AclResource): string {
  return `${PREFIX}${type}/${name}`;
}
