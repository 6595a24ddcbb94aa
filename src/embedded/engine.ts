/**
 * A Fluss server inside the process: everything that its listeners share.
 *
 * @module
 */
import { Buckets } from "./buckets.ts";
import { Authorizer } from "./catalog/authorizer.ts";
import { Catalog } from "./catalog/catalog.ts";
import { type Clock, systemClock } from "./clock.ts";
import { Commits } from "./commits.ts";
import type { ServerFault } from "./fault.ts";
import { Intake } from "./intake.ts";
import { Pressure } from "./pressure.ts";
import type { Call } from "./requests/handler.ts";
import { DEFAULT_SETTINGS, type Settings } from "./settings.ts";
import type { BucketId, Storage } from "./storage/storage.ts";

/** What an engine runs on. */
export interface EngineOptions {
  /** The engine owns it from now on. */
  readonly storage: Storage;
  readonly clock?: Clock;
  readonly settings?: Partial<Settings>;
}

/** A request that is about to be served. */
export interface ServedRequest {
  /** The name of the request: `PUT_KV`. */
  readonly api: string;
  readonly message: unknown;
  readonly call: Call;
}

/** Looks at requests before they are served, and may have them fail. For tests. */
export interface Interceptor {
  /** Told of every request, once. A fault is the answer to all of it, and it is not served then. */
  onRequest(request: ServedRequest): ServerFault | undefined;
  /**
   * Asked for each bucket that a request writes to or reads from, after `onRequest`. A fault is that bucket's part of the
   * answer; the others are served. A fetch that waits for records asks again.
   */
  onBucket?(call: Call, bucket: BucketId): ServerFault | undefined;
}

/** See the module. */
export class Engine {
  interceptor: Interceptor | undefined;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly storage: Storage;
  readonly commits: Commits;
  readonly catalog: Catalog;
  readonly authorizer: Authorizer;
  readonly buckets: Buckets;
  readonly pressure: Pressure;
  readonly intake: Intake;
  readonly #closers: (() => void)[] = [];
  #closed = false;

  constructor(options: EngineOptions) {
    this.settings = { ...DEFAULT_SETTINGS, ...options.settings };
    this.clock = options.clock ?? systemClock();
    this.storage = options.storage;
    this.pressure = new Pressure(this.settings.maxUncommittedBytes);
    this.intake = new Intake(this.settings.maxUnfinishedBytes);
    this.buckets = new Buckets(this);
    this.catalog = new Catalog(this);
    this.authorizer = new Authorizer(this);
    this.commits = new Commits(this.storage, () => this.#reload());
  }

  /** Calls `close` when the engine closes, in the opposite order of these calls. */
  onClose(close: () => void): void {
    this.#closers.push(close);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Ends everything that runs, commits, and lets go of the storage. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const close of this.#closers.reverse()) close();
    this.catalog.close();
    this.buckets.clear();
    this.commits.close();
    this.storage.close();
  }

  /** A commit failed, and what is in memory may be more than what is stored. */
  #reload(): void {
    this.buckets.clear();
    this.catalog.reload();
    this.authorizer.reload();
  }
}
