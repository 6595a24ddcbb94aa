/**
 * Random tables, and random changes of them.
 *
 * @module
 */
import { type AnyTable, FlussError, t, table } from "../../../mod.ts";
import type { Random } from "../../random.ts";

/** What text of strangers looks like. */
export const HOSTILE: readonly string[] = [
  "x: t.int(), ",
  "*/ process.exit(1) /*",
  '"quoted" `${ticks}` \\',
  "line\nbreak\u2028and\u2029more\r",
  "\u001b[31mred\u202etxt",
  "__proto__",
  "constructor",
  "0",
  "42",
  "c42",
  "ünïcödé 😀",
  "' '",
  "</script>",
  "class",
];

/** A column before it is one: what can be changed. */
export interface Part {
  readonly key: string;
  readonly make: () => unknown;
  readonly notNull: boolean;
  readonly comment?: string;
  readonly agg?: string;
}

/** A table before it is one. */
export interface Draft {
  readonly name: string;
  readonly columns: readonly Part[];
  readonly options: Readonly<Record<string, unknown>>;
}

/** The methods of columns that drafts call. */
interface Methods {
  notNull(): Methods;
  comment(text: string): Methods;
  name(text: string): Methods;
  agg(fn: string): Methods;
}

type Make = (random: Random) => () => unknown;

const KEYS: readonly Make[] = [
  () => () => t.string(),
  () => () => t.int(),
  () => () => t.bigint(),
  () => () => t.date(),
  () => () => t.boolean(),
];

const SCALARS: readonly Make[] = [
  ...KEYS,
  () => () => t.tinyint(),
  () => () => t.smallint(),
  () => () => t.float(),
  () => () => t.double(),
  () => () => t.bytes(),
  (random) => {
    const length = 1 + random.int(9);
    return () => t.char(length);
  },
  (random) => {
    const length = 1 + random.int(9);
    return () => t.binary(length);
  },
  (random) => {
    const precision = 1 + random.int(38);
    const scale = random.int(precision + 1);
    return () => t.decimal(precision, scale);
  },
  (random) => {
    const precision = random.int(10);
    return () => t.time(precision);
  },
  (random) => {
    const precision = random.int(10);
    return () => t.timestamp(precision);
  },
  (random) => {
    const precision = random.int(10);
    return () => t.timestampLtz(precision);
  },
];

function randomType(random: Random, depth: number): () => unknown {
  if (depth > 0 && random.int(4) === 0) {
    const notNull = random.int(3) === 0;
    const inner = randomType(random, depth - 1);
    const element = () => notNull ? (inner() as Methods).notNull() : inner();
    switch (random.int(3)) {
      case 0:
        return () => t.array(element() as never);
      case 1: {
        const key = random.pick(SCALARS)(random);
        return () => t.map(key() as never, element() as never);
      }
      default: {
        const names = [...new Set([random.pick(HOSTILE), "a", "b"])];
        const comment = random.int(2) === 0 ? random.pick(HOSTILE) : undefined;
        return () =>
          t.row(Object.fromEntries(names.map((name, i) => {
            const field = element() as Methods;
            const said = comment === undefined ? field : field.comment(comment);
            return [/^\d+$/.test(name) ? `f${name}x${i}` : name, /^\d+$/.test(name) ? said.name(name) : said];
          })) as never);
      }
    }
  }
  return random.pick(SCALARS)(random);
}

function randomPart(random: Random, key: string): Part {
  return {
    key,
    make: randomType(random, 2),
    notNull: random.int(4) === 0,
    ...(random.int(3) === 0 ? { comment: random.pick(HOSTILE) } : {}),
  };
}

/** A draft that a table can be made of. */
export function randomDraft(random: Random, name: string): Draft {
  for (;;) {
    const names = [...new Set(Array.from({ length: 1 + random.int(6) }, () => random.pick(HOSTILE)))]
      .filter((text) => text.trim() !== "");
    let columns = names.map((key) => randomPart(random, key));
    const options: Record<string, unknown> = {};
    const keyed = random.int(3) > 0;
    if (keyed) {
      columns = [
        { key: "id", make: random.pick(KEYS)(random), notNull: false },
        { key: "day", make: () => t.string(), notNull: false },
        ...columns,
      ];
      options["primaryKey"] = ["id", "day"];
      const engine = random.int(6);
      if (engine === 0) options["mergeEngine"] = "first_row";
      if (engine === 1) {
        options["mergeEngine"] = { versioned: "ver" };
        columns.push({ key: "ver", make: () => t.bigint(), notNull: random.int(2) === 0 });
      }
      if (engine === 2) {
        options["mergeEngine"] = "aggregation";
        columns.push({ key: "sum", make: () => t.bigint(), notNull: false, agg: "sum" });
      }
      if (engine > 3 && random.int(2) === 0) options["changelog"] = "wal";
      if (random.int(3) === 0) options["deleteBehavior"] = random.pick(["allow", "ignore", "disable"]);
      if (random.int(3) === 0) options["kv"] = { format: random.pick(["compacted", "indexed"]) };
    }
    if (random.int(3) === 0) {
      if (!keyed) columns.push({ key: "day", make: () => t.string(), notNull: true });
      options["partitionBy"] = ["day"];
      if (random.int(2) === 0) {
        options["autoPartition"] = {
          unit: random.pick(["hour", "day", "month", "quarter", "year"]),
          ...(random.int(2) === 0 ? { retain: random.int(9) - 1 } : {}),
          // None are made ahead: each costs a real cluster a replica.
          precreate: 0,
          ...(random.int(2) === 0 ? { timeZone: "Europe/Berlin" } : {}),
        };
      }
    }
    if (random.int(2) === 0) options["buckets"] = 1 + random.int(3);
    if (random.int(3) === 0) options["comment"] = random.pick(HOSTILE);
    if (random.int(3) === 0) options["customProperties"] = { [random.pick(HOSTILE)]: random.pick(HOSTILE), x: "1" };
    const log: Record<string, unknown> = {};
    if (random.int(3) === 0) log["ttl"] = random.pick(["1d", "7 d", "36h", "90 min"]);
    if (random.int(3) === 0) {
      log["compression"] = random.pick([{ type: "none" }, { type: "lz4" }, { type: "zstd", level: 3 }, {
        type: "zstd",
        level: 19,
      }]);
    }
    if (random.int(5) === 0) log["format"] = random.pick(["arrow", "compacted", "indexed"]);
    options["log"] = log;
    if (random.int(3) === 0) {
      options["properties"] = { "table.log.tiered.local-segments": String(1 + random.int(4)) };
    }
    const draft: Draft = { name, columns, options };
    if (madeOf(draft) !== undefined) return draft;
  }
}

/** The table of a draft; undefined where its parts do not fit each other. */
export function madeOf({ name, columns, options }: Draft): AnyTable | undefined {
  try {
    const made = columns.map(({ key, make, notNull, comment, agg }, i) => {
      let column = make() as Methods;
      if (notNull) column = column.notNull();
      if (agg !== undefined) column = column.agg(agg);
      if (comment !== undefined) column = column.comment(comment);
      // JavaScript would move a number to the front.
      return /^\d+$/.test(key) ? [`n${i}_${key}`, column.name(key)] : [key, column];
    });
    return table(name, Object.fromEntries(made) as never, options as never) as unknown as AnyTable;
  } catch (error) {
    if (FlussError.is(error)) return undefined;
    throw error;
  }
}

/** Another draft that is a few changes away, some of which servers can do and some of which they cannot. */
export function changedDraft(random: Random, draft: Draft): Draft {
  for (;;) {
    let columns = [...draft.columns];
    const options: Record<string, unknown> = { ...draft.options };
    for (let left = random.int(4); left > 0; left--) {
      const at = random.int(columns.length);
      switch (random.int(9)) {
        case 0:
        case 1:
        case 2:
          columns.push({ ...randomPart(random, `new${columns.length}`), notNull: random.int(8) === 0 });
          break;
        case 3:
          if (columns.length > 1) columns = columns.filter((_, i) => i !== at);
          break;
        case 4:
          columns[at] = { ...columns[at]!, make: randomType(random, 1) };
          break;
        case 5:
          columns[at] = { ...columns[at]!, notNull: !columns[at]!.notNull };
          break;
        case 6:
          options["customProperties"] = { y: String(random.int(3)), x: "2" };
          break;
        case 7:
          options["properties"] = { "table.log.tiered.local-segments": String(1 + random.int(4)) };
          break;
        case 8:
          options["log"] = { ttl: random.pick(["1d", "7d", "2d"]) };
          break;
      }
    }
    const changed: Draft = { name: draft.name, columns, options };
    if (madeOf(changed) !== undefined) return changed;
  }
}
