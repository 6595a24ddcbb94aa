/** Types of columns, tables and rows: what must hold, and what must not compile. */
import * as v from "valibot";
import type { insertSchema, keySchema, patchSchema, rowSchema } from "../../src/adapters/valibot/mod.ts";
import {
  type $,
  configure,
  fromJson,
  type InferInsert,
  type InferKey,
  type InferPatch,
  type InferPrefix,
  type InferRow,
  type StandardSchemaV1,
  t,
  table,
  toJson,
} from "../../src/schema/mod.ts";
import type { Equal, Expect } from "./expect.ts";
import { clicks, type dict, orders, type prices, type required, type seen, type stats } from "./tables.ts";

// Rows.
export interface Order extends InferRow<typeof orders> {}
export interface NewOrder extends InferInsert<typeof orders> {}
export type Rows = [
  Expect<Equal<InferKey<typeof orders>, { region: string; orderId: bigint; day: Temporal.PlainDate }>>,
  Expect<Equal<InferPrefix<typeof orders>, { region: string; day: Temporal.PlainDate }>>,
  Expect<Equal<InferRow<typeof dict>, { name: string; id: bigint }>>,
  Expect<Equal<InferInsert<typeof dict>, { name: string }>>,
  Expect<Equal<InferPatch<typeof dict>, { name: string }>>,
  Expect<Equal<InferRow<typeof clicks>, { at: number; url: string; ms: number | null }>>,
  Expect<Equal<InferInsert<typeof clicks>, { at: number; url: string; ms?: number | null }>>,
  Expect<
    Equal<
      InferPatch<typeof stats>,
      { url: string; n?: bigint | null; slowest?: number | null; urls?: string | null }
    >
  >,
  Expect<Equal<Order["items"], { sku: string; qty: number }[] | null>>,
  Expect<Equal<Order["attrs"], Map<string, string | null> | null>>,
  Expect<Equal<Order["status"], "new" | "paid" | "shipped" | null>>,
  Expect<Equal<Order["updatedAt"], Temporal.Instant | null>>,
  Expect<Equal<NewOrder["orderId"], bigint>>,
  Expect<Equal<NewOrder["email"], string | null | undefined>>,
  Expect<Equal<InferPrefix<typeof stats>, never>>,
  Expect<Equal<InferInsert<typeof required>, { k: string; v: string }>>,
  Expect<Equal<InferPatch<typeof required>, { k: string; v?: string }>>,
];

// What handles depend on.
export type Traits = [
  Expect<Equal<(typeof orders)[typeof $]["pk"], "region" | "orderId" | "day">>,
  Expect<Equal<(typeof orders)[typeof $]["nn"], never>>,
  Expect<Equal<(typeof orders)[typeof $]["e"], "last_row">>,
  Expect<Equal<(typeof orders)[typeof $]["l"], "full">>,
  Expect<Equal<(typeof orders)[typeof $]["d"], undefined>>,
  Expect<Equal<(typeof orders)[typeof $]["g"], never>>,
  Expect<Equal<(typeof clicks)[typeof $]["pk"], never>>,
  Expect<Equal<(typeof clicks)[typeof $]["nn"], "at" | "url">>,
  Expect<Equal<(typeof seen)[typeof $]["e"], "first_row">>,
  Expect<Equal<(typeof prices)[typeof $]["e"], { readonly versioned: "ver" }>>,
  Expect<Equal<(typeof stats)[typeof $]["d"], "ignore">>,
  Expect<Equal<(typeof dict)[typeof $]["g"], "id">>,
  Expect<Equal<(typeof required)[typeof $]["nn"], "v">>,
  Expect<Equal<(typeof orders)["$partition"], { day: Temporal.PlainDate }>>,
  Expect<Equal<(typeof orders)["name"], "shop.orders">>,
];

// Prefixes: a proper leading part of the key without the partition columns.
const inner = table("a.b", { p: t.string(), a: t.int(), b: t.int(), c: t.int() }, {
  primaryKey: ["p", "a", "b", "c"],
  bucketKey: ["a", "b"],
  partitionBy: ["p"],
});
const whole = table("a.b", { a: t.int() }, { primaryKey: ["a"], bucketKey: ["a"] });
const wrongOrder = table("a.b", { a: t.int(), b: t.int(), c: t.int() }, {
  primaryKey: ["a", "b", "c"],
  bucketKey: ["b", "a"],
});
const logged = table("a.b", { a: t.int(), b: t.int() }, { bucketKey: ["a"] });
export type Prefixes = [
  Expect<Equal<InferPrefix<typeof inner>, { p: string; a: number; b: number }>>,
  Expect<Equal<InferPrefix<typeof whole>, never>>,
  Expect<Equal<InferPrefix<typeof wrongOrder>, never>>,
  Expect<Equal<InferPrefix<typeof logged>, never>>,
];

// Every type, its modes and its codec.
const codec = { encode: (value: URL): string => value.href, decode: (raw: string): URL => new URL(raw) };
const everything = table("a.everything", {
  boolean: t.boolean().notNull(),
  tinyint: t.tinyint().notNull(),
  smallint: t.smallint().notNull(),
  int: t.int().notNull(),
  bigint: t.bigint().notNull(),
  bigintNumber: t.bigint({ mode: "number" }).notNull(),
  bigintCodec: t.bigint({
    codec: { encode: (value: Date) => BigInt(value.getTime()), decode: (raw) => new Date(Number(raw)) },
  })
    .notNull(),
  float: t.float().notNull(),
  double: t.double().notNull(),
  char: t.char(3).notNull(),
  charOneOf: t.char(1).notNull().oneOf("a", "b"),
  string: t.string().notNull(),
  stringCodec: t.string({ codec }).notNull(),
  brand: t.string().notNull().$type<string & { readonly __brand: "UserId" }>(),
  decimal: t.decimal(10, 2).notNull(),
  decimalUnscaled: t.decimal(10, 2, { mode: "unscaled" }).notNull(),
  decimalNumber: t.decimal(10, 2, { mode: "number" }).notNull(),
  decimalCodec: t.decimal(10, 2, {
    codec: {
      encode: (value: { cents: bigint }) => ({ unscaled: value.cents, scale: 2 }),
      decode: (raw) => ({ cents: raw.unscaled }),
    },
  }).notNull(),
  date: t.date().notNull(),
  dateString: t.date({ mode: "string" }).notNull(),
  dateDays: t.date({ mode: "days" }).notNull(),
  time: t.time().notNull(),
  timeString: t.time(3, { mode: "string" }).notNull(),
  timeMillis: t.time(3, { mode: "millis" }).notNull(),
  timestamp: t.timestamp().notNull(),
  timestampMillis: t.timestamp(3, { mode: "epochMillis" }).notNull(),
  timestampMicros: t.timestamp(6, { mode: "epochMicros" }).notNull(),
  timestampDate: t.timestamp(0, { mode: "date" }).notNull(),
  ltz: t.timestampLtz(9).notNull(),
  ltzNanos: t.timestampLtz(9, { mode: "epochNanos" }).notNull(),
  ltzDate: t.timestampLtz(3, { mode: "date" }).notNull(),
  ltzString: t.timestampLtz(6, { mode: "string" }).notNull(),
  ltzCodec: t.timestampLtz(6, { codec: { encode: (value: string) => Temporal.Instant.from(value), decode: String } })
    .notNull(),
  binary: t.binary(16).notNull(),
  bytes: t.bytes().notNull(),
  array: t.array(t.int()).notNull(),
  map: t.map(t.int(), t.string().notNull()).notNull(),
  mapObject: t.map(t.string(), t.double(), { mode: "object" }).notNull(),
  row: t.row({ a: t.int(), b: t.row({ c: t.date().notNull() }).notNull() }).notNull(),
});
type Everything = InferRow<typeof everything>;
export type Values = [
  Expect<Equal<Everything["boolean"], boolean>>,
  Expect<Equal<Everything["tinyint"] | Everything["smallint"] | Everything["int"], number>>,
  Expect<Equal<Everything["bigint"], bigint>>,
  Expect<Equal<Everything["bigintNumber"], number>>,
  Expect<Equal<Everything["bigintCodec"], Date>>,
  Expect<Equal<Everything["float"] | Everything["double"], number>>,
  Expect<Equal<Everything["char"], string>>,
  Expect<Equal<Everything["charOneOf"], "a" | "b">>,
  Expect<Equal<Everything["stringCodec"], URL>>,
  Expect<Equal<Everything["brand"], string & { readonly __brand: "UserId" }>>,
  Expect<Equal<Everything["decimal"], string>>,
  Expect<Equal<Everything["decimalUnscaled"], bigint>>,
  Expect<Equal<Everything["decimalNumber"], number>>,
  Expect<Equal<Everything["decimalCodec"], { cents: bigint }>>,
  Expect<Equal<Everything["date"], Temporal.PlainDate>>,
  Expect<Equal<Everything["dateString"], string>>,
  Expect<Equal<Everything["dateDays"], number>>,
  Expect<Equal<Everything["time"], Temporal.PlainTime>>,
  Expect<Equal<Everything["timeString"], string>>,
  Expect<Equal<Everything["timeMillis"], number>>,
  Expect<Equal<Everything["timestamp"], Temporal.PlainDateTime>>,
  Expect<Equal<Everything["timestampMillis"], number>>,
  Expect<Equal<Everything["timestampMicros"], bigint>>,
  Expect<Equal<Everything["timestampDate"], Date>>,
  Expect<Equal<Everything["ltz"], Temporal.Instant>>,
  Expect<Equal<Everything["ltzNanos"], bigint>>,
  Expect<Equal<Everything["ltzDate"], Date>>,
  Expect<Equal<Everything["ltzString"], string>>,
  Expect<Equal<Everything["ltzCodec"], string>>,
  Expect<Equal<Everything["binary"] | Everything["bytes"], Uint8Array>>,
  Expect<Equal<Everything["array"], (number | null)[]>>,
  Expect<Equal<Everything["map"], Map<number, string>>>,
  Expect<Equal<Everything["mapObject"], Record<string, number | null>>>,
  Expect<Equal<Everything["row"], { a: number | null; b: { c: Temporal.PlainDate } }>>,
];

// Presets.
const preset = configure({ bigint: "number", decimal: "unscaled", date: "string", timestampLtz: "epochMillis" });
const configured = preset.table("a.configured", {
  id: preset.t.bigint(),
  big: preset.t.bigint({ mode: "bigint" }).notNull(),
  price: preset.t.decimal(10, 2).notNull(),
  day: preset.t.date().notNull(),
  at: preset.t.timestampLtz(3).notNull(),
  fine: preset.t.timestampLtz(6, { mode: "temporal" }).notNull(),
  wall: preset.t.timestamp().notNull(),
}, { primaryKey: ["id"], mergeEngine: { versioned: "at" } });
export type Configured = Expect<
  Equal<
    InferRow<typeof configured>,
    {
      id: number;
      big: bigint;
      price: bigint;
      day: string;
      at: number;
      fine: Temporal.Instant;
      wall: Temporal.PlainDateTime;
    }
  >
>;

// Methods in any order.
t.bigint().comment("id").name("i").autoIncrement();
t.string().notNull().comment("state").oneOf("a", "b").agg("max").check(v.picklist(["a", "b"]));
t.int().agg("sum").name("n").notNull();

// Standard Schema, valibot and JSON.
const standard: StandardSchemaV1<InferInsert<typeof clicks>> = clicks.insert;
void standard;
export type Schemas = [
  Expect<Equal<v.InferOutput<ReturnType<typeof insertSchema<typeof clicks>>>, InferInsert<typeof clicks>>>,
  Expect<Equal<v.InferInput<ReturnType<typeof rowSchema<typeof clicks>>>, InferRow<typeof clicks>>>,
  Expect<Equal<v.InferOutput<ReturnType<typeof patchSchema<typeof stats>>>, InferPatch<typeof stats>>>,
  Expect<Equal<v.InferOutput<ReturnType<typeof keySchema<typeof orders>>>, InferKey<typeof orders>>>,
];
export const read: Order = fromJson(orders, {});
export const written: NewOrder = fromJson(orders, {}, "insert");
toJson(clicks, { at: 1 });

// --- What must not compile ---

// @ts-expect-error the key names no column
table("a.b", { k: t.string() }, { primaryKey: ["kk"] });
// @ts-expect-error the bucket key names no column
table("a.b", { k: t.string() }, { bucketKey: ["kk"] });
// @ts-expect-error the partitions name no column
table("a.b", { k: t.string() }, { partitionBy: ["kk"] });
// @ts-expect-error the auto-partition key names no column
table("a.b", { k: t.string() }, { partitionBy: ["k"], autoPartition: { unit: "day", key: "kk" } });
// @ts-expect-error there is no such unit
table("a.b", { k: t.string() }, { partitionBy: ["k"], autoPartition: { unit: "week" } });
// @ts-expect-error a version is INT, BIGINT, TIMESTAMP or TIMESTAMP_LTZ
table("a.b", { k: t.string(), v: t.string() }, { primaryKey: ["k"], mergeEngine: { versioned: "v" } });
// @ts-expect-error the same for DOUBLE
table("a.b", { k: t.string(), v: t.double() }, { primaryKey: ["k"], mergeEngine: { versioned: "v" } });
// @ts-expect-error there is no such engine
table("a.b", { k: t.string() }, { primaryKey: ["k"], mergeEngine: "lastRow" });
// @ts-expect-error there is no such option
table("a.b", { k: t.string() }, { primarykey: ["k"] });
// @ts-expect-error server options begin with "table."
table("a.b", { k: t.string() }, { properties: { "client.id": "x" } });
// @ts-expect-error a column must be made with t
table("a.b", { k: "string" });
// @ts-expect-error sum on text
t.string().agg("sum");
// @ts-expect-error max on booleans
t.boolean().agg("max");
// @ts-expect-error a generated column has no aggregation
t.int().autoIncrement().agg("sum");
// @ts-expect-error only whole numbers are numbered
t.string().autoIncrement();
// @ts-expect-error neither are small ones
t.smallint().autoIncrement();
// @ts-expect-error oneOf is for text
t.int().oneOf(1, 2);
// @ts-expect-error milliseconds hold three digits
t.timestampLtz(6, { mode: "epochMillis" });
// @ts-expect-error and so does Date
t.timestamp(4, { mode: "date" });
// @ts-expect-error there is no such mode
t.bigint({ mode: "string" });
// @ts-expect-error object maps have text keys
t.map(t.int(), t.int(), { mode: "object" });
// @ts-expect-error mode and codec exclude each other
t.bigint({ mode: "number", codec: { encode: (n: number) => BigInt(n), decode: Number } });
// @ts-expect-error the codec's raw value is text
t.string({ codec: { encode: (n: number) => n, decode: (raw: number) => raw } });
// @ts-expect-error a preset of milliseconds needs its precision
preset.t.timestampLtz();
// @ts-expect-error and not more than it can hold
preset.t.timestampLtz(6);
// @ts-expect-error there is no such preset
configure({ bigint: "string" });
// @ts-expect-error a check's output is the column's type
t.string().check(v.pipe(v.string(), v.transform(Number)));
// @ts-expect-error and its input too
t.int().check(v.string());
// @ts-expect-error a literal union
export const badStatus: NewOrder["status"] = "lost";
// @ts-expect-error the server numbers the column
export const badInsert: InferInsert<typeof dict> = { name: "a", id: 1n };
// @ts-expect-error a column is missing
export const badRow: InferRow<typeof clicks> = { at: 1, url: "" };
// @ts-expect-error null in a NOT NULL column
export const badNull: InferInsert<typeof clicks> = { at: null, url: "" };
// @ts-expect-error a number is not a bigint
export const badKey: InferKey<typeof orders> = { region: "eu", orderId: 1, day: Temporal.PlainDate.from("2026-11-23") };
