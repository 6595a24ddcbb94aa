/**
 * Checks the types with TypeScript's own compiler: the files of type tests compile, wrong programs are refused in the
 * words of the golden files, and no program costs the compiler more than its budget.
 *
 *     <runtime> tests/types/check.ts [path of tsc] [--update]
 *
 * `--update` writes what was found into the golden files and budgets.json instead; look at the difference before you
 * commit it. A budget is broken above 10 %.
 */
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join, relative } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { BUDGETED, type BudgetedProgram } from "./programs.ts";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const GOLDEN = join(HERE, "golden");
const BUDGETS = join(HERE, "budgets.json");
const TOLERANCE = 1.1;

/** Differences of a few instantiations are the compiler's, not ours. */
const SLACK = 25;

interface Result {
  readonly name: string;
  /** Why it failed; absent when it passed. */
  readonly failure?: string;
}

interface Run {
  readonly output: string;
  readonly status: number | null;
}

const update = process.argv.includes("--update");
const tsc = process.argv.slice(2).find((argument) => !argument.startsWith("--")) ?? process.env["SLUICE_TSC"] ??
  join(ROOT, "tools/node_modules/typescript/bin/tsc");

/** Runs the compiler. Its launcher is JavaScript, which the runtime that runs this file runs too. */
function compile(project: string, ...more: readonly string[]): Promise<Run> {
  const runtime = "Deno" in globalThis ? ["run", "-A", tsc] : [tsc];
  const { promise, resolve, reject } = Promise.withResolvers<Run>();
  const child = spawn(process.execPath, [...runtime, "-p", project, "--pretty", "false", ...more], { cwd: ROOT });
  let output = "";
  child.stdout.on("data", (chunk: Uint8Array) => output += String(chunk));
  child.stderr.on("data", (chunk: Uint8Array) => output += String(chunk));
  child.on("error", reject);
  child.on("close", (status) => resolve({ output, status }));
  return promise;
}

/** A project of some files, with the options that we ask users to set. */
async function project(folder: string, files: readonly string[]): Promise<string> {
  const path = join(folder, "tsconfig.json");
  const { compilerOptions } = JSON.parse(await readFile(join(HERE, "tsconfig.json"), "utf8"));
  compilerOptions.typeRoots = [join(ROOT, "tools/node_modules/@types")];
  await writeFile(path, JSON.stringify({ compilerOptions, files }));
  return path;
}

async function checkTypeTests(): Promise<Result[]> {
  const { output, status } = await compile(join(HERE, "tsconfig.json"));
  return [{ name: "the files of type tests compile", ...(status === 0 ? {} : { failure: output }) }];
}

/** A golden file: what it is about, a program, and what the compiler says of it. */
interface Golden {
  readonly name: string;
  readonly text: string;
  readonly program: string;
  readonly expected: string;
}

const FENCES = /```ts\n([\s\S]*?)```\s*```text\n([\s\S]*?)```/;

async function readGolden(): Promise<Golden[]> {
  const names = (await readdir(GOLDEN)).filter((name) => name.endsWith(".md")).sort();
  return await Promise.all(names.map(async (name) => {
    const text = await readFile(join(GOLDEN, name), "utf8");
    const match = FENCES.exec(text);
    if (match === null) throw new Error(`${name} needs a ts fence and a text fence`);
    return { name, text, program: match[1]!, expected: match[2]! };
  }));
}

async function checkGolden(folder: string): Promise<Result[]> {
  const cases = await readGolden();
  const files = cases.map(({ name }) => name.replace(/\.md$/, ".ts"));
  await Promise.all(cases.map(({ program }, i) => writeFile(join(folder, files[i]!), located(program))));
  const { output } = await compile(await project(folder, files));
  const results: Result[] = [];
  for (const [i, { name, text, program, expected }] of cases.entries()) {
    const found = diagnosticsOf(output, relative(ROOT, join(folder, files[i]!)));
    if (found !== expected && update) {
      await writeFile(
        join(GOLDEN, name),
        text.replace(FENCES, () => `\`\`\`ts\n${program}\`\`\`\n\n\`\`\`text\n${found}\`\`\``),
      );
    }
    const wrong = found !== expected && !update;
    results.push({
      name: `the compiler's words for ${name.replace(/\.md$/, "").replaceAll("_", " ")}`,
      ...(wrong ? { failure: `expected\n${expected}found\n${found}` } : {}),
    });
  }
  return results;
}

/** Programs import "sluice", as users do; here that is the source. */
function located(program: string): string {
  return program.replaceAll('"sluice/', `"${ROOT}src/`).replaceAll('"sluice"', `"${ROOT}mod.ts"`);
}

/** The diagnostics of one file, without its path and without ours. */
function diagnosticsOf(output: string, file: string): string {
  const lines: string[] = [];
  let inside = false;
  for (const line of output.split("\n")) {
    if (!line.startsWith(" ")) inside = line.startsWith(`${file}(`);
    if (inside && line !== "") lines.push(line.replace(file, "").replaceAll(ROOT, ""));
  }
  return lines.map((line) => `${line}\n`).join("");
}

type Budgets = Record<string, number>;

async function checkBudgets(folder: string): Promise<Result[]> {
  const budgets: Budgets = JSON.parse(await readFile(BUDGETS, "utf8").catch(() => "{}"));
  const measured: Budgets = {};
  const measure = async (program: BudgetedProgram) => {
    const own = join(folder, program.name.replaceAll(/[^a-z0-9]+/g, "_"));
    await mkdir(own);
    await writeFile(join(own, "program.ts"), located(program.source));
    const { output } = await compile(await project(own, ["program.ts"]), "--extendedDiagnostics");
    // Mistakes elsewhere are the matter of other checks.
    const error = /^.*program\.ts\(.*error TS.*$/m.exec(output);
    if (error !== null) throw new Error(`the program "${program.name}" does not compile: ${error[0]}`);
    measured[program.name] = Number(/^Instantiations:\s+(\d+)/m.exec(output)?.[1]);
  };
  const waiting = [...BUDGETED];
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await measure(next);
  }));
  const found = Object.fromEntries(
    BUDGETED.flatMap(({ name, above }) => above === undefined ? [] : [[name, measured[name]! - measured[above]!]]),
  );
  if (update) await writeFile(BUDGETS, `${JSON.stringify(found, null, 2)}\n`);
  return Object.entries(found).map(([name, instantiations]) => {
    const budget = update ? instantiations : budgets[name];
    const label = `${name}: ${instantiations} instantiations, budget ${budget ?? "none"}`;
    if (budget === undefined) return { name: label, failure: "budgets.json has no budget for it: run with --update" };
    const limit = Math.max(budget * TOLERANCE, budget + SLACK);
    return { name: label, ...(instantiations <= limit ? {} : { failure: `more than ${Math.floor(limit)}` }) };
  });
}

async function main(): Promise<number> {
  // Beside the sources, so that programs resolve packages as they do.
  await mkdir(join(ROOT, ".cache"), { recursive: true });
  const folder = await mkdtemp(join(ROOT, ".cache/types-"));
  try {
    await mkdir(join(folder, "golden"));
    const results = [
      ...await checkTypeTests(),
      ...await checkGolden(join(folder, "golden")),
      ...await checkBudgets(folder),
    ];
    for (const { name, failure } of results) {
      console.log(`${failure === undefined ? "ok" : "FAILED"} ${name}`);
      if (failure !== undefined) console.log(failure);
    }
    const failed = results.filter(({ failure }) => failure !== undefined).length;
    console.log(`types: ${results.length - failed} passed, ${failed} failed`);
    return failed === 0 ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main();
