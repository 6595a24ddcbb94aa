/**
 * The way to a server inside the process, which is loaded and opened when it is first needed: other programs do not pay
 * for it.
 *
 * @module
 */
import type { EmbeddedPlace } from "../base/embedded_place.ts";
import type { Way } from "../client/client.ts";

/** See the module. */
export interface EmbeddedServer extends Way {
  /**
   * Opens it, once; `dial` does so too.
   *
   * @throws FlussError `STORAGE.LOCKED` and others of its kind, when a folder cannot be opened
   */
  open(): Promise<void>;
}

/** A server in memory or in a folder; nothing is opened yet. */
export function embeddedServer(place: EmbeddedPlace): EmbeddedServer {
  let opening: ReturnType<typeof load> | undefined;
  let closed = false;
  const load = () => import("../embedded/mod.ts").then(({ openEngine }) => openEngine(place));
  const opened = () => {
    const attempt = opening ??= load();
    // Whoever held the folder may have left by the next attempt.
    attempt.catch(() => opening = opening === attempt ? undefined : opening);
    return attempt;
  };
  return {
    open: async () => void await opened(),
    dial: async (_host, port, { signal }) => {
      const engine = await opened();
      signal?.throwIfAborted();
      return engine.dial(port);
    },
    close: async () => {
      if (closed) return;
      closed = true;
      // One that could not be opened needs no closing.
      await opening?.then((engine) => engine.close(), () => {});
    },
  };
}
