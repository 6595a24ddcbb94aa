/**
 * What passed, failed and was skipped in a whole run, printed as it comes and summed up at the end.
 *
 * @module
 */
import type { SuiteResult } from "./suite.ts";

/** A step cannot be done here, and the run goes on without it. */
export class Skipped extends Error {}

/** A step failed; the message is what there is to see. */
export class Failed extends Error {}

const LONGEST_OUTPUT = 300;

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}

function indent(text: string): string {
  return text.split("\n").map((line) => `    ${line}`).join("\n");
}

/** The last lines of a long text. */
function tail(text: string): string {
  const lines = text.split("\n");
  if (lines.length <= LONGEST_OUTPUT) return text;
  return [`(${lines.length - LONGEST_OUTPUT} lines before)`, ...lines.slice(-LONGEST_OUTPUT)].join("\n");
}

/** Counts and prints. */
export class Tally {
  passed = 0;
  readonly failed: string[] = [];
  readonly skipped: string[] = [];
  readonly #notes: string[] = [];
  readonly #print: (line: string) => void;

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  /** Runs a step, which counts as one test; says whether it worked. */
  async step(name: string, work: () => Promise<void>): Promise<boolean> {
    const started = performance.now();
    try {
      await work();
      this.passed++;
      this.#print(`ok    ${name} (${seconds(started)})`);
      return true;
    } catch (error) {
      if (error instanceof Skipped) {
        this.skip(name, error.message);
      } else {
        this.failed.push(name);
        const text = error instanceof Failed ? error.message : (error as Error).stack ?? String(error);
        this.#print(`FAIL  ${name} (${seconds(started)})\n${indent(tail(text))}`);
      }
      return false;
    }
  }

  /** Counts something that was left out. */
  skip(name: string, reason: string): void {
    this.skipped.push(reason === "" ? name : `${name}: ${reason}`);
    this.#print(`skip  ${name}: ${reason}`);
  }

  /** Keeps a line that is to stand right above the closing one. */
  note(line: string): void {
    this.#notes.push(line);
  }

  /** Counts the tests of a runtime. */
  suite(runtime: string, { results, problems, output }: SuiteResult, started: number): void {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    for (const { name, file, outcome, detail } of results) {
      counts[outcome]++;
      const where = file === undefined ? name : `${shortPath(file)} > ${name}`;
      if (outcome === "failed") {
        this.failed.push(`${runtime}: ${where}`);
        this.#print(`FAIL  ${runtime}: ${where}\n${indent(tail(detail))}`);
      } else if (outcome === "skipped") {
        this.skipped.push(`${runtime}: ${where}${detail === "" ? "" : `: ${detail}`}`);
      }
    }
    for (const problem of problems) {
      this.failed.push(`${runtime}: ${problem}`);
      this.#print(`FAIL  ${runtime}: ${problem}`);
    }
    this.passed += counts.passed;
    const failed = counts.failed + problems.length;
    if (problems.length > 0) this.#print(`      what ${runtime} printed:\n${indent(tail(output))}`);
    const mark = failed === 0 ? "ok   " : "FAIL ";
    this.#print(
      `${mark} ${runtime}: ${counts.passed} passed, ${failed} failed, ${counts.skipped} skipped (${seconds(started)})`,
    );
  }

  /** Prints what was skipped and what failed, and the closing line; says whether all is well. */
  close(): boolean {
    if (this.skipped.length > 0) this.#print(`\nSkipped:\n${indent(this.skipped.join("\n"))}`);
    if (this.failed.length > 0) this.#print(`\nFailed:\n${indent(this.failed.join("\n"))}`);
    this.#print("");
    for (const line of this.#notes) this.#print(line);
    this.#print(`${this.passed} passed, ${this.failed.length} failed, ${this.skipped.length} skipped`);
    return this.failed.length === 0;
  }
}

/** A path from `tests/` on. */
function shortPath(path: string): string {
  const at = path.indexOf("tests/");
  return at < 0 ? path : path.slice(at);
}
