/**
 * What tests of connections share.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Alarms } from "../../../../src/base/alarms.ts";
import { FlussError } from "../../../../src/base/errors.ts";
import { API } from "../../../../src/client/rpc/api.ts";
import { type OpenOptions, type RawRequest, RpcConnection } from "../../../../src/client/rpc/connection.ts";
import { dial } from "../../../../src/client/transport/dial.ts";
import { type FakeRequest, FakeServer, type Peer } from "../../../fake_server.ts";
import { dialTo, FakeTransport } from "../../../fake_transport.ts";

export function open(options: Partial<OpenOptions> & { port: number }): Promise<RpcConnection> {
  return RpcConnection.open({
    dial,
    host: "127.0.0.1",
    alarms: new Alarms(),
    connectTimeoutMs: 5_000,
    requestTimeoutMs: 5_000,
    ...options,
  });
}

/** A connection over a stream in memory. */
export async function openFake(options: Partial<OpenOptions> = {}): Promise<[RpcConnection, FakeTransport]> {
  const transport = new FakeTransport();
  const connection = await open({ port: 9123, dial: dialTo(transport), ...options });
  transport.writes.length = 0;
  return [connection, transport];
}

/** Sends and promises the answer's bytes. */
export function send(connection: RpcConnection, request: Partial<RawRequest> = {}): Promise<Uint8Array> {
  return new Promise((resolve, reject) =>
    connection.send({
      apiKey: API.LOOKUP.key,
      apiVersion: 1,
      body: new Uint8Array(10),
      timeoutMs: 5_000,
      onAnswer: (body) => resolve(body.slice()),
      onFailure: reject,
      ...request,
    })
  );
}

export function has(code: string, ...words: string[]): (error: unknown) => boolean {
  return (error) => {
    assert.ok(FlussError.is(error), String(error));
    assert.equal(error.code, code);
    for (const word of words) assert.ok(error.message.includes(word), `"${word}" is not in: ${error.message}`);
    return true;
  };
}

/** Lets everything that waits in microtasks run. */
export const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

/** A server that collects requests for the test to answer. */
export async function collector(): Promise<{ server: FakeServer; next: () => Promise<[FakeRequest, Peer]> }> {
  const queue: [FakeRequest, Peer][] = [];
  const waiting: ((item: [FakeRequest, Peer]) => void)[] = [];
  const server = await FakeServer.start((request, peer) => {
    const waiter = waiting.shift();
    if (waiter) waiter([request, peer]);
    else queue.push([request, peer]);
  });
  const next = () => {
    const item = queue.shift();
    return item ? Promise.resolve(item) : new Promise<[FakeRequest, Peer]>((resolve) => waiting.push(resolve));
  };
  return { server, next };
}
