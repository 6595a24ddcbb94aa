/**
 * The options of `sluice dev`, checked.
 *
 * @module
 */
import { lookup } from "node:dns/promises";
import { type FlussError, flussError } from "../base/errors.ts";
import type { User } from "../embedded/mod.ts";
import { plainText } from "./text.ts";

/** The variable that names users where the list of processes does not show them. */
export const USERS_VARIABLE = "SLUICE_DEV_USERS";

/** How far the listeners with login are from those without. */
export const LOGIN_OFFSET = 100;

/** What to serve, and where. */
export interface DevOptions {
  /** The address to listen on. */
  readonly address: string;
  /** Whether only programs of this machine reach it. */
  readonly loopback: boolean;
  /** The coordinator's; 0 takes free ones. */
  readonly port: number;
  /** The folder that everything is kept in; without it, memory. */
  readonly folder: string | undefined;
  readonly users: readonly User[];
}

/** The same as they come from the command line. */
export interface DevWords {
  readonly port: string;
  readonly host: string;
  readonly data?: string | undefined;
  readonly user?: readonly string[] | undefined;
}

/**
 * Reads them.
 *
 * @throws FlussUsageError `CLI.BAD_USAGE`; no message has a password
 */
export async function readDevOptions(
  words: DevWords,
  env: Readonly<Record<string, string | undefined>>,
): Promise<DevOptions> {
  const users = readUsers(words.user ?? [], env[USERS_VARIABLE]);
  const { data: folder } = words;
  if (folder === "") throw badUsage("--data names no folder", "for example --data ./data");
  if (folder !== undefined && /^(memory|file):/i.test(folder)) {
    throw badUsage(
      "--data wants a folder, not a URL",
      /^file:./i.test(folder)
        ? `write --data ${plainText(folder.slice("file:".length))}`
        : "leave it out to serve from memory",
    );
  }
  const address = await resolveHost(words.host);
  const loopback = isLoopback(address);
  if (!loopback && users.length === 0) {
    throw badUsage(
      `--host ${plainText(words.host)} lets other machines in, and there are no users who could log in`,
      `set ${USERS_VARIABLE}=name:password, or listen on 127.0.0.1`,
    );
  }
  return { address, loopback, port: readPort(words.port, users.length > 0), folder, users };
}

/** An address where a URL has a host. */
export function hostInUrl(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

function readPort(text: string, login: boolean): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  // The tablet server has the next one, and those with login are further up.
  const highest = 65535 - 1 - (login ? LOGIN_OFFSET : 0);
  if (port >= 0 && port <= highest) return port;
  throw badUsage(
    `--port wants a number from 0 to ${highest}, not ${JSON.stringify(text)}`,
    "0 takes ports that are free",
  );
}

function readUsers(words: readonly string[], variable: string | undefined): User[] {
  const users: User[] = [];
  const add = (text: string, where: string): void => {
    const at = text.indexOf(":");
    const [name, password] = [text.slice(0, at).trim(), text.slice(at + 1)];
    // Without a colon the text may be a password, so it is not shown.
    if (at < 1 || name === "" || password === "") {
      throw badUsage(`${where} wants name:password, and got something else`, `for example ${where} alice:secret`);
    }
    if (users.some((user) => user.name === name)) throw badUsage(`user ${JSON.stringify(name)} is given twice`);
    users.push({ name, password });
  };
  for (const text of words) add(text, "--user");
  for (const text of (variable ?? "").split(",")) if (text.trim() !== "") add(text.trim(), USERS_VARIABLE);
  return users;
}

async function resolveHost(host: string): Promise<string> {
  try {
    if (host === "") throw new Error("it is empty");
    // 127.0.0.1 before ::1, as the official clients look for localhost.
    const { address } = await lookup(/^\[(.*)\]$/.exec(host)?.[1] ?? host, { order: "ipv4first" });
    return address;
  } catch (error) {
    throw flussError("CLI.BAD_USAGE", {
      message: `--host ${JSON.stringify(host)} is no address of this machine, and no name that has one`,
      hint: "use 127.0.0.1, or 0.0.0.0 for all addresses of this machine",
      cause: error,
    });
  }
}

function isLoopback(address: string): boolean {
  return /^(127\.|::ffff:127\.)/i.test(address) || address === "::1";
}

function badUsage(message: string, hint = "see sluice dev --help"): FlussError {
  return flussError("CLI.BAD_USAGE", { message, hint });
}
