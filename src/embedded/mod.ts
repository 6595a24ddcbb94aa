/**
 * A Fluss server inside the process: behind `memory:` and `file:`, and on ports for development.
 *
 * @module
 */
import type { EmbeddedPlace } from "../base/embedded_place.ts";
import type { Transport } from "../client/transport/port.ts";
import { memoryStream } from "../client/transport/memory.ts";
import { Engine } from "./engine.ts";
import type { Endpoint } from "./requests/handler.ts";
import { serve } from "./session.ts";
import { memoryStorage } from "./storage/memory.ts";

export { Engine, type EngineOptions } from "./engine.ts";
export { listen, type Listener, type ListenOptions } from "./listener.ts";
export type { RequestLine } from "./session.ts";
export type { User } from "./settings.ts";

/** Where the two servers of an engine are found within the process. Nothing listens on these ports. */
const ENDPOINTS: { readonly coordinator: Endpoint; readonly tablet: Endpoint } = {
  coordinator: { host: "embedded", port: 1 },
  tablet: { host: "embedded", port: 2 },
};

/** Opens a stream to a server of an engine in this process. */
export function dialEngine(engine: Engine, port: number): Transport {
  const server = port === ENDPOINTS.coordinator.port ? "coordinator" : "tablet";
  const [client, other] = memoryStream();
  serve(other, { engine, server, endpoints: ENDPOINTS, users: [] });
  return client;
}

/** An engine that connections of this process share. */
export interface SharedEngine {
  readonly engine: Engine;
  /** Opens a stream to one of its servers. */
  dial(port: number): Transport;
  /** Lets go of it; the last one closes it. */
  close(): void;
}

interface Shared {
  readonly engine: Promise<Engine>;
  holders: number;
}

/** Engines with a name, or in a folder, while any connection holds them. */
const shared = new Map<string, Shared>();

/**
 * Opens the engine that a URL names: a new one for `memory:`, else the one that other connections of this process have
 * open already.
 *
 * @throws FlussError when the storage cannot be opened
 */
export async function openEngine(place: EmbeddedPlace): Promise<SharedEngine> {
  if (place.kind === "memory" && place.name === undefined) {
    const engine = new Engine({ storage: memoryStorage() });
    return handle(engine, () => engine.close());
  }
  const key = await keyOf(place);
  let entry = shared.get(key);
  if (entry === undefined) {
    entry = { engine: make(place), holders: 0 };
    shared.set(key, entry);
  }
  const held = entry;
  held.holders++;
  const release = () => {
    if (--held.holders === 0) shared.delete(key);
    return held.holders === 0;
  };
  try {
    const engine = await held.engine;
    return handle(engine, () => {
      if (release()) engine.close();
    });
  } catch (error) {
    release();
    throw error;
  }
}

function handle(engine: Engine, close: () => void): SharedEngine {
  return { engine, dial: (port) => dialEngine(engine, port), close };
}

async function keyOf(place: EmbeddedPlace): Promise<string> {
  if (place.kind === "memory") return `memory:${place.name}`;
  const { resolve } = await import("node:path");
  return `file:${resolve(place.folder)}`;
}

async function make(place: EmbeddedPlace): Promise<Engine> {
  if (place.kind === "memory") return new Engine({ storage: memoryStorage() });
  const { openFileStorage } = await import("./storage/file.ts");
  return new Engine({ storage: await openFileStorage(place.folder) });
}
