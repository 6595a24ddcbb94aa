import assert from "node:assert/strict";
import { test } from "node:test";
import { API } from "../../../../src/client/rpc/api.ts";
import type { Settings } from "../../../../src/embedded/settings.ts";
import { refuses, Served } from "../served.ts";

const TABLE = { databaseName: "fluss", tableName: "visits" };
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const ZONE = { "table.auto-partition.time-zone": "UTC" };

interface Sketch {
  readonly unit?: string;
  readonly options?: Readonly<Record<string, string>>;
  readonly type?: string;
  readonly keys?: readonly string[];
}

/** An engine at a time. */
function servedAt(time: string, settings: Partial<Settings> = {}): Served {
  const served = new Served(settings);
  served.clock.move(Temporal.Instant.from(time).epochMilliseconds - served.clock.now());
  return served;
}

async function create(served: Served, { unit, options = {}, type = "STRING", keys = ["at"] }: Sketch = {}) {
  const column = (name: string, type: string, id: number) => ({ name, data_type: { type }, id });
  const tableJson = new TextEncoder().encode(JSON.stringify({
    version: 1,
    schema: {
      version: 1,
      columns: [column("id", "INTEGER", 0), column("at", type, 1), column("region", "STRING", 2)],
      highest_field_id: 2,
    },
    partition_key: keys,
    bucket_key: [],
    bucket_count: 1,
    properties: {
      "table.auto-partition.enabled": "true",
      ...ZONE,
      ...(unit === undefined ? {} : { "table.auto-partition.time-unit": unit }),
      ...options,
    },
    custom_properties: {},
  }));
  await served.ask(API.CREATE_TABLE, { tablePath: TABLE, tableJson, ignoreIfExists: false });
}

async function names(served: Served): Promise<string[]> {
  const { partitionsInfo } = await served.ask(API.LIST_PARTITION_INFOS, { tablePath: TABLE });
  return partitionsInfo.map(({ partitionSpec }) =>
    partitionSpec!.partitionKeyValues.map(({ value }) => value).join("$")
  ).sort();
}

function createPartition(served: Served, values: Readonly<Record<string, string>>) {
  const partitionKeyValues = Object.entries(values).map(([key, value]) => ({ key, value }));
  return served.ask(API.CREATE_PARTITION, {
    tablePath: TABLE,
    partitionSpec: { partitionKeyValues },
    ignoreIfNotExists: false,
  });
}

for (
  const [unit, time, expected] of [
    ["YEAR", "2026-11-23T22:30:00Z", ["2026", "2027"]],
    ["QUARTER", "2026-11-23T22:30:00Z", ["20264", "20271"]],
    ["quarter", "2026-03-31T00:00:00Z", ["20261", "20262"]],
    ["MONTH", "2026-12-31T22:30:00Z", ["202612", "202701"]],
    // The end of January and a month is the end of February.
    ["MONTH", "2027-01-31T00:00:00Z", ["202701", "202702"]],
    ["DAY", "2028-02-28T22:30:00Z", ["20280228", "20280229"]],
    [undefined, "2026-12-31T23:59:59.999Z", ["20261231", "20270101"]],
    ["HOUR", "2026-12-31T23:30:00Z", ["2026123123", "2027010100"]],
  ] as const
) {
  test(`partitions of ${unit ?? "the default unit"} are there when the table is (${time})`, async () => {
    const served = servedAt(time);
    await create(served, { unit: unit! });
    assert.deepEqual(await names(served), expected);
  });
}

test("the day is that of the table's time zone; one that nobody knows is that of Greenwich", async () => {
  const at = async (zone: string) => {
    const served = servedAt("2026-11-23T23:30:00Z");
    await create(served, {
      options: { "table.auto-partition.time-zone": zone, "table.auto-partition.num-precreate": "1" },
    });
    return await names(served);
  };
  assert.deepEqual(await at("Asia/Tokyo"), ["20261124"]);
  assert.deepEqual(await at("America/New_York"), ["20261123"]);
  assert.deepEqual(await at("Mars/Olympus"), ["20261123"]);
});

test("partitions are made as time goes, and old ones go with their records", async () => {
  const served = servedAt("2026-11-23T12:00:00Z");
  await create(served, { options: { "table.auto-partition.num-retention": "2" } });
  await createPartition(served, { at: "20261120" });
  await createPartition(served, { at: "20261121" });
  // By its name it is later than all days.
  await createPartition(served, { at: "backup" });
  const [today] = [...served.engine.catalog.tableById(0)!.partitions.values()];
  assert.equal(today!.name, "20261123");
  const log = () => served.storage.log({ tableId: 0, partitionId: today!.id, bucket: 0 });
  log().append({ baseOffset: 0, lastOffset: 0, timestamp: 1, size: 1 }, new Uint8Array(1));

  served.clock.move(served.engine.settings.autoPartitionCheckMs);
  assert.deepEqual(await names(served), ["20261121", "20261123", "20261124", "backup"]);
  served.clock.move(DAY);
  assert.deepEqual(await names(served), ["20261123", "20261124", "20261125", "backup"]);
  served.clock.move(DAY);
  assert.deepEqual(await names(served), ["20261123", "20261124", "20261125", "20261126", "backup"]);
  assert.equal(log().end, 1);
  served.clock.move(DAY);
  assert.deepEqual(await names(served), ["20261124", "20261125", "20261126", "20261127", "backup"]);
  assert.equal(log().end, 0);
  assert.equal(served.clock.alarms >= 1, true);
});

test("a partition of these days that was dropped is made again; all are kept when that is asked for", async () => {
  const served = servedAt("2026-11-23T12:00:00Z");
  await create(served, { options: { "table.auto-partition.num-retention": "-1" } });
  await createPartition(served, { at: "19990101" });
  await served.ask(API.DROP_PARTITION, {
    tablePath: TABLE,
    partitionSpec: { partitionKeyValues: [{ key: "at", value: "20261124" }] },
    ignoreIfNotExists: false,
  });
  served.clock.move(DAY);
  assert.deepEqual(await names(served), ["19990101", "20261123", "20261124", "20261125"]);
});

test("a storage that was closed for days has the partitions of today when it is opened", async () => {
  const served = servedAt("2026-11-23T12:00:00Z");
  await create(served, { options: { "table.auto-partition.num-retention": "1" } });
  served.engine.close();
  assert.equal(served.clock.alarms, 0);
  served.clock.move(10 * DAY);
  assert.deepEqual(await names(served.restarted()), ["20261203", "20261204"]);
});

test("of several keys one is the time: nothing is made ahead, and old ones go", async () => {
  const served = servedAt("2026-11-23T12:00:00Z");
  await create(served, {
    keys: ["region", "at"],
    unit: "HOUR",
    options: { "table.auto-partition.key": "at", "table.auto-partition.num-retention": "1" },
  });
  assert.deepEqual(await names(served), []);
  for (const at of ["2026112310", "2026112311", "2026112312"]) {
    for (const region of ["eu", "1"]) await createPartition(served, { at, region });
  }
  served.clock.move(served.engine.settings.autoPartitionCheckMs);
  assert.deepEqual(await names(served), ["1$2026112311", "1$2026112312", "eu$2026112311", "eu$2026112312"]);
  served.clock.move(HOUR);
  assert.deepEqual(await names(served), ["1$2026112312", "eu$2026112312"]);
});

test("partitions by DATE have the names that rows give them", async () => {
  const served = servedAt("2026-11-23T12:00:00Z");
  await create(served, { type: "DATE", options: { "table.auto-partition.num-retention": "0" } });
  assert.deepEqual(await names(served), ["2026-11-23", "2026-11-24"]);
  served.clock.move(DAY);
  assert.deepEqual(await names(served), ["2026-11-24", "2026-11-25"]);
  await refuses(
    create(served, { type: "DATE", unit: "MONTH" }),
    "SERVER.INVALID_TABLE_EXCEPTION",
    "Auto partitions by the DATE column 'at' must have the time unit DAY.",
  );
});

test("as many partitions are made as there may be, and numbers beyond all time do no harm", async () => {
  const served = servedAt("2026-11-23T12:00:00Z", { maxPartitions: 3 });
  await create(served, {
    unit: "YEAR",
    options: { "table.auto-partition.num-precreate": "2147483647", "table.auto-partition.num-retention": "2147483647" },
  });
  assert.deepEqual(await names(served), ["2026", "2027", "2028"]);
  served.clock.move(DAY);
  assert.deepEqual(await names(served), ["2026", "2027", "2028"]);
});

test("nobody watches the clock without such a table", async () => {
  const served = new Served();
  const before = served.clock.alarms;
  await served.createTable("fluss", "visits", { partitioned: true });
  assert.equal(served.clock.alarms, before);
});
