import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeEngine } from "../fake_catalog.ts";
import { type CaseServer, runCase } from "./case_run.ts";
import { CASES } from "./cases.ts";
import observed from "./observed.json" with { type: "json" };

/** Of rows that cannot be read Java says what it ran into; what we say of them is other words. */
const UNREADABLE = /IndexOutOfBoundsException|BufferUnderflowException|FlussCodecError: \d+ bytes are claimed/;

function comparable(line: string): string {
  if (!line.startsWith("-1 ")) return line;
  return UNREADABLE.test(line) ? "-1" : line.replace(/^-1 java[\w.]+: /, "-1 ");
}

for (const [i, example] of CASES.entries()) {
  test(`as observed on 0.9.1: ${example.name}`, async () => {
    using fake = new FakeEngine();
    const id = i + 1;
    const server: CaseServer = {
      create: (descriptor) => {
        fake.setTable(id, descriptor);
        return Promise.resolve(BigInt(id));
      },
      alter: (descriptor, schemaId) => {
        fake.setTable(id, descriptor, schemaId);
        return Promise.resolve();
      },
      call: (api, request) => fake.call(api, request),
    };
    const expected = (observed as Record<string, readonly string[]>)[example.name];
    assert.ok(expected !== undefined, "record.ts has not asked for this case yet");
    assert.deepEqual((await runCase(example, server)).map(comparable), expected.map(comparable));
  });
}
