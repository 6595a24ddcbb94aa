/**
 * The embedded server on ports of this machine: what `sluice dev` runs.
 *
 * @module
 */
import { type FlussError, flussError } from "../base/errors.ts";
import { listen, type Listener, openEngine, type RequestLine } from "../embedded/mod.ts";
import { type DevOptions, hostInUrl, LOGIN_OFFSET } from "./dev_options.ts";

/** One way in. */
export interface DevListener {
  /** As `connect()` takes it. */
  readonly url: string;
  /** Who may log in; nobody needs to where this is empty. */
  readonly users: readonly string[];
}

/** A server that runs. */
export interface DevServer {
  readonly listeners: readonly DevListener[];
  /** Hangs up, commits, and lets go of ports and folder. */
  close(): Promise<void>;
}

/**
 * Starts it.
 *
 * @param log told of every request, when it is answered
 * @throws FlussConnectionError `LISTEN.PORT_IN_USE`, `LISTEN.REFUSED`
 * @throws FlussError `STORAGE.` and more, when the folder cannot be used
 */
export async function startDevServer(options: DevOptions, log?: (line: RequestLine) => void): Promise<DevServer> {
  const { address, loopback, port, folder, users } = options;
  const opened = await openEngine(
    folder === undefined ? { kind: "memory", name: undefined } : { kind: "file", folder },
  );
  const open: Listener[] = [];
  const listeners: DevListener[] = [];
  const close = async () => {
    await Promise.all(open.map((listener) => listener.close()));
    opened.close();
  };
  const add = async (at: number, allowed: DevOptions["users"]) => {
    const told = log === undefined ? {} : { log };
    let listener: Listener;
    try {
      listener = await listen(opened.engine, { host: address, port: at, users: allowed, ...told });
    } catch (error) {
      throw listenError(error, address, at);
    }
    open.push(listener);
    listeners.push({
      url: `fluss://${hostInUrl(reachable(address))}:${listener.coordinator.port}`,
      users: allowed.map(({ name }) => name),
    });
  };
  try {
    if (loopback) await add(port, []);
    if (users.length > 0) await add(port === 0 ? 0 : port + LOGIN_OFFSET, users);
  } catch (error) {
    await close();
    throw error;
  }
  return { listeners, close };
}

/** An address to connect to: all addresses of a machine are none. */
function reachable(address: string): string {
  return address === "0.0.0.0" ? "127.0.0.1" : address === "::" ? "::1" : address;
}

function listenError(error: unknown, address: string, port: number): FlussError {
  const { code, port: named } = error as { readonly code?: string; readonly port?: number };
  // Not every runtime says which of the two it was.
  const where = `${hostInUrl(address)}:${named || `${port} or ${port + 1}`}`;
  if (code === "EADDRINUSE") {
    return flussError("LISTEN.PORT_IN_USE", { message: `something else listens on ${where}`, cause: error });
  }
  const why = code === "EACCES"
    ? "this user may not"
    : code === "EADDRNOTAVAIL"
    ? "this machine does not have the address"
    : error instanceof Error
    ? error.message
    : String(error);
  return flussError("LISTEN.REFUSED", { message: `cannot listen on ${where}: ${why}`, cause: error });
}
