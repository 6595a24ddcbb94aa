/**
 * The standard work on every runtime, beside the bare socket and the official clients, all in one run on one cluster.
 *
 *     deno task bench [--cluster HOST:PORT] [--only deno,bun,node] [--work upsert,lookup-1,...] [--peers COMMAND]
 *
 * Without `--cluster` a cluster is started. `--peers` names a command that takes HOST:PORT and prints lines of
 * `client <tab> work <tab> operations per second <tab> CPU seconds per million`, as the programs around the official
 * clients do.
 *
 * @module
 */
import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startCluster } from "../tools/cluster/launcher.ts";
import { findRuntime, RUNTIMES } from "../tools/runtimes.ts";

/** The programs, and the work that each does. */
const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  "limit.ts": ["lookup-1", "lookup-64", "lookup-1024"],
  "key_work.ts": ["upsert", "lookup-1", "lookup-64", "lookup-1024"],
  "log_work.ts": ["append", "append-arrow", "scan-one", "scan-rows", "scan-arrow", "project-one"],
};
const WORK = [...new Set(Object.values(PROGRAMS).flat())];

const { values } = parseArgs({
  options: {
    cluster: { type: "string" },
    only: { type: "string", default: RUNTIMES.join(",") },
    work: { type: "string", default: WORK.join(",") },
    peers: { type: "string" },
  },
});

interface Line {
  readonly client: string;
  readonly work: string;
  readonly rate: number;
  readonly cpu: string;
  readonly more: string;
}

/** Runs a program and reads its lines. */
async function lines(command: string, args: readonly string[]): Promise<Line[]> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (chunk) => text += chunk);
  await new Promise<void>((resolve, reject) => {
    child.on("error", reject);
    child.on(
      "close",
      (code) => code === 0 ? resolve() : reject(new Error(`${command} ${args.join(" ")} ended with ${code}`)),
    );
  });
  return text.trim().split("\n").flatMap((line) => {
    const [client, work, rate, cpu = "", more = ""] = line.split("\t");
    if (client === undefined || work === undefined || rate === undefined) return [];
    return [{ client, work, rate: Number(rate), cpu, more }];
  });
}

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));

async function run(address: string): Promise<Line[]> {
  const found: Line[] = [];
  for (const name of RUNTIMES.filter((name) => values.only.split(",").includes(name))) {
    const { path } = await findRuntime(name);
    const before = name === "deno" ? ["run", "-A", "--no-check"] : [];
    for (const [program, works] of Object.entries(PROGRAMS)) {
      const wanted = values.work.split(",").filter((work) => works.includes(work));
      if (wanted.length === 0) continue;
      found.push(...await lines(path, [...before, file(program), address, wanted.join(",")]));
    }
  }
  if (values.peers !== undefined) found.push(...await lines(values.peers, [address]));
  return found;
}

function show(found: readonly Line[]): void {
  for (const work of values.work.split(",")) {
    console.log(`\n${work}`);
    // What a client does with its defaults stands beside what it does when tuned.
    for (const { client, work: own, rate, cpu, more } of found) {
      if (own !== work && own !== `${work}-default`) continue;
      const name = own === work ? client : `${client}, defaults`;
      console.log(
        `  ${name.padEnd(44)} ${rate.toFixed(0).padStart(9)}/s  ${cpu.padStart(8)} CPU s/million  ${more}`.trimEnd(),
      );
    }
  }
}

if (values.cluster !== undefined) show(await run(values.cluster));
else {
  await using cluster = await startCluster({ say: (line) => console.error(line) });
  show(await run(cluster.bootstrap));
}
process.exit();
