/**
 * Uses connections in every way and closes them; the process must end then. Run by dial_test.ts.
 *
 * @module
 */
import { Alarms } from "../../../../src/base/alarms.ts";
import { ConnectionPool } from "../../../../src/client/rpc/pool.ts";
import { dial } from "../../../../src/client/transport/dial.ts";

/** An echo, which does not speak frames of ours: it sends the request back as if it were an answer. */
const port = Number(process.argv[2]);

const transport = await dial("127.0.0.1", port, {});
await new Promise<void>((resolve) => {
  transport.onData = () => resolve();
  transport.write(Uint8Array.of(1, 2, 3));
});
transport.close();

const controller = new AbortController();
const aborted = dial("127.0.0.1", port, { signal: controller.signal }).catch(() => {});
controller.abort();
await aborted;
await dial("127.0.0.1", 1, {}).then(() => {
  throw new Error("somebody listens on port 1");
}, () => {});

// A minute of deadlines: none of them may keep the process.
const pool = new ConnectionPool({ dial, alarms: new Alarms(), requestTimeoutMs: 60_000, connectTimeoutMs: 60_000 });
await pool.get("127.0.0.1", port).then(() => {
  throw new Error("an echo is no server");
}, () => {});
await pool.get("127.0.0.1", 1).catch(() => {});
const hanging = pool.get("127.0.0.1", port).catch(() => {});
pool.close();
await hanging;
console.log("done");
