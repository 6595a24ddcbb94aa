/**
 * Asks a server the one question that tells whether a cluster is ready: which tablet servers do you know?
 *
 * This is written out by hand because the launcher must judge a cluster without the client that the cluster is there to
 * test.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { connect } from "node:net";
import { HOST } from "./ports.ts";

const GET_METADATA = 1012;
const LARGEST_ANSWER = 1 << 20;
const SUCCESS = 0;

/** An empty MetadataRequest: length, key, version 0, request id 1 (Fluss: MessageCodec.java). */
function request(): Buffer {
  const frame = Buffer.alloc(12);
  frame.writeInt32BE(8, 0);
  frame.writeInt16BE(GET_METADATA, 4);
  frame.writeInt32BE(1, 8);
  return frame;
}

/** The fields of a protobuf message; only varints and counted bytes occur in what is read here. */
function* fields(
  bytes: Uint8Array,
): Generator<{ field: number; value: number | Uint8Array }> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; at < bytes.length; scale *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new Error("the answer ends inside a number");
  };
  while (at < bytes.length) {
    const tag = varint();
    if (tag % 8 === 0) yield { field: tag >>> 3, value: varint() };
    else if (tag % 8 === 2) {
      const length = varint();
      if (length > bytes.length - at) {
        throw new Error("the answer ends inside a field");
      }
      yield { field: tag >>> 3, value: bytes.subarray(at, at + length) };
      at += length;
    } else throw new Error(`the answer holds a field of wire type ${tag % 8}`);
  }
}

/** The ids in the repeated field `tablet_servers` (2) of a MetadataResponse, whose nodes have `node_id` (1). */
export function tabletServerIds(message: Uint8Array): number[] {
  const ids: number[] = [];
  for (const { field, value } of fields(message)) {
    if (field !== 2 || typeof value === "number") continue;
    for (const inner of fields(value)) {
      if (inner.field === 1 && typeof inner.value === "number") {
        ids.push(inner.value);
      }
    }
  }
  return ids.sort((a, b) => a - b);
}

/**
 * The ids of the tablet servers that the server behind a port knows, in order.
 *
 * Rejects when nothing listens there, the answer is an error, or it does not come in time.
 */
export function askTabletServers(
  port: number,
  timeoutMs: number = 2000,
): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: HOST, port });
    const timer = setTimeout(
      () => finish(() => reject(new Error(`port ${port} did not answer`))),
      timeoutMs,
    );
    let received = Buffer.alloc(0);
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      socket.destroy();
      settle();
    };
    socket.on("connect", () => socket.write(request()));
    socket.on("error", (error) => finish(() => reject(error)));
    socket.on(
      "close",
      () => finish(() => reject(new Error(`port ${port} closed the connection`))),
    );
    socket.on("data", (chunk: Uint8Array) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 4) return;
      const length = received.readInt32BE(0);
      if (length < 5 || length > LARGEST_ANSWER) {
        return finish(() => reject(new Error(`port ${port} does not speak Fluss`)));
      }
      if (received.length < 4 + length) return;
      if (received[4] !== SUCCESS) {
        return finish(() => reject(new Error(`port ${port} answered with an error`)));
      }
      try {
        const ids = tabletServerIds(received.subarray(9, 4 + length));
        finish(() => resolve(ids));
      } catch (error) {
        finish(() => reject(error));
      }
    });
  });
}

/** Resolves when something accepts connections on a port; rejects when nothing does. */
export function accepts(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: HOST, port });
    socket.once("connect", () => {
      socket.destroy();
      resolve();
    });
    socket.once("error", reject);
  });
}
