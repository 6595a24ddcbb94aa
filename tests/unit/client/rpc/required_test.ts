import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { FlussError } from "../../../../src/base/errors.ts";
import { FetchLogRequestSchema, file_fluss_v1_log } from "../../../../src/client/rpc/gen/fluss/v1/log_pb.ts";
import { LookupRequestSchema, LookupResponseSchema } from "../../../../src/client/rpc/gen/fluss/v1/lookup_pb.ts";
import { PbBucketMetadataSchema } from "../../../../src/client/rpc/gen/fluss/v1/metadata_pb.ts";
import { PbPredicateSchema } from "../../../../src/client/rpc/gen/fluss/v1/predicate_pb.ts";
import { CreateTableRequestSchema } from "../../../../src/client/rpc/gen/fluss/v1/table_pb.ts";
import {
  findMissingField,
  isSet,
  optionalField,
  readMessage,
  writeMessage,
} from "../../../../src/client/rpc/required.ts";

/** Checks the code and that the message names what is wrong. */
function refusal(code: "CONNECTION.PROTOCOL" | "INTERNAL.MESSAGE", text: string) {
  return (error: unknown): true => {
    assert.ok(FlussError.is(error, code), String(error));
    assert.ok(error.message.includes(text), error.message);
    return true;
  };
}

const bytes = (hex: string): Uint8Array => Uint8Array.fromHex(hex);

test("a required field that is missing at the top is refused", () => {
  assert.throws(
    () => readMessage(CreateTableRequestSchema, bytes("")),
    refusal("CONNECTION.PROTOCOL", "CreateTableRequest lacks the required field tablePath"),
  );
  // table_path {db, t} and table_json "{}", but no ignore_if_exists
  assert.throws(
    () => readMessage(CreateTableRequestSchema, bytes("0a070a02646212017412027b7d")),
    refusal("CONNECTION.PROTOCOL", "the required field ignoreIfExists"),
  );
});

test("a required field that is missing in a nested message is refused", () => {
  // table_path has no table_name
  assert.throws(
    () => readMessage(CreateTableRequestSchema, bytes("0a040a02646212027b7d1800")),
    refusal("CONNECTION.PROTOCOL", "the required field tablePath.tableName"),
  );
});

test("a required field that is missing in an item of a list is refused", () => {
  // table_id 1; buckets_req {bucket_id 0}, buckets_req {}
  assert.throws(
    () => readMessage(LookupRequestSchema, bytes("0801120210001200")),
    refusal("CONNECTION.PROTOCOL", "the required field bucketsReq[1].bucketId"),
  );
});

test("a required field that is missing far down is found, also where a type holds itself", () => {
  const leaf = { type: 0, leaf: { function: 0, fieldId: 1, literals: [{ literalType: 3, isNull: false }] } };
  const complete = create(PbPredicateSchema, { type: 1, compound: { function: 0, children: [leaf, leaf] } });
  assert.equal(findMissingField(PbPredicateSchema, complete), undefined);

  const inner = { type: 1, compound: { function: 1, children: [leaf, { type: 0, leaf: { function: 0 } }] } };
  const incomplete = create(FetchLogRequestSchema, {
    followerServerId: -1,
    maxBytes: 1,
    tablesReq: [{ tableId: 1n, projectionPushdownEnabled: false, filterPredicate: inner }],
  });
  assert.equal(
    findMissingField(FetchLogRequestSchema, incomplete),
    "tablesReq[0].filterPredicate.compound.children[1].leaf.fieldId",
  );
});

test("a required field whose value is zero is there", () => {
  const message = readMessage(CreateTableRequestSchema, bytes("0a040a0012001200" + "1800"));
  assert.equal(message.ignoreIfExists, false);
  assert.equal(message.tablePath.databaseName, "");
  assert.equal(message.tableJson.length, 0);
});

test("each required field of each log message is missed when it is left out", () => {
  for (const schema of file_fluss_v1_log.messages) {
    const required = schema.fields.filter((field) => field.presence === 3);
    for (const absent of required) {
      const rest = required.filter((field) => field !== absent)
        .map((field) => [field.localName, { 1: 0, 3: 0n, 5: 0, 8: false, 9: "" }[field.scalar as 1 | 3 | 5 | 8 | 9]]);
      assert.equal(
        findMissingField(schema, create(schema, Object.fromEntries(rest))),
        absent.localName,
        String(absent),
      );
    }
  }
});

test("bytes that are no message are refused, wherever they are cut", () => {
  const whole = writeMessage(LookupResponseSchema, {
    bucketsResp: [{ partitionId: 7n, bucketId: 3, values: [{ values: new Uint8Array([1, 2, 3]) }, {}] }],
  });
  for (let end = 1; end < whole.length; end++) {
    assert.throws(
      () => readMessage(LookupResponseSchema, whole.subarray(0, end)),
      refusal("CONNECTION.PROTOCOL", "LookupResponse"),
      `cut at ${end}`,
    );
  }
  assert.throws(
    () => readMessage(LookupResponseSchema, bytes("0affffffff7f")), // claims a length of 34 GB
    refusal("CONNECTION.PROTOCOL", "6 bytes are not a LookupResponse"),
  );
});

test("a message without a required field cannot be written, and the error names the field", () => {
  assert.throws(
    () => writeMessage(CreateTableRequestSchema, { tablePath: { databaseName: "db" }, tableJson: new Uint8Array() }),
    refusal("INTERNAL.MESSAGE", "the required field ignoreIfExists"),
  );
  assert.throws(
    () => writeMessage(LookupRequestSchema, { tableId: 1n, bucketsReq: [{ bucketId: 0 }, { keys: [] }] }),
    refusal("INTERNAL.MESSAGE", "the required field bucketsReq[1].bucketId"),
  );
});

test("a value that does not fit its field cannot be written", () => {
  assert.throws(
    () => writeMessage(LookupRequestSchema, { tableId: 1n, bucketsReq: [{ bucketId: 2 ** 31 }] }),
    refusal("INTERNAL.MESSAGE", "LookupRequest cannot be written"),
  );
});

test("byte fields are views of what was read", () => {
  const frame = writeMessage(LookupResponseSchema, {
    bucketsResp: [{ bucketId: 0, values: [{ values: bytes("aabb") }] }],
  });
  const value = readMessage(LookupResponseSchema, frame).bucketsResp[0]?.values[0]?.values;
  assert.equal(value?.buffer, frame.buffer);
});

test("an optional field is set only when it was sent", () => {
  const sent = readMessage(PbBucketMetadataSchema, bytes("08001000"));
  assert.equal(isSet(sent, "leaderId"), true);
  assert.equal(optionalField(sent, "leaderId"), 0);
  assert.equal(isSet(sent, "leaderEpoch"), false);
  assert.equal(optionalField(sent, "leaderEpoch"), undefined);
  assert.equal(sent.leaderEpoch, 0, "which is why one has to ask");
});
