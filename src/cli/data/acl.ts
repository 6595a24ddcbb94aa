/**
 * `sluice acl`: who may do what.
 *
 * @module
 */
import type { Acl, AclFilter, AclOperation, AclResource } from "../../query/admin/acls.ts";
import type { CliCommand, Io, Values } from "../command.ts";
import { CONNECTION_EXITS, CONNECTION_OPTIONS } from "./connection.ts";
import { jsonText, printRows } from "./output.ts";
import { badUsage, isOn, textOf } from "./values.ts";
import { withDb } from "./with_db.ts";

const OPERATIONS: readonly AclOperation[] = ["all", "read", "write", "create", "drop", "alter", "describe"];

/** See the module. */
export const acl: CliCommand = {
  name: "acl",
  summary: "list, grant and revoke rights",
  about:
    "Lists the rights that the options find, grants one, or takes back all that the options find. Servers ask for " +
    "rights where they were started with authorizer.enabled.",
  words: [{ syntax: "[action]", text: "list (the default), grant or revoke" }],
  options: [
    ...CONNECTION_OPTIONS,
    { flags: "--user <name>", text: "who; * is everybody" },
    { flags: "--operation <name>", text: `what they may do: ${OPERATIONS.join(", ")}` },
    { flags: "--on <resource>", text: "on what: cluster, a database, or a table as database.table" },
    { flags: "--host <address>", text: "from where; * is anywhere" },
    { flags: "--all", text: "revoke every right there is" },
  ],
  examples: [
    "acl --user alice",
    "acl grant --user reports --operation read --on shop.orders",
    "acl revoke --user reports",
  ],
  exits: CONNECTION_EXITS,
  run,
};

async function run(values: Values, io: Io, [action = "list", ...rest]: readonly string[]): Promise<void> {
  if (rest.length > 0 || !["list", "grant", "revoke"].includes(action)) {
    throw badUsage(`acl ${JSON.stringify(action)} is nothing to do`, "there are list, grant and revoke");
  }
  const filter = readFilter(values);
  const wanted = action === "grant" ? [rightOf(filter)] : [];
  if (action === "revoke" && Object.keys(filter).length === 0 && !isOn(values, "all")) {
    throw badUsage("acl revoke without an option would take back every right", "name them, or add --all");
  }
  await withDb(values, io, async (db) => {
    if (action === "grant") await db.admin.createAcls(wanted);
    const found = action === "grant"
      ? wanted
      : action === "list"
      ? await db.admin.acls(filter)
      : await db.admin.dropAcls([filter]);
    const names = ["user", "operation", "on", "host"] as const;
    await printRows(
      {
        columns: names.map((name) => ({ name })),
        cells: (entry: Acl) => {
          const { user, operation, on, host } = entryOf(entry);
          return [user, operation, on, host];
        },
        json: (entry: Acl) => jsonText(entryOf(entry)),
      },
      values,
      io,
      (output) => output.add(found),
    );
  });
}

function readFilter(values: Values): AclFilter {
  const operation = textOf(values, "operation");
  if (operation !== undefined && !OPERATIONS.some((known) => known === operation)) {
    throw badUsage(`--operation ${JSON.stringify(operation)} is none`, `there are ${OPERATIONS.join(", ")}`);
  }
  const [user, host, on] = [textOf(values, "user"), textOf(values, "host"), textOf(values, "on")];
  return {
    ...(on === undefined ? {} : { resource: resourceOf(on) }),
    ...(user === undefined ? {} : { user }),
    ...(operation === undefined ? {} : { operation: operation as AclOperation }),
    ...(host === undefined ? {} : { host }),
  };
}

function resourceOf(text: string): AclResource {
  if (text === "cluster") return "cluster";
  return text.includes(".") ? { table: text } : { database: text };
}

function rightOf({ resource, user, operation, host }: AclFilter): Acl {
  if (resource !== undefined && user !== undefined && operation !== undefined) {
    return { resource, user, operation, ...(host === undefined ? {} : { host }) };
  }
  throw badUsage(
    "acl grant needs --user, --operation and --on",
    "for example sluice acl grant --user reports --operation read --on shop.orders",
  );
}

function entryOf({ resource, user, operation, host }: Acl) {
  const on = resource === "cluster" ? "cluster" : "database" in resource ? resource.database : resource.table;
  return { user, operation, on, host: host ?? "*" };
}
