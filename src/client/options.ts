/**
 * What a client can be told, with every default.
 *
 * @module
 */
import type { EmbeddedPlace } from "../base/embedded_place.ts";
import type { FlussError } from "../base/errors.ts";
import type { Address } from "./cluster/cluster.ts";

/** How rows are gathered and sent. */
export interface WriterOptions {
  /** A batch that has reached this size, in bytes, takes no more rows. Default 1 MiB. */
  readonly batchBytes?: number;
  /** The longest wait for company while a request to the same server is out, in milliseconds. Default 5. */
  readonly lingerMs?: number;
  /** All rows that are queued and not acknowledged, in bytes. Above it a write throws. Default 64 MiB. */
  readonly maxBytes?: number;
  /**
   * When a row counts as written: on all in-sync replicas (`"all"`, the default), on the leader (1), or when the leader
   * got it (0). Rows acknowledged with 1 or 0 can be lost when the leader dies.
   */
  readonly acks?: "all" | 0 | 1;
  /** From the opening of a batch to its failure, in milliseconds. Default 120,000. */
  readonly deliveryTimeoutMs?: number;
  /** Whether the server drops what it got twice because of a retry. Default true; needs `acks: "all"`. */
  readonly idempotent?: boolean;
  /**
   * Where appended rows go in tables without a bucket key: to one bucket until its batch is full (`"sticky"`, the
   * default, which makes large batches), or to one after the other (`"roundRobin"`).
   */
  readonly keylessBuckets?: "sticky" | "roundRobin";
}

/** How keys are looked up. */
export interface LookupOptions {
  /** Keys of one request. Default 128. */
  readonly maxBatch?: number;
  /** Requests that may be out, over all servers. Default 128. */
  readonly maxInflight?: number;
  /** Keys that may wait, in bytes. Above it a lookup rejects. Default 64 MiB. */
  readonly maxBytes?: number;
}

/** How a store of the S3 kind is reached. What is absent is as the cluster says, or as at AWS. */
export interface S3Options {
  /**
   * The URL of the store: `http://minio:9000`. Default: that of AWS for the region. What a cluster names is taken where
   * it is an address of AWS; every other one must be said here, for servers must not send this program where they want.
   */
  readonly endpoint?: string;
  /** The region that requests are signed for. Default: what the cluster says, else `us-east-1`. */
  readonly region?: string;
  /** The key of requests, with `secretAccessKey`. Default: the cluster gives keys that expire, and they are renewed. */
  readonly accessKeyId?: string;
  /** The secret of the key. It appears in no error, log or inspection, and is sent to nobody. */
  readonly secretAccessKey?: string;
  /** Goes with keys that expire. */
  readonly sessionToken?: string;
  /** Whether the bucket is part of the path, not of the host. Default: true with an endpoint, false at AWS. */
  readonly pathStyle?: boolean;
}

/** Where remote storage may be read. */
export interface RemoteOptions {
  /**
   * Folders (paths or `file:` URIs) and parts of S3 (`s3://bucket/prefix/`) within which files may be read that servers
   * name. A cluster whose servers are all at loopback addresses may also name its own folder. Default: none.
   */
  readonly roots?: readonly string[];
  /** How S3 is reached, where the cluster's remote storage is there. */
  readonly s3?: S3Options;
}

/** How logs and whole tables are read. */
export interface ScannerOptions {
  /** The most that one answer of a server should bring, over all its buckets, in bytes. Default 16 MiB. */
  readonly fetchMaxBytes?: number;
  /** The most that one answer should bring of one bucket, in bytes. A larger batch comes whole. Default 4 MiB. */
  readonly bucketMaxBytes?: number;
  /** How long a server waits for new records before it answers that there are none, in milliseconds. Default 500. */
  readonly maxWaitMs?: number;
  /** Records that one reader holds ahead of its caller, in bytes. Above it nothing is fetched. Default 32 MiB. */
  readonly aheadBytes?: number;
  /**
   * The largest bucket of a primary-key table that is scanned as a whole on servers without a scan of their own, in
   * rows. Default 100,000.
   */
  readonly fullScanRows?: number;
  /** Where records may be read that servers have moved to remote storage. */
  readonly remote?: RemoteOptions;
  /**
   * Whether checksums of log batches are checked. Batches of which the server sends some columns have none. Default
   * true.
   */
  readonly checkCrc?: boolean;
}

/** How an advertised address is reached from here. */
export type ResolveAddress = (host: string, port: number) => Address | Promise<Address>;

/** Everything a client runs on. */
export interface ClientOptions {
  /** Absent for servers that are reached by sockets. */
  readonly embedded: EmbeddedPlace | undefined;
  readonly bootstrap: readonly Address[];
  readonly tls: boolean;
  readonly credentials: { readonly username: string; readonly password: string } | undefined;
  readonly writer: Required<WriterOptions>;
  readonly lookup: Required<LookupOptions>;
  readonly scanner: Required<ScannerOptions> & { readonly remote: Required<RemoteOptions> };
  readonly requestTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly closeTimeoutMs: number;
  readonly schemaCheck: "strict" | "compatible" | "off";
  readonly validate: "writes" | "reads" | "both" | "off";
  readonly resolveAddress: ResolveAddress | undefined;
  readonly log: ((error: FlussError) => void) | undefined;
}
