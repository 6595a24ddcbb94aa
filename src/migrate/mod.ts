/**
 * Schema-declared migrations: planned from declarations, checked, and applied to clusters. The commands of `sluice` are
 * thin shells over these functions, and their `--json` prints what these return.
 *
 * @module
 */
export { type AppliedMigration, apply, type ApplyEvent, type ApplyOptions, type ApplyResult } from "./apply.ts";
export { check, type CheckResult } from "./check.ts";
export type { FieldSnapshot, NestedSnapshot, TypeSnapshot } from "./column_type.ts";
export { type CopyOptions, copyRows } from "./copy_rows.ts";
export type { DataContext, DataStep } from "./data_step.ts";
export { type Blocked, type BlockedChange, type Difference, type DiffOptions, diffSnapshots } from "./diff_tables.ts";
export {
  type AddColumn,
  type AdoptTable,
  type AlterOptions,
  type CreateDatabase,
  type CreateTable,
  type DropTable,
  type Operation,
  operationText,
} from "./operations.ts";
export { plan, type PlanOptions, type PlanResult } from "./plan.ts";
export { defineConfig, type Project, type SluiceConfig } from "./project.ts";
export { planFromLive, pull, type PullOptions, type PullResult } from "./pull.ts";
export { push, type PushOptions, type PushResult } from "./push.ts";
export { planRebuild, type RebuildResult } from "./rebuild.ts";
export type { ServerVersion } from "./servers.ts";
export type { ColumnSnapshot, Snapshot, TableSnapshot } from "./snapshot.ts";
export type { MigrationState } from "./state.ts";
export { diff, type DiffResult, type KnownMigration, status, type StatusResult } from "./status.ts";
export type { LockHolder } from "./lock.ts";
