/**
 * A server in a process of its own: tells its ports to whoever started it, and ends when that one hangs up. Nothing makes
 * it exit: it has to come to an end by itself.
 *
 * @module
 */
import { connect } from "node:net";
import process from "node:process";
import { Engine, listen } from "../../../src/embedded/mod.ts";
import { memoryStorage } from "../../../src/embedded/storage/memory.ts";

const engine = new Engine({ storage: memoryStorage() });
const listener = await listen(engine, { port: 0 });
const parent = connect({ host: "127.0.0.1", port: Number(process.argv[2]) });
const ended = new Promise((resolve) => parent.on("close", resolve));
parent.resume();
parent.write(JSON.stringify([listener.coordinator.port, listener.tablet.port]));
await ended;
await listener.close();
engine.close();
console.log("closed");
