/**
 * How every piece of the standard work is timed and told.
 *
 * @module
 */
import process from "node:process";

/** The runtime that runs this. */
export const RUNTIME: "deno" | "bun" | "node" = "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node";

/** One piece of work. */
export interface Piece {
  /** The modes of the columns, for the line. */
  readonly modes: string;
  readonly work: string;
  readonly operations: number;
  /** How often it is done; the best pass counts. */
  readonly passes: number;
  /** Does it once, and says with which call. */
  readonly run: () => Promise<string>;
}

/**
 * Does a piece of work and prints its line, tab separated: client and modes, work, operations per second, client CPU
 * seconds per million operations, what was called.
 */
export async function measure({ modes, work, operations, passes, run }: Piece): Promise<void> {
  let best = { rate: 0, cpu: 0, more: "" };
  for (let pass = 0; pass < passes; pass++) {
    const cpu = process.cpuUsage();
    const start = performance.now();
    const more = await run();
    const seconds = (performance.now() - start) / 1000;
    const used = process.cpuUsage(cpu);
    const rate = operations / seconds;
    if (rate > best.rate) best = { rate, cpu: (used.user + used.system) / operations, more };
  }
  const { rate, cpu, more } = best;
  console.log([`sluice ${RUNTIME}, ${modes}`, work, rate.toFixed(0), cpu.toFixed(2), more].join("\t").trimEnd());
}

/** Rows made as they are asked for. */
export function* generate<Row>(count: number, row: (i: number) => Row): Iterable<Row> {
  for (let i = 0; i < count; i++) yield row(i);
}
