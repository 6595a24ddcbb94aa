/**
 * The options of `connect()`, read from the object and the URL, checked, and completed with defaults.
 *
 * @module
 */
import { type FlussError, flussError } from "../base/errors.ts";
import type {
  ClientOptions,
  LookupOptions,
  RemoteOptions,
  ResolveAddress,
  ScannerOptions,
  WriterOptions,
} from "../client/options.ts";
import { parseUrl } from "./url.ts";

/**
 * The options of `connect()`. Those with a plain value can also stand in the URL (`?database=shop&writer.acks=1`); the
 * object wins.
 */
export interface ConnectOptions {
  /** The database of table names without a dot. */
  readonly database?: string;
  /** The user for SASL/PLAIN. Without it the listener must be plaintext. */
  readonly username?: string;
  /** The password for SASL/PLAIN. It appears in no error, log or inspection. */
  readonly password?: string;
  /**
   * What is compared between a declaration and the live table on its first use: `"compatible"` (default: every declared
   * column is there with its type, and keys agree), `"strict"` (nothing differs), or `"off"`.
   */
  readonly schemaCheck?: "strict" | "compatible" | "off";
  /** When `.check()` schemas run: on `"writes"` (default), `"reads"`, `"both"` or never (`"off"`). */
  readonly validate?: "writes" | "reads" | "both" | "off";
  /** How rows are gathered and sent. */
  readonly writer?: WriterOptions;
  /** How keys are looked up. */
  readonly lookup?: LookupOptions;
  /** How logs and whole tables are read. */
  readonly scanner?: ScannerOptions;
  /** How long one call may take where it does not say otherwise, in milliseconds. Default 30,000. */
  readonly requestTimeoutMs?: number;
  /** How long opening one connection may take, in milliseconds. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** How long closing waits for queued rows, in milliseconds. Default 30,000. */
  readonly closeTimeoutMs?: number;
  /** Maps an address that a server advertises to one that is reachable from here: NAT, Docker, port-forwards. */
  readonly resolveAddress?: ResolveAddress;
  /** Told at once of every write that failed without anybody waiting for it. Default: nothing; `flush()` throws them. */
  readonly log?: (error: FlussError) => void;
}

/** Connection options as the rest of the library takes them. */
export interface DbOptions {
  readonly client: ClientOptions;
  readonly database: string | undefined;
}

const MIB = 1 << 20;

/** The shape of the options: what each may be. `number` with the smallest value that makes sense. */
const SHAPE = {
  database: "text",
  username: "text",
  password: "text",
  schemaCheck: ["strict", "compatible", "off"],
  validate: ["writes", "reads", "both", "off"],
  requestTimeoutMs: 1,
  connectTimeoutMs: 1,
  closeTimeoutMs: 0,
  resolveAddress: "function",
  log: "function",
  writer: {
    batchBytes: 128,
    lingerMs: 0,
    maxBytes: 1024,
    acks: ["all", 0, 1],
    deliveryTimeoutMs: 1,
    idempotent: "boolean",
    keylessBuckets: ["sticky", "roundRobin"],
  },
  lookup: { maxBatch: 1, maxInflight: 1, maxBytes: 1024 },
  scanner: {
    fetchMaxBytes: 1024,
    bucketMaxBytes: 1024,
    maxWaitMs: 1,
    aheadBytes: 1024,
    fullScanRows: 1,
    checkCrc: "boolean",
    remote: {
      roots: "texts",
      s3: {
        endpoint: "text",
        region: "text",
        accessKeyId: "text",
        secretAccessKey: "text",
        sessionToken: "text",
        pathStyle: "boolean",
      },
    },
  },
} as const;

type Shape = string | number | readonly (string | number)[] | { readonly [key: string]: Shape };

/**
 * Reads URL and options.
 *
 * @throws FlussUsageError `CONNECTION.BAD_URL`, `CONNECTION.BAD_OPTION`
 */
export function readOptions(url: string, options: ConnectOptions = {}): DbOptions {
  const parsed = parseUrl(url);
  check(options, SHAPE, "");
  const fromUrl: Record<string, unknown> = {};
  for (const [name, text] of parsed.parameters) setFromUrl(fromUrl, name, text);
  const merged: ConnectOptions = {
    ...fromUrl,
    ...defined(options),
    writer: { ...(fromUrl.writer ?? {}), ...defined(options.writer ?? {}) },
    lookup: { ...(fromUrl.lookup ?? {}), ...defined(options.lookup ?? {}) },
    scanner: { ...(fromUrl.scanner ?? {}), ...defined(options.scanner ?? {}) },
  };
  const username = merged.username ?? parsed.username;
  const password = merged.password ?? parsed.password;
  if (username !== undefined && (password === undefined || password === "")) {
    throw badOption("username is given, but password is missing or empty");
  }
  if (username === undefined && password !== undefined) throw badOption("password is given, but username is missing");
  if (parsed.embedded !== undefined && username !== undefined) {
    throw badOption(`${parsed.embedded.kind}: takes no login, and a username is given`);
  }
  const acks = merged.writer?.acks ?? "all";
  if (acks !== "all" && merged.writer?.idempotent === true) {
    throw badOption(`writer.idempotent needs writer.acks "all", not ${acks}`);
  }
  const writer = {
    batchBytes: MIB,
    lingerMs: 5,
    maxBytes: 64 * MIB,
    deliveryTimeoutMs: 120_000,
    idempotent: acks === "all",
    keylessBuckets: "sticky" as const,
    ...merged.writer,
    acks,
  };
  if (writer.batchBytes > writer.maxBytes) {
    throw badOption(`writer.batchBytes (${writer.batchBytes}) is above writer.maxBytes (${writer.maxBytes})`);
  }
  const scanner = {
    fetchMaxBytes: 16 * MIB,
    bucketMaxBytes: 4 * MIB,
    maxWaitMs: 500,
    aheadBytes: 32 * MIB,
    fullScanRows: 100_000,
    checkCrc: true,
    ...merged.scanner,
    // It is not for a URL, which may come from elsewhere, to say which files may be read and with which keys.
    remote: readRemote(merged.scanner?.remote),
  };
  // These are numbers of 32 bits on the wire.
  for (const key of ["fetchMaxBytes", "bucketMaxBytes", "maxWaitMs", "fullScanRows"] as const) {
    if (scanner[key] < 2 ** 31 - 1 && Number.isInteger(scanner[key])) continue;
    throw badOption(`scanner.${key} must be a whole number below ${2 ** 31 - 1}, not ${scanner[key]}`);
  }
  return {
    database: merged.database,
    client: {
      embedded: parsed.embedded,
      bootstrap: parsed.bootstrap,
      tls: parsed.tls,
      credentials: username === undefined || password === undefined ? undefined : { username, password },
      writer,
      lookup: { maxBatch: 128, maxInflight: 128, maxBytes: 64 * MIB, ...merged.lookup },
      scanner,
      requestTimeoutMs: merged.requestTimeoutMs ?? 30_000,
      connectTimeoutMs: merged.connectTimeoutMs ?? 10_000,
      closeTimeoutMs: merged.closeTimeoutMs ?? 30_000,
      schemaCheck: merged.schemaCheck ?? "compatible",
      validate: merged.validate ?? "writes",
      resolveAddress: merged.resolveAddress,
      log: merged.log,
    },
  };
}

function readRemote({ roots = [], s3 = {} }: RemoteOptions = {}): Required<RemoteOptions> {
  for (const root of roots) {
    // A relative one would be another folder wherever the program is started.
    if (/^(?:\/|[A-Za-z]:[\\/]|file:\/|s3a?:\/\/[^/])/.test(root)) continue;
    throw badOption(`scanner.remote.roots has ${JSON.stringify(root)}, which is no absolute path, file: or s3: URI`);
  }
  const { endpoint, accessKeyId, secretAccessKey, sessionToken } = s3;
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined)) {
    throw badOption("scanner.remote.s3 needs accessKeyId and secretAccessKey, or neither");
  }
  if (sessionToken !== undefined && accessKeyId === undefined) {
    throw badOption("scanner.remote.s3.sessionToken is given, but accessKeyId is missing");
  }
  if (endpoint !== undefined) {
    const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
    if (!/^https?:$/.test(url?.protocol ?? "") || url!.username + url!.password + url!.search + url!.hash !== "") {
      throw badOption(
        "scanner.remote.s3.endpoint must be a URL like https://host:port, without user, query or fragment",
      );
    }
  }
  if (s3.region !== undefined && !/^[a-z0-9-]+$/.test(s3.region)) {
    throw badOption(`scanner.remote.s3.region must be like us-east-1, not ${JSON.stringify(s3.region)}`);
  }
  return { roots, s3: defined(s3) };
}

function check(value: unknown, shape: Shape, path: string): void {
  const name = path === "" ? "options" : path;
  if (typeof shape === "object" && !Array.isArray(shape)) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw badOption(`${name} must be an object`);
    }
    for (const [key, inner] of Object.entries(value)) {
      const innerShape = Object.hasOwn(shape, key) ? (shape as Record<string, Shape>)[key] : undefined;
      const innerPath = path === "" ? key : `${path}.${key}`;
      if (innerShape === undefined) {
        throw badOption(`there is no option "${innerPath}"; there are ${Object.keys(shape).join(", ")}`);
      }
      if (inner !== undefined) check(inner, innerShape, innerPath);
    }
    return;
  }
  const fits = Array.isArray(shape)
    ? shape.includes(value as string)
    : typeof shape === "number"
    ? typeof value === "number" && Number.isFinite(value) && value >= shape
    : shape === "text"
    ? typeof value === "string" && value !== ""
    : shape === "texts"
    ? Array.isArray(value) && value.every((each) => typeof each === "string" && each !== "")
    : shape === "boolean"
    ? typeof value === "boolean"
    : typeof value === "function";
  if (fits) return;
  const expected = Array.isArray(shape)
    ? `one of ${shape.map((choice) => JSON.stringify(choice)).join(", ")}`
    : typeof shape === "number"
    ? `a number of at least ${shape}`
    : shape === "text"
    ? "a text that is not empty"
    : shape === "texts"
    ? "a list of texts that are not empty"
    : `a ${shape as string}`;
  // What was given is not shown for texts: it may be the password.
  throw badOption(`${name} must be ${expected}${typeof value === "number" ? `, not ${value}` : ""}`);
}

/** A text from the URL becomes what the shape says, at its place. */
function setFromUrl(target: Record<string, unknown>, name: string, text: string): void {
  let shape: Shape | undefined = SHAPE;
  for (const part of name.split(".")) {
    shape = typeof shape === "object" && !Array.isArray(shape) && Object.hasOwn(shape, part)
      ? (shape as Record<string, Shape>)[part]
      : undefined;
  }
  if (
    shape === undefined || shape === "function" || name.split(".").length > 2 ||
    (typeof shape === "object" && !Array.isArray(shape))
  ) {
    throw badOption(`there is no option "${name}" that a URL can give`);
  }
  let value: unknown = text;
  if (typeof shape === "number" || (Array.isArray(shape) && shape.includes(Number(text)) && text !== "")) {
    value = Number(text);
  }
  if (shape === "boolean") value = text === "true" ? true : text === "false" ? false : text;
  check(value, shape, name);
  const [group, key] = name.includes(".") ? name.split(".") as [string, string] : [undefined, name];
  if (group === undefined) target[key] = value;
  else target[group] = { ...(target[group] as object | undefined), [key]: value };
}

function defined<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}

function badOption(message: string): Error {
  return flussError("CONNECTION.BAD_OPTION", { message });
}
