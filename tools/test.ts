/**
 * `deno task test`: every check, and every suite on Deno, Bun and Node, against real clusters where Java and Maven are.
 *
 * @module
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { serveControl, type ServedControl, targetOf } from "./cluster/control.ts";
import { unreleasedJars } from "./cluster/jars.ts";
import { checkRequirements, type Cluster, type ClusterOptions, MissingTool, startCluster } from "./cluster/launcher.ts";
import { ROOT } from "./install.ts";
import { findRuntime, type Runtime, type RuntimeName, RUNTIMES } from "./runtimes.ts";
import { checks } from "./test/checks.ts";
import { runSuite } from "./test/suite.ts";
import { embeddedTargets } from "./test/embedded.ts";
import { Failed, Skipped, Tally } from "./test/tally.ts";

const USAGE = `Usage: deno task test [--long] [--only deno|bun|node]... [--filter TEXT] [--checks] [--no-cluster]

  --long         the counts of random tests in full
  --only NAME    one runtime, without the checks of the code; may be given again
  --filter TEXT  only test files whose path holds the text, without the checks of the code
  --checks       only the checks of the code
  --no-cluster   start no cluster; what needs one is skipped

FLUSS_JARS names a folder with the jars of a server that is not released: the tests of tests/next/ run on it as well.`;

const MINUTE = 60_000;

/** What was asked for on the command line. */
interface Request {
  readonly long: boolean;
  readonly runtimes: readonly RuntimeName[];
  readonly filter: string;
  readonly checks: boolean;
  readonly suites: boolean;
  readonly cluster: boolean;
}

function readRequest(args: string[]): Request | undefined {
  const { values } = parseArgs({
    args,
    options: {
      long: { type: "boolean", default: false },
      only: { type: "string", multiple: true, default: [] },
      filter: { type: "string", default: "" },
      checks: { type: "boolean", default: false },
      "no-cluster": { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help || values.only.some((name) => !RUNTIMES.includes(name as RuntimeName))) return undefined;
  return {
    long: values.long,
    runtimes: values.only.length === 0 ? RUNTIMES : RUNTIMES.filter((name) => values.only.includes(name)),
    filter: values.filter,
    checks: values.checks || (values.only.length === 0 && values.filter === ""),
    suites: !values.checks,
    cluster: !values["no-cluster"],
  };
}

/** The test files, in order; those that stop servers come last. */
function testFiles(filter: string): string[] {
  const all = readdirSync(join(ROOT, "tests"), { recursive: true, encoding: "utf8" })
    .map((path) => `tests/${path.replaceAll("\\", "/")}`)
    .filter((path) => path.endsWith("_test.ts") && path.includes(filter))
    .sort();
  const disruptive = (path: string) => path.startsWith("tests/faults/");
  return [...all.filter((path) => !disruptive(path)), ...all.filter(disruptive)];
}

const SHARED_MS = 12 * MINUTE;

/** A cluster for the tests and the control over it. */
interface TestCluster extends AsyncDisposable {
  readonly variable: string;
  readonly json: string;
  readonly control: ServedControl;
}

async function startTestCluster(variable: string, options: ClusterOptions): Promise<TestCluster> {
  const cluster: Cluster = await startCluster({ ...options, code: "quick" });
  let control: ServedControl;
  try {
    control = await serveControl(cluster, (line) => console.log(line));
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  return {
    variable,
    json: JSON.stringify(targetOf(cluster, control)),
    control,
    async [Symbol.asyncDispose]() {
      control.close();
      await cluster.stop();
    },
  };
}

/** Options of the server that is not released: with small buffers it is soon under pressure. */
const NEXT: Readonly<Record<string, string>> = {
  "kv.backpressure.l0-slowdown-trigger": "1",
  "kv.rocksdb.writebuffer.size": "64kb",
};

/** Options of servers that move their logs to remote storage within a second or two. */
const TIERED: Readonly<Record<string, string>> = {
  "log.segment.file-size": "64kb",
  "remote.log.task-interval-duration": "1s",
};

/** The cluster of three asks for rights. Who does not log in may do everything, and so may the first of its users. */
const RIGHTS: Readonly<Record<string, string>> = {
  "authorizer.enabled": "true",
  "super.users": "User:ANONYMOUS;User:admin",
};

/**
 * Starts the clusters. Without Java or Maven there are none, which only CI takes for a failure; without Python there is no
 * store of the S3 kind, and what needs it is skipped.
 */
async function startClusters(
  tally: Tally,
  stack: AsyncDisposableStack,
  next: string | undefined,
): Promise<TestCluster[]> {
  const found: TestCluster[] = [];
  const start = (name: string, variable: string, options: ClusterOptions, optional = false) =>
    tally.step(name, async () => {
      try {
        checkRequirements();
        found.push(stack.use(await startTestCluster(variable, options)));
      } catch (error) {
        if (!(error instanceof MissingTool)) throw error;
        throw process.env["CI"] === "true" && !optional ? new Failed(error.message) : new Skipped(error.message);
      }
    });
  // One after the other: the first may have to download the jars for both.
  await start("cluster with one tablet server", "SLUICE_CLUSTER", { tabletServers: 1 });
  await start("cluster with three tablet servers", "SLUICE_CLUSTER3", {
    tabletServers: 3,
    properties: RIGHTS,
  });
  await start("cluster with remote logs", "SLUICE_TIERED", { properties: TIERED });
  await start("cluster with remote logs in S3", "SLUICE_S3", { properties: TIERED, storage: "s3" }, true);
  if (next !== undefined) {
    await start("cluster of the server that is not released", "SLUICE_NEXT", { jars: next, properties: NEXT });
  }
  return found;
}

async function findRuntimes(tally: Tally, names: readonly RuntimeName[]): Promise<Runtime[]> {
  const found: Runtime[] = [];
  for (const name of names) {
    await tally.step(`find ${name}`, async () => {
      const runtime = await findRuntime(name);
      found.push(runtime);
    });
  }
  return found;
}

async function main(request: Request): Promise<boolean> {
  // A cluster that the shell names is for files run by hand; here, what starts no cluster has none.
  delete process.env["SLUICE_TARGET"];
  delete process.env["SLUICE_CLUSTER"];
  delete process.env["SLUICE_CLUSTER3"];
  delete process.env["SLUICE_TIERED"];
  delete process.env["SLUICE_S3"];
  delete process.env["SLUICE_NEXT"];
  const next = unreleasedJars();
  if (next !== undefined) delete process.env["FLUSS_JARS"];
  const tally = new Tally((line) => console.log(line));
  // The package is checked on all runtimes, whatever the suites run on.
  const runtimes = await findRuntimes(tally, request.checks ? RUNTIMES : request.runtimes);
  console.log(`      ${runtimes.map(({ name, version }) => `${name} ${version}`).join(", ")}`);

  if (request.checks) await checks(tally, runtimes);
  if (request.suites) {
    await using stack = new AsyncDisposableStack();
    const clusters = request.cluster ? await startClusters(tally, stack, next) : [];
    const files = testFiles(request.filter);
    if (files.length === 0) tally.failed.push(`no test file holds "${request.filter}" in its path`);
    // One seed for all files, so that a run can be recorded and repeated.
    const seed = process.env["SLUICE_SEED"] ?? String(Math.floor(Math.random() * 2 ** 31));
    console.log(`      seed ${seed}`);
    const env = {
      SLUICE_SEED: seed,
      ...Object.fromEntries(clusters.map(({ variable, json }) => [variable, json])),
      SLUICE_RUNTIMES: JSON.stringify(Object.fromEntries(runtimes.map(({ name, path }) => [name, path]))),
      ...(request.long ? { SLUICE_LONG: "1" } : {}),
    };
    const targets = await embeddedTargets(stack, request.long);
    let again = false;
    for (const runtime of runtimes.filter(({ name }) => request.runtimes.includes(name))) {
      if (files.length === 0) break;
      const started = performance.now();
      const suite = await runSuite(runtime, files, env, request.long ? 120 * MINUTE : 12 * MINUTE);
      tally.suite(runtime.name, suite, started);
      // They have nothing in common, and each leaves time to the others.
      await Promise.all(targets.map(async ({ name, env: own, runs }) => {
        const started = performance.now();
        const shared = files.filter((file) => runs(file, again));
        if (shared.length === 0) return;
        const suite = await runSuite(runtime, shared, { ...env, ...own }, SHARED_MS);
        tally.suite(`${runtime.name} on ${name}`, suite, started);
      }));
      again = true;
    }
    const repairs = clusters.reduce((sum, { control }) => sum + control.repairs, 0);
    if (clusters.length > 0) tally.note(`the coordinator lost a table ${repairs} times and was restarted`);
  }
  return tally.close();
}

if (!existsSync(join(ROOT, "tests"))) throw new Error("the tests are not there: run this in a checkout of the project");
let request: Request | undefined;
try {
  request = readRequest(process.argv.slice(2));
} catch (error) {
  console.error((error as Error).message);
}
if (request === undefined) {
  console.error(USAGE);
  process.exit(2);
}
process.exit(await main(request) ? 0 : 1);
