/**
 * The checks of the code and the package: everything that needs no cluster and no test runner.
 *
 * @module
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { compile } from "../binary/build.ts";
import { run } from "../command.ts";
import { denoPath, install, ROOT, TOOLS } from "../install.ts";
import { checkImports, checkPrograms, checkTypes, type Consumer, makeConsumer } from "../package/check.ts";
import { checkSession } from "../package/session.ts";
import type { Runtime } from "../runtimes.ts";
import { Failed, type Tally } from "./tally.ts";

/** Where code of ours is; folders that do not exist yet are left out. */
const CODE = ["mod.ts", "src", "tests", "tools", "examples", "bench"];

/** Runs a program in the project; what it prints is only shown when it fails. */
async function must(program: string, args: readonly string[]): Promise<void> {
  const { code, output } = await run(program, args, { cwd: ROOT });
  if (code !== 0) throw new Failed(output);
}

function deno(...args: string[]): Promise<void> {
  return must(denoPath(), args);
}

function script(path: string, ...args: string[]): Promise<void> {
  if (!existsSync(join(ROOT, path))) throw new Failed(`${path} is missing`);
  return deno("run", "-A", "--config", "deno.json", path, ...args);
}

/** The TypeScript compiler: since version 7 a binary, in a package for each platform. */
export function tscPath(): string {
  const typescript = dirname(createRequire(join(TOOLS, "package.json")).resolve("typescript/package.json"));
  const platform = `@typescript/typescript-${process.platform}-${process.arch}`;
  const manifest = createRequire(join(typescript, "package.json")).resolve(`${platform}/package.json`);
  return join(dirname(manifest), "lib", process.platform === "win32" ? "tsc.exe" : "tsc");
}

/** `deno doc --lint` also judges the types of the peer that an adapter names, and no option tells it not to. */
function isOurs(path: string): boolean {
  return !path.includes("/adapters/");
}

/** The modules that users import. */
function entryPoints(): string[] {
  const { exports } = JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8")) as { exports: Record<string, string> };
  const paths = Object.values(exports);
  const missing = paths.filter((path) => !existsSync(join(ROOT, path)));
  if (missing.length > 0) throw new Failed(`deno.json exports ${missing.join(", ")}, which is not there`);
  return paths;
}

/** Checks the programs in Markdown and in doc comments, which import the package by its name as a reader would. */
function checkExamples(): Promise<void> {
  const pages = readdirSync(join(ROOT, "docs")).filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`);
  const sources = ["README.md", "CONTRIBUTING.md", ...pages, "mod.ts", "src"];
  return deno("check", "--doc-only", "--import-map", "tools/test/examples.json", ...sources);
}

async function checkPackage(tally: Tally, tsc: string, runtimes: readonly Runtime[]): Promise<void> {
  let consumer: Consumer | undefined;
  await tally.step("package: build, pack, install", async () => {
    const bun = runtimes.find(({ name }) => name === "bun");
    if (bun === undefined) throw new Failed("Bun packs it, and was not found");
    consumer = await makeConsumer(tsc, bun);
  });
  if (consumer === undefined) return;
  try {
    const installed = consumer;
    for (const runtime of runtimes) {
      await tally.step(`package: imports on ${runtime.name}`, () => checkImports(installed, runtime));
      await tally.step(`package: programs on ${runtime.name}`, () => checkPrograms(installed, runtime));
    }
    await tally.step("package: types in a consumer's project", () => checkTypes(installed, tsc));
  } finally {
    consumer.remove();
  }
}

async function checkBinary(runtimes: readonly Runtime[]): Promise<void> {
  const bun = runtimes.find(({ name }) => name === "bun");
  if (bun === undefined) throw new Failed("Bun compiles it, and was not found");
  const folder = mkdtempSync(join(tmpdir(), "sluice-binary-"));
  try {
    const file = join(folder, "sluice");
    await compile(bun.path, file);
    await checkSession([file], folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs all of them; a check that fails keeps no other from running. */
export async function checks(tally: Tally, runtimes: readonly Runtime[]): Promise<void> {
  const installed = await tally.step("install packages", async () => {
    await install(ROOT);
    await install(TOOLS);
  });
  if (!installed) return;
  const tsc = tscPath();
  const code = CODE.filter((path) => existsSync(join(ROOT, path)));

  await tally.step("format", () => deno("fmt", "--check"));
  await tally.step("lint", () => deno("lint"));
  await tally.step("types: deno check", () => deno("check", ...code));
  await tally.step("types: tsc, what is published", () => must(tsc, ["-p", "tsconfig.json"]));
  await tally.step("types: tsc, everything else", () => must(tsc, ["-p", "tests/tsconfig.json"]));
  await tally.step("types: suite", () => script("tests/types/check.ts"));
  await tally.step("wire contract is current", () => script("tools/proto/generate.ts", "--check"));
  await tally.step("docs: table of errors is current", () => script("tools/errors_doc.ts", "--check"));
  await tally.step("docs: examples", checkExamples);
  await tally.step("docs: every export", () => deno("doc", "--lint", ...entryPoints().filter(isOurs)));
  await tally.step("publishing to JSR, tried", () => deno("publish", "--dry-run", "--allow-dirty", "--quiet"));
  await checkPackage(tally, tsc, runtimes);
  await tally.step("binary: compiled, tried", () => checkBinary(runtimes));
}
