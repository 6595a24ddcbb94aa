/**
 * The servers of an engine on ports of this machine. `node:net` on all three runtimes: a server for development needs no
 * second way.
 *
 * @module
 */
import type { Server } from "node:net";
import { acceptNode, type NodeSocket } from "../client/transport/node.ts";
import type { Engine } from "./engine.ts";
import type { Call, Endpoint } from "./requests/handler.ts";
import { type RequestLine, serve, type Session } from "./session.ts";
import type { User } from "./settings.ts";

/** Where to listen. */
export interface ListenOptions {
  /** The address; a loopback one keeps others out. Default `127.0.0.1`. */
  readonly host?: string;
  /** The coordinator's port; the tablet server has the next one. 0 takes two free ones. */
  readonly port: number;
  /** Who may log in, by SASL/PLAIN. Where there is nobody, nobody needs to. Default: nobody. */
  readonly users?: readonly User[];
  /** What clients are told instead of `host`, behind NAT. Where `host` is all addresses: the one that they came by. */
  readonly advertisedHost?: string;
  /** Told of every request, when it is answered. */
  readonly log?: (line: RequestLine) => void;
}

/** Two servers that listen. */
export interface Listener extends AsyncDisposable {
  readonly coordinator: Endpoint;
  readonly tablet: Endpoint;
  /** Hangs up on everybody, and listens no more. */
  close(): Promise<void>;
}

/**
 * Listens.
 *
 * @throws the runtime's own error, when a port is taken or may not be used
 */
export async function listen(engine: Engine, options: ListenOptions): Promise<Listener> {
  const { host = "127.0.0.1", port, users = [], log } = options;
  const { createServer } = await import("node:net");
  const sessions = new Set<Session>();
  const servers: Server[] = [];
  const close = async () => {
    const ends = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    for (const session of [...sessions]) session.close();
    await Promise.all(ends);
  };
  const endpoints: { coordinator: Endpoint; tablet: Endpoint } = {
    coordinator: { host, port },
    tablet: { host, port: port + 1 },
  };
  // Where all addresses of the machine are listened on, a client is told the one that it came by.
  const everywhere = options.advertisedHost === undefined && (host === "0.0.0.0" || host === "::");
  const endpointsAt = (address: string): typeof endpoints => {
    const to = plainAddress(address);
    return {
      coordinator: { host: to, port: endpoints.coordinator.port },
      tablet: { host: to, port: endpoints.tablet.port },
    };
  };
  const open = async (kind: Call["server"], at: number): Promise<Endpoint> => {
    const server = createServer((socket) => {
      const session = serve(acceptNode(socket as unknown as NodeSocket), {
        engine,
        server: kind,
        endpoints: everywhere ? endpointsAt(socket.localAddress ?? host) : endpoints,
        users,
        clientHost: plainAddress(socket.remoteAddress ?? ""),
        ...(log === undefined ? {} : { log }),
      });
      sessions.add(session);
      session.onClose(() => sessions.delete(session));
      socket.setTimeout(engine.settings.maxIdleMs, () => session.close());
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(at, host, () => {
        server.off("error", reject);
        // A connection that cannot be accepted, for want of file descriptors, is no reason to end.
        server.on("error", () => {});
        resolve();
      });
    });
    servers.push(server);
    return { host: options.advertisedHost ?? host, port: (server.address() as { port: number }).port };
  };
  try {
    endpoints.coordinator = await open("coordinator", port);
    endpoints.tablet = await open("tablet", port === 0 ? 0 : port + 1);
  } catch (error) {
    await close();
    throw error;
  }
  engine.onClose(() => void close());
  return { ...endpoints, close, [Symbol.asyncDispose]: close };
}

/** An address of version 4 is one on sockets of version 6, too. */
function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, "");
}
