import assert from "node:assert/strict";
import { test } from "node:test";
import { API } from "../../../../src/client/rpc/api.ts";
import { ApiVersionsResponseSchema } from "../../../../src/client/rpc/gen/fluss/v1/handshake_pb.ts";
import { readMessage } from "../../../../src/client/rpc/required.ts";
import { listen } from "../../../../src/embedded/mod.ts";
import { HANDLERS } from "../../../../src/embedded/requests/handlers.ts";
import { Served } from "../served.ts";
import { frame, Wire } from "../wire.ts";

/** What servers of 0.9.1 say of themselves: requests by key, of version 0 where no other is named. */
const ADVERTISED = {
  // deno-fmt-ignore
  coordinator: [
    1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012, 1020, 1022, 1023, 1024, 1025, 1027,
    1030, 1032, 1035, 1036, 1037, 1038, 1039, 1040, 1041, 1042, 1043, 1044, 1045, 1046, 1047, 1048, 1049, 1050, 1051,
    1052, 1053, 1054, 1055, 1056, 1057, 1058,
  ],
  // deno-fmt-ignore
  tablet: [
    1000, 1003, 1004, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 1015, 1016, 1017, 1018, 1019, 1021, 1023, 1024,
    1025, 1026, 1028, 1029, 1031, 1032, 1033, 1034, 1035, 1038, 1040, 1045, 1059,
  ],
};
/** PUT_KV, LOOKUP, PREFIX_LOOKUP */
const OF_VERSION_1 = [1016, 1017, 1034];
/** What servers say to each other (Fluss: ApiKeys.java). */
const PRIVATE = [1013, 1018, 1019, 1020, 1022, 1027, 1028, 1029, 1030, 1031, 1042, 1043, 1052];

/** What the session answers by itself. */
const HANDSHAKE = ["API_VERSIONS", "AUTHENTICATE"];

test("every request that we know has somebody who answers it, and nobody answers any other", () => {
  const names = Object.keys(API).filter((name) => !HANDSHAKE.includes(name)).sort();
  assert.deepEqual(Object.keys(HANDLERS).sort(), names);
  for (const name of names) assert.equal(typeof HANDLERS[name as keyof typeof HANDLERS], "function", name);
});

for (const kind of ["coordinator", "tablet"] as const) {
  test(`every public request that a ${kind} of 0.9.1 advertises is advertised and answered`, async () => {
    const served = new Served();
    await using listener = await listen(served.engine, { port: 0 });
    using wire = await Wire.open(listener[kind].port);
    wire.send(frame(API.API_VERSIONS.key, 0, 0, new Uint8Array(0)));
    const [answer] = await wire.answers(1);
    const { apiVersions, serverType } = readMessage(ApiVersionsResponseSchema, answer!.body);
    assert.equal(serverType, kind === "coordinator" ? 1 : 2);
    const ranges = new Map(apiVersions.map(({ apiKey, ...range }) => [apiKey, range]));
    assert.equal(ranges.size, apiVersions.length);
    const keys = ADVERTISED[kind].filter((key) => !PRIVATE.includes(key));
    for (const key of keys) {
      const range = ranges.get(key);
      assert.equal(range?.minVersion, 0, `request ${key}`);
      assert.ok(range!.maxVersion >= (OF_VERSION_1.includes(key) ? 1 : 0), `request ${key}`);
    }
    for (const key of PRIVATE) assert.equal(ranges.get(key), undefined, `request ${key}`);
    // Whatever becomes of an empty message: it is served.
    wire.send(...[...ranges.keys()].map((key) => frame(key, 0, key, new Uint8Array(0))));
    const codes = (await wire.answers(ranges.size)).map(({ id, code }) => [id, code] as const);
    assert.deepEqual(codes.map(([id]) => id).sort(), [...ranges.keys()].sort());
    assert.deepEqual(codes.filter(([, code]) => code === 2), []);
    served.engine.close();
  });
}
