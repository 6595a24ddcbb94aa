import assert from "node:assert/strict";
import { test } from "node:test";
import { API } from "../../../../src/client/rpc/api.ts";
import { Served } from "../served.ts";
import { DATABASE, runCase } from "./case_run.ts";
import { CASES } from "./cases.ts";
import observed from "./observed.json" with { type: "json" };

for (const example of CASES) {
  test(`as observed on 0.9.1: ${example.name}`, async () => {
    const served = new Served();
    await served.ask(API.CREATE_DATABASE, { databaseName: DATABASE, ignoreIfExists: false });
    const said = await runCase(example, {
      database: DATABASE,
      call: (api, request) => served.ask(api, request),
    });
    const expected = (observed as Record<string, readonly string[]>)[example.name];
    assert.ok(expected !== undefined, "record.ts has not asked for this case yet");
    assert.deepEqual(said, expected);
  });
}
