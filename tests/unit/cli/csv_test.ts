import assert from "node:assert/strict";
import { test } from "node:test";
import { type CsvDialect, CsvError, CsvReader, csvWriter } from "../../../src/cli/data/csv.ts";
import { long, random } from "../../random.ts";

const COMMA: CsvDialect = { delimiter: ",", nullText: "" };

/** Reads a text in pieces. */
function read(text: string, dialect: CsvDialect = COMMA, pieces: readonly number[] = []): (string | null)[][] {
  const reader = new CsvReader(dialect);
  const records = [];
  let at = 0;
  for (const length of pieces) {
    records.push(...reader.push(text.slice(at, at + length)));
    at += length;
  }
  records.push(...reader.push(text.slice(at)), ...reader.end());
  return records.map(({ cells }) => [...cells]);
}

test("cells, quotes, nulls and line breaks are told apart", () => {
  assert.deepEqual(read('a,b\r\n1,\n"",""""\n"x\ny","z,"\n'), [["a", "b"], ["1", null], ["", '"'], ["x\ny", "z,"]]);
  assert.deepEqual(read("a,b\n\n1,2"), [["a", "b"], ["1", "2"]]);
  // With one column, nothing is a value: null.
  assert.deepEqual(read("a\n\n1\n"), [["a"], [null], ["1"]]);
  assert.deepEqual(read('a;b\nNULL;"NULL"\n;x', { delimiter: ";", nullText: "NULL" }), [["a", "b"], [null, "NULL"], [
    "",
    "x",
  ]]);
  assert.deepEqual(read('a"b,c\n'), [['a"b', "c"]]);
});

test("records know their lines, and what is wrong with them", () => {
  const reader = new CsvReader(COMMA);
  const records = [...reader.push('a,b\n"1\n2",x\n"y"z,1\n3,4'), ...reader.end()];
  assert.deepEqual(records.map(({ line }) => line), [1, 2, 4, 5]);
  assert.deepEqual(records.map(({ problem }) => problem), [
    undefined,
    undefined,
    "cell 1 goes on behind its closing quote",
    undefined,
  ]);
  const open = new CsvReader(COMMA);
  open.push('a,b\n1,2\n"x,\n');
  assert.throws(() => open.end(), (error) => error instanceof CsvError && error.line === 3);
});

test("a quote that is never closed does not take the rest of a file into memory", () => {
  const reader = new CsvReader(COMMA);
  const piece = `${"x".repeat(1 << 20)}\n`;
  reader.push('"');
  assert.throws(() => {
    for (let i = 0; i < 20; i++) reader.push(piece);
  }, /longer than 16 MiB/);
});

test("what is written is read again, cut anywhere", () => {
  const parts = ["", "a", "é😀", '"', ",", ";", "\n", "\r\n", "\r", " ", "NULL", "\\N", "\t", "=1+1", "\u0000"];
  for (let round = 0; round < (long ? 20_000 : 2_000); round++) {
    const dialect: CsvDialect = {
      delimiter: random.pick([",", ";", "\t", "|", "]", "^"]),
      nullText: random.pick(["", "NULL", "\\N"]),
    };
    const columns = 1 + random.int(4);
    const rows = Array.from(
      { length: random.int(6) },
      () =>
        Array.from(
          { length: columns },
          () => random.int(4) === 0 ? null : Array.from({ length: random.int(4) }, () => random.pick(parts)).join(""),
        ),
    );
    const names = Array.from({ length: columns }, (_, i) => `c${i}`);
    const { record } = csvWriter(dialect);
    const text = [names, ...rows].map(record).join("");
    const pieces = Array.from({ length: random.int(6) }, () => random.int(8));
    assert.deepEqual(read(text, dialect, pieces), [names, ...rows], JSON.stringify([text, dialect, pieces]));
  }
});
