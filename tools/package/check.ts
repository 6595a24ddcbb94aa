/**
 * Checks the package as its users get it: built, packed, installed into a project of its own, imported there on every
 * runtime, and type-checked there.
 *
 * @module
 */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../command.ts";
import { ROOT } from "../install.ts";
import type { Runtime } from "../runtimes.ts";
import { Failed } from "../test/tally.ts";
import { checkSession } from "./session.ts";

interface PackageJson {
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly bin: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly scripts?: unknown;
}

/** A project that uses the package, in a folder of its own. */
export interface Consumer {
  readonly folder: string;
  /** What can be imported: `sluice`, `sluice/schema`, ... */
  readonly specifiers: readonly string[];
  /** The programs of the package: where they are, and what they say to `--version`. */
  readonly programs: readonly { readonly path: string; readonly version: string }[];
  remove(): void;
}

const IMPORTS = "imports.mjs";

async function must(what: string, program: string, args: readonly string[], cwd: string): Promise<string> {
  const { code, output } = await run(program, args, { cwd });
  if (code !== 0) throw new Failed(`${what} failed:\n${output}`);
  return output;
}

/** Builds, packs and installs the package. Bun does the packing and installing, so npm need not be there. */
export async function makeConsumer(tsc: string, bun: Runtime): Promise<Consumer> {
  const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as PackageJson & { files: string[] };
  if (manifest.scripts !== undefined) throw new Failed("package.json has scripts; a package of ours runs none");

  const folder = mkdtempSync(join(tmpdir(), "sluice-package-"));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const source = join(folder, "source");
    mkdirSync(source);
    await must("the build", tsc, ["-p", "tsconfig.build.json", "--outDir", join(source, "dist")], ROOT);
    for (const file of ["package.json", ...manifest.files.filter((name) => name !== "dist")]) {
      cpSync(join(ROOT, file), join(source, file), { recursive: true });
    }
    await must("packing", bun.path, ["pm", "pack", "--ignore-scripts", "--destination", folder], source);
    const archive = readdirSync(folder).find((name) => name.endsWith(".tgz"));
    if (archive === undefined) throw new Failed("packing made no archive");

    const project = join(folder, "project");
    mkdirSync(project);
    const dependencies = { [manifest.name]: `file:../${archive}`, ...manifest.peerDependencies };
    writeFileSync(join(project, "package.json"), JSON.stringify({ type: "module", private: true, dependencies }));
    await must("installing", bun.path, ["install", "--ignore-scripts", "--no-save"], project);

    const specifiers = Object.keys(manifest.exports).map((path) => manifest.name + path.slice(1));
    writeFileSync(join(project, IMPORTS), importAll(specifiers));
    const programs = Object.values(manifest.bin).map((path) => ({
      path: join(project, "node_modules", manifest.name, path),
      version: manifest.version,
    }));
    return { folder: project, specifiers, programs, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** A program that imports everything and complains of a module that exports nothing. */
function importAll(specifiers: readonly string[]): string {
  return [
    `for (const specifier of ${JSON.stringify(specifiers)}) {`,
    "  const names = Object.keys(await import(specifier));",
    "  if (names.length === 0) throw new Error(`${specifier} exports nothing`);",
    "}",
    "",
  ].join("\n");
}

/** Imports every export on a runtime; on Deno without any permission. */
export async function checkImports(consumer: Consumer, { name, path }: Runtime): Promise<void> {
  const options = name === "deno" ? ["run", "--no-prompt", "--node-modules-dir=manual"] : [];
  await must(`importing on ${name}`, path, [...options, IMPORTS], consumer.folder);
}

/** Runs every program of the package on a runtime. */
export async function checkPrograms(consumer: Consumer, { name, path }: Runtime): Promise<void> {
  const options = name === "deno" ? ["run", "-A", "--node-modules-dir=manual"] : [];
  for (const program of consumer.programs) {
    const said = await must(
      `${program.path} on ${name}`,
      path,
      [...options, program.path, "--version"],
      consumer.folder,
    );
    if (said !== program.version) throw new Failed(`${program.path} on ${name} said ${said}, not ${program.version}`);
    await checkSession([path, ...options, program.path], consumer.folder);
  }
}

/** Type-checks a program that uses every export, with the strictest options and the declarations of the package. */
export async function checkTypes(consumer: Consumer, tsc: string): Promise<void> {
  const compilerOptions = {
    target: "esnext",
    lib: ["esnext", "dom", "dom.iterable", "dom.asynciterable"],
    module: "nodenext",
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    noEmit: true,
    types: [],
  };
  writeFileSync(join(consumer.folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
  const imports = consumer.specifiers.map((specifier, i) => `export * as module${i} from "${specifier}";`);
  writeFileSync(join(consumer.folder, "all.ts"), imports.join("\n"));
  // In the project the program imports the source, so that every check of ours sees it; a user imports the package.
  const program = readFileSync(join(ROOT, "tools", "package", "consumer.ts"), "utf8");
  writeFileSync(join(consumer.folder, "consumer.ts"), program.replace(/"[./]+mod\.ts"/, `"${consumer.specifiers[0]}"`));
  await must("the type check of the consumer", tsc, ["-p", "tsconfig.json"], consumer.folder);
}
