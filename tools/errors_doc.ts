/**
 * Writes `docs/errors.md` from the table of error codes; with `--check` only compares.
 *
 *     deno run -A tools/errors_doc.ts [--check]
 *
 * @module
 */
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { ERRORS } from "../src/base/error_table.ts";

const FILE = new URL("../docs/errors.md", import.meta.url);

const CLASSES: Record<string, string> = {
  usage: "FlussUsageError",
  validation: "FlussValidationError",
  codec: "FlussCodecError",
  connection: "FlussConnectionError",
  timeout: "FlussTimeoutError",
  server: "FlussServerError",
  write: "FlussWriteError",
  subscription: "FlussSubscriptionError",
  storage: "FlussStorageError",
  migration: "FlussMigrationError",
};

function page(): string {
  const lines = [
    "# Errors",
    "",
    "Every error is a `FlussError` with a stable `code`. Test for it with `FlussError.is(error, code)`, which also works",
    "across duplicate copies of the package. `retriable` says whether the same call may succeed later; `hint` is the next",
    "step. Codes of `SERVER.` mirror the error codes of Fluss, with the server's own words in `serverMessage`.",
    "",
    "This page is made from `src/base/error_table.ts`.",
  ];
  let namespace = "";
  for (const [code, entry] of Object.entries(ERRORS)) {
    const [own] = code.split(".") as [string];
    if (own !== namespace) lines.push("", `## ${namespace = own}`);
    const facts = [`\`${CLASSES[entry.kind]}\``];
    if (entry.serverCode !== undefined) {
      facts.push(`wire code ${entry.serverCode}`);
    }
    if (entry.retriable) facts.push("retriable");
    if (entry.staleMetadata) facts.push("fresh metadata is asked for");
    lines.push(
      "",
      `### ${code}`,
      "",
      `${entry.summary[0]!.toUpperCase()}${entry.summary.slice(1)}. (${facts.join(", ")})`,
    );
    if (entry.hint !== undefined) lines.push("", `What to do: ${entry.hint}.`);
  }
  return lines.join("\n") + "\n";
}

if (!process.argv.includes("--check")) writeFileSync(FILE, page());
else if (readFileSync(FILE, "utf8") !== page()) {
  console.error(
    "docs/errors.md is not what the table of error codes says. Run: deno run -A tools/errors_doc.ts",
  );
  process.exitCode = 1;
}
