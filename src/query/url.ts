/**
 * Connection URLs: `fluss://host:port,host:port?database=shop`.
 *
 * @module
 */
import { flussError } from "../base/errors.ts";
import type { Address } from "../client/cluster/cluster.ts";

/** The port of a coordinator's client listener where the URL names none. */
const DEFAULT_PORT = 9123;

/** The parts of a connection URL. */
export interface ParsedUrl {
  readonly tls: boolean;
  readonly bootstrap: readonly Address[];
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Options given behind `?`, as text. */
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * Reads a connection URL.
 *
 * @throws FlussUsageError `CONNECTION.BAD_URL`; the message never shows a password
 */
export function parseUrl(url: string): ParsedUrl {
  const match = /^([a-z][a-z0-9+.-]*):(?:\/\/)?([^/?#]*)(?:\/*)(?:\?([^#]*))?$/i.exec(url);
  if (match === null) throw badUrl(url, "it is not of the form fluss://host:port,host:port");
  const scheme = match[1]!.toLowerCase();
  if (scheme === "memory" || scheme === "file") {
    throw badUrl(
      url,
      `"${scheme}:" is not part of this version`,
      "use fluss://host:port; deno task cluster starts a cluster on this machine",
    );
  }
  if (scheme !== "fluss" && scheme !== "fluss+tls") {
    throw badUrl(url, `"${scheme}:" is no scheme that Sluice knows`, "use fluss://host:port or fluss+tls://host:port");
  }
  const authority = match[2]!;
  const at = authority.lastIndexOf("@");
  const [user, password] = at < 0 ? [undefined, undefined] : splitOnce(authority.slice(0, at), ":");
  const hosts = authority.slice(at + 1).split(",").filter((host) => host !== "");
  if (hosts.length === 0) throw badUrl(url, "it names no host");
  const parameters = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(match[3] ?? "")) {
    if (parameters.has(name)) throw badUrl(url, `it gives "${name}" twice`);
    parameters.set(name, value);
  }
  return {
    tls: scheme === "fluss+tls",
    bootstrap: hosts.map((host) => parseHost(host, url)),
    username: decode(user, url),
    password: decode(password, url),
    parameters,
  };
}

/** The URL as it may be shown: without a password. */
export function redactUrl(url: string): string {
  return url.replace(/\/\/[^/?#]*@/, "//***@").replace(/([?&]password=)[^&#]*/gi, "$1***");
}

function parseHost(text: string, url: string): Address {
  const match = /^(?:\[([0-9a-f:.%]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/i.exec(text);
  if (match === null) throw badUrl(url, `"${text}" is not host:port`, "write IPv6 addresses in brackets: [::1]:9123");
  const port = match[3] === undefined ? DEFAULT_PORT : Number(match[3]);
  if (port < 1 || port > 65535) throw badUrl(url, `${port} is no port`);
  return { host: match[1] ?? match[2]!, port };
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function decode(text: string | undefined, url: string): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch {
    throw badUrl(url, "its user or password has a % that begins no escape", "write % as %25");
  }
}

function badUrl(url: string, why: string, hint?: string): Error {
  return flussError("CONNECTION.BAD_URL", { message: `cannot connect to "${redactUrl(url)}": ${why}`, hint });
}
