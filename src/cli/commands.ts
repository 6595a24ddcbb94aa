/**
 * The table of commands. To add one, write it in a file of its own and name it here.
 *
 * @module
 */
import type { CliCommand } from "./command.ts";
import { acl } from "./data/acl.ts";
import { config } from "./data/config.ts";
import { describe } from "./data/describe.ts";
import { exportRows } from "./data/export.ts";
import { lookup } from "./data/lookup.ts";
import { ls } from "./data/ls.ts";
import { offsets } from "./data/offsets.ts";
import { prefix } from "./data/prefix.ts";
import { scan } from "./data/scan.ts";
import { tail } from "./data/tail.ts";
import { top } from "./data/top.ts";
import { users } from "./data/users.ts";
import { append, remove, update, upsert } from "./data/writes.ts";
import { completionOf } from "./completion.ts";
import { dev } from "./dev.ts";
import { apply } from "./migrate/apply.ts";
import { check } from "./migrate/check.ts";
import { diff } from "./migrate/diff.ts";
import { init } from "./migrate/init.ts";
import { plan } from "./migrate/plan.ts";
import { pull } from "./migrate/pull.ts";
import { push } from "./migrate/push.ts";
import { status } from "./migrate/status.ts";

const WORK: readonly CliCommand[] = [
  ls,
  describe,
  lookup,
  prefix,
  scan,
  tail,
  upsert,
  update,
  remove,
  append,
  exportRows,
  offsets,
  acl,
  users,
  config,
  top,
  init,
  pull,
  diff,
  plan,
  check,
  apply,
  status,
  push,
  dev,
];

/** Every command, in the order of the help. */
export const COMMANDS: readonly CliCommand[] = [...WORK, completionOf(WORK)];
