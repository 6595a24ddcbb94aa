import assert from "node:assert/strict";
import { type ErrorCode, FlussError } from "../../../mod.ts";

/** For `assert.rejects` and `assert.throws`: an error with this code, whose message, with its hint, matches. */
export function isCode(code: ErrorCode, ...texts: readonly RegExp[]): (error: unknown) => true {
  return (error) => {
    assert.ok(FlussError.is(error) && error.code === code, String(error));
    for (const text of texts) assert.match(error.message, text);
    return true;
  };
}
