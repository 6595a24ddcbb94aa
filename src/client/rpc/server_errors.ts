/**
 * What servers say in error frames, as errors of ours.
 *
 * @module
 */
import { type FlussError, flussError, FlussServerError, serverError } from "../../base/errors.ts";
import { API } from "./api.ts";
import { type ErrorResponse, ErrorResponseSchema } from "./gen/fluss/v1/common_pb.ts";
import { readMessage } from "./required.ts";

/** The server wants a login, or refused it (Fluss: rpc/protocol/Errors.java). */
export const AUTHENTICATE_EXCEPTION = 46;
/** The login may be tried again from its start. */
export const RETRIABLE_AUTHENTICATE_EXCEPTION = 51;

const NAMES: ReadonlyMap<number, string> = new Map(Object.values(API).map((api) => [api.key, api.name]));

/** The name of an API, for messages. */
export function apiName(apiKey: number): string {
  return NAMES.get(apiKey) ?? `request ${apiKey}`;
}

/** The error for an ERROR frame, which concerns one request; the connection stays usable. */
export function answerError(apiKey: number, address: string, body: Uint8Array): FlussError {
  return readError(address, body, ({ errorCode, errorMessage }) => {
    const error = serverError(errorCode, errorMessage, { doing: `${apiName(apiKey)} to ${address}` });
    // A listener that wants SASL refuses every request before the login, and nothing was sent to log in with.
    if (errorCode !== AUTHENTICATE_EXCEPTION || apiKey === API.AUTHENTICATE.key) return error;
    return flussError("CONNECTION.AUTH_FAILED", {
      message: `${address} wants a login (SASL) and got none`,
      hint: "give credentials: connect(url, { username, password })",
      cause: error,
    });
  });
}

/**
 * The error for a SERVER_FAILURE frame, after which the server hangs up.
 *
 * It is `CONNECTION.CLOSED`, and so retriable: one request broke the connection, and most of those that fail with it
 * are innocent. `cause` is the server's own error.
 */
export function serverFailure(address: string, body: Uint8Array): FlussError {
  return readError(address, body, ({ errorCode, errorMessage }) => {
    const cause = serverError(errorCode, errorMessage, { doing: `the connection to ${address}` });
    const said = cause.serverMessage === "" ? cause.code : cause.serverMessage.split("\n", 1)[0]!;
    return flussError("CONNECTION.CLOSED", { message: `${address} gave the connection up: ${said}`, cause });
  });
}

/** The server's code, if the error is one that a server sent. */
export function serverCodeOf(error: unknown): number | undefined {
  return error instanceof FlussServerError ? error.serverCode : undefined;
}

function readError(address: string, body: Uint8Array, make: (error: ErrorResponse) => FlussError): FlussError {
  let error: ErrorResponse;
  try {
    error = readMessage(ErrorResponseSchema, body);
  } catch (cause) {
    return flussError("CONNECTION.PROTOCOL", { message: `${address} sent an error that cannot be read`, cause });
  }
  return make(error);
}
