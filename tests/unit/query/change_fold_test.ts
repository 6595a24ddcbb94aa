import assert from "node:assert/strict";
import { test } from "node:test";
import { FlussError } from "../../../src/base/errors.ts";
import type { Columns } from "../../../src/format/columns.ts";
import { rowColumns } from "../../../src/format/row_columns.ts";
import { ChunkChanges, type FoldRules, type FoldState, type LooseChange } from "../../../src/query/change_fold.ts";
import { random } from "../../random.ts";

/** Kinds by their number: +A is 0. */
const KINDS = ["+A", "+I", "-U", "+U", "-D"];

interface Stored {
  readonly kind: string;
  readonly n: number;
}

const RULES: FoldRules = {
  table: "shop.orders",
  label: undefined,
  raw: false,
  filter: undefined,
  keep: (columns) => columns,
  checks: undefined,
  instant: (millis) => millis,
};

const even = (columns: Columns): Int32Array | undefined => {
  const found = Array.from({ length: columns.length }, (_, i) => i).filter((i) =>
    columns.row(i)["n"] as number % 2 === 0
  );
  return found.length === columns.length ? undefined : Int32Array.from(found);
};

const newState = (wantedFrom?: bigint): FoldState => ({ bucket: 3, partition: undefined, held: undefined, wantedFrom });

/** The records from `from` to `to` as a chunk; record i has offset 100 + i. */
function chunkOf(records: readonly Stored[], from: number, to: number) {
  const part = records.slice(from, to);
  return {
    firstOffset: BigInt(100 + from),
    timestamp: 7,
    changeTypes: Uint8Array.from(part, ({ kind }) => KINDS.indexOf(kind)),
    columns: rowColumns([], part.map(({ n }) => ({ n }))),
  };
}

/** Everything that comes of the records when they arrive cut at these places, and where reading would go on after each. */
function fold(rules: FoldRules, records: readonly Stored[], cuts: readonly number[], state = newState()) {
  const events: string[] = [];
  const starts: bigint[] = [];
  const edges: bigint[] = [];
  let from = 0;
  for (const to of [...cuts, records.length]) {
    const changes = new ChunkChanges(rules, state, chunkOf(records, from, to));
    for (let change = changes.take(); change !== undefined; change = changes.take()) {
      events.push(textOf(change));
      starts.push(changes.startOffset);
    }
    assert.equal(changes.left, 0);
    edges.push(state.held?.offset ?? BigInt(100 + to));
    from = to;
  }
  return { events, starts, edges };
}

function textOf({ op, row, before, offset, timestamp, bucket }: LooseChange): string {
  assert.equal(timestamp, 7);
  assert.equal(bucket, 3);
  return `${op} ${before === undefined ? "" : `${before["n"]}>`}${row["n"]} @${offset}`;
}

/** A log in which updates are pairs. */
function randomLog(length: number): Stored[] {
  const log: Stored[] = [];
  while (log.length < length) {
    const kind = random.pick(["+I", "-D", "-U"]);
    log.push({ kind, n: random.int(100) });
    if (kind === "-U") log.push({ kind: "+U", n: random.int(100) });
  }
  return log;
}

/** What folding has to give, told in another way. */
function expected(log: readonly Stored[], matches: (n: number) => boolean): string[] {
  return log.flatMap(({ kind, n }, i) => {
    const before = log[i - 1]!;
    if (kind === "-U") return [];
    if (kind === "+U") return matches(n) || matches(before.n) ? [`update ${before.n}>${n} @${100 + i}`] : [];
    return matches(n) ? [`${kind === "+I" ? "insert" : "delete"} ${n} @${100 + i}`] : [];
  });
}

test("updates are one change wherever their records are cut apart", () => {
  for (let round = 0; round < 20; round++) {
    const log = randomLog(12);
    const every = Array.from({ length: log.length - 1 }, (_, i) => i + 1);
    for (const cuts of [[], every, ...every.map((cut) => [cut]), every.filter(() => random.int(2) === 0)]) {
      const { events, starts, edges } = fold(RULES, log, cuts);
      assert.deepEqual(events, expected(log, () => true));
      // A position in hand is before both records of an update, and an edge never between them.
      for (const at of [...starts, ...edges]) assert.notEqual(log[Number(at) - 100]?.kind, "+U");
    }
  }
});

test("a condition looks at the row and at the row before it", () => {
  for (let round = 0; round < 50; round++) {
    const log = randomLog(12);
    const cuts = Array.from({ length: log.length - 1 }, (_, i) => i + 1).filter(() => random.int(3) === 0);
    const { events } = fold({ ...RULES, filter: even }, log, cuts);
    assert.deepEqual(events, expected(log, (n) => n % 2 === 0));
  }
});

test("raw records come as they are, each filtered by itself", () => {
  const log: Stored[] = [
    { kind: "+I", n: 1 },
    { kind: "-U", n: 2 },
    { kind: "+U", n: 3 },
    { kind: "-D", n: 4 },
    { kind: "+A", n: 6 },
  ];
  for (let cut = 0; cut <= log.length; cut++) {
    assert.deepEqual(
      fold({ ...RULES, raw: true }, log, [cut]).events,
      log.map(({ kind, n }, i) => `${kind} ${n} @${100 + i}`),
    );
    assert.deepEqual(fold({ ...RULES, raw: true, filter: even }, log, [cut]).events, [
      "-U 2 @101",
      "-D 4 @103",
      "+A 6 @104",
    ]);
  }
});

test("without rows before updates, an update has none", () => {
  const { events } = fold(RULES, [{ kind: "+U", n: 1 }, { kind: "+U", n: 2 }, { kind: "-D", n: 2 }], []);
  assert.deepEqual(events, ["update 1 @100", "update 2 @101", "delete 2 @102"]);
});

test("a start between the rows of an update tells it whole; before anything else it tells nothing more", () => {
  const log: Stored[] = [{ kind: "+I", n: 0 }, { kind: "-U", n: 1 }, { kind: "+U", n: 2 }, { kind: "-D", n: 3 }];
  const from = (asked: number) => {
    const state = newState(BigInt(100 + asked));
    const changes = new ChunkChanges(RULES, state, chunkOf(log, asked - 1, log.length));
    const events: string[] = [];
    for (let change = changes.take(); change !== undefined; change = changes.take()) events.push(textOf(change));
    assert.equal(state.wantedFrom, undefined);
    return events;
  };
  assert.deepEqual(from(1), ["update 1>2 @102", "delete 3 @103"]);
  assert.deepEqual(from(2), ["update 1>2 @102", "delete 3 @103"]);
  assert.deepEqual(from(3), ["delete 3 @103"]);
});

test("a row before an update without the row after it is a corrupt log, in one chunk or two", () => {
  const corrupt = (error: unknown) =>
    FlussError.is(error, "CODEC.CORRUPT_BATCH") && /bucket 3, offset 10/.test(error.message);
  const log: Stored[] = [{ kind: "-U", n: 1 }, { kind: "-D", n: 2 }];
  assert.throws(() => fold(RULES, log, []), corrupt);
  assert.throws(() => fold(RULES, log, [1]), corrupt);
  const state = newState();
  state.held = { row: { n: 1 }, offset: 50n, matched: true };
  assert.throws(() => fold(RULES, [{ kind: "+U", n: 1 }], [], state), corrupt);
});

test("a row that cannot be told is not passed: the position stays before it", () => {
  const rows: Columns = {
    length: 2,
    schema: [],
    columns: [],
    rows: () => [],
    row(i) {
      if (i === 1) throw new Error("no such value");
      return { n: i };
    },
  };
  const state = newState();
  const changes = new ChunkChanges(RULES, state, {
    firstOffset: 10n,
    timestamp: 7,
    changeTypes: undefined,
    columns: rows,
  });
  assert.equal(changes.take()?.offset, 10n);
  assert.throws(() => changes.take(), /no such value/);
  assert.equal(changes.nextOffset, 11n);
  assert.equal(changes.startOffset, 11n);
});

test("partition and table are there where they are asked for", () => {
  const state = { ...newState(), partition: "2026" };
  const changes = new ChunkChanges({ ...RULES, label: "orders" }, state, chunkOf([{ kind: "+I", n: 1 }], 0, 1));
  assert.deepEqual(changes.take(), {
    op: "insert",
    row: { n: 1 },
    offset: 100n,
    timestamp: 7,
    bucket: 3,
    partition: "2026",
    table: "orders",
  });
});
