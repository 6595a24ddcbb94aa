/**
 * The tour: a table declared in TypeScript, created, written, partially updated, looked up and deleted from. In memory,
 * or wherever a URL says:
 *
 *     deno run examples/tour.ts
 *     deno run --allow-net examples/tour.ts fluss://127.0.0.1:9123
 */
import process from "node:process";
import { connect, FlussError, type InferRow, t, table } from "../mod.ts";

const orders = table("tour.orders", {
  region: t.string(),
  orderId: t.bigint().name("order_id"),
  status: t.string().oneOf("new", "paid", "shipped"),
  total: t.decimal(18, 2),
  items: t.array(t.row({ sku: t.string().notNull(), quantity: t.int().notNull() }).notNull()),
  updatedAt: t.timestampLtz(3).comment("last change"),
}, { primaryKey: ["region", "orderId"], bucketKey: ["region"], buckets: 4 });

/** Hovers show this name instead of a wall of members. */
export interface Order extends InferRow<typeof orders> {}

/** Runs the tour, and tells every step to `say`. */
export async function tour(url: string, say: (line: string) => void): Promise<void> {
  await using db = await connect(url);
  say(
    `connected to ${
      (await db.admin.servers()).map((server) => `${server.kind} ${server.host}:${server.port}`).join(", ")
    }`,
  );
  await db.admin.createDatabase("tour", { ignoreIfExists: true });
  await db.admin.drop(orders, { ignoreIfNotExists: true });
  await db.admin.create(orders);
  say(`created table ${orders.name}`);

  const handle = db.table(orders);
  const key = { region: "eu", orderId: 1n };
  const now = Temporal.Now.instant().round("millisecond");

  // Queued by the call; awaiting the ack is up to you.
  const receipt = await handle.upsert({
    ...key,
    status: "new",
    total: "12.50",
    items: [{ sku: "apple", quantity: 3 }],
    updatedAt: now,
  });
  say(`upserted an order; bucket ${receipt.bucket} ends at offset ${receipt.endOffset}`);
  handle.upsert({ region: "eu", orderId: 2n, status: "new", total: "7.00" });
  handle.update({ ...key, status: "paid" }); // the other columns stay
  await db.flush(); // throws what dropped acks failed with

  say(`looked it up: ${show(await handle.lookup(key))}`);
  say(`only its status: ${show(await handle.lookup(key, { select: ["status"] }))}`);
  say(`all of region eu: ${(await handle.prefixLookup({ region: "eu" })).map((order) => order.orderId).join(", ")}`);

  try {
    handle.upsert({ ...key, total: "123456789012345678.90" });
  } catch (error) {
    if (!FlussError.is(error, "CODEC.OUT_OF_RANGE")) throw error;
    say(`a wrong value is refused in the call: ${error.message}`);
  }

  await handle.delete(key);
  say(`deleted it: ${show(await handle.lookup(key))}`);
  const [rows, ms] = await many(async () => {
    const { rows } = await handle.upsertAll(generate(50_000));
    return rows;
  });
  say(`wrote ${rows} orders in ${ms} ms`);
}

function* generate(count: number) {
  for (let i = 0; i < count; i++) {
    yield { region: `r${i % 100}`, orderId: BigInt(i), status: "new" as const, total: `${i}.00` };
  }
}

async function many<T>(work: () => Promise<T>): Promise<[T, number]> {
  const start = performance.now();
  return [await work(), Math.round(performance.now() - start)];
}

/** JSON for people: bigint and Temporal values as text. */
function show(value: unknown): string {
  return JSON.stringify(value, (_, inner) => typeof inner === "bigint" ? `${inner}` : inner);
}

if (import.meta.main) await tour(process.argv[2] ?? "memory:", console.log);
