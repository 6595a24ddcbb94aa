import assert from "node:assert/strict";
import { test } from "node:test";
import { keyText } from "../../../../src/embedded/kv/key_text.ts";

test("keys of any length are a unit per byte, wherever they are", () => {
  for (const length of [0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 100, 1023, 1024, 1025, 200_000]) {
    const bytes = Uint8Array.from({ length: length + 7 }, (_, i) => (i * 37) & 255);
    const text = keyText(bytes, 3, 3 + length);
    assert.equal(text.length, length);
    assert.ok(Array.from({ length }, (_, i) => text.charCodeAt(i) === bytes[3 + i]).every(Boolean));
  }
});

test("texts compare as bytes do", () => {
  const keys = [[], [0], [0, 0], [1], [1, 255], [2], [127], [128], [255], [255, 0]].map((key) => Uint8Array.from(key));
  const texts = keys.map((key) => keyText(key, 0, key.length));
  assert.deepEqual([...texts].reverse().sort(), texts);
});
