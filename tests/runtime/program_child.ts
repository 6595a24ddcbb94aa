// A whole program, as process_test.ts runs it: arguments are the URL, the database, and how it ends.
import process from "node:process";
import { connect, t, table } from "../../mod.ts";

const [url, database, how] = process.argv.slice(2) as [string, string, string];
const users = table(`${database}.users`, { id: t.bigint(), name: t.string(), at: t.timestampLtz(3) }, {
  primaryKey: ["id"],
  buckets: 2,
});

const db = await connect(url, { log: (error) => console.log(`log ${error.code}`) });
await db.admin.createDatabase(database, { ignoreIfExists: true });
await db.admin.create(users, { ignoreIfExists: true });
const handle = db.table(users);
for (let i = 0n; i < 1000n; i++) {
  handle.upsert({ id: i, name: `n${i}`, at: Temporal.Now.instant().round("millisecond") });
}
if (how === "close") await db.close();
if (how === "drop") {
  handle.upsert({ id: 1n });
  await db.close({ drop: true });
}
if (how === "lookup") {
  await db.flush();
  console.log((await handle.lookup({ id: 999n }))?.name);
  await db.close();
}
if (how === "failure") {
  await db.flush();
  db.table(table(`${database}.missing`, { id: t.int() }, { primaryKey: ["id"] })).upsert({ id: 1 });
  await db.close().catch((error) => console.log(error.code));
}
console.log("done");
