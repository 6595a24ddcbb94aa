/** Programs whose cost to the compiler has a budget. */

/** One of them. */
export interface BudgetedProgram {
  readonly name: string;
  readonly source: string;
  /**
   * The program whose cost is taken off, so that the budget is that of what this one adds. Without it the program is
   * such a base itself and has no budget: it counts the bodies of our functions, which users never compile.
   */
  readonly above?: string;
}

const SCHEMA = 'import { type InferInsert, type InferRow, t, table } from "sluice/schema/mod.ts";\n';
const DB = 'import type { Db } from "sluice/query/db.ts";\ndeclare const db: Db;\n';

const TYPES = ["t.string()", "t.bigint()", "t.timestampLtz(3)", "t.decimal(18, 2)", "t.int().notNull()"];

function tableSource(name: string, columns: number, options = '{ primaryKey: ["c0"] }'): string {
  const lines = Array.from({ length: columns }, (_, i) => `  c${i}: ${TYPES[i % TYPES.length]},`);
  return `export const ${name} = table("a.${name}", {\n${lines.join("\n")}\n}, ${options});\n`;
}

function rowTypes(name: string): string {
  return `export interface ${name}Row extends InferRow<typeof ${name}> {}\n` +
    `export interface ${name}Insert extends InferInsert<typeof ${name}> {}\n`;
}

/** A table whose partial updates are possible: nothing is NOT NULL outside of the key. */
const LOOSE = tableSource("loose", 20, '{ primaryKey: ["c0", "c1"], bucketKey: ["c0"] }').replaceAll(".notNull()", "");

const handle = DB + SCHEMA + LOOSE;
const opened = `${handle}const h = db.table(loose);\n`;
const key = '{ c0: "a", c1: 1n }';

function operation(name: string, line: string): BudgetedProgram {
  return { name, source: `${opened}export const result = ${line};\n`, above: "db.table" };
}

const PROJECT = Array.from({ length: 100 }, (_, i) => {
  const name = `t${i}`;
  return tableSource(name, 20) + rowTypes(name);
}).join("");

const USES = Array.from({ length: 100 }, (_, i) =>
  `export async function use${i}(): Promise<unknown> {\n` +
  `  const h = db.table(t${i});\n` +
  `  h.upsert({ c0: "a", c4: 1, c9: 1, c14: 1, c19: 1 });\n` +
  `  h.delete({ c0: "a" });\n` +
  `  await h.lookupMany([{ c0: "b" }]);\n` +
  `  return (await h.lookup({ c0: "a" }, { select: ["c1"] }))?.c1;\n}\n`).join("");

/** All programs; those that others are `above` come with them. */
export const BUDGETED: readonly BudgetedProgram[] = [
  { name: "schema library", source: `${SCHEMA}export type { InferInsert, InferRow };\nexport { t, table };\n` },
  { name: "table of 20 columns", source: SCHEMA + tableSource("one", 20), above: "schema library" },
  {
    name: "rows of a table of 20 columns",
    source: `${SCHEMA}${tableSource("one", 20)}${rowTypes("one")}` +
      'export const row: oneInsert = { c0: "a", c4: 1, c9: 1, c14: 1, c19: 1 };\n',
    above: "table of 20 columns",
  },
  { name: "100 tables of 20 columns", source: SCHEMA + PROJECT, above: "schema library" },
  {
    name: "table of 1000 columns",
    source: SCHEMA + tableSource("wide", 1000) + rowTypes("wide"),
    above: "schema library",
  },
  {
    name: "a wrong key",
    source: `${SCHEMA}${tableSource("one", 20).replace('primaryKey: ["c0"]', 'primaryKey: ["nope" as "c0"]')}`,
    above: "schema library",
  },
  // Handles of tables.
  { name: "query library", source: `${DB}${SCHEMA}${LOOSE}export const d: Db = db;\n` },
  { name: "db.table", source: opened, above: "query library" },
  operation("lookup", `h.lookup(${key})`),
  operation("lookup with select", `h.lookup(${key}, { select: ["c2"] })`),
  operation("lookupMany", `h.lookupMany([${key}])`),
  operation("prefixLookup", 'h.prefixLookup({ c0: "a" })'),
  operation("upsert", 'h.upsert({ c0: "a", c1: 1n, c3: "1.00" })'),
  operation("update", 'h.update({ c0: "a", c1: 1n, c3: null })'),
  operation("delete", `h.delete(${key})`),
  operation("select", 'h.scan().select("c0", "c2")'),
  operation("where", 'h.scan().where((c) => c.c0.eq("a").and(c.c1.gt(1n)))'),
  operation("rows of a scan", 'h.scan().select("c0", "c2").toArray()'),
  {
    name: "changes",
    source: `${opened}export async function follow(): Promise<void> {\n` +
      '  for await (const e of h.changes({ from: "earliest" })) if (e.op === "update") void e.before.c0;\n}\n',
    above: "db.table",
  },
  {
    name: "100 tables with four operations each",
    source: `${DB}${SCHEMA}${PROJECT}${USES}`,
    above: "query library",
  },
];
