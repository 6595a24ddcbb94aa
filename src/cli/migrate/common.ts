/**
 * What the commands of migrations have in common.
 *
 * @module
 */
import { mkdir } from "node:fs/promises";
import type { MigrationProblem } from "../../base/errors.ts";
import type { Db } from "../../query/db.ts";
import { parseUrl } from "../../query/url.ts";
import type { Exit, Io, Values } from "../command.ts";
import type { LoadedConfig } from "../config.ts";
import { URL_VARIABLE } from "../data/connection.ts";
import { badUsage, textOf, textsOf } from "../data/values.ts";
import { withDb } from "../data/with_db.ts";
import { plainText } from "../text.ts";

/** How commands that connect end when the cluster is the reason. */
export const CLUSTER_EXITS: readonly Exit[] = [
  { code: 6, errors: "CONNECTION.", text: "the cluster cannot be reached, refuses the login or the request" },
  { code: 6, errors: "TIMEOUT.", text: "the cluster does not answer in time" },
  { code: 6, errors: "SERVER.", text: "the cluster refuses: rights, names, ..." },
  { code: 6, errors: "STORAGE.", text: "the folder of a file: URL cannot be used" },
  { code: 6, errors: "WRITE.", text: "the cluster did not take what was written" },
];

/** How commands end that read migrations. */
export const INVALID_EXITS: readonly Exit[] = [
  { code: 7, errors: "MIGRATION.INVALID", text: "a migration cannot be read, or does not fit the others: see check" },
  { code: 7, errors: "MIGRATION.CHECKSUM", text: "a migration changed after it was applied, or is missing" },
];

/** Works with a connection, at the URL of the config where nothing else is said. */
export function withProjectDb<T>(
  loaded: LoadedConfig,
  values: Values,
  io: Io,
  work: (db: Db) => Promise<T>,
): Promise<T> {
  const { url, connection } = loaded.config;
  // An empty variable says nothing.
  const env = io.env[URL_VARIABLE] ? io.env : { ...io.env, [URL_VARIABLE]: url };
  // The config is loaded; the rest of what it says is for the migrations.
  return withDb({ ...values, config: undefined }, { ...io, env }, work, connection ?? {});
}

/** The URL that {@linkcode withProjectDb} connects to. */
export function projectUrl({ config }: LoadedConfig, values: Values, io: Io): string {
  return textOf(values, "url") ?? (io.env[URL_VARIABLE] || config.url) ?? "";
}

/** A folder of a `file:` URL that migrations begin in. */
export async function makeFolder(url: string): Promise<void> {
  if (!/^file:/i.test(url)) return;
  const { embedded } = parseUrl(url);
  if (embedded?.kind === "file") await mkdir(embedded.folder, { recursive: true });
}

/**
 * What was allowed by name.
 *
 * @param kinds what can be allowed
 * @throws FlussUsageError `CLI.BAD_USAGE`
 */
export function grantsOf(values: Values, kinds: readonly string[]): readonly string[] {
  const grants = textsOf(values, "allow");
  const wrong = grants.find((grant) =>
    !kinds.some((kind) => grant.startsWith(`${kind}:`) && grant.length > kind.length + 1)
  );
  if (wrong === undefined) return grants;
  throw badUsage(
    `--allow ${JSON.stringify(wrong)} allows nothing`,
    `for example ${kinds.map((kind) => `--allow ${kind}:shop.orders`).join(", ")}`,
  );
}

/** Prints an envelope. */
export function printJson(io: Io, envelope: unknown): void {
  const json = JSON.stringify(envelope);
  io.out(`${io.screen.out ? plainText(json) : json}\n`);
}

/** Prints lines of data; what is in them may come from anybody. */
export function printLines(io: Io, lines: readonly string[]): void {
  for (const line of lines) io.out(`${plainText(line)}\n`);
}

/** Tells something to people. */
export function tell(io: Io, line: string): void {
  io.err(`${plainText(line)}\n`);
}

/** A problem with what to do about it. */
export function problemLine({ message, hint }: MigrationProblem): string {
  return hint === undefined ? message : `${message}. hint: ${hint}`;
}
