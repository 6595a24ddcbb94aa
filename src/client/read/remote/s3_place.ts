/**
 * Where in S3 a file is that a server named, and whether the user allows to go there.
 *
 * @module
 */
import { flussError } from "../../../base/errors.ts";
import type { S3Options } from "../../options.ts";
import type { Place } from "./remote_log.ts";

/** The address of an object. */
export interface S3Address {
  /** The URL to get it from. */
  readonly url: string;
  /** The region that requests are signed for. */
  readonly region: string;
}

/** The bucket and the key of an object. */
export interface S3Object {
  /** The name of the bucket. */
  readonly bucket: string;
  /** The name of the object in it, without a slash at its start. */
  readonly key: string;
}

/** What a cluster says of its store, by the names of Hadoop. Empty where the user has keys of their own. */
export type StoreInfo = ReadonlyMap<string, string>;

const URI = /^s3a?:\/\/([^/]*)(\/.*)?$/s;
const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/;
const REGION = /^[a-z0-9-]{1,40}$/;
const DEFAULT_REGION = "us-east-1";
/** Stores that a region, or a server, may name without the user: they belong to the one that `s3:` stands for. */
const AWS = /^(?:[a-z0-9-]+\.)*amazonaws\.com(?:\.cn)?$/;

/** Whether a remote root is one of S3. */
export function isS3(root: string): boolean {
  return URI.test(root);
}

/** Whether a root of the user holds an object. */
export function holds(root: string, bucket: string, key: string): boolean {
  const parts = URI.exec(root);
  if (parts === null || parts[1] !== bucket) return false;
  const folder = (parts[2] ?? "").replace(/^\/+|\/+$/g, "");
  return folder === "" || key.startsWith(`${folder}/`);
}

/**
 * The bucket and the key of an object that a server named.
 *
 * @throws FlussUsageError `REMOTE.NOT_ALLOWED` when it is in no root of the user
 */
export function allowedObject(place: Place, uri: string, roots: readonly string[]): S3Object {
  const [, bucket = "", path = ""] = URI.exec(uri) ?? [];
  const key = path.slice(1);
  if (BUCKET.test(bucket) && roots.some((root) => holds(root, bucket, key))) return { bucket, key };
  throw flussError("REMOTE.NOT_ALLOWED", {
    ...place,
    message: `the server names the object ${uri}, and scanner.remote.roots allows ` +
      (roots.length === 0 ? "none" : roots.join(", ")),
    hint: `if the bucket is the cluster's remote storage, name it: scanner: { remote: { roots: ["s3://${
      BUCKET.test(bucket) ? bucket : "bucket"
    }/"] } }`,
  });
}

/**
 * The address of an object. The endpoint is the user's, or that of AWS for the region; one that a server names counts
 * where it is of AWS, for a request to it would come from inside the user's network.
 *
 * @throws FlussUsageError `REMOTE.NOT_ALLOWED` for another endpoint of a server
 */
export function addressOf(
  place: Place,
  { bucket, key }: S3Object,
  options: S3Options,
  info: StoreInfo,
): S3Address {
  const region = options.region ?? info.get("fs.s3a.region") ?? DEFAULT_REGION;
  if (!REGION.test(region)) {
    throw flussError("REMOTE.NOT_ALLOWED", {
      ...place,
      message: `the server names the region ${JSON.stringify(region)}, which is none`,
      hint: "say scanner.remote.s3.region",
    });
  }
  const named = options.endpoint ?? serverEndpoint(place, info);
  const path = key.split("/").map(encodeURIComponent).join("/");
  const pathStyle = options.pathStyle ??
    (info.get("fs.s3a.path.style.access") === "true" || options.endpoint !== undefined || bucket.includes("."));
  const base = new URL(
    named ?? `https://s3.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`,
  );
  const folder = base.pathname.replace(/\/+$/, "");
  return {
    region,
    url: pathStyle
      ? `${base.protocol}//${base.host}${folder}/${bucket}/${path}`
      : `${base.protocol}//${bucket}.${base.host}${folder}/${path}`,
  };
}

function serverEndpoint(place: Place, info: StoreInfo): string | undefined {
  const named = info.get("fs.s3a.endpoint");
  if (named === undefined || named === "") return undefined;
  let url: URL | undefined;
  try {
    url = new URL(named.includes("://") ? named : `https://${named}`);
  } catch {
    // Refused below.
  }
  if (url?.protocol === "https:" && AWS.test(url.hostname) && url.port === "") return url.origin;
  throw flussError("REMOTE.NOT_ALLOWED", {
    ...place,
    message: `the server names the endpoint ${JSON.stringify(named)} for its remote storage`,
    hint: "if it is right, say so: scanner: { remote: { s3: { endpoint } } }",
  });
}
