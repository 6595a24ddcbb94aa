/**
 * The keys to its remote storage that a cluster gives to its clients, kept for the better part of their life
 * (Fluss: DefaultSecurityTokenManager.java).
 *
 * @module
 */
import { flussError } from "../../../base/errors.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { API } from "../../rpc/api.ts";
import { optionalField } from "../../rpc/required.ts";

/** What signs requests to a store of the S3 kind. */
export interface S3Credentials {
  /** Tells whose requests they are. */
  readonly accessKeyId: string;
  /** Signs them; sent to nobody. */
  readonly secretAccessKey: string;
  /** Goes with keys that expire. */
  readonly sessionToken: string | undefined;
}

/** What a cluster gave. Its credentials are not shown where it is inspected or made text. */
export class SecurityToken {
  /** Options for the client of the storage, by the names of Hadoop: `fs.s3a.region`, `fs.s3a.endpoint`. */
  readonly info: ReadonlyMap<string, string>;
  /** When to ask for another, on the clock of `Date.now()`. */
  renewAt: number;
  /** When it is of no use any more. */
  readonly expiresAt: number;
  readonly #credentials: S3Credentials;

  constructor(credentials: S3Credentials, info: ReadonlyMap<string, string>, expiresAt: number) {
    this.#credentials = credentials;
    this.info = info;
    this.expiresAt = expiresAt;
    const now = Date.now();
    this.renewAt = now + (expiresAt - now) * RENEW_AFTER;
  }

  /** The secret part. */
  get credentials(): S3Credentials {
    return this.#credentials;
  }
}

/** The part of its life after which a token is renewed. */
const RENEW_AFTER = 0.75;
/** How long an old token serves when there is no new one to be had. */
const RETRY_MS = 10_000;

/** The tokens of one cluster: one at a time, which all readers share. */
export class SecurityTokens {
  readonly #cluster: Cluster;
  #current: SecurityToken | undefined;
  #asking: Promise<SecurityToken> | undefined;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /**
   * The token of now.
   *
   * @throws FlussUsageError `REMOTE.NOT_SUPPORTED` for the token of another kind of storage
   * @throws FlussError when the cluster cannot be asked
   */
  async get(signal: AbortSignal): Promise<SecurityToken> {
    const current = this.#current;
    if (current !== undefined && Date.now() < current.renewAt) return current;
    try {
      // What many wait for must not end with one of them.
      this.#asking ??= this.#ask().finally(() => this.#asking = undefined);
      return await this.#cluster.deadline({ signal }).wait(this.#asking, "asking for the keys to remote storage");
    } catch (error) {
      signal.throwIfAborted();
      if (current === undefined || Date.now() >= current.expiresAt) throw error;
      current.renewAt = Date.now() + RETRY_MS;
      return current;
    }
  }

  /** The storage refused a token: the next call asks for another. */
  refused(token: SecurityToken): void {
    if (this.#current === token) this.#current = undefined;
  }

  async #ask(): Promise<SecurityToken> {
    const answer = await this.#cluster.callAny(API.GET_FILESYSTEM_SECURITY_TOKEN, {});
    const info = new Map(answer.additionInfo.map(({ key, value }) => [key, value]));
    const expiresAt = Number(optionalField(answer, "expirationTime") ?? Infinity);
    return this.#current = new SecurityToken(readCredentials(answer.schema, answer.token), info, expiresAt);
  }
}

/** The JSON of credentials (Fluss: CredentialsJsonSerde.java). What it holds appears in no error. */
function readCredentials(scheme: string, bytes: Uint8Array): S3Credentials {
  if (scheme !== "s3" && scheme !== "s3a") {
    throw flussError("REMOTE.NOT_SUPPORTED", {
      message: `the cluster gives keys for ${JSON.stringify(scheme)}, and the log is in a store of the S3 kind`,
    });
  }
  let json: Record<string, unknown> | undefined;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
  } catch {
    // The cause would quote the text.
  }
  const { access_key_id: accessKeyId, access_key_secret: secretAccessKey, security_token: sessionToken } = json ?? {};
  if (
    typeof accessKeyId !== "string" || typeof secretAccessKey !== "string" ||
    (sessionToken !== null && sessionToken !== undefined && typeof sessionToken !== "string")
  ) {
    throw flussError("REMOTE.NOT_SUPPORTED", {
      message: `the cluster's keys to its remote storage (${bytes.length} bytes) are not of the form that Sluice knows`,
      hint: "give keys of your own in scanner.remote.s3 of connect()",
    });
  }
  return { accessKeyId, secretAccessKey, sessionToken: sessionToken ?? undefined };
}
