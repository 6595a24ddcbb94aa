/**
 * A line for every request that a server answered.
 *
 * @module
 */
import { SERVER_CODES } from "../base/error_table.ts";
import { apiByKey } from "../client/rpc/api.ts";
import type { RequestLine } from "../embedded/mod.ts";
import { plainText, showMs } from "./text.ts";

/** For people; names and messages may come from anybody. */
export function requestText(line: RequestLine, at: Date): string {
  const { user, ms, bytes, error } = line;
  const time = at.toISOString().slice(11, 23);
  const who = user === "" ? "-" : user;
  const how = error === undefined ? "" : ` ${codeOf(error)}: ${error.message.split("\n", 1)[0]}`;
  return plainText(`${time} ${nameOf(line)} ${who} ${bytes} B ${showMs(ms)}${how}`);
}

/** For programs: JSON. */
export function requestJson(line: RequestLine, at: Date): string {
  const { apiVersion, user, ms, bytes, error } = line;
  return JSON.stringify({
    time: at.toISOString(),
    request: nameOf(line),
    version: apiVersion,
    ...(user === "" ? {} : { user }),
    bytes,
    ms: Math.round(ms * 1000) / 1000,
    ...(error === undefined ? {} : { error: { code: codeOf(error), message: error.message } }),
  });
}

function nameOf({ apiKey }: RequestLine): string {
  return apiByKey(apiKey)?.name ?? `REQUEST_${apiKey}`;
}

function codeOf({ code }: NonNullable<RequestLine["error"]>): string {
  return SERVER_CODES.get(code) ?? `SERVER.${code}`;
}
