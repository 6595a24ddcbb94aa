/**
 * An HTTP service on a primary-key table: `GET /users/7` looks a user up, `PUT /users/7` writes one.
 *
 *     deno run --allow-net examples/http_service.ts fluss://127.0.0.1:9123
 *
 * The handler takes and gives web standards, so it runs in any server; `serve()` below is one line of `node:http`.
 */
import { createServer, type Server } from "node:http";
import process from "node:process";
import { connect, type Db, FlussError, t, table, toJson } from "../mod.ts";

export const users = table("example.users", {
  id: t.bigint(),
  name: t.string(),
  email: t.string(),
  seenAt: t.timestampLtz(3, { mode: "epochMillis" }),
}, { primaryKey: ["id"], buckets: 4 });

/** Answers one request. */
export async function handle(db: Db, method: string, path: string, body: () => Promise<string>): Promise<Response> {
  const match = /^\/users\/(\d{1,18})$/.exec(path);
  if (match === null) return new Response("not found\n", { status: 404 });
  const id = BigInt(match[1]!);
  if (method === "GET") {
    const user = await db.table(users).lookup({ id }, { timeoutMs: 2_000 });
    if (user === null) return new Response("no such user\n", { status: 404 });
    return Response.json(toJson(users, user));
  }
  if (method === "PUT") {
    const { name, email } = JSON.parse(await body()) as { name: string; email: string };
    try {
      // Awaiting the ack makes the answer mean that the user is stored.
      await db.table(users).upsert({ id, name, email, seenAt: Date.now() });
    } catch (error) {
      if (FlussError.is(error) && error.code.startsWith("CODEC.")) {
        return new Response(`${error.message}\n`, { status: 400 });
      }
      throw error;
    }
    return new Response(null, { status: 204 });
  }
  return new Response("method not allowed\n", { status: 405 });
}

/** Serves on `port`; 0 takes a free one. */
export function serve(db: Db, port: number): Server {
  return createServer(async (request, response) => {
    const body = async () => {
      let text = "";
      for await (const chunk of request) text += chunk;
      return text;
    };
    try {
      const answer = await handle(db, request.method ?? "GET", request.url ?? "/", body);
      response.writeHead(answer.status, Object.fromEntries(answer.headers));
      response.end(await answer.text());
    } catch (error) {
      console.error(error);
      response.writeHead(500).end("something went wrong\n");
    }
  }).listen(port, "127.0.0.1");
}

if (import.meta.main) {
  const url = process.argv[2] ?? "fluss://127.0.0.1:9123";
  const db = await connect(url);
  await db.admin.createDatabase("example", { ignoreIfExists: true });
  await db.admin.create(users, { ignoreIfExists: true });
  const server = serve(db, 8080);
  console.log("http://127.0.0.1:8080/users/1");
  process.once("SIGINT", () => {
    server.close();
    void db.close();
  });
}
