/**
 * The run-time side of subscriptions. Types are in `change_types.ts`; here a change is one of unknown rows.
 *
 * @module
 */
import { flussError } from "../base/errors.ts";
import type { FlussClient } from "../client/client.ts";
import { ChangeFeed, type FeedChunk, positionOf, type Slot } from "./change_feed.ts";
import { ChunkChanges, type LooseChange } from "./change_fold.ts";
import type { SubscriptionPlan } from "./change_options.ts";
import type { ChangeBatch, PartitionChange, Subscription } from "./change_types.ts";
import { ManagedCheckpoint } from "./managed_checkpoint.ts";
import { FROM_SNAPSHOT } from "./token.ts";

type Step<X> = IteratorResult<X, undefined>;
type PartitionListener = (change: PartitionChange) => void;

const DONE: Step<never> = { done: true, value: undefined };

/** What was given out last, and whether the caller has asked for what follows it. */
interface Hand {
  readonly slot: Slot;
  readonly chunk: FeedChunk;
  readonly changes: ChunkChanges;
  /** Where the bucket stood before a batch; undefined while changes are given one by one. */
  readonly before: bigint | undefined;
}

/** See {@linkcode Subscription} in `change_types.ts`. */
export class RuntimeSubscription implements Subscription<LooseChange> {
  readonly #plan: SubscriptionPlan;
  readonly #feed: ChangeFeed;
  readonly #managed: ManagedCheckpoint | undefined;
  readonly #listeners = new Set<PartitionListener>();
  readonly #onAbort = (): void => this.#close({ error: this.#plan.signal!.reason });
  #taken = false;
  #started: Promise<void> | undefined;
  /** Tables, buckets and offsets are known. */
  #open = false;
  /** Nothing is given out any more. */
  #closed = false;
  /** The last checkpoint was saved, or cannot be. */
  #ended = false;
  #hand: Hand | undefined;
  /** The next change was asked for, so that the one in hand was dealt with. */
  #released = false;

  constructor(client: FlussClient, plan: SubscriptionPlan) {
    this.#plan = plan;
    this.#feed = new ChangeFeed(client, plan.followed, plan.settings, (change) => {
      for (const listener of this.#listeners) listener(change);
    });
    const { checkpoint, signal } = plan;
    const table = plan.followed.map(({ binding }) => binding.name).join(", ");
    this.#managed = checkpoint === undefined ? undefined : new ManagedCheckpoint(checkpoint, client.alarms, table);
    if (signal?.aborted === true) this.#close({ error: signal.reason });
    else signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  get lag(): bigint {
    const left = this.#hand?.before === undefined ? this.#hand?.changes.left ?? 0 : 0;
    return this.#feed.lag + BigInt(left);
  }

  checkpoint(): string {
    return this.#checkpoint()();
  }

  on(event: "partition", listener: PartitionListener): () => void {
    if (event !== "partition" || typeof listener !== "function") {
      throw flussError("SUBSCRIPTION.BAD_OPTIONS", {
        table: this.#name,
        message: `on(${JSON.stringify(event)}): there is no such event, or no function to call`,
        hint: 'use on("partition", (change) => ...)',
      });
    }
    // A function that is added twice is called twice.
    const own: PartitionListener = (change) => listener(change);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  [Symbol.asyncIterator](): AsyncIterator<LooseChange, undefined> {
    this.#take();
    return new Changes(this);
  }

  batches(): AsyncIterable<ChangeBatch<LooseChange>, undefined> {
    return {
      [Symbol.asyncIterator]: () => {
        this.#take();
        return new Batches(this);
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }

  /** What inspection shows. */
  toJSON(): unknown {
    return { table: this.#name, open: this.#open, closed: this.#closed, lag: String(this.lag) };
  }

  get #name(): string {
    return this.#plan.followed.map(({ binding }) => binding.name).join(", ");
  }

  #take(): void {
    if (this.#taken) {
      throw flussError("SUBSCRIPTION.IN_USE", {
        table: this.#name,
        message: "the subscription has a reader already, or had one",
      });
    }
    this.#taken = true;
  }

  /** A change that is here already; undefined when it has to be waited for. For {@linkcode Changes}. */
  tryChange(): LooseChange | undefined {
    const hand = this.#hand;
    if (hand === undefined || this.#closed || this.#managed?.due() === true) return undefined;
    const change = this.#takeFrom(hand.changes);
    if (change === undefined) this.#commit(hand);
    else this.#managed?.count(1);
    return change;
  }

  /** The next change; undefined at the end. For {@linkcode Changes}. */
  async nextChange(): Promise<LooseChange | undefined> {
    this.#released = true;
    while (!this.#closed) {
      await this.#saveDue();
      if (this.#hand === undefined) {
        const chunk = await this.#nextChunk();
        if (chunk === undefined) return undefined;
        this.#hand = { slot: chunk.slot, chunk, changes: this.#changesOf(chunk), before: undefined };
      }
      const hand = this.#hand;
      const change = this.#takeFrom(hand.changes);
      if (change !== undefined) {
        this.#released = false;
        this.#managed?.count(1);
        return change;
      }
      this.#commit(hand);
    }
    this.#feed.throwFailure();
    return undefined;
  }

  /** The next batch that has changes; undefined at the end. For {@linkcode Batches}. */
  async nextBatch(): Promise<ChangeBatch<LooseChange> | undefined> {
    if (this.#hand !== undefined) this.#commit(this.#hand);
    while (!this.#closed) {
      await this.#saveDue();
      const chunk = await this.#nextChunk();
      if (chunk === undefined) return undefined;
      const { slot } = chunk;
      const hand: Hand = { slot, chunk, changes: this.#changesOf(chunk), before: positionOf(slot) };
      this.#hand = hand;
      const batch: LooseChange[] = [];
      for (let change = this.#takeFrom(hand.changes); change !== undefined;) {
        batch.push(change);
        change = this.#takeFrom(hand.changes);
      }
      if (batch.length === 0) {
        this.#commit(hand);
        continue;
      }
      const behind = slot.held?.offset ?? chunk.nextOffset;
      const checkpoint = this.#feed.checkpoint((other) => other === slot ? behind : positionOf(other));
      Object.defineProperty(batch, "checkpoint", { get: checkpoint });
      this.#managed?.count(batch.length);
      return batch as unknown as ChangeBatch<LooseChange>;
    }
    this.#feed.throwFailure();
    return undefined;
  }

  #changesOf(chunk: FeedChunk): ChunkChanges {
    try {
      return new ChunkChanges(chunk.slot.table.rules, chunk.slot, chunk);
    } catch (error) {
      this.#close();
      throw error;
    }
  }

  #takeFrom(changes: ChunkChanges): LooseChange | undefined {
    try {
      return changes.take();
    } catch (error) {
      this.#close();
      throw error;
    }
  }

  /** All of a chunk was dealt with. */
  #commit({ slot, chunk }: Hand): void {
    slot.next = chunk.nextOffset;
    this.#hand = undefined;
  }

  async #nextChunk(): Promise<FeedChunk | undefined> {
    try {
      if (!this.#open) await (this.#started ??= this.#start());
      this.#managed?.wait(() => this.checkpoint(), (error) => {
        this.#ended = true;
        this.#close({ error });
      });
      const chunk = await this.#feed.next();
      if (chunk !== undefined) return chunk;
    } catch (error) {
      const closed = this.#closed;
      this.#close();
      // Who has ended it does not want to hear that it was ended.
      if (!closed) throw error;
    } finally {
      this.#managed?.rest();
    }
    this.#close();
    this.#feed.throwFailure();
    return undefined;
  }

  async #start(): Promise<void> {
    const saved = await this.#managed?.load();
    await this.#feed.start(saved === undefined ? this.#plan.settings.from : { token: saved });
    this.#open = true;
  }

  async #saveDue(): Promise<void> {
    if (this.#managed?.due() !== true || !this.#open) return;
    try {
      await this.#managed.save(this.checkpoint());
    } catch (error) {
      this.#ended = true;
      this.#close();
      throw error;
    }
  }

  #checkpoint(): () => string {
    if (!this.#open) {
      const { from } = this.#plan.settings;
      // Nothing was read, so the token that reading starts from still says it all.
      if (typeof from === "object" && "token" in from && this.#managed === undefined) return () => from.token;
      throw flussError("SUBSCRIPTION.NOT_STARTED", {
        table: this.#name,
        message: "there is no checkpoint before the first change was asked for",
      });
    }
    const hand = this.#hand;
    if (hand === undefined) return this.#feed.checkpoint(positionOf);
    const at = this.#positionInHand(hand);
    return this.#feed.checkpoint((slot) => slot === hand.slot ? at : positionOf(slot));
  }

  #positionInHand({ slot, changes, before }: Hand): bigint {
    if (slot.next === FROM_SNAPSHOT) return FROM_SNAPSHOT;
    if (before !== undefined) return before;
    return this.#released ? slot.held?.offset ?? changes.nextOffset : changes.startOffset;
  }

  /** Saves what is to be saved and ends. Calling it again is no mistake. */
  async end(): Promise<void> {
    this.#close();
    if (this.#ended) return;
    this.#ended = true;
    if (this.#open) await this.#managed?.save(this.checkpoint());
  }

  #close(failure?: { readonly error: unknown }): void {
    this.#plan.signal?.removeEventListener("abort", this.#onAbort);
    this.#managed?.rest();
    this.#feed.close(failure);
    this.#closed = true;
  }
}

/** One change after the other. Those of a chunk that is here cost one promise each, and no turn of a generator. */
class Changes implements AsyncIterator<LooseChange, undefined> {
  readonly #subscription: RuntimeSubscription;
  /** The call that waits. Callers who do not await `next` queue behind it. */
  #waiting: Promise<Step<LooseChange>> | undefined;

  constructor(subscription: RuntimeSubscription) {
    this.#subscription = subscription;
  }

  next(): Promise<Step<LooseChange>> {
    if (this.#waiting === undefined) {
      try {
        const value = this.#subscription.tryChange();
        if (value !== undefined) return Promise.resolve({ done: false, value });
      } catch (error) {
        return Promise.reject(error);
      }
    }
    const before = this.#waiting;
    const waiting = before === undefined ? this.#wait() : before.catch(() => {}).then(() => this.#wait());
    this.#waiting = waiting;
    const over = () => {
      if (this.#waiting === waiting) this.#waiting = undefined;
    };
    waiting.then(over, over);
    return waiting;
  }

  async #wait(): Promise<Step<LooseChange>> {
    const value = await this.#subscription.nextChange();
    return value === undefined ? DONE : { done: false, value };
  }

  async return(): Promise<Step<LooseChange>> {
    await this.#subscription.end();
    return DONE;
  }
}

/** One batch after the other. */
class Batches implements AsyncIterator<ChangeBatch<LooseChange>, undefined> {
  readonly #subscription: RuntimeSubscription;
  #waiting: Promise<unknown> = Promise.resolve();

  constructor(subscription: RuntimeSubscription) {
    this.#subscription = subscription;
  }

  next(): Promise<Step<ChangeBatch<LooseChange>>> {
    const step = this.#waiting.then(async (): Promise<Step<ChangeBatch<LooseChange>>> => {
      const value = await this.#subscription.nextBatch();
      return value === undefined ? DONE : { done: false, value };
    });
    this.#waiting = step.catch(() => {});
    return step;
  }

  async return(): Promise<Step<ChangeBatch<LooseChange>>> {
    await this.#subscription.end();
    return DONE;
  }
}
