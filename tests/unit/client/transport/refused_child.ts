/**
 * Prints why a connection could not be opened. Run by dial_test.ts.
 *
 * @module
 */
import { Alarms } from "../../../../src/base/alarms.ts";
import { ConnectionPool } from "../../../../src/client/rpc/pool.ts";
import { dial } from "../../../../src/client/transport/dial.ts";

const pool = new ConnectionPool({ dial, alarms: new Alarms(), requestTimeoutMs: 5_000 });
await pool.get("127.0.0.1", 9123).then(() => console.log("connected"), (error: Error) => console.log(error.message));
pool.close();
