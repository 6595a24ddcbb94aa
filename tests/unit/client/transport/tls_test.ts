import assert from "node:assert/strict";
import { test } from "node:test";
import { createServer, type TLSSocket } from "node:tls";
import { createServer as createPlainServer } from "node:net";
import { dial } from "../../../../src/client/transport/dial.ts";
import { makeCertificate } from "../../../certificate.ts";

const { key, cert } = makeCertificate();

/** A TLS echo. */
async function listen(): Promise<{ port: number; close: () => Promise<void> }> {
  const sockets: TLSSocket[] = [];
  const server = createServer({ key, cert }, (socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    socket.on("data", (chunk) => socket.write(chunk));
  });
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as { port: number }).port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

test("dial() speaks TLS with a server whose authority is trusted", async () => {
  const server = await listen();
  for (const serverName of [undefined, "localhost"]) {
    const transport = await dial("127.0.0.1", server.port, { tls: { caCerts: [cert], serverName } });
    const sent = new Uint8Array(3 << 20).map((_, i) => i * 7);
    const received = new Uint8Array(sent.length);
    let at = 0;
    await new Promise<void>((resolve, reject) => {
      transport.onData = (chunk) => {
        received.set(chunk, at);
        at += chunk.length;
        if (at === sent.length) resolve();
      };
      transport.onClose = (cause) => reject(cause ?? new Error("closed"));
      transport.write(sent);
    });
    assert.equal(Buffer.compare(received, sent), 0);
    transport.close();
  }
  await server.close();
});

test("dial() refuses a certificate of an unknown authority, and one with another name", async () => {
  const server = await listen();
  await assert.rejects(dial("127.0.0.1", server.port, { tls: {} }), /certificate|issuer/i);
  await assert.rejects(
    dial("127.0.0.1", server.port, { tls: { caCerts: [cert], serverName: "elsewhere.example" } }),
    /certificate|altname|name|identity/i,
  );
  await server.close();
});

test("dial() with TLS fails when the server does not speak it, and ends with the signal", async () => {
  const server = createPlainServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end("no TLS here, only text\n"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await assert.rejects(dial("127.0.0.1", port, { tls: { caCerts: [cert] } }));
  const silent = createPlainServer((socket) => socket.on("error", () => {}));
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const reason = new Error("enough");
  const closed = new Promise<void>((resolve) =>
    silent.on("connection", (socket) => {
      socket.resume();
      socket.on("close", () => resolve());
      controller.abort(reason);
    })
  );
  const controller = new AbortController();
  const silentPort = (silent.address() as { port: number }).port;
  await assert.rejects(dial("127.0.0.1", silentPort, { tls: {}, signal: controller.signal }), reason);
  await closed;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  await new Promise<void>((resolve) => silent.close(() => resolve()));
});
