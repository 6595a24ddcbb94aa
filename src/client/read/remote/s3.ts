/**
 * Remote storage of the S3 kind: objects are got in ranges, as they are read.
 *
 * @module
 */
import { AwsV4Signer } from "aws4fetch";
import { FlussError, flussError } from "../../../base/errors.ts";
import { backOffMs, type Deadline } from "../../../base/wait.ts";
import type { FlussClient } from "../../client.ts";
import type { RemoteFile } from "./remote_file.ts";
import type { OpenFile, Place } from "./remote_log.ts";
import { addressOf, allowedObject, type S3Address, type S3Object, type StoreInfo } from "./s3_place.ts";
import type { S3Credentials, SecurityToken } from "./tokens.ts";

/** The SHA-256 of no bytes, which is the body of every GET. */
const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/** What of the body of an error is looked at. */
const ERROR_BYTES = 4096;
/** Answers that another attempt may turn into good ones. */
const TRANSIENT: readonly number[] = [408, 425, 429, 500, 502, 503, 504];
const NO_INFO: StoreInfo = new Map();

/** A failure that another attempt may not have. */
class Transient extends Error {}

/**
 * Opens an object that a server named, within the roots that the user allowed, with the user's keys or the cluster's.
 * Nothing is sent before the first read.
 *
 * @param size the size that the server claims; another one is found at the first read
 * @throws FlussUsageError `REMOTE.NOT_ALLOWED`
 */
export function openS3(client: FlussClient, place: Place, { root, path }: RemoteFile, size: number): OpenFile {
  const uri = root + path;
  const object = allowedObject(place, uri, client.options.scanner.remote.roots);
  return new S3File(client, place, uri, object, size);
}

/**
 * The headers of a signed GET for a range of bytes (AWS: Signature Version 4). All headers are signed.
 *
 * @param datetime when, as `20130524T000000Z`; now unless told
 */
export async function signGet(
  { url, region }: S3Address,
  range: string,
  credentials: S3Credentials,
  datetime?: string,
): Promise<Headers> {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const signer = new AwsV4Signer({
    url,
    region,
    service: "s3",
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
    ...(datetime === undefined ? {} : { datetime }),
    headers: { range, "x-amz-content-sha256": EMPTY_SHA256 },
    allHeaders: true,
  });
  return (await signer.sign()).headers;
}

/** The body of an answer, as far as it was not read yet. */
interface Body {
  readonly reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly abort: AbortController;
}

class S3File implements OpenFile {
  readonly size: number;
  readonly #client: FlussClient;
  readonly #place: Place;
  readonly #uri: string;
  readonly #object: S3Object;
  #body: Body | undefined;

  constructor(client: FlussClient, place: Place, uri: string, object: S3Object, size: number) {
    this.#client = client;
    this.#place = place;
    this.#uri = uri;
    this.#object = object;
    this.size = size;
  }

  async read(into: Uint8Array, position: number, signal: AbortSignal): Promise<number> {
    let at = 0;
    let attempt = 0;
    // What comes slowly must not be cut off: time counts from the last bytes that came.
    let patience = this.#client.cluster.deadline({ signal });
    while (at < into.length) {
      try {
        this.#body ??= await this.#request(position + at, into.length - at, signal);
        const { done, value } = await this.#soon(this.#body.reader.read(), signal);
        if (done) throw new Transient(`the answer ended ${into.length - at} bytes early`);
        if (value.length > into.length - at) throw this.#corrupt("is answered with more bytes than were asked for");
        into.set(value, at);
        at += value.length;
        if (value.length === 0) continue;
        attempt = 0;
        patience = this.#client.cluster.deadline({ signal });
      } catch (error) {
        this.#drop();
        await this.#waitAfter(error, ++attempt, patience, signal);
      }
    }
    await this.#finish(signal);
    return at;
  }

  close(): Promise<void> {
    this.#drop();
    return Promise.resolve();
  }

  /** Waits before another attempt, if there is to be one. */
  async #waitAfter(error: unknown, attempt: number, patience: Deadline, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (FlussError.is(error) && error.code !== "TIMEOUT.REQUEST") throw error;
    const cannot = `cannot be read: ${textOf(error)}`;
    // Deno's word for a right that the program was not given.
    if ((error as Error).name === "NotCapable") throw this.#unavailable(cannot, { cause: error });
    try {
      await patience.pause(backOffMs(attempt), cannot);
    } catch {
      signal.throwIfAborted();
      throw this.#unavailable(cannot, { cause: error });
    }
  }

  /** Waits for a part of the time that there is for getting on, so that some is left for another attempt. */
  #soon<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
    const { cluster, options: { requestTimeoutMs } } = this.#client;
    return cluster.deadline({ signal, timeoutMs: requestTimeoutMs / 3 }).wait(promise, `reading ${this.#uri}`);
  }

  /** Reads the end of an answer, without which its connection could not be used again. */
  async #finish(signal: AbortSignal): Promise<void> {
    try {
      if ((await this.#soon(this.#body!.reader.read(), signal)).done) this.#body = undefined;
    } catch {
      // Everything that was wanted is there.
    }
    this.#drop();
    signal.throwIfAborted();
  }

  /** Lets go of an answer, whether it has been read to its end or not. */
  #drop(): void {
    const body = this.#body;
    this.#body = undefined;
    body?.abort.abort();
    body?.reader.cancel().catch(() => {});
  }

  async #request(from: number, length: number, signal: AbortSignal): Promise<Body> {
    const own = this.#client.options.scanner.remote.s3;
    for (let renewed = false;; renewed = true) {
      let token: SecurityToken | undefined;
      let credentials = ownCredentials(own);
      if (credentials === undefined) {
        token = await this.#client.securityTokens.get(signal);
        credentials = token.credentials;
      }
      const address = addressOf(this.#place, this.#object, own, token?.info ?? NO_INFO);
      const range = `bytes=${from}-${from + length - 1}`;
      const headers = await signGet(address, range, credentials);
      const abort = new AbortController();
      try {
        // A redirect would take the signature to a place that nobody allowed.
        const init = { headers, redirect: "manual", signal: abort.signal } as const;
        const answer = await this.#soon(fetch(address.url, init), signal);
        if (answer.status === 206) return { reader: this.#checked(answer, from, length), abort };
        const code = await this.#soon(errorCode(answer), signal);
        const refused = answer.status === 401 || answer.status === 403 || /^(Expired|InvalidToken)/.test(code);
        if (refused && token !== undefined) {
          // It may have been taken back before its time.
          this.#client.securityTokens.refused(token);
          if (!renewed) continue;
        }
        throw this.#failure(answer, code, refused);
      } catch (error) {
        abort.abort();
        throw error;
      }
    }
  }

  /** Checks what an answer says of itself before any of it is used. */
  #checked(answer: Response, from: number, length: number): Body["reader"] {
    const said = answer.headers.get("content-range") ?? "";
    const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(said) ?? [];
    if (total !== undefined && Number(total) !== this.size) {
      throw this.#corrupt(`has ${total} bytes, and the server said ${this.size}`);
    }
    if (Number(first) !== from || Number(last) !== from + length - 1 || answer.body === null) {
      throw this.#corrupt(
        `is answered with the range ${JSON.stringify(said)} where ${from} and ${length - 1} more count`,
      );
    }
    return answer.body.getReader();
  }

  #failure({ status, headers }: Response, code: string, refused: boolean): Error {
    const said = `${status}${code === "" ? "" : ` ${code}`}`;
    if (refused) {
      return this.#unavailable(`is refused (${said})`, {
        hint: ownCredentials(this.#client.options.scanner.remote.s3) === undefined
          ? "the store refuses the cluster's keys; give keys of your own in scanner.remote.s3 of connect()"
          : "check the keys and the region in scanner.remote.s3 of connect()",
      });
    }
    if (TRANSIENT.includes(status)) return new Transient(`the store answers ${said}`);
    if (status === 404) {
      // It has been removed since it was named; the server knows better by now.
      return this.#unavailable(`is not there (${said})`, { retriable: true });
    }
    if (status === 416) return this.#corrupt(`is shorter than the ${this.size} bytes that the server said`);
    const region = headers.get("x-amz-bucket-region");
    return this.#unavailable(`cannot be read: the store answers ${said}`, {
      ...(region === null || !/^[a-z0-9-]+$/.test(region)
        ? {}
        : { hint: `the bucket is in ${region}: scanner: { remote: { s3: { region: "${region}" } } }` }),
    });
  }

  #unavailable(what: string, details: { hint?: string; retriable?: boolean; cause?: unknown }): Error {
    return flussError("REMOTE.UNAVAILABLE", {
      ...this.#place,
      message: `the remote segment ${this.#uri} ${what}`,
      ...details,
    });
  }

  #corrupt(what: string): Error {
    const { bucket } = this.#place;
    return flussError("CODEC.CORRUPT_BATCH", {
      ...this.#place,
      message: `bucket ${bucket}: the remote segment ${this.#uri} ${what}`,
    });
  }
}

function ownCredentials(
  { accessKeyId, secretAccessKey, sessionToken }: FlussClient["options"]["scanner"]["remote"]["s3"],
): S3Credentials | undefined {
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  return { accessKeyId, secretAccessKey, sessionToken };
}

/** The store's own word for a failure. The rest of its answer may quote the request, so it goes nowhere. */
async function errorCode({ body }: Response): Promise<string> {
  if (body === null) return "";
  const reader = body.getReader();
  let text = "";
  try {
    const decoder = new TextDecoder();
    while (text.length < ERROR_BYTES) {
      const { done, value } = await reader.read();
      if (done) break;
      text += decoder.decode(value.subarray(0, ERROR_BYTES), { stream: true });
    }
  } catch {
    // The status says enough.
  } finally {
    reader.cancel().catch(() => {});
  }
  return /<Code>([A-Za-z]{1,64})<\/Code>/.exec(text)?.[1] ?? "";
}

function textOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : "";
  return (error instanceof Error ? error.message : String(error)) + cause;
}
