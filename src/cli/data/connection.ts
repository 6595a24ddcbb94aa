/**
 * How commands come to a cluster: options, environment, and what their failures are.
 *
 * @module
 */
import { stat } from "node:fs/promises";
import { type FlussError, flussError } from "../../base/errors.ts";
import type { Db } from "../../query/db.ts";
import type { SluiceConfig } from "../../migrate/mod.ts";
import type { ConnectOptions } from "../../query/options.ts";
import { parseUrl } from "../../query/url.ts";
import type { CommandOption, Exit, Io, Values } from "../command.ts";
import { CONFIG_FILE, loadConfig } from "../config.ts";
import { plainText } from "../text.ts";
import { FILE_EXIT } from "./files.ts";
import { badUsage, numberOf, textOf } from "./values.ts";

/** Where the cluster is, unless an option says so. */
export const URL_VARIABLE = "SLUICE_URL";
/** Who logs in, unless an option or the URL says so. */
export const USERNAME_VARIABLE = "SLUICE_USERNAME";
/** The password, which no option takes: the list of processes shows options. */
export const PASSWORD_VARIABLE = "SLUICE_PASSWORD";

/** The option of every command that has a config. */
export const CONFIG_OPTION: CommandOption = {
  flags: "--config <file>",
  text: `the config (default: ${CONFIG_FILE} in this folder)`,
};

/** The options of every command that connects. */
export const CONNECTION_OPTIONS: readonly CommandOption[] = [
  {
    flags: "--url <url>",
    text: `fluss://host:port or file:./folder (default: ${URL_VARIABLE}, or the url of the config)`,
  },
  CONFIG_OPTION,
  {
    flags: "--username <name>",
    text: `who logs in (default: ${USERNAME_VARIABLE}); the password is read from ${PASSWORD_VARIABLE}`,
  },
  { flags: "--database <name>", text: "the database of tables that are named without one" },
  { flags: "--timeout <seconds>", text: "how long one answer may take (default: 30)" },
];

/** The exit codes of every command that connects. */
export const CONNECTION_EXITS: readonly Exit[] = [
  { code: 4, errors: "CONNECTION.", text: "the cluster cannot be reached, refuses the login, or cannot do this" },
  { code: 4, errors: "TIMEOUT.", text: "the cluster does not answer in time" },
  { code: 5, errors: "SERVER.", text: "the cluster refuses: no such table, no right to do this, ..." },
  { code: 6, errors: "STORAGE.", text: "the folder of a file: URL cannot be used, or another process has it" },
  { code: 6, errors: "REMOTE.", text: "remote storage cannot be read" },
  { code: 7, errors: "CODEC.", text: "values that the table, or this program, cannot hold" },
  FILE_EXIT,
];

/**
 * Connects as the options and the environment say.
 *
 * @param more options that the command itself needs
 * @throws FlussUsageError `CLI.BAD_USAGE`, `CONNECTION.BAD_URL`; and whatever `connect()` throws
 */
export async function openDb(values: Values, io: Io, more: ConnectOptions = {}): Promise<Db> {
  const { url, connection = {}, database: usual } = await targetOf(values, io);
  const { embedded, username: inUrl, password: inUrlToo } = parseUrl(url);
  if (embedded?.kind === "file") await checkFolder(embedded.folder);
  const username = textOf(values, "username") ??
    (inUrl === undefined ? io.env[USERNAME_VARIABLE] || undefined : undefined);
  const password = io.env[PASSWORD_VARIABLE] || undefined;
  const login = embedded === undefined && (username ?? inUrl) !== undefined;
  if (login && (password ?? inUrlToo ?? connection.password) === undefined) {
    throw badUsage(`no password is given for the user ${plainText((username ?? inUrl)!)}`, `set ${PASSWORD_VARIABLE}`);
  }
  const database = textOf(values, "database") ?? usual;
  // Loaded here, so that --help need not wait for it.
  const { connect } = await import("../../query/connect.ts");
  return await connect(url, {
    ...connection,
    ...(values["timeout"] === undefined ? {} : { requestTimeoutMs: numberOf(values, "timeout", { above: 0 }) * 1000 }),
    ...(login && username !== undefined ? { username } : {}),
    ...(login && password !== undefined ? { password } : {}),
    ...(database === undefined ? {} : { database }),
    ...more,
  });
}

/** A cluster, and what a config says of the connection to it. */
type Target = Pick<SluiceConfig, "connection" | "database"> & { readonly url: string };

async function targetOf(values: Values, io: Io): Promise<Target> {
  const given = textOf(values, "url");
  if (given !== undefined) refusePassword(given);
  const file = textOf(values, "config");
  const url = given ?? (io.env[URL_VARIABLE] || undefined);
  // One that is named says how to connect, whatever names the cluster; the one in this folder says all of it or nothing.
  const config = file !== undefined || url === undefined ? await configOf(file) : undefined;
  const target = url ?? config?.url;
  if (target !== undefined) return { ...config, url: target };
  throw badUsage(
    "no cluster is named",
    `add --url fluss://host:port, set ${URL_VARIABLE}, or have a url in ${plainText(file ?? CONFIG_FILE)}`,
  );
}

/**
 * Refuses a URL that is none, or that shows a password.
 *
 * @throws FlussUsageError `CLI.BAD_USAGE`, `CONNECTION.BAD_URL`
 */
export function refusePassword(url: string): void {
  const { password, parameters } = parseUrl(url);
  if (password === undefined && !parameters.has("password")) return;
  throw badUsage(
    "--url has a password, and the list of processes shows it",
    `leave it out, and set ${PASSWORD_VARIABLE}; change the password, if it is not a throw-away`,
  );
}

/** The config that is named, or the one of this folder, if there is one. */
async function configOf(file: string | undefined): Promise<SluiceConfig | undefined> {
  if (file === undefined && await stat(CONFIG_FILE).catch(() => undefined) === undefined) return undefined;
  return (await loadConfig(file)).config;
}

/** A folder that is not there would be made, with nothing in it: whoever asks for data has mistyped its name. */
async function checkFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch((error: unknown): FlussError | undefined => {
    if ((error as { readonly code?: string }).code !== "ENOENT") return undefined;
    return badUsage(
      `there is no folder ${plainText(folder)}`,
      "check the name; sluice apply, push and dev --data make a new one",
    );
  });
  if (found instanceof Error) throw found;
}

/** What a command says when something that was named is not there. */
export function notFound(message: string, hint?: string): FlussError {
  return flussError("CLI.NOT_FOUND", { message, hint });
}
