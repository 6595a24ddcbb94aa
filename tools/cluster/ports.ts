/**
 * Free ports of the loopback interface.
 *
 * @module
 */
import { createServer, type Server } from "node:net";

/** The only interface that the clusters of this project listen on. */
export const HOST = "127.0.0.1";

function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ host: HOST, port, exclusive: true }, () => resolve(server));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

/**
 * Ports that nobody listens on now. They are found while all are held, so they differ; from then until a server listens
 * on them another process may take one, which the caller must be ready for.
 */
export async function freePorts(count: number): Promise<number[]> {
  const held: Server[] = [];
  try {
    for (let i = 0; i < count; i++) held.push(await listen(0));
    return held.map((server) => (server.address() as { port: number }).port);
  } finally {
    await Promise.all(held.map(close));
  }
}

/** Whether nobody listens on a port. */
export async function isFree(port: number): Promise<boolean> {
  try {
    await close(await listen(port));
    return true;
  } catch {
    return false;
  }
}
