/**
 * `plan --rebuild`: a table made anew, with its rows, where servers refuse a change. Servers rename no tables, so its rows
 * go into a table beside it and back.
 *
 * @module
 */
import { flussError } from "../base/errors.ts";
import { soundGraph } from "./check.ts";
import { withoutComments } from "./column_type.ts";
import { mergeHeads } from "./graph.ts";
import { isSameJson } from "./json_text.ts";
import { applyTo, type Operation, operation } from "./operations.ts";
import { addMigration, type PlanOptions } from "./plan.ts";
import { declaredSnapshot, type Project } from "./project.ts";
import { besideOf, TODO_MARK } from "./rebuild_marks.ts";
import { literal } from "./source.ts";
import type { ColumnSnapshot, TableSnapshot } from "./snapshot.ts";

/** What `plan --rebuild` did. */
export interface RebuildResult {
  /** It went well. */
  readonly ok: true;
  /** The new migrations, in order: rows into a table beside, the swap, and the end of the table beside. */
  readonly migrations: readonly string[];
  /** Their folders. */
  readonly folders: readonly string[];
  /** What a person has to do. */
  readonly notes: readonly string[];
}

/**
 * Plans a table anew, as it is declared now, with its rows.
 *
 * @param table its full name
 * @throws FlussUsageError `MIGRATION.UNKNOWN` for a table that is not in the migrations, or not declared
 * @throws FlussMigrationError `MIGRATION.INVALID`
 */
export async function planRebuild(
  project: Project,
  table: string,
  options: Pick<PlanOptions, "name" | "now" | "dryRun"> = {},
): Promise<RebuildResult> {
  const graph = await soundGraph(project);
  const { snapshot: start } = mergeHeads(graph);
  const wanted = declaredSnapshot(project).tables;
  const [old, next] = [start.tables, wanted].map((tables) => Object.hasOwn(tables, table) ? tables[table] : undefined);
  if (old === undefined || next === undefined) {
    throw flussError("MIGRATION.UNKNOWN", {
      message: `${JSON.stringify(table)} is ${old === undefined ? "in no migration" : "not declared"}`,
      hint: "name a table as database.table that was planned before, and declare it as it shall be",
    });
  }
  const beside = besideOf(table);
  if (Object.hasOwn(start.tables, beside)) {
    throw flussError("MIGRATION.UNKNOWN", {
      message: `the table is being rebuilt: ${beside} is there`,
      hint: "apply what was planned first",
    });
  }
  const mapping = mappingOf(old, next);
  const steps: readonly { readonly what: string; readonly operations: readonly Operation[]; readonly data?: string }[] =
    [
      {
        what: "1 copy",
        operations: [operation.createTable(beside, next)],
        data: copySource(table, beside, mapping.lines),
      },
      {
        what: "2 swap",
        operations: [operation.dropTable(table), operation.createTable(table, next)],
        data: copySource(beside, table, backLines(next)),
      },
      { what: "3 clean", operations: [operation.dropTable(beside)] },
    ];
  const notes = [
    `nobody may write ${table} from the first of these migrations to the last`,
    `apply needs --allow drop-table:${table} --allow drop-table:${beside}`,
    ...mapping.open.map((what) => `say in data.ts of the first: ${what}`),
  ];
  if (options.dryRun) return { ok: true, migrations: [], folders: [], notes };
  const name = options.name ?? `rebuild ${table.slice(table.indexOf(".") + 1)}`;
  const known = [...graph.ordered];
  let heads = graph.heads;
  let before = start;
  for (const { what, operations, data } of steps) {
    const after = operations.reduce(applyTo, before);
    const migration = await addMigration(project, heads, known, {
      name: `${name} ${what}`,
      now: options.now ?? new Date(),
      before,
      after,
      operations,
      ...(data === undefined ? {} : { data }),
    });
    known.push(migration);
    heads = [migration];
    before = after;
  }
  const migrations = known.slice(-steps.length).map(({ id }) => id);
  return { ok: true, migrations, folders: migrations.map((id) => `${project.out}/${id}`), notes };
}

interface Mapping {
  /** One per column of the new table. */
  readonly lines: readonly string[];
  /** What only a person knows. */
  readonly open: readonly string[];
}

function mappingOf(old: TableSnapshot, next: TableSnapshot): Mapping {
  const lines: string[] = [];
  const open: string[] = [];
  const had = new Map(old.columns.map((column) => [column.name, column]));
  const todo = (what: string): string => {
    open.push(what);
    return `todo(${literal(`${TODO_MARK}: ${what}`)})`;
  };
  if (
    next.primaryKey.length > 0 &&
    !(old.primaryKey.length > 0 && old.primaryKey.every((key) => next.primaryKey.includes(key)))
  ) {
    todo(`of rows with the same ${next.primaryKey.join(", ")} one is left: is that right?`);
    lines.push(
      `// ${TODO_MARK}: of rows with the same ${
        next.primaryKey.map(literal).join(", ")
      } one is left; remove this line if that is right`,
    );
  }
  for (const column of next.columns) {
    const { name } = column;
    if (column.autoIncrement) {
      todo(`rows get new numbers in ${literal(name)}: is that right?`);
      lines.push(`// ${TODO_MARK}: rows get new numbers in ${literal(name)}; remove this line if that is right`);
      continue;
    }
    lines.push(`[${literal(name)}]: ${valueSource(had.get(name), column, todo)},`);
  }
  return { lines, open };
}

/** The way back; undefined where rows go as they are. Numbers of the server are not written. */
function backLines({ columns }: TableSnapshot): readonly string[] | undefined {
  if (!columns.some(({ autoIncrement }) => autoIncrement)) return undefined;
  return columns.filter(({ autoIncrement }) => !autoIncrement).map(({ name }) =>
    `[${literal(name)}]: row[${literal(name)}],`
  );
}

const WHOLE: readonly unknown[] = ["TINYINT", "SMALLINT", "INT"];

/** What becomes of a column, as an expression. */
function valueSource(old: ColumnSnapshot | undefined, next: ColumnSnapshot, todo: (what: string) => string): string {
  const at = `row[${literal(next.name)}]`;
  if (old === undefined) return next.nullable ? "null" : todo(`what is the new column ${literal(next.name)}?`);
  const value = converted(at, old, next);
  if (value === undefined) return todo(`what does ${literal(next.name)} become, whose type is another?`);
  if (next.nullable || !old.nullable) return value;
  return `${value} ?? ${todo(`what does null in ${literal(next.name)} become?`)}`;
}

function converted(at: string, { type: from }: ColumnSnapshot, { type: to }: ColumnSnapshot): string | undefined {
  if (isSameJson(withoutComments(from), withoutComments(to))) return at;
  const [small, large] = [WHOLE.indexOf(from), WHOLE.indexOf(to)];
  if (small >= 0 && small < large) return at;
  if (small >= 0 && to === "BIGINT") return `(${at} == null ? null : BigInt(${at} as number))`;
  if (from === "FLOAT" && to === "DOUBLE") return at;
  const plain = small >= 0 || from === "BIGINT" || from === "BOOLEAN";
  if (plain && to === "STRING") return `(${at} == null ? null : String(${at}))`;
  return typeof from === "string" && from.startsWith("CHAR(") && to === "STRING" ? at : undefined;
}

function copySource(from: string, to: string, lines: readonly string[] | undefined): string {
  const needsTodo = lines?.some((line) => line.includes("todo(")) === true;
  const row = lines === undefined ? [] : ["    row: (row) => ({", ...lines.map((line) => `      ${line}`), "    }),"];
  return [
    'import { copyRows, type DataStep } from "sluice/migrate";',
    "",
    ...(needsTodo ? ["const todo = (what: string): never => {", "  throw new Error(what);", "};", ""] : []),
    `// Nobody may write ${literal(from)} or ${literal(to)} before the last of these migrations is applied.`,
    "const step: DataStep = async (db, context) => {",
    "  await copyRows(db, context, {",
    `    from: ${literal(from)},`,
    `    to: ${literal(to)},`,
    ...row,
    "  });",
    "};",
    "export default step;",
    "",
  ].join("\n");
}
