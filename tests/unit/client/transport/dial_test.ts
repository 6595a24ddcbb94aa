import { runScript } from "../../../child.ts";
import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { after, test } from "node:test";
import { dial } from "../../../../src/client/transport/dial.ts";
import { connectionRefused } from "../../../../src/client/transport/failure.ts";
import { HIGH_WATER_BYTES } from "../../../../src/client/transport/outbox.ts";
import type { Transport } from "../../../../src/client/transport/port.ts";

/** Ends the listeners of tests that failed: the process must end all the same. */
const listening = new Set<() => Promise<void>>();
after(() => Promise.all([...listening].map((close) => close())));

/** A listener on a free port that hands out its clients. */
async function listen(
  onSocket: (socket: Socket) => void = () => {},
): Promise<{ port: number; sockets: Socket[]; closed: Promise<void>[]; close: () => Promise<void> }> {
  const sockets: Socket[] = [];
  const closed: Promise<void>[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    closed.push(new Promise((resolve) => socket.on("close", () => resolve())));
    socket.on("error", () => {});
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const close = async () => {
    listening.delete(close);
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  listening.add(close);
  return { port, sockets, closed, close };
}

/** Resolves with everything that arrived once it is `count` bytes. */
function receive(transport: Transport, count: number): Promise<Uint8Array> {
  const all = new Uint8Array(count);
  let at = 0;
  return new Promise((resolve, reject) => {
    transport.onData = (chunk) => {
      all.set(chunk, at);
      at += chunk.length;
      if (at === count) resolve(all);
    };
    transport.onClose = (cause) => reject(cause ?? new Error("closed"));
  });
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31) ^ (i >> 11);
  return bytes;
}

test("Transport sends and receives 10 MB in order, in pieces of any size", async () => {
  const server = await listen((socket) => socket.pipe(socket));
  const transport = await dial("127.0.0.1", server.port, {});
  const bytes = pattern(10 << 20);
  const received = receive(transport, bytes.length);
  for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 3 + 1) % 700_001) {
    await transport.write(bytes.subarray(at, at + size));
  }
  assert.equal(Buffer.compare(await received, bytes), 0);
  transport.close();
  await server.closed[0];
  await server.close();
});

test("Transport takes 10 MB in one write and gives it to a slow reader", async () => {
  const bytes = pattern(10 << 20);
  const got: Uint8Array[] = [];
  const done = Promise.withResolvers<void>();
  let count = 0;
  const server = await listen((socket) => {
    socket.on("data", (chunk: Uint8Array) => {
      got.push(chunk);
      count += chunk.length;
      socket.pause();
      setTimeout(() => socket.resume(), 0);
      if (count === bytes.length) done.resolve();
    });
  });
  const transport = await dial("127.0.0.1", server.port, {});
  transport.write(bytes);
  await done.promise;
  assert.equal(Buffer.compare(Buffer.concat(got), bytes), 0);
  transport.close();
  await server.close();
});

test("Transport.write() asks to wait while nobody reads, goes on when somebody does", async () => {
  const server = await listen((socket) => socket.pause());
  const transport = await dial("127.0.0.1", server.port, {});
  const chunk = new Uint8Array(64 << 10);
  let written = 0;
  let pressure: void | Promise<void> = undefined;
  while (pressure === undefined) {
    pressure = transport.write(chunk);
    written += chunk.length;
    assert.ok(written < 64 << 20, "it never asked to wait");
    // Lets a socket that sends in the background do so.
    if (written % (1 << 20) === 0) await wait(1);
  }
  let released = false;
  pressure.then(() => released = true);
  await wait(20);
  assert.equal(released, false);
  let received = 0;
  const all = Promise.withResolvers<void>();
  server.sockets[0]!.on("data", (data) => {
    received += data.length;
    if (received === written) all.resolve();
  });
  server.sockets[0]!.resume();
  await pressure;
  await all.promise;
  assert.ok(written > HIGH_WATER_BYTES);
  transport.close();
  await server.close();
});

test("Transport.write() that waits is released by close()", async () => {
  const server = await listen((socket) => socket.pause());
  const transport = await dial("127.0.0.1", server.port, {});
  let pressure: void | Promise<void> = undefined;
  while (pressure === undefined) {
    pressure = transport.write(new Uint8Array(1 << 20));
    await wait(0);
  }
  transport.onClose = () => assert.fail("onClose after close()");
  transport.close();
  await pressure;
  assert.equal(transport.closed, true);
  assert.equal(transport.write(new Uint8Array(10)), undefined);
  transport.close();
  await server.close();
});

test("Transport.pause() lets the other side feel that nobody reads", async () => {
  const server = await listen();
  const transport = await dial("127.0.0.1", server.port, {});
  let received = 0;
  transport.onData = (chunk) => received += chunk.length;
  transport.pause();
  while (server.sockets.length === 0) await wait(1);
  const socket = server.sockets[0]!;
  const total = 32 << 20;
  let flushed = false;
  socket.write(new Uint8Array(total), () => flushed = true);
  await wait(50);
  assert.equal(flushed, false, "the other side could send everything");
  assert.ok(received < 1 << 20, `${received} bytes came although it was paused`);
  transport.resume();
  while (received < total) await wait(1);
  assert.equal(received, total);
  transport.close();
  await server.close();
});

test("Transport.onClose is called once when the other side ends or resets", async () => {
  for (const end of ["end", "destroy", "resetAndDestroy"] as const) {
    const server = await listen((socket) => socket.once("data", () => socket[end]?.()));
    const transport = await dial("127.0.0.1", server.port, {});
    let calls = 0;
    const closed = new Promise<void>((resolve) =>
      transport.onClose = () => {
        calls++;
        resolve();
      }
    );
    transport.write(Uint8Array.of(1));
    await closed;
    assert.equal(transport.closed, true);
    transport.write(new Uint8Array(100_000));
    transport.write(new Uint8Array(100_000));
    await wait(10);
    assert.equal(calls, 1);
    transport.close();
    await server.close();
  }
});

test("dial() rejects in words of ours when nobody listens", async () => {
  const server = await listen();
  await server.close();
  const error = await dial("127.0.0.1", server.port, {}).then(() => assert.fail("connected"), (cause) => cause);
  const { code, message, retriable } = connectionRefused("127.0.0.1", server.port, error);
  assert.equal(code, "CONNECTION.REFUSED");
  assert.ok(retriable);
  assert.match(message, new RegExp(`no connection to 127\\.0\\.0\\.1:${server.port} \\(.*ECONNREFUSED`));
});

test("dial() rejects in words of ours when the name does not exist", async () => {
  const error = await dial("no-such-host.invalid", 9123, {}).then(() => assert.fail("connected"), (cause) => cause);
  const { code, message } = connectionRefused("no-such-host.invalid", 9123, error);
  assert.equal(code, "CONNECTION.REFUSED");
  assert.match(message, /the name "no-such-host\.invalid" of no-such-host\.invalid:9123 could not be resolved/);
});

test("dial() rejects with the signal's reason, and closes what opens too late", async () => {
  const server = await listen();
  const reason = new Error("enough");
  await assert.rejects(dial("127.0.0.1", server.port, { signal: AbortSignal.abort(reason) }), reason);
  for (let i = 0; i < 20; i++) {
    const controller = new AbortController();
    const dialed = dial("127.0.0.1", server.port, { signal: controller.signal });
    for (let j = 0; j < i; j++) await Promise.resolve();
    controller.abort(reason);
    await assert.rejects(dialed, reason);
  }
  // Those that had come through are closed.
  await wait(20);
  await Promise.all(server.closed);
  await server.close();
});

test("A signal that aborts after dial() resolved changes nothing", async () => {
  const server = await listen((socket) => socket.pipe(socket));
  const controller = new AbortController();
  const transport = await dial("127.0.0.1", server.port, { signal: controller.signal });
  controller.abort();
  const received = receive(transport, 3);
  transport.write(Uint8Array.of(1, 2, 3));
  assert.deepEqual([...await received], [1, 2, 3]);
  transport.close();
  await server.close();
});

/** Runs a script of this folder on the runtime that runs the test. */
function run(script: string, args: readonly string[], permissions?: readonly string[]): ReturnType<typeof runScript> {
  return runScript(new URL(script, import.meta.url), args, permissions);
}

test("A process ends by itself after close(), and after a failed or aborted dial", async () => {
  const server = await listen((socket) => socket.pipe(socket));
  const { code, output } = await run("exit_child.ts", [String(server.port)]);
  assert.equal(output.trim(), "done");
  assert.equal(code, 0);
  await Promise.all(server.closed);
  await server.close();
});

test("Deno without the right to connect says which right is missing", {
  skip: !("Deno" in globalThis) && "only Deno asks for rights",
}, async () => {
  const { code, output } = await run("refused_child.ts", [], []);
  assert.equal(
    output.trim(),
    "CONNECTION.REFUSED: Deno may not connect to 127.0.0.1:9123. hint: run with --allow-net=127.0.0.1:9123",
  );
  assert.equal(code, 0);
});
