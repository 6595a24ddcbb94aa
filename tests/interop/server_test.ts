import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, type Db } from "../../mod.ts";
import { dropDatabase, freshDatabase, needsAddress, repairing, target } from "../cluster.ts";
import { type Counterpart, type Login, start } from "./counterpart.ts";
import type { Language } from "./kinds.ts";
import type { Command, Text } from "./protocol.ts";
import { LANGUAGES } from "./session.ts";

// What an official client does with a server without us: the other files of this folder exchange data with it. All that
// is expected here is what a cluster of Fluss 0.9.1 says, so that our own server has to say it too.

const running = new Map<Language, Counterpart>();
const absent = new Map<Language, string>();
if (target !== undefined && target.bootstrap !== "") {
  for (const language of LANGUAGES) {
    const started = await start(language, target.bootstrap);
    if ("absent" in started) absent.set(language, started.absent);
    else running.set(language, started.counterpart);
  }
}

function needs(language: Language): { readonly skip: string | false } {
  return { skip: needsAddress.skip || (absent.get(language) ?? false) };
}

/** Runs a test with a client and the name of a database that is not there; what the client made is removed. */
function withClient(language: Language, run: (client: Client, database: string, db: Db) => Promise<void>) {
  return () =>
    repairing(target!, freshDatabase, async (database) => {
      await using db = await connect(target!.url);
      await run(new Client(running.get(language)!), database, db);
      if (await db.admin.databaseExists(database)) await dropDatabase(db, database);
    });
}

class Client {
  readonly language: Language;
  readonly #counterpart: Counterpart;

  constructor(counterpart: Counterpart) {
    this.#counterpart = counterpart;
    this.language = counterpart.language;
  }

  call<T = null>(command: Command): Promise<T> {
    return this.#counterpart.call<T>(command);
  }

  /** Fails unless the server refuses this in these words. */
  async refuses(command: Command, [name, code, message]: readonly [string, number, string]): Promise<void> {
    const expected = this.language === "java"
      ? `java: org.apache.fluss.exception.${name}: ${message}`
      : `python: FlussError: FlussError(code=${code}): ${message}`;
    const said = await this.call(command).then((answer) => `nothing: ${JSON.stringify(answer)}`, (error: Error) => {
      // Behind the first line there may be a stack.
      return error.message.split("\n")[0];
    });
    assert.equal(said, expected, JSON.stringify(command));
  }
}

const TABLE = {
  columns: [["id", "INT NOT NULL"], ["name", "STRING"]],
  primaryKey: ["id"],
  bucketKey: ["id"],
  partitionBy: [],
  buckets: 3,
  properties: {},
} as const;

const LOG = { ...TABLE, columns: [["id", "INT"], ["name", "STRING"]], primaryKey: [], bucketKey: [] } as const;

const BY_DAY = {
  ...TABLE,
  columns: [["day", "STRING NOT NULL"], ["id", "INT NOT NULL"], ["total", "BIGINT"]],
  primaryKey: ["day", "id"],
  partitionBy: ["day"],
} as const;

const WIRE = [["id", { type: "INT" }], ["name", { type: "STRING" }]] as const;
const WIRE_BY_DAY = [["day", { type: "STRING" }], ["id", { type: "INT" }], ["total", { type: "BIGINT" }]] as const;

/** Waits until every bucket has a leader that answers; the official clients would ask a few times only. */
async function settled(db: Db, table: string, partition?: string): Promise<void> {
  await db.admin.offsets(table, "latest", partition === undefined ? {} : { partition });
}

const sorted = (rows: readonly Text[][]): Text[][] => rows.toSorted((a, b) => (a[0] as number) - (b[0] as number));

for (const language of LANGUAGES) {
  test(
    `${language} finds the servers`,
    needs(language),
    withClient(language, async (client, _, db) => {
      const words = language === "java"
        ? { coordinator: "COORDINATOR", tabletServer: "TABLET_SERVER" }
        : { coordinator: "CoordinatorServer", tabletServer: "TabletServer" };
      const servers = (await db.admin.servers()).map(({ kind, host, port }) => `${words[kind]} ${host}:${port}`);
      assert.ok(servers.includes(`${words.coordinator} ${target!.bootstrap}`), servers.join());
      assert.deepEqual((await client.call<string[]>({ op: "servers" })).sort(), servers.sort());
    }),
  );

  test(
    `${language} makes, lists and drops databases`,
    needs(language),
    withClient(language, async (client, database) => {
      assert.equal(await client.call({ op: "databaseExists", database }), false);
      await client.call({ op: "createDatabase", database });
      assert.equal(await client.call({ op: "databaseExists", database }), true);
      assert.ok((await client.call<string[]>({ op: "databases" })).includes(database));
      assert.deepEqual(await client.call({ op: "tables", database }), []);
      await client.refuses({ op: "createDatabase", database }, [
        "DatabaseAlreadyExistException",
        6,
        `Database ${database} already exists.`,
      ]);
      await client.refuses({ op: "createDatabase", database: "two words" }, [
        "InvalidDatabaseException",
        16,
        "Database name two words is invalid: 'two words' contains one or more characters other than ASCII " +
        "alphanumerics, '_' and '-'",
      ]);
      await client.call({ op: "create", table: `${database}.rows`, ...TABLE });
      await client.refuses({ op: "dropDatabase", database, cascade: false }, [
        "DatabaseNotEmptyException",
        5,
        `Database ${database} is not empty.`,
      ]);
      await client.call({ op: "dropDatabase", database, cascade: true });
      for (const command of [{ op: "dropDatabase", cascade: true }, { op: "tables" }] as const) {
        await client.refuses({ ...command, database }, [
          "DatabaseNotExistException",
          4,
          `Database ${database} does not exist.`,
        ]);
      }
    }),
  );

  test(
    `${language} makes, lists and drops tables`,
    needs(language),
    withClient(language, async (client, database) => {
      const table = `${database}.rows`;
      await client.refuses({ op: "create", table, ...TABLE }, [
        "DatabaseNotExistException",
        4,
        `Database ${database} does not exist.`,
      ]);
      await client.call({ op: "createDatabase", database });
      await client.call({ op: "create", table, ...TABLE });
      await client.call({ op: "create", table: `${database}.log`, ...LOG });
      assert.deepEqual((await client.call<string[]>({ op: "tables", database })).sort(), ["log", "rows"]);
      assert.equal(await client.call({ op: "tableExists", table }), true);
      await client.refuses({ op: "create", table, ...TABLE }, [
        "TableAlreadyExistException",
        8,
        `Table ${table} already exists.`,
      ]);
      const wrong = { op: "create", table: `${database}.wrong`, ...TABLE } as const;
      await client.refuses({ ...wrong, properties: { "table.nope": "1" } }, [
        "InvalidConfigException",
        39,
        "'table.nope' is not a recognized Fluss table property in the current cluster version. You may be using an " +
        "older Fluss cluster that does not support this property.",
      ]);
      await client.refuses({ ...wrong, buckets: 1_000_000 }, [
        "TooManyBucketsException",
        49,
        "Bucket count 1000000 exceeds the maximum limit 128000.",
      ]);
      await client.refuses({ ...wrong, buckets: 0 }, [
        "UnknownServerException",
        -1,
        "org.apache.fluss.exception.InvalidBucketsException: Number of buckets must be larger than 0.",
      ]);
      await client.refuses({ ...wrong, properties: { "table.merge-engine": "nope" } }, [
        "UnknownServerException",
        -1,
        "java.lang.IllegalArgumentException: Could not parse value 'nope' for key 'table.merge-engine'.",
      ]);
      assert.equal(await client.call({ op: "tableExists", table: `${database}.wrong` }), false);
      await client.call({ op: "dropTable", table });
      assert.equal(await client.call({ op: "tableExists", table }), false);
      await client.refuses({ op: "dropTable", table }, [
        "TableNotExistException",
        7,
        `Table ${table} does not exist.`,
      ]);
    }),
  );

  test(
    `${language} writes, deletes, looks up and scans rows`,
    needs(language),
    withClient(language, async (client, database, db) => {
      const table = `${database}.rows`;
      await client.call({ op: "createDatabase", database });
      await client.call({ op: "create", table, ...TABLE });
      await settled(db, table);
      await client.call({ op: "open", table, columns: WIRE });
      const rows: Text[][] = Array.from({ length: 300 }, (_, id) => [id, id % 7 === 0 ? null : `name ${id}`]);
      await client.call({ op: "upsert", table, rows });
      await client.call({ op: "delete", table, keys: rows.slice(0, 100).map(([id]) => [id!]) });
      const left = rows.slice(100);
      assert.deepEqual(await client.call({ op: "lookup", table, keys: rows.map(([id]) => [id!]) }), [
        ...rows.slice(0, 100).map(() => null),
        ...left,
      ]);
      assert.deepEqual(sorted(await client.call({ op: "limitScan", table, limit: 300 })), left);
      // At most so many of each bucket.
      const few = await client.call<Text[][]>({ op: "limitScan", table, limit: 5 });
      assert.equal(few.length, 15);
      for (const row of few) assert.deepEqual(row, rows[row[0] as number]);

      const buckets = [0, 1, 2];
      assert.deepEqual(await client.call({ op: "offsets", table, buckets, which: "earliest" }), ["0", "0", "0"]);
      const ends = await client.call<string[]>({ op: "offsets", table, buckets, which: "latest" });
      assert.equal(ends.reduce((sum, end) => sum + Number(end), 0), 400);
      const changes = await client.call<[number, string, string, Text[]][]>({ op: "readLog", table, count: 400 });
      for (const bucket of buckets) {
        const offsets = changes.filter(([of]) => of === bucket).map(([, offset]) => offset);
        assert.deepEqual(offsets, Array.from({ length: Number(ends[bucket]) }, (_, at) => String(at)));
      }
      const kinds = Map.groupBy(changes, ([, , change]) => change);
      assert.deepEqual([kinds.get("+I")?.length, kinds.get("-D")?.length, kinds.size], [300, 100, 2]);
      assert.deepEqual(sorted(kinds.get("-D")!.map(([, , , row]) => row as Text[])), rows.slice(0, 100));
    }),
  );

  test(
    `${language} appends to a log and reads its end`,
    needs(language),
    withClient(language, async (client, database, db) => {
      const table = `${database}.log`;
      await client.call({ op: "createDatabase", database });
      await client.call({ op: "create", table, ...LOG, buckets: 1 });
      await settled(db, table);
      await client.call({ op: "open", table, columns: WIRE });
      const rows: Text[][] = Array.from({ length: 200 }, (_, id) => [id, id % 7 === 0 ? null : `name ${id}`]);
      await client.call({ op: "append", table, rows });
      assert.deepEqual(await client.call({ op: "offsets", table, buckets: [0], which: "latest" }), ["200"]);
      assert.deepEqual(sorted(await client.call({ op: "limitScan", table, limit: 10 })), rows.slice(-10));
      const read = await client.call<[number, string, string, Text[]][]>({ op: "readLog", table, count: 200 });
      assert.deepEqual(read, rows.map((row, at) => [0, String(at), "+A", row]));
    }),
  );

  test(
    `${language} makes, fills, lists and drops partitions`,
    needs(language),
    withClient(language, async (client, database, db) => {
      const table = `${database}.by_day`;
      await client.call({ op: "createDatabase", database });
      await client.call({ op: "create", table: `${database}.rows`, ...TABLE });
      await client.call({ op: "create", table, ...BY_DAY });
      // The nearest to knowing that the coordinator has heard of the partitioned table, see createBeforePartitions().
      await client.call({ op: "create", table: `${database}.after`, ...TABLE });
      await settled(db, `${database}.after`);
      await client.call({ op: "createPartition", table, spec: { day: "d1" } });
      await client.call({ op: "createPartition", table, spec: { day: "d2" } });
      assert.deepEqual((await client.call<string[]>({ op: "partitions", table })).sort(), ["d1", "d2"]);
      for (const day of ["d1", "d2"]) await settled(db, table, day);
      await client.call({ op: "open", table, columns: WIRE_BY_DAY });
      const rows = ["d1", "d2"].flatMap((day) => Array.from({ length: 20 }, (_, id): Text[] => [day, id, `${id * 3}`]));
      await client.call({ op: "upsert", table, rows });
      assert.deepEqual(await client.call({ op: "lookup", table, keys: rows.map(([day, id]) => [day!, id!]) }), rows);
      const scanned = await client.call<Text[][]>({ op: "limitScan", table, partition: "d2", limit: 100 });
      assert.deepEqual(scanned.toSorted((a, b) => Number(a[1]) - Number(b[1])), rows.slice(20));
      const ends = await client.call<string[]>({
        op: "offsets",
        table,
        partition: "d1",
        buckets: [0, 1, 2],
        which: "latest",
      });
      assert.equal(ends.reduce((sum, end) => sum + Number(end), 0), 20);

      await client.refuses({ op: "createPartition", table, spec: { day: "d1" } }, [
        "PartitionAlreadyExistsException",
        42,
        `Partition 'day=d1' already exists for table ${table}`,
      ]);
      await client.refuses({ op: "createPartition", table, spec: { hour: "1" } }, [
        "InvalidPartitionException",
        43,
        `PartitionSpec PartitionSpec{{hour=1}} does not contain partition key 'day' for partitioned table ${table}.`,
      ]);
      await client.refuses({ op: "createPartition", table, spec: { day: "a b" } }, [
        "InvalidPartitionException",
        43,
        "The partition value a b is invalid: 'a b' contains one or more characters other than ASCII alphanumerics, " +
        "'_' and '-'",
      ]);
      await client.refuses({ op: "offsets", table, partition: "d9", buckets: [0], which: "latest" }, [
        "PartitionNotExistException",
        36,
        `Table partition '${table}(p=d9)' does not exist.`,
      ]);
      const plain = `${database}.rows`;
      await client.refuses({ op: "partitions", table: plain }, [
        "TableNotPartitionedException",
        37,
        `Table '${plain}' is not a partitioned table.`,
      ]);
      await client.refuses({ op: "createPartition", table: plain, spec: { name: "x" } }, [
        "TableNotPartitionedException",
        37,
        "Only partitioned table support create partition.",
      ]);
      await client.call({ op: "dropPartition", table, spec: { day: "d1" } });
      assert.deepEqual(await client.call({ op: "partitions", table }), ["d2"]);
      await client.refuses({ op: "dropPartition", table, spec: { day: "d1" } }, [
        "PartitionNotExistException",
        36,
        `Partition 'day=d1' does not exist for table ${table}`,
      ]);
    }),
  );

  const rightLogin = () => target!.sasl as Login;

  test(
    `${language} logs in, and writes and reads then`,
    needs(language),
    withClient(language, async (_, database, db) => {
      const started = await start(language, target!.sasl.bootstrap, rightLogin());
      assert.ok("counterpart" in started);
      const client = new Client(started.counterpart);
      try {
        const table = `${database}.rows`;
        await client.call({ op: "createDatabase", database });
        await client.call({ op: "create", table, ...TABLE });
        await settled(db, table);
        await client.call({ op: "open", table, columns: WIRE });
        await client.call({ op: "upsert", table, rows: [[1, "a"], [2, "b"]] });
        assert.deepEqual(await client.call({ op: "lookup", table, keys: [[2], [3]] }), [[2, "b"], null]);
        const changes = await client.call<unknown[]>({ op: "readLog", table, count: 2 });
        assert.equal(changes.length, 2);
      } finally {
        assert.equal(await started.counterpart.close(), "exit code 0");
      }
    }),
  );

  for (
    const [how, at, login, said] of [
      [
        "with a wrong password",
        () => target!.sasl.bootstrap,
        () => ({ ...rightLogin(), password: "wrong" }),
        "Authentication failed: Invalid username or password",
      ],
      [
        "as nobody",
        () => target!.sasl.bootstrap,
        () => undefined,
        "The connection has not completed authentication yet. This may be caused by a missing or incorrect " +
        "configuration of 'client.security.protocol' on the client side.",
      ],
      [
        "with a password where none is asked for",
        () => target!.bootstrap,
        rightLogin,
        "Authenticate protocol not match: protocol of server is 'PLAINTEXT' while protocol of client is 'PLAIN'",
      ],
    ] as const
  ) {
    test(`${language} is not let in ${how}`, needs(language), async () => {
      const expected = language === "java"
        ? `org.apache.fluss.exception.AuthenticationException: ${said}`
        : `FlussError(code=46): ${said}`;
      await assert.rejects(start(language, at(), login()), (error: Error) => {
        assert.ok(error.message.split("\n").some((line) => line.endsWith(expected)), error.message);
        return true;
      });
    });
  }
}

test(
  "java adds columns",
  needs("java"),
  withClient("java", async (client, database, db) => {
    const table = `${database}.rows`;
    await client.call({ op: "createDatabase", database });
    await client.call({ op: "create", table, ...TABLE });
    await settled(db, table);
    await client.call({ op: "upsert", table, rows: [[1, "a"]] });
    await client.call({ op: "addColumn", table, column: "more", type: "BIGINT" });
    const { columns } = await client.call<{ columns: unknown }>({ op: "describe", table });
    assert.deepEqual(columns, [...TABLE.columns, ["more", "BIGINT"]]);
    assert.deepEqual(await client.call({ op: "lookup", table, keys: [[1]] }), [[1, "a", null]]);
    await client.refuses({ op: "addColumn", table, column: "more", type: "BIGINT" }, [
      "InvalidAlterTableException",
      56,
      "Column more already exists.",
    ]);
    await client.refuses({ op: "addColumn", table, column: "strict", type: "BIGINT NOT NULL" }, [
      "UnknownServerException",
      -1,
      "java.lang.IllegalArgumentException: Column strict must be nullable.",
    ]);
    await client.refuses({ op: "describe", table: `${database}.nothing` }, [
      "TableNotExistException",
      7,
      `Table '${database}.nothing' does not exist.`,
    ]);
  }),
);

test(
  "python hears that a table is not there",
  needs("python"),
  withClient("python", async (client, database) => {
    await client.call({ op: "createDatabase", database });
    const table = `${database}.nothing`;
    await client.refuses({ op: "open", table, columns: [] }, [
      "",
      -1,
      `org.apache.fluss.exception.FlussRuntimeException: Failed to get tables '[${table}]'.`,
    ]);
  }),
);

test("the counterparts of the server end when they are told to", needsAddress, async () => {
  for (const counterpart of running.values()) assert.equal(await counterpart.close(), "exit code 0");
});
