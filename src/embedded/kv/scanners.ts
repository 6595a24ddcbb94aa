/**
 * Scans of the rows of a bucket as they were when the scan began (Fluss main: server/kv/scan).
 *
 * @module
 */
import type { Alarm } from "../../base/alarms.ts";
import { ValueBatchBuilder } from "../../format/value_batch.ts";
import { bucketText } from "../bucket_text.ts";
import type { Bucket } from "../buckets.ts";
import type { Engine } from "../engine.ts";
import { fault } from "../fault.ts";
import type { KeyText, RowSnapshot } from "../storage/storage.ts";

/** A scan that nobody asks is ended after so long (Fluss: kv.scanner.ttl). */
export const SCANNER_TTL_MS = 600_000;
/** How often such scans are looked for (Fluss: kv.scanner.expiration-interval). */
const EXPIRATION_INTERVAL_MS = 30_000;
/** Scans of one bucket at a time (Fluss: kv.scanner.max-per-bucket). */
export const MAX_PER_BUCKET = 8;
/** Scans of one server at a time (Fluss: kv.scanner.max-per-server). */
export const MAX_PER_SERVER = 200;
/** The largest batch, whatever is asked for (Fluss: kv.scanner.max-batch-size). */
export const MAX_BATCH_BYTES: number = 10 << 20;

/** A scan that goes on. */
export class Scanner {
  readonly id: string;
  readonly bucket: Bucket;
  /** The number of the last call that was answered. */
  callSequence = -1;
  lastAccess: number;
  readonly #snapshot: RowSnapshot;
  /** Where the next call goes on; undefined at the end. */
  #next: KeyText | undefined = "";
  /** Rows that may still come. */
  #left: number;

  constructor(id: string, bucket: Bucket, snapshot: RowSnapshot, limit: number, now: number) {
    this.id = id;
    this.bucket = bucket;
    this.#snapshot = snapshot;
    this.#left = limit <= 0 ? Infinity : limit;
    this.lastAccess = now;
  }

  /** The next rows: at least one, and then as many as begin within `bytes`. */
  read(bytes: number): { readonly records: Uint8Array<ArrayBuffer>; readonly hasMore: boolean } {
    const batch = new ValueBatchBuilder();
    const from = this.#next;
    this.#next = undefined;
    if (from !== undefined) {
      this.#snapshot.visit(from, (key, value) => {
        if (this.#left === 0 || (batch.count > 0 && batch.size >= bytes)) {
          this.#next = this.#left === 0 ? undefined : key;
          return false;
        }
        batch.append(value);
        this.#left--;
        return true;
      });
    }
    return { records: batch.finish(), hasMore: this.#next !== undefined };
  }

  close(): void {
    this.#snapshot.close();
  }
}

/** The scans of an engine. */
export class Scanners {
  readonly #engine: Engine;
  readonly #open = new Map<string, Scanner>();
  /** When scans ended that nobody asked, by their ids. */
  readonly #expired = new Map<string, number>();
  #alarm: Alarm | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
    engine.onClose(() => this.#closeAll());
  }

  /**
   * Begins a scan.
   *
   * @param limit the most rows; 0 and less for all
   * @returns undefined when there are no rows
   * @throws {ServerFault} 69 when there are too many scans
   */
  open(bucket: Bucket, limit: number): Scanner | undefined {
    if (this.#open.size >= MAX_PER_SERVER) {
      throw tooMany(bucket, `server-wide limit of ${MAX_PER_SERVER} reached.`);
    }
    const others = [...this.#open.values()].filter((scanner) => scanner.bucket === bucket);
    if (others.length >= MAX_PER_BUCKET) throw tooMany(bucket, `per-bucket limit of ${MAX_PER_BUCKET} reached.`);
    const { store } = bucket.rows!;
    if (store.count === 0) return undefined;
    const id = crypto.randomUUID().replaceAll("-", "");
    const scanner = new Scanner(id, bucket, store.snapshot(), limit, this.#engine.clock.now());
    this.#open.set(id, scanner);
    this.#watch();
    return scanner;
  }

  /** The scans that are open. */
  get all(): readonly Scanner[] {
    return [...this.#open.values()];
  }

  /** The scan with this id, if it is open. */
  get(id: string): Scanner | undefined {
    return this.#open.get(id);
  }

  /** Whether a scan with this id was ended because nobody asked. */
  isExpired(id: string): boolean {
    return this.#expired.has(id);
  }

  /** Ends a scan. */
  close(scanner: Scanner): void {
    if (!this.#open.delete(scanner.id)) return;
    scanner.close();
    if (this.#open.size === 0) this.#unwatch();
  }

  /** Ends a scan that nobody asked, or that cannot go on because its bucket was opened anew. */
  expire(scanner: Scanner): void {
    this.#expired.set(scanner.id, this.#engine.clock.now());
    this.close(scanner);
  }

  #expireOld(): void {
    const now = this.#engine.clock.now();
    for (const [id, since] of this.#expired) if (now - since > 2 * SCANNER_TTL_MS) this.#expired.delete(id);
    for (const scanner of this.#open.values()) {
      if (now - scanner.lastAccess > SCANNER_TTL_MS) this.expire(scanner);
    }
  }

  /** Looks for old scans as long as there are any. */
  #watch(): void {
    this.#alarm ??= this.#engine.clock.set(EXPIRATION_INTERVAL_MS, () => {
      this.#alarm = undefined;
      this.#expireOld();
      if (this.#open.size > 0) this.#watch();
    });
  }

  #unwatch(): void {
    if (this.#alarm !== undefined) this.#engine.clock.clear(this.#alarm);
    this.#alarm = undefined;
  }

  #closeAll(): void {
    for (const scanner of this.#open.values()) scanner.close();
    this.#open.clear();
    this.#expired.clear();
    this.#unwatch();
  }
}

function tooMany({ id }: Bucket, reason: string): Error {
  return fault("SERVER.TOO_MANY_SCANNERS", `Cannot create scanner for bucket ${bucketText(id)}: ${reason}`);
}

const scanners = new WeakMap<Engine, Scanners>();

/** The scans of an engine; made when first asked for. */
export function scannersOf(engine: Engine): Scanners {
  let known = scanners.get(engine);
  if (known === undefined) scanners.set(engine, known = new Scanners(engine));
  return known;
}
