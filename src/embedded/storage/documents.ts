/**
 * Documents in memory, as text: so nobody changes what another holds.
 *
 * @module
 */
import type { DocumentStore } from "./storage.ts";

/** See the module. */
export class Documents implements DocumentStore {
  readonly #texts = new Map<string, string>();
  readonly #changed: (name: string) => void;

  /** @param changed called after a document was written or deleted */
  constructor(changed: (name: string) => void = () => {}) {
    this.#changed = changed;
  }

  get(name: string): unknown {
    const text = this.#texts.get(name);
    return text === undefined ? undefined : JSON.parse(text);
  }

  put(name: string, document: unknown): void {
    this.#texts.set(name, JSON.stringify(document));
    this.#changed(name);
  }

  delete(name: string): void {
    if (this.#texts.delete(name)) this.#changed(name);
  }

  list(prefix: string): { readonly name: string; readonly document: unknown }[] {
    return [...this.#texts.keys()].filter((name) => name.startsWith(prefix)).sort()
      .map((name) => ({ name, document: JSON.parse(this.#texts.get(name)!) }));
  }

  /** The text of a document. */
  text(name: string): string | undefined {
    return this.#texts.get(name);
  }

  /** Replaces all documents by others. */
  load(texts: Iterable<readonly [name: string, text: string]>): void {
    this.#texts.clear();
    for (const [name, text] of texts) this.#texts.set(name, text);
  }
}
