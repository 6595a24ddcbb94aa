/**
 * Runs test files on one runtime and tells how it went.
 *
 * A report alone is not believed: Bun passes tests whose `before` failed, a file that does not load is in nobody's report,
 * and Node counts a file without tests as a test that passed. So the exit code counts as well, and every file must have
 * run at least one test or skipped it by name.
 *
 * @module
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../command.ts";
import { ROOT } from "../install.ts";
import type { Runtime } from "../runtimes.ts";
import { parseJUnit, type TestResult } from "./junit.ts";

/** How the files went on a runtime. */
export interface SuiteResult {
  readonly results: readonly TestResult[];
  /** What is wrong beyond single tests; each counts as a failure. */
  readonly problems: readonly string[];
  /** Everything the runtime printed. */
  readonly output: string;
}

/** For one test on Bun, whose own limit is five seconds: a test may wait for a failover. The others have no limit. */
const BUN_TEST_TIMEOUT_MS = 600_000;

/** The command line of each runtime's test runner. */
export function testArguments(name: Runtime["name"], report: string, files: readonly string[]): string[] {
  switch (name) {
    case "deno":
      return ["test", "-A", "--no-check", `--junit-path=${report}`, ...files];
    case "bun":
      return [
        "test",
        `--timeout=${BUN_TEST_TIMEOUT_MS}`,
        "--reporter=junit",
        `--reporter-outfile=${report}`,
        // Without ./ Bun takes a path for a pattern.
        ...files.map((file) => `./${file}`),
      ];
    case "node":
      return [
        "--test",
        // One file after the other, as the others do: some stop servers that all use.
        "--test-concurrency=1",
        "--test-reporter=spec",
        "--test-reporter-destination=stdout",
        "--test-reporter=junit",
        `--test-reporter-destination=${report}`,
        ...files,
      ];
  }
}

/** What a run says, judged by its report, its exit code and the files that were to run. */
export function judge(
  name: Runtime["name"],
  files: readonly string[],
  code: number,
  report: string,
): Omit<SuiteResult, "output"> {
  const problems: string[] = [];
  const parsed = parseJUnit(report);
  // Node's stand-in for a file that has no tests or did not load bears the file's own name.
  const isStandIn = ({ name, file }: TestResult) => file !== undefined && endsInPath(file, name);
  const standIns = new Set(parsed.results.filter(isStandIn).map(({ file }) => file));
  const results = parsed.results.filter((result) => !isStandIn(result));

  const ran = [...parsed.files].filter((file) => !standIns.has(file));
  for (const file of files) {
    if (!ran.some((path) => endsInPath(path, file))) problems.push(`${file} ran no test: it did not load, or has none`);
  }
  if (code !== 0 && problems.length === 0 && !results.some(({ outcome }) => outcome === "failed")) {
    problems.push(`${name} ended with exit code ${code}, though no test failed: see its output`);
  }
  return { results, problems };
}

function endsInPath(path: string, file: string): boolean {
  const plain = path.replaceAll("\\", "/");
  return plain === file || plain.endsWith(`/${file}`);
}

/** Runs test files, given by their paths in the project. */
export async function runSuite(
  runtime: Runtime,
  files: readonly string[],
  env: Readonly<Record<string, string>>,
  timeoutMs: number,
): Promise<SuiteResult> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-test-"));
  const report = join(folder, "report.xml");
  try {
    const { code, output } = await run(runtime.path, testArguments(runtime.name, report, files), {
      cwd: ROOT,
      env,
      timeoutMs,
    });
    let xml = "";
    try {
      xml = readFileSync(report, "utf8");
    } catch {
      // No report: then no file ran a test, and judge() says so.
    }
    return { ...judge(runtime.name, files, code, xml), output };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
