/**
 * `deno task cluster`: a real Fluss cluster on this machine until Ctrl-C.
 *
 * @module
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { type Cluster, ClusterError, type ClusterOptions, MissingTool, startCluster } from "./launcher.ts";

const USAGE = `Usage: deno task cluster [--tablets N] [--port P] [--set option=value]... [--heap 512m] [--s3]

  --tablets N          tablet servers, 1 unless told; with more, tables have up to 3 replicas
  --port P             the coordinator's port (tablet servers from P+1, SASL listeners on P+100 and up); else free ports
  --set option=value   a server option by Fluss's name, as often as needed
  --heap SIZE          the largest heap of each server, 512m unless told
  --s3                 remote storage in a store of the S3 kind (moto, which needs Python) instead of a folder

FLUSS_JARS names a folder with the jars of another Fluss version; FLUSS_LOG sets the servers' log level (warn).`;

/** The program was called with something it does not understand. */
class UsageError extends Error {}

function number(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text)) {
    throw new UsageError(`--${name} wants a number, not "${text}"`);
  }
  return Number(text);
}

function property(text: string): [string, string] {
  const at = text.indexOf("=");
  if (at < 1) throw new UsageError(`--set wants option=value, not "${text}"`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function readOptions(args: string[]): ClusterOptions | "help" {
  const { values } = parseArgs({
    args,
    options: {
      tablets: { type: "string" },
      port: { type: "string" },
      set: { type: "string", multiple: true, default: [] },
      heap: { type: "string" },
      s3: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return "help";
  const tabletServers = number("tablets", values.tablets);
  const port = number("port", values.port);
  return {
    properties: Object.fromEntries(values.set.map(property)),
    ...(tabletServers === undefined ? {} : { tabletServers }),
    ...(port === undefined ? {} : { port }),
    ...(values.heap === undefined ? {} : { heap: values.heap }),
    ...(values.s3 ? { storage: "s3" } : {}),
    say: (line) => console.error(line),
  };
}

function describe(cluster: Cluster, seconds: string): string {
  const { username, password } = cluster.sasl;
  return [
    `Fluss runs (after ${seconds} s):`,
    `  fluss://${cluster.bootstrap}`,
    `  fluss://${cluster.sasl.bootstrap}   with SASL, user ${username}, password ${password}`,
    ...(cluster.s3 === undefined ? [] : [
      `  s3://${cluster.s3.bucket}/ at ${cluster.s3.endpoint}   remote storage, key ${cluster.s3.accessKeyId}, ` +
      `secret ${cluster.s3.secretAccessKey}`,
    ]),
    `Logs are in ${cluster.logs}. Ctrl-C stops it and removes its data.`,
  ].join("\n");
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options === "help") {
    console.log(USAGE);
    return;
  }
  const started = performance.now();
  await using cluster = await startCluster(options);
  const asked = new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.once(signal, () => resolve());
    }
  });
  console.log(
    describe(cluster, ((performance.now() - started) / 1000).toFixed(1)),
  );
  // Waiting for a signal keeps no program alive.
  const alive = setInterval(() => {}, 1 << 30);
  await asked;
  clearInterval(alive);
  console.error("stopping");
}

try {
  await main();
} catch (error) {
  if (error instanceof MissingTool || error instanceof ClusterError) {
    console.error(`No cluster: ${error.message}`);
    process.exitCode = 1;
  } else if (
    error instanceof UsageError ||
    (error as { code?: string }).code?.startsWith("ERR_PARSE_ARGS")
  ) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exitCode = 2;
  } else throw error;
}
