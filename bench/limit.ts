/**
 * What a bare socket reaches: prepared LOOKUP requests, answers counted and dropped. No client can pass it.
 *
 *     <runtime> bench/limit.ts HOST:PORT
 *
 * The table is made and filled by our client; then a plain `node:net` socket takes over.
 *
 * @module
 */
import { connect as dial } from "node:net";
import process from "node:process";
import { connect, t, table } from "../mod.ts";

const ROWS = 200_000;
const HEADER = 12;

const [address] = process.argv.slice(2);
if (address === undefined) throw new Error("usage: bench/limit.ts HOST:PORT");

const subject = table("bench.limit_kv", { id: t.bigint(), name: t.string(), score: t.double(), ts: t.timestamp(3) }, {
  primaryKey: ["id"],
  buckets: 1,
});

await using db = await connect(`fluss://${address}`);

/** Makes the table, and tells where its only leader is. */
async function prepare(): Promise<{ host: string; port: number; tableId: number }> {
  await db.admin.createDatabase("bench", { ignoreIfExists: true });
  await db.admin.drop(subject, { ignoreIfNotExists: true });
  await db.admin.create(subject);
  const ts = Temporal.PlainDateTime.from("2026-01-01T00:00:00");
  function* rows() {
    for (let i = 0; i < ROWS; i++) yield { id: BigInt(i), name: `user-${i}`, score: i * 0.5, ts };
  }
  await db.table(subject).upsertAll(rows());
  const tableId = Number((await db.admin.describe(subject)).tableId);
  const server = (await db.admin.servers()).find((server) => server.kind === "tabletServer")!;
  return { host: server.host, port: server.port, tableId };
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value & 127) | 128);
  return [...bytes, value];
}

/** A LOOKUP frame with room for its request id. */
function frame(tableId: number, ids: readonly number[]): Uint8Array {
  const keys = ids.flatMap((id) => [0x1a, ...varint(varint(id).length), ...varint(id)]);
  const body = [0x08, ...varint(tableId), 0x12, ...varint(2 + keys.length), 0x10, 0, ...keys];
  const bytes = new Uint8Array(HEADER + body.length);
  bytes.set(body, HEADER);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, 8 + body.length);
  view.setInt16(4, 1017);
  view.setInt16(6, 1);
  return bytes;
}

const { host, port, tableId } = await prepare();
const socket = dial(port, host);
socket.setNoDelay(true);
await new Promise<void>((resolve) => socket.once("connect", () => resolve()));

const waiting = new Map<number, () => void>();
let rest = new Uint8Array(0);
socket.on("data", (chunk: Uint8Array) => {
  let bytes = chunk;
  if (rest.length > 0) {
    bytes = new Uint8Array(rest.length + chunk.length);
    bytes.set(rest);
    bytes.set(chunk, rest.length);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  while (bytes.length - at >= 4 && bytes.length - at >= 4 + view.getInt32(at)) {
    const id = view.getInt32(at + 5);
    at += 4 + view.getInt32(at);
    waiting.get(id)!();
    waiting.delete(id);
  }
  rest = bytes.slice(at);
});

let next = 0;
function call(prepared: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const bytes = prepared.slice();
    new DataView(bytes.buffer).setInt32(8, next);
    waiting.set(next++, resolve);
    socket.write(bytes);
  });
}

const runtime = "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node";
const line = (work: string, rate: number, more = "") =>
  console.log([`bare socket, ${runtime}`, work, rate.toFixed(0), "", more].join("\t").trimEnd());

/** The median and the 99th percentile of times in milliseconds, with the rate. */
function summary(times: number[]): [rate: number, more: string] {
  const sum = times.reduce((a, b) => a + b);
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(times.length * share)]!.toFixed(4);
  return [times.length * 1000 / sum, `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`];
}

// One at a time, the bare socket and our client take turns, so that a machine that slows down slows both.
const handle = db.table(subject);
for (let i = 0; i < 3000; i++) {
  await call(frame(tableId, [i]));
  await handle.lookup({ id: BigInt(i) });
}
const bare: number[] = [];
const ours: number[] = [];
for (let round = 0; round < 20; round++) {
  for (let i = 0; i < 500; i++) {
    const id = (i * 7919) % ROWS;
    const request = frame(tableId, [id]);
    let start = performance.now();
    await call(request);
    bare.push(performance.now() - start);
    const key = { id: BigInt(id) };
    start = performance.now();
    await handle.lookup(key);
    ours.push(performance.now() - start);
  }
}
line("lookup-1", ...summary(bare));
const [rate, more] = summary(ours);
const ratio = (ours[ours.length >> 1]! / bare[bare.length >> 1]!).toFixed(2);
console.log(
  [`sluice ${runtime}, in turn`, "lookup-1", rate.toFixed(0), "", `${more}, p50 ${ratio} times the bare socket's`].join(
    "\t",
  ),
);

for (
  const [work, requests, keys] of [["lookup-64", 1, 64], ["lookup-64", 2, 32], ["lookup-1024", 8, 128], [
    "lookup-1024",
    4,
    256,
  ], ["lookup-1024", 2, 512]] as const
) {
  const prepared = Array.from(
    { length: 200 },
    (_, j) => frame(tableId, Array.from({ length: keys }, (_, k) => (j * 7919 + k * 104729) % ROWS)),
  );
  const total = requests * keys * Math.ceil(400_000 / (requests * keys));
  let best = 0;
  for (let round = 0; round < 3; round++) {
    let sent = 0;
    const start = performance.now();
    await Promise.all(Array.from({ length: requests }, async () => {
      while (sent < total) {
        sent += keys;
        await call(prepared[(sent / keys) % prepared.length]!);
      }
    }));
    best = Math.max(best, total / (performance.now() - start) * 1000);
  }
  line(work, best, `${requests} requests of ${keys} keys`);
}
socket.destroy();
