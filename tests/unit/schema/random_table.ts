/** Random tables for tests: valid declarations over every type, and their rows' columns. */
import { t, table } from "../../../src/schema/mod.ts";
import type { Random } from "../../random.ts";

function chance(random: Random, share: number): boolean {
  return random.int(1000) < share * 1000;
}

// The compiler cannot follow columns that are made at random.
// deno-lint-ignore no-explicit-any
type AnyBuilder = any;

const NAMES = ["a", "B", "c d", "ü", "x.y", "__proto__", "constructor", '"', "`", "$", "名前", "toString"];

function scalar(random: Random): AnyBuilder {
  const precision = 1 + random.int(38);
  return random.pick<() => AnyBuilder>([
    () => t.boolean(),
    () => t.tinyint(),
    () => t.smallint(),
    () => t.int(),
    () => t.bigint(),
    () => t.float(),
    () => t.double(),
    () => t.char(1 + random.int(100)),
    () => t.string(),
    () => t.date(),
    () => t.time(random.int(10)),
    () => t.timestamp(random.int(10)),
    () => t.timestampLtz(random.int(10)),
    () => t.binary(1 + random.int(100)),
    () => t.bytes(),
    () => t.decimal(precision, random.int(precision + 1)),
  ])();
}

function column(random: Random, depth: number): AnyBuilder {
  const kind = depth > 0 && chance(random, 0.3) ? random.int(3) : 3;
  const made = kind === 0
    ? t.array(column(random, depth - 1))
    : kind === 1
    ? t.map(scalar(random), column(random, depth - 1))
    : kind === 2
    ? t.row(Object.fromEntries(
      NAMES.slice(0, 1 + random.int(4)).map((name) => [name, commented(random, column(random, depth - 1))]),
    ))
    : scalar(random);
  return chance(random, 0.3) ? made.notNull() : made;
}

function commented(random: Random, made: AnyBuilder): AnyBuilder {
  return chance(random, 0.2) ? made.comment(random.pick(["", "a comment", '"quoted" \u2028 ünïcode 😀'])) : made;
}

/** A table of up to 13 columns. Half of the tables have a primary key of some scalar columns. */
export function randomTable(random: Random): object {
  const count = 1 + random.int(NAMES.length);
  const columns: [string, AnyBuilder][] = NAMES.slice(0, count).map((name, i) => {
    const named = commented(random, i < 2 ? scalar(random) : column(random, 3));
    return [name, chance(random, 0.2) ? named.name(`${name}_physical`) : named];
  });
  const primaryKey = chance(random, 0.5) ? NAMES.slice(0, Math.min(count, 1 + random.int(2))) : [];
  const options = {
    ...(primaryKey.length === 0 ? {} : { primaryKey }),
    ...(chance(random, 0.5) ? { buckets: 1 + random.int(10) } : {}),
    ...(chance(random, 0.3) && primaryKey.length === 2 ? { bucketKey: [primaryKey[0]!] } : {}),
    ...(chance(random, 0.3) ? { comment: "of the table" } : {}),
    ...(chance(random, 0.3) ? { log: { ttl: "3 d" }, customProperties: { ["__proto__"]: "x", k: "v" } } : {}),
  };
  return table("r.andom", Object.fromEntries(columns), options as AnyBuilder);
}
