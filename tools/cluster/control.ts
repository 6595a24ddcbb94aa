/**
 * Lets tests, which run in other processes, end and start the tablet servers of a cluster: an HTTP server on loopback that
 * only answers those who know its token.
 *
 * `POST /kill/1`, `POST /stop/1`, `POST /start/1`; 204 when it is done, 500 with a text when it did not work.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { Cluster } from "./launcher.ts";
import { HOST } from "./ports.ts";

/** How to reach the control of a cluster. */
export interface Control {
  readonly url: string;
  readonly token: string;
}

/** What the tests are told of a cluster, as JSON in an environment variable. */
export interface Target extends Pick<Cluster, "bootstrap" | "sasl" | "tabletServers"> {
  readonly control: Control;
}

const COMMANDS = {
  kill: (cluster: Cluster, id: number) => cluster.killTabletServer(id),
  stop: (cluster: Cluster, id: number) => cluster.stopTabletServer(id),
  start: (cluster: Cluster, id: number) => cluster.startTabletServer(id),
} as const;

/** Starts the control of a cluster. */
export async function serveControl(
  cluster: Cluster,
): Promise<Control & { close(): void }> {
  const token = randomUUID();
  const server = createServer((request, response) => {
    const answer = (status: number, text: string = "") => response.writeHead(status).end(text);
    if (request.headers.authorization !== `Bearer ${token}`) {
      return void answer(401);
    }
    const match = /^\/(kill|stop|start)\/(\d+)$/.exec(request.url ?? "");
    if (request.method !== "POST" || match === null) return void answer(404);
    COMMANDS[match[1] as keyof typeof COMMANDS](cluster, Number(match[2])).then(
      () => answer(204),
      (error: unknown) => answer(500, (error as Error).message),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, HOST, resolve);
  });
  const { port } = server.address() as { port: number };
  return {
    url: `http://${HOST}:${port}`,
    token,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** What tests are told of a cluster and its control. */
export function targetOf(cluster: Cluster, { url, token }: Control): Target {
  const { bootstrap, sasl, tabletServers } = cluster;
  return { bootstrap, sasl, tabletServers, control: { url, token } };
}
