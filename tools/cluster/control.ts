/**
 * Lets tests, which run in other processes, end and start the servers of a cluster: an HTTP server on loopback that only
 * answers those who know its token.
 *
 * `POST /kill/1`, `POST /stop/1`, `POST /start/1` for tablet servers; `POST /restart-coordinator`; `POST /repair` with a
 * text that says what the coordinator lost. 204 when it is done, 500 with a text when it did not work.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Cluster } from "./launcher.ts";
import { HOST } from "./ports.ts";

/** How to reach the control of a cluster. */
export interface Control {
  readonly url: string;
  readonly token: string;
}

/** What the tests are told of a cluster, as JSON in an environment variable. */
export interface Target extends Pick<Cluster, "bootstrap" | "sasl" | "tabletServers" | "s3"> {
  readonly control: Control;
}

type Command = (cluster: Cluster, id: number) => Promise<void>;

const COMMANDS: Readonly<Record<string, Command>> = {
  kill: (cluster, id) => cluster.killTabletServer(id),
  stop: (cluster, id) => cluster.stopTabletServer(id),
  start: (cluster, id) => cluster.startTabletServer(id),
  "restart-coordinator": (cluster) => cluster.restartCoordinator(),
};

/** The body of a request, which is a line of text. */
async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += chunk;
  return text;
}

/** The control of a cluster, for the side that starts it. */
export interface ServedControl extends Control {
  /** How often a test found that the coordinator had lost a table, so that it was restarted. */
  readonly repairs: number;
  close(): void;
}

/**
 * Starts the control of a cluster.
 *
 * @param say is told of every repair: a bug of the server that a run met must not go unseen
 */
export async function serveControl(cluster: Cluster, say: (line: string) => void): Promise<ServedControl> {
  const token = randomUUID();
  let repairs = 0;
  let repairing: Promise<void> | undefined;
  const repair = (lost: string): Promise<void> => {
    // Tests that run side by side find the same loss.
    if (repairing !== undefined) return repairing;
    repairs++;
    say(`!!!   the coordinator lost ${lost} (a bug of the server, see CONTRIBUTING.md); restarting it`);
    repairing = cluster.restartCoordinator().finally(() => repairing = undefined);
    return repairing;
  };
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const answer = (status: number, text: string = "") => void response.writeHead(status).end(text);
    if (request.headers.authorization !== `Bearer ${token}`) return answer(401);
    const [, name, id] = /^\/([a-z-]+)(?:\/(\d+))?$/.exec(request.url ?? "") ?? [];
    if (request.method !== "POST" || name === undefined) return answer(404);
    try {
      if (name === "repair") await repair(await textOf(request));
      else if (Object.hasOwn(COMMANDS, name)) await COMMANDS[name]!(cluster, Number(id));
      else return answer(404);
      answer(204);
    } catch (error) {
      answer(500, (error as Error).message);
    }
  };
  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, HOST, resolve);
  });
  const { port } = server.address() as { port: number };
  return {
    url: `http://${HOST}:${port}`,
    token,
    get repairs() {
      return repairs;
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** What tests are told of a cluster and its control. */
export function targetOf(cluster: Cluster, { url, token }: Control): Target {
  const { bootstrap, sasl, tabletServers, s3 } = cluster;
  return { bootstrap, sasl, tabletServers, ...(s3 === undefined ? {} : { s3 }), control: { url, token } };
}
