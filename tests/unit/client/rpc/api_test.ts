import assert from "node:assert/strict";
import { test } from "node:test";
import process from "node:process";
import type { DescFile, DescMessage } from "@bufbuild/protobuf";
import { create, equals, fromBinary, isFieldSet, toBinary } from "@bufbuild/protobuf";
import { API, type Api, apiByKey, type Apis, loadApi } from "../../../../src/client/rpc/api.ts";
import { ErrorResponseSchema, file_fluss_v1_common } from "../../../../src/client/rpc/gen/fluss/v1/common_pb.ts";
import { file_fluss_v1_acl } from "../../../../src/client/rpc/gen/fluss/v1/acl_pb.ts";
import { file_fluss_v1_cluster_admin } from "../../../../src/client/rpc/gen/fluss/v1/cluster_admin_pb.ts";
import { file_fluss_v1_database } from "../../../../src/client/rpc/gen/fluss/v1/database_pb.ts";
import { file_fluss_v1_handshake } from "../../../../src/client/rpc/gen/fluss/v1/handshake_pb.ts";
import { file_fluss_v1_log } from "../../../../src/client/rpc/gen/fluss/v1/log_pb.ts";
import { file_fluss_v1_lookup } from "../../../../src/client/rpc/gen/fluss/v1/lookup_pb.ts";
import { file_fluss_v1_metadata } from "../../../../src/client/rpc/gen/fluss/v1/metadata_pb.ts";
import { file_fluss_v1_partition } from "../../../../src/client/rpc/gen/fluss/v1/partition_pb.ts";
import { file_fluss_v1_predicate } from "../../../../src/client/rpc/gen/fluss/v1/predicate_pb.ts";
import { file_fluss_v1_producer_offset } from "../../../../src/client/rpc/gen/fluss/v1/producer_offset_pb.ts";
import { file_fluss_v1_scan } from "../../../../src/client/rpc/gen/fluss/v1/scan_pb.ts";
import { file_fluss_v1_snapshot } from "../../../../src/client/rpc/gen/fluss/v1/snapshot_pb.ts";
import { file_fluss_v1_storage } from "../../../../src/client/rpc/gen/fluss/v1/storage_pb.ts";
import { file_fluss_v1_table } from "../../../../src/client/rpc/gen/fluss/v1/table_pb.ts";
import { file_fluss_v1_write } from "../../../../src/client/rpc/gen/fluss/v1/write_pb.ts";
import { optionalField, readMessage, writeMessage } from "../../../../src/client/rpc/required.ts";
import { randomFields, randomFrom } from "./random_message.ts";

/** Key, highest version of the current main branch, and who serves it: C coordinator, T tablet server. */
const CONTRACT: Record<string, readonly [key: number, maxVersion: number, servedBy: "C" | "T" | "C+T"]> = {
  API_VERSIONS: [1000, 0, "C+T"],
  CREATE_DATABASE: [1001, 0, "C"],
  DROP_DATABASE: [1002, 0, "C"],
  LIST_DATABASES: [1003, 0, "C+T"],
  DATABASE_EXISTS: [1004, 0, "C+T"],
  CREATE_TABLE: [1005, 0, "C"],
  DROP_TABLE: [1006, 0, "C"],
  GET_TABLE_INFO: [1007, 0, "C+T"],
  LIST_TABLES: [1008, 0, "C+T"],
  LIST_PARTITION_INFOS: [1009, 0, "C+T"],
  TABLE_EXISTS: [1010, 0, "C+T"],
  GET_TABLE_SCHEMA: [1011, 0, "C+T"],
  GET_METADATA: [1012, 0, "C+T"],
  PRODUCE_LOG: [1014, 0, "T"],
  FETCH_LOG: [1015, 0, "T"],
  PUT_KV: [1016, 2, "T"],
  LOOKUP: [1017, 1, "T"],
  LIST_OFFSETS: [1021, 0, "T"],
  GET_LATEST_KV_SNAPSHOTS: [1023, 0, "C+T"],
  GET_KV_SNAPSHOT_METADATA: [1024, 0, "C+T"],
  GET_FILESYSTEM_SECURITY_TOKEN: [1025, 0, "C+T"],
  INIT_WRITER: [1026, 0, "T"],
  GET_LAKE_SNAPSHOT: [1032, 0, "C+T"],
  LIMIT_SCAN: [1033, 0, "T"],
  PREFIX_LOOKUP: [1034, 1, "T"],
  GET_DATABASE_INFO: [1035, 0, "C+T"],
  CREATE_PARTITION: [1036, 0, "C"],
  DROP_PARTITION: [1037, 0, "C"],
  AUTHENTICATE: [1038, 0, "C+T"],
  CREATE_ACLS: [1039, 0, "C"],
  LIST_ACLS: [1040, 0, "C+T"],
  DROP_ACLS: [1041, 0, "C"],
  ALTER_TABLE: [1044, 0, "C"],
  DESCRIBE_CLUSTER_CONFIGS: [1045, 0, "C+T"],
  ALTER_CLUSTER_CONFIGS: [1046, 0, "C"],
  ADD_SERVER_TAG: [1047, 0, "C"],
  REMOVE_SERVER_TAG: [1048, 0, "C"],
  REBALANCE: [1049, 0, "C"],
  LIST_REBALANCE_PROGRESS: [1050, 0, "C"],
  CANCEL_REBALANCE: [1051, 0, "C"],
  REGISTER_PRODUCER_OFFSETS: [1053, 0, "C"],
  GET_PRODUCER_OFFSETS: [1054, 0, "C"],
  DELETE_PRODUCER_OFFSETS: [1055, 0, "C"],
  ACQUIRE_KV_SNAPSHOT_LEASE: [1056, 0, "C"],
  RELEASE_KV_SNAPSHOT_LEASE: [1057, 0, "C"],
  DROP_KV_SNAPSHOT_LEASE: [1058, 0, "C"],
  GET_TABLE_STATS: [1059, 0, "T"],
  ALTER_DATABASE: [1060, 0, "C"],
  SCAN_KV: [1061, 0, "T"],
  GET_CLUSTER_HEALTH: [1062, 0, "C+T"],
  LIST_REMOTE_LOG_MANIFESTS: [1063, 0, "C"],
  LIST_KV_SNAPSHOTS: [1064, 0, "C"],
};

/** The lists that travel packed; all other lists of numbers would travel one by one. */
const PACKED = [
  "AddServerTagRequest.server_ids",
  "GetTableStatsRequest.target_columns",
  "ListOffsetsRequest.bucket_id",
  "MetadataRequest.partitions_id",
  "PbBucketMetadata.replica_id",
  "PbFetchLogReqForTable.projected_fields",
  "PbRebalancePlanForBucket.new_replicas",
  "PbRebalancePlanForBucket.original_replicas",
  "PutKvRequest.target_columns",
  "RebalanceRequest.goals",
  "RemoveServerTagRequest.server_ids",
];

const FILES: readonly DescFile[] = [
  file_fluss_v1_acl,
  file_fluss_v1_cluster_admin,
  file_fluss_v1_common,
  file_fluss_v1_database,
  file_fluss_v1_handshake,
  file_fluss_v1_log,
  file_fluss_v1_lookup,
  file_fluss_v1_metadata,
  file_fluss_v1_partition,
  file_fluss_v1_predicate,
  file_fluss_v1_producer_offset,
  file_fluss_v1_scan,
  file_fluss_v1_snapshot,
  file_fluss_v1_storage,
  file_fluss_v1_table,
  file_fluss_v1_write,
];
const MESSAGES: readonly DescMessage[] = FILES.flatMap((file) => file.messages);

const hex = (bytes: Uint8Array): string => bytes.toHex();

test("every public request has the key, the versions and the servers of the contract", () => {
  assert.deepEqual(Object.keys(API).sort(), Object.keys(CONTRACT).sort());
  for (const [name, [key, maxVersion, servedBy]] of Object.entries(CONTRACT)) {
    const api: Api = API[name as keyof Apis];
    assert.equal(api.name, name);
    assert.equal(api.key, key, name);
    assert.equal(api.minVersion, 0, name);
    assert.equal(api.maxVersion, maxVersion, name);
    assert.equal(api.servedBy, { C: "coordinator", T: "tablet", "C+T": "both" }[servedBy], name);
    assert.equal(apiByKey(key), api);
  }
});

test("a key between servers, and one that nobody knows, is not public", () => {
  for (const key of [0, 999, 1013, 1018, 1019, 1020, 1022, 1027, 1031, 1042, 1043, 1052, 1065]) {
    assert.equal(apiByKey(key), undefined, String(key));
  }
});

test("every request loads the two messages that bear its name", async () => {
  const irregular: Record<string, string> = {
    GET_METADATA: "Metadata",
    GET_FILESYSTEM_SECURITY_TOKEN: "GetFileSystemSecurityToken",
  };
  for (const api of Object.values(API) as Api[]) {
    const { request, response } = await loadApi(api);
    const name = irregular[api.name] ??
      api.name.toLowerCase().replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
    assert.equal(request.typeName, `fluss.v1.${name}Request`);
    assert.equal(response.typeName, `fluss.v1.${name}Response`);
  }
});

test("nothing is loaded before it is used, and a group is loaded once", async () => {
  // Another query makes another instance of the module, which no other test has touched.
  const fresh: string = "../../../../src/client/rpc/api.ts?nothing-loaded";
  const { API: apis, loadApi: load } = await import(fresh) as { API: Apis; loadApi: typeof loadApi };
  for (const api of Object.values(apis) as Api[]) assert.equal(api.messages, undefined, api.name);

  const [first, second] = await Promise.all([load(apis.LOOKUP), load(apis.LOOKUP)]);
  assert.equal(first, second);
  assert.equal(apis.LOOKUP.messages, first);
  assert.equal(await load(apis.LOOKUP), first);
  assert.equal(apis.PREFIX_LOOKUP.messages?.request.name, "PrefixLookupRequest", "the same group");
  const loaded = (Object.values(apis) as Api[]).filter((api) => api.messages !== undefined).map((api) => api.name);
  assert.deepEqual(loaded, ["LOOKUP", "PREFIX_LOOKUP"]);
});

test("types follow from the request", async () => {
  const { request, response } = await loadApi(API.CREATE_TABLE);
  const bytes = writeMessage(request, {
    tablePath: { databaseName: "db", tableName: "t" },
    tableJson: new Uint8Array(),
    ignoreIfExists: true,
  });
  const path: { databaseName: string } = readMessage(request, bytes).tablePath; // required, so never undefined
  assert.equal(path.databaseName, "db");
  assert.equal(readMessage(response, new Uint8Array()).$typeName, "fluss.v1.CreateTableResponse");

  // @ts-expect-error: the request has no such field
  assert.equal(request.field["tableName"], undefined);
  // @ts-expect-error: another request's messages are another type
  const wrong: typeof API.DROP_TABLE = API.CREATE_TABLE;
  assert.equal(wrong, API.CREATE_TABLE);
});

// Frames made by the official client's own classes; here without the 12 bytes of a request's or the 9 of an answer's head.

test("API_VERSIONS, byte by byte", async () => {
  const { request } = await loadApi(API.API_VERSIONS);
  const init = { clientSoftwareName: "fluss-ts", clientSoftwareVersion: "0.1.0" };
  assert.equal(
    hex(writeMessage(request, init)),
    "0000001903e80000000000010a08666c7573732d74731205302e312e30".slice(24),
  );
});

test("GET_TABLE_INFO, byte by byte", async () => {
  const { request } = await loadApi(API.GET_TABLE_INFO);
  const init = { tablePath: { databaseName: "db", tableName: "t" } };
  assert.equal(hex(writeMessage(request, init)), "0000001103ef0000000000020a070a026462120174".slice(24));
});

test("AUTHENTICATE, byte by byte", async () => {
  const { request } = await loadApi(API.AUTHENTICATE);
  const token = new TextEncoder().encode("\0guest\0pw");
  assert.equal(
    hex(writeMessage(request, { protocol: "PLAIN", token })),
    "0000001a040e0000000000030a05504c41494e1209006775657374007077".slice(24),
  );
});

test("ErrorResponse, read from an ERROR and from a SERVER_FAILURE frame", () => {
  const error = readMessage(
    ErrorResponseSchema,
    Uint8Array.fromHex("000000110100000001080712086e6f207461626c65".slice(18)),
  );
  assert.deepEqual([error.errorCode, error.errorMessage], [7, "no table"]);
  const failure = readMessage(
    ErrorResponseSchema,
    Uint8Array.fromHex("000000120208ffffffffffffffffff011204626f6f6d".slice(10)),
  );
  assert.deepEqual([failure.errorCode, failure.errorMessage], [-1, "boom"]);
  assert.equal(
    hex(writeMessage(ErrorResponseSchema, { errorCode: -1, errorMessage: "boom" })),
    "08ffffffffffffffffff011204626f6f6d",
  );
});

test("numbers that do not start at 1 stay where they are", async () => {
  const scan = (await loadApi(API.LIMIT_SCAN)).request;
  assert.equal(hex(writeMessage(scan, { tableId: 5n, bucketId: 0, limit: 10 })), "10052000280a");
  const offsets = (await loadApi(API.REGISTER_PRODUCER_OFFSETS)).request;
  const init = { producerId: "p", tableOffsets: [{ tableId: 1n, bucketOffsets: [{ bucketId: 2, logEndOffset: 3n }] }] };
  assert.equal(hex(writeMessage(offsets, init)), "0a01701208080112041002" + "2003");
  const database = (await loadApi(API.GET_DATABASE_INFO)).response;
  assert.equal(
    hex(writeMessage(database, { databaseJson: new Uint8Array([0x7b, 0x7d]), createdTime: 1n, modifiedTime: 2n })),
    "1a027b7d20012802",
  );
});

test("lists are packed where Fluss packs them, and read either way", async () => {
  const packed = MESSAGES.flatMap((message) =>
    message.fields.filter((field) => field.fieldKind === "list" && field.packed)
      .map((field) => `${message.name}.${field.name}`)
  );
  assert.deepEqual(packed.sort(), PACKED);

  const { request } = await loadApi(API.GET_METADATA);
  assert.equal(hex(writeMessage(request, { partitionsId: [1n, 300n] })), "1a0301ac02");
  assert.deepEqual(readMessage(request, Uint8Array.fromHex("180118ac02")).partitionsId, [1n, 300n]);
});

test("a value that is absent differs from one that is empty", async () => {
  const { response } = await loadApi(API.LOOKUP);
  const bytes = writeMessage(response, { bucketsResp: [{ bucketId: 0, values: [{}, { values: new Uint8Array() }] }] });
  const values = readMessage(response, bytes).bucketsResp[0]?.values ?? [];
  assert.deepEqual(values.map((value) => optionalField(value, "values")?.length), [undefined, 0]);
});

test("every message comes back as it was sent", () => {
  const seed = Number(process.env["SLUICE_SEED"] ?? Math.floor(Math.random() * 0x7fffffff));
  const rounds = process.env["SLUICE_LONG"] === "1" ? 2000 : 25;
  const random = randomFrom(seed);
  assert.equal(MESSAGES.length, 163);
  for (let round = 0; round < rounds; round++) {
    for (const schema of MESSAGES) {
      const about = `${schema.name}, SLUICE_SEED=${seed}, round ${round}`;
      const fields = randomFields(schema, random);
      const bytes = writeMessage(schema, fields);
      const back = readMessage(schema, bytes);
      assert.ok(equals(schema, back, create(schema, fields)), about);
      assert.equal(hex(toBinary(schema, back)), hex(bytes), about);
      for (const field of schema.fields) {
        if (field.fieldKind !== "list") assert.equal(isFieldSet(back, field), field.localName in fields, about);
      }
    }
  }
});

test("fields of a newer server are skipped", () => {
  // 08 07: error_code 7. 9a 06 03 61 62 63: field 99, three bytes.
  const error = readMessage(ErrorResponseSchema, Uint8Array.fromHex("08079a0603616263"));
  assert.equal(error.errorCode, 7);
  assert.equal(error.$unknown, undefined);
  assert.equal(fromBinary(ErrorResponseSchema, Uint8Array.fromHex("08079a0603616263")).$unknown?.length, 1);
});
