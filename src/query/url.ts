/**
 * Connection URLs: `fluss://host:port,host:port?database=shop`, `memory:`, `memory:name`, `file:./data`.
 *
 * @module
 */
import type { EmbeddedPlace } from "../base/embedded_place.ts";
import { flussError } from "../base/errors.ts";
import type { Address } from "../client/cluster/cluster.ts";

/** The port of a coordinator's client listener where the URL names none. */
const DEFAULT_PORT = 9123;

/** The parts of a connection URL. */
export interface ParsedUrl {
  readonly tls: boolean;
  /** The server inside the process, if that is what the URL names. */
  readonly embedded: EmbeddedPlace | undefined;
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
  const local = /^(memory|file):([^?#]*)(?:\?([^#]*))?$/i.exec(url);
  if (local !== null) {
    return {
      tls: false,
      embedded: placeOf(local[1]!.toLowerCase() as "memory" | "file", local[2]!, url),
      bootstrap: [EMBEDDED],
      username: undefined,
      password: undefined,
      parameters: parametersOf(local[3], url),
    };
  }
  const match = /^([a-z][a-z0-9+.-]*):(?:\/\/)?([^/?#]*)(?:\/*)(?:\?([^#]*))?$/i.exec(url);
  if (match === null) throw badUrl(url, "it is not of the form fluss://host:port,host:port");
  const scheme = match[1]!.toLowerCase();
  if (scheme !== "fluss" && scheme !== "fluss+tls") {
    throw badUrl(
      url,
      `"${scheme}:" is no scheme that Sluice knows`,
      "use fluss://host:port, fluss+tls://host:port, memory: or file:./folder",
    );
  }
  const authority = match[2]!;
  const at = authority.lastIndexOf("@");
  const [user, password] = at < 0 ? [undefined, undefined] : splitOnce(authority.slice(0, at), ":");
  const hosts = authority.slice(at + 1).split(",").filter((host) => host !== "");
  if (hosts.length === 0) throw badUrl(url, "it names no host");
  return {
    tls: scheme === "fluss+tls",
    embedded: undefined,
    bootstrap: hosts.map((host) => parseHost(host, url)),
    username: decode(user, url),
    password: decode(password, url),
    parameters: parametersOf(match[3], url),
  };
}

/** Where the coordinator of a server inside the process is found. */
const EMBEDDED: Address = { host: "embedded", port: 1 };

function placeOf(kind: "memory" | "file", text: string, url: string): EmbeddedPlace {
  const name = decode(text, url)!;
  if (kind === "memory") {
    if (/^[\w.-]*$/.test(name)) return { kind, name: name === "" ? undefined : name };
    throw badUrl(url, "the name behind memory: may have letters, digits, _, - and .", "for example memory:shop");
  }
  // file:///data and file:/data are the same folder; another host's files are not ours to open.
  if (/^\/\/[^/]/.test(name)) {
    throw badUrl(url, "it names a host", "write file:./folder, or file:///folder for a folder from the root");
  }
  const folder = name.replace(/^\/\/\//, "/");
  if (folder === "") throw badUrl(url, "it names no folder", "for example file:./data");
  return { kind, folder };
}

function parametersOf(text: string | undefined, url: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(text ?? "")) {
    if (parameters.has(name)) throw badUrl(url, `it gives "${name}" twice`);
    parameters.set(name, value);
  }
  return parameters;
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
