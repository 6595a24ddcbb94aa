/** The tables of the type tests, which are those of the contract. */
import * as v from "valibot";
import { t, table } from "../../src/schema/mod.ts";

export const orders = table("shop.orders", {
  region: t.string(),
  orderId: t.bigint().name("order_id"),
  status: t.string().oneOf("new", "paid", "shipped"),
  email: t.string().check(v.pipe(v.string(), v.email())),
  total: t.decimal(18, 2),
  items: t.array(t.row({ sku: t.string().notNull(), qty: t.int().notNull() }).notNull()),
  attrs: t.map(t.string(), t.string()),
  updatedAt: t.timestampLtz(3).comment("last change"),
  blob: t.bytes(),
  day: t.date(),
}, {
  primaryKey: ["region", "orderId", "day"],
  bucketKey: ["region"],
  buckets: 8,
  partitionBy: ["day"],
  autoPartition: { unit: "day", retain: 30, precreate: 2, timeZone: "UTC" },
  log: { ttl: "7d", format: "arrow", compression: { type: "zstd", level: 3 } },
  changelog: "full",
  comment: "orders",
  properties: { "table.replication.factor": "3" },
});

export const clicks = table("web.clicks", {
  at: t.timestampLtz(3, { mode: "epochMillis" }).notNull(),
  url: t.string().notNull(),
  ms: t.int(),
}, { buckets: 4 });

export const seen = table("web.seen", { id: t.string(), at: t.timestampLtz(3) }, {
  primaryKey: ["id"],
  mergeEngine: "first_row",
});

export const prices = table("web.prices", { sku: t.string(), ver: t.bigint(), price: t.decimal(10, 2) }, {
  primaryKey: ["sku"],
  mergeEngine: { versioned: "ver" },
});

export const stats = table("web.stats", {
  url: t.string(),
  n: t.bigint().agg("sum"),
  slowest: t.int().agg("max"),
  urls: t.string().agg("listagg", { delimiter: ";" }),
}, { primaryKey: ["url"], mergeEngine: "aggregation", deleteBehavior: "ignore" });

export const dict = table("web.dict", { name: t.string(), id: t.bigint().autoIncrement() }, { primaryKey: ["name"] });

export const required = table("a.required", { k: t.string(), v: t.string().notNull() }, { primaryKey: ["k"] });
