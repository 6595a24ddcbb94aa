/**
 * `sluice users`: who has rights.
 *
 * @module
 */
import type { Acl } from "../../query/admin/acls.ts";
import type { CliCommand, Io, Values } from "../command.ts";
import { CONNECTION_EXITS, CONNECTION_OPTIONS } from "./connection.ts";
import { jsonText, printRows } from "./output.ts";
import { withDb } from "./with_db.ts";

/** See the module. */
export const users: CliCommand = {
  name: "users",
  summary: "list who has rights",
  about:
    "Lists who was granted rights, and how many of which kind; acl has them one by one. Users themselves stand in " +
    "the configuration of the servers (security.sasl.plain.jaas.config), which no request lists or changes: one " +
    "without rights, and one of super.users, is not among them.",
  words: [],
  options: CONNECTION_OPTIONS,
  examples: ["users", "users --json", "acl --user alice"],
  exits: CONNECTION_EXITS,
  run,
};

interface UserLine {
  readonly user: string;
  /** `User`, or what else the servers' authorizer knows. */
  readonly type: string;
  readonly rights: number;
  readonly operations: readonly string[];
}

async function run(values: Values, io: Io): Promise<void> {
  await withDb(values, io, async (db) => {
    const lines = linesOf(await db.admin.acls());
    await printRows(
      {
        columns: [{ name: "user" }, { name: "type" }, { name: "rights", right: true }, { name: "operations" }],
        cells: ({ user, type, rights, operations }: UserLine) => [user, type, String(rights), operations.join(", ")],
        json: jsonText,
      },
      values,
      io,
      (output) => output.add(lines),
    );
  });
}

function linesOf(acls: readonly Acl[]): UserLine[] {
  const users = Map.groupBy(acls, ({ user, userType = "User" }) => JSON.stringify([userType, user]));
  return [...users.values()].map((own): UserLine => ({
    user: own[0]!.user,
    type: own[0]!.userType ?? "User",
    rights: own.length,
    operations: [...new Set(own.map(({ operation }) => operation))].sort(),
  })).sort((a, b) => a.user < b.user ? -1 : 1);
}
