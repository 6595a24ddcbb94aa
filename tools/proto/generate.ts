/**
 * Turns the contract in `proto/` into the TypeScript of `src/client/rpc/gen`.
 *
 *     deno run -A tools/proto/generate.ts            lint, then write
 *     deno run -A tools/proto/generate.ts --check    lint, then tell whether the committed code is current
 *
 * buf reads and lints; protoc-gen-es runs inside this process, because a plugin that buf starts would need a `node` on
 * the PATH. That is why there is no `buf.gen.yaml`: the options of the generated code are `PARAMETER` below.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const HOME = fileURLToPath(new URL("../../", import.meta.url));
const CONTRACT = join(HOME, "proto");
const GENERATED = join(HOME, "src/client/rpc/gen");

/**
 * What protoc-gen-es is told. Imports with extension, as everywhere in our sources; and for every message a second type
 * in which required fields are there, because `readMessage()` makes sure of it.
 */
const PARAMETER = "target=ts,import_extension=ts,valid_types=legacy_required";

/** The part of protobuf's plugin protocol that is used here. */
interface Plugin {
  run(request: unknown): { readonly file: readonly { readonly name: string; readonly content: string }[] };
}

interface Descriptors {
  readonly file: readonly { readonly name: string }[];
}

interface Protobuf {
  fromBinary(schema: unknown, bytes: Uint8Array): Descriptors;
  create(schema: unknown, init: Record<string, unknown>): unknown;
}

const MISSING = "buf and protoc-gen-es are not installed; install what tools/package.json names: " +
  "deno install (or npm install) in the folder tools";

/** Packages are looked up from here, so that the tools' own `node_modules` is found whatever the working folder is. */
const load = createRequire(import.meta.url);

function need(name: string): unknown {
  try {
    return load(name);
  } catch (error) {
    if ((error as { code?: string }).code === "MODULE_NOT_FOUND") throw new Error(MISSING);
    throw error;
  }
}

/** The path of buf's binary; its own launcher would want Node. */
function bufPath(): string {
  const suffix = process.platform === "win32" ? ".exe" : "";
  // buf names its packages as uname does.
  const machine = process.platform === "linux" && process.arch === "arm64" ? "aarch64" : process.arch;
  try {
    return load.resolve(`@bufbuild/buf-${process.platform}-${machine}/bin/buf${suffix}`);
  } catch {
    throw new Error(MISSING);
  }
}

/** Runs buf on the contract; what it says about the contract goes to the terminal. */
function buf(...args: string[]): Uint8Array {
  const { status, stdout, error } = spawnSync(bufPath(), args, {
    cwd: CONTRACT,
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 64 << 20,
  });
  if (error !== undefined) throw error;
  if (status !== 0) {
    process.stderr.write(stdout);
    throw new Error(`buf ${args[0]} found something wrong with the contract in proto/`);
  }
  return stdout;
}

/** The generated code, by its path below `GENERATED`. */
function generate(): Map<string, string> {
  const protobuf = need("@bufbuild/protobuf") as Protobuf;
  const { CodeGeneratorRequestSchema, FileDescriptorSetSchema } = need("@bufbuild/protobuf/wkt") as Record<
    string,
    unknown
  >;
  const { protocGenEs } = need("@bufbuild/protoc-gen-es/dist/cjs/src/protoc-gen-es-plugin.js") as {
    protocGenEs: Plugin;
  };
  const contract = protobuf.fromBinary(FileDescriptorSetSchema, buf("build", "--as-file-descriptor-set", "-o", "-"));
  const request = protobuf.create(CodeGeneratorRequestSchema, {
    fileToGenerate: contract.file.map((file) => file.name),
    parameter: PARAMETER,
    protoFile: contract.file,
  });
  return new Map(protocGenEs.run(request).file.map((file) => [file.name, file.content]));
}

/** The committed code, by its path below `GENERATED`. */
function committed(): Map<string, string> {
  if (!existsSync(GENERATED)) return new Map();
  return new Map(
    readdirSync(GENERATED, { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts"))
      .map((path) => [path.replaceAll("\\", "/"), readFileSync(join(GENERATED, path), "utf8")]),
  );
}

/** One line per file that is not what it should be. */
function differences(now: ReadonlyMap<string, string>, before: ReadonlyMap<string, string>): string[] {
  const found: string[] = [];
  for (const [path, text] of now) {
    if (!before.has(path)) found.push(`${path} is missing`);
    else if (before.get(path) !== text) found.push(`${path} is out of date`);
  }
  for (const path of before.keys()) if (!now.has(path)) found.push(`${path} has no source any more`);
  return found;
}

function write(files: ReadonlyMap<string, string>): void {
  rmSync(GENERATED, { recursive: true, force: true });
  for (const [path, text] of files) {
    const target = join(GENERATED, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
  }
}

/** Does the work; the exit code says whether all is well. */
function main(args: readonly string[]): number {
  const unknown = args.find((arg) => arg !== "--check");
  if (unknown !== undefined) throw new Error(`unknown argument ${unknown}; the only one is --check`);
  buf("lint");
  buf("format", "--exit-code", "--diff");
  const files = generate();
  const found = differences(files, committed());
  if (found.length === 0) {
    console.log(`src/client/rpc/gen is current (${files.size} files)`);
    return 0;
  }
  if (args.includes("--check")) {
    console.error(
      `src/client/rpc/gen is not what proto/ generates:\n${found.map((line) => `  ${line}\n`).join("")}` +
        "hint: deno run -A tools/proto/generate.ts, and commit what it writes",
    );
    return 1;
  }
  write(files);
  console.log(`src/client/rpc/gen written (${files.size} files)`);
  return 0;
}

try {
  process.exitCode = main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
