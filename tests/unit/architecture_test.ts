import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../src", import.meta.url));

/** What each room of the house may import, besides itself. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  base: [],
  schema: ["base"],
  format: ["schema", "base"],
  client: ["format", "schema", "base"],
  embedded: ["client", "format", "schema", "base"],
  query: ["client", "format", "schema", "base"],
  adapters: ["query", "schema", "base"],
  testing: ["base", "schema", "format", "client", "query"],
  migrate: ["query", "schema", "base"],
  cli: ["migrate", "query", "client", "schema", "base"],
};

/** Modules from outside, and the rooms that may import them. */
const OUTSIDE: Readonly<Record<string, readonly string[]>> = {
  "@bufbuild/protobuf": ["client", "embedded"],
  "@bufbuild/protobuf/codegenv2": ["client"],
  "apache-arrow": ["adapters"],
  // Parquet files.
  "hyparquet": ["cli"],
  "hyparquet-writer": ["cli"],
  // Reads command lines.
  "commander": ["cli"],
  // Signs requests to S3.
  "aws4fetch": ["client/read/remote"],
  "valibot": ["adapters"],
  // Reads Zstandard where the runtime has none.
  "fzstd": ["format"],
  // Reading short texts is several times faster through it, on all three runtimes.
  "node:buffer": ["format"],
  "node:zlib": ["format", "cli"],
  // Imported when a file is read or written, so that importing needs no permission.
  "node:fs/promises": ["client/read/remote", "query", "migrate", "cli"],
  "node:dns/promises": ["cli"],
  "node:fs": ["embedded/storage"],
  "node:net": ["client/transport", "embedded"],
  // Imported for folders alone.
  "node:path": ["embedded", "migrate", "cli"],
  // File names as import() takes them.
  "node:url": ["migrate", "cli"],
  "node:os": ["client/transport", "cli"],
  "node:process": ["cli", "embedded/storage"],
  "node:sqlite": ["embedded/storage"],
  "node:timers": ["embedded/storage"],
  "node:tls": ["client/transport"],
};

/** Who may load the embedded server, by an import that runs when it is needed. */
const OPENERS: readonly string[] = ["query/embedded.ts", "cli/", "testing/"];

interface Import {
  readonly from: string;
  readonly to: string;
  /** Erased by the compiler. */
  readonly typeOnly: boolean;
}

const files = readdirSync(root, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => file.split(sep).join("/"));

const imports = files.flatMap((from): Import[] => {
  const text = readFileSync(join(root, from), "utf8").replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(
    /^\s*\/\/.*$/gm,
    "",
  );
  const found: Import[] = [];
  for (const match of text.matchAll(/^\s*(?:import|export)\s+(type\s+)?(?:[^;"']*?\sfrom\s+)?["']([^"']+)["']/gm)) {
    found.push({ from, to: target(from, match[2]!), typeOnly: match[1] !== undefined });
  }
  for (const match of text.matchAll(/\bimport\(\s*["']([^"']+)["']\s*\)/g)) {
    // A dynamic import runs when it is called, so it makes no cycle; `typeof import()` is erased.
    found.push({ from, to: target(from, match[1]!), typeOnly: true });
  }
  return found;
});

function target(from: string, specifier: string): string {
  if (!specifier.startsWith(".")) return specifier;
  return relative(root, resolve(root, dirname(from), specifier)).split(sep).join("/");
}

const roomOf = (file: string) => file.split("/")[0]!;

test("imports point one way through the house", () => {
  assert.ok(imports.length > 300, "the imports were not found");
  const wrong = imports.filter(({ from, to }) =>
    files.includes(to) && roomOf(from) !== roomOf(to) && !ALLOWED[roomOf(from)]?.includes(roomOf(to)) &&
    !(roomOf(to) === "embedded" && OPENERS.some((opener) => from.startsWith(opener)))
  );
  assert.deepEqual(wrong, []);
});

test("the embedded server takes messages, frames and streams from the client, and is loaded by those who open it", () => {
  const parts = ["client/rpc/", "client/transport/"];
  const taken = imports.filter(({ from, to }) => roomOf(from) === "embedded" && roomOf(to) === "client");
  assert.deepEqual(taken.filter(({ to }) => !parts.some((part) => to.startsWith(part))), []);
  const openers = imports.filter(({ from, to }) => roomOf(from) !== "embedded" && roomOf(to) === "embedded");
  assert.deepEqual(
    openers.map(({ from }) => from).filter((from) => !OPENERS.some((room) => from.startsWith(room))),
    [],
  );
});

test("every import names a file that is there, or a module that its room may use", () => {
  const wrong = imports.filter(({ from, to }) =>
    !files.includes(to) && !OUTSIDE[to]?.some((room) => from.startsWith(`${room}/`))
  );
  assert.deepEqual(wrong, []);
});

test("no module needs itself to load", () => {
  const needs = new Map(
    files.map((file) => [file, imports.filter((i) => i.from === file && !i.typeOnly && files.includes(i.to))]),
  );
  const done = new Set<string>();
  const walk = (file: string, path: readonly string[]): void => {
    assert.ok(!path.includes(file), `a cycle: ${[...path, file].join(" -> ")}`);
    if (done.has(file)) return;
    for (const { to } of needs.get(file)!) walk(to, [...path, file]);
    done.add(file);
  };
  for (const file of files) walk(file, []);
});

test("runtimes end at the port: Deno and Bun are named in client/transport, the process in cli/main.ts, and nowhere else", () => {
  const wrong = files.filter((file) => {
    if (file.startsWith("client/transport/") || file === "cli/main.ts" || file.includes("/gen/")) return false;
    const text = readFileSync(join(root, file), "utf8").replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/\/\/.*$/gm, "");
    return /(?<!["'`\w.])(Deno|Bun|process)\s*[.(\[]/.test(text.replaceAll(/(["'`])(?:\\.|(?!\1).)*\1/g, '""'));
  });
  assert.deepEqual(wrong, []);
});

test("the program says what it needs before it loads what an old Node cannot read", () => {
  const text = readFileSync(join(root, "cli/main.ts"), "utf8");
  const statically = [...text.matchAll(/^import (?!type )[^;]* from "([^"]+)"/gm)].map(([, module]) => module);
  assert.deepEqual(statically, ["node:process"]);
  assert.ok(text.includes("sluice needs Node") && text.indexOf("sluice needs Node") < text.indexOf('import("./'));
  assert.doesNotMatch(text, /\b(await )?using \w/);
});
