/**
 * `sluice dev`: the embedded server on ports, for development.
 *
 * @module
 */
import type { CliCommand, Io, Values } from "./command.ts";
import { type DevOptions, type DevWords, readDevOptions, USERS_VARIABLE } from "./dev_options.ts";
import type { DevServer } from "./dev_server.ts";
import { listenForStop } from "./stop.ts";
import { plainText, showMs } from "./text.ts";

/** See the module. */
export const dev: CliCommand = {
  name: "dev",
  summary: "serve the Fluss protocol on this machine, without a cluster",
  about: "Serves the protocol of Apache Fluss from this process, in memory or from a folder, for development.\n\n" +
    "The coordinator listens on the port, the tablet server on the next one, for programs of this machine alone. " +
    "With users there are two more listeners, 100 ports further up, which ask for a login by SASL/PLAIN. Where --host " +
    "is an address that other machines reach, there are only those.\n\n" +
    "Prints the URLs to connect to. Ctrl-C stops it.",
  options: [
    { flags: "--port <number>", text: "the coordinator's port; 0 takes ports that are free", default: "9123" },
    { flags: "--host <address>", text: "the address to listen on", default: "127.0.0.1" },
    { flags: "--data <folder>", text: "keep everything in this folder (default: in memory, gone when it stops)" },
    {
      flags: "--user <name:password>",
      text: "who may log in; may be given again. The list of processes shows it, so use throw-aways, or " +
        `${USERS_VARIABLE}=name:password,name:password`,
      repeats: true,
    },
    { flags: "--log", text: "tell every request on standard error" },
  ],
  examples: [
    "dev",
    "dev --data ./data --log",
    "dev --port 19123 --user alice:secret",
    "dev --host 0.0.0.0     # users in SLUICE_DEV_USERS",
  ],
  exits: [
    { code: 4, errors: "LISTEN.", text: "a port is in use, or may not be used" },
    { code: 5, errors: "STORAGE.", text: "the folder cannot be used, or another process has it" },
  ],
  run,
};

async function run(values: Values, io: Io): Promise<void> {
  const json = values["json"] === true;
  const options = await readDevOptions(values as unknown as DevWords, io.env);
  using stop = listenForStop(io);
  // Loaded here, so that other commands and --help need not wait for the server.
  const [{ startDevServer }, { requestJson, requestText }] = await Promise.all([
    import("./dev_server.ts"),
    import("./request_log.ts"),
  ]);
  const show = json ? requestJson : requestText;
  const server = await startDevServer(
    options,
    values["log"] === true ? (line) => io.err(`${show(line, new Date())}\n`) : undefined,
  );
  tell(server, options, json, io);
  await stop.asked;
  if (!json) io.err("stopping\n");
  await server.close();
}

function tell({ listeners }: DevServer, { folder, loopback, users }: DevOptions, json: boolean, io: Io): void {
  const ms = performance.now();
  if (json) {
    const answer = { ok: true, listeners, data: folder ?? null, startedMs: Math.round(ms) };
    return io.out(`${JSON.stringify(answer)}\n`);
  }
  const where = folder === undefined
    ? "in memory (--data ./data would keep it)"
    : `with everything in ${plainText(folder)}`;
  io.err(`Serves the Fluss protocol ${where}, after ${showMs(ms)}. Ctrl-C stops it.\n`);
  for (const { url, users: names } of listeners) {
    if (names.length > 0) io.err(`For ${names.map(plainText).join(", ")}, with a password:\n`);
    io.out(`${url}\n`);
  }
  if (loopback || users.length === 0) return;
  io.err("Other machines reach it too. Passwords and data travel unencrypted: for networks that you trust.\n");
}
