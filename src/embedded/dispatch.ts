/**
 * From the bytes of a request to the bytes of its answer.
 *
 * @module
 */
import { API, apiByKey, loadApi, type Messages, type ServedBy } from "../client/rpc/api.ts";
import { readMessage, writeMessage } from "../client/rpc/required.ts";
import type { Engine } from "./engine.ts";
import { asFault, fault, type ServerFault } from "./fault.ts";
import type { Call, Handler } from "./requests/handler.ts";
import { HANDLERS } from "./requests/handlers.ts";

/** The versions of requests in which the embedded server answers, where they are not all that we speak. */
export const VERSIONS: readonly {
  readonly apiKey: number;
  readonly minVersion: number;
  readonly maxVersion: number;
}[] = Object.values(API).map(({ key, minVersion, maxVersion }) => ({ apiKey: key, minVersion, maxVersion }));

/** Whether a server of this kind answers a request. */
export function serves(server: Call["server"], servedBy: ServedBy): boolean {
  return servedBy === "both" || servedBy === server;
}

/** What becomes of a request: the answer's bytes, or a fault; a promise where something has to be waited for. */
export type Outcome = Uint8Array<ArrayBuffer> | ServerFault;

/** Loads what a request is made of; undefined when it is there, or nobody knows the request. */
export function loading(apiKey: number): Promise<unknown> | undefined {
  const api = apiByKey(apiKey);
  return api === undefined || api.messages !== undefined ? undefined : loadApi(api);
}

/**
 * Serves a request.
 *
 * @param body the message, owned: handlers may keep parts of it
 */
export function dispatch(engine: Engine, apiKey: number, body: Uint8Array, call: Call): Outcome | Promise<Outcome> {
  const api = apiByKey(apiKey);
  const handler = api === undefined ? undefined : HANDLERS[api.name as keyof typeof API] as AnyHandler | undefined;
  if (api === undefined || handler === undefined || !serves(call.server, api.servedBy)) {
    return fault("SERVER.UNSUPPORTED_VERSION", `the ${call.server} server does not serve request ${apiKey}`);
  }
  if (call.apiVersion < api.minVersion || call.apiVersion > api.maxVersion) {
    return fault(
      "SERVER.UNSUPPORTED_VERSION",
      `${api.name} is served in versions ${api.minVersion} to ${api.maxVersion}, not ${call.apiVersion}`,
    );
  }
  const { messages } = api;
  return messages === undefined
    ? loadApi(api).then((loaded) => serve(engine, api.name, handler, loaded, body, call))
    : serve(engine, api.name, handler, messages, body, call);
}

type AnyHandler = Handler<Messages["request"], Messages["response"], Uint8Array<ArrayBuffer>>;

function serve(
  engine: Engine,
  api: string,
  handler: AnyHandler,
  { request, response }: Messages,
  body: Uint8Array,
  call: Call,
): Outcome | Promise<Outcome> {
  try {
    const message = readMessage(request, body);
    const refusal = engine.interceptor?.onRequest({ api, message, call });
    if (refusal !== undefined) return refusal;
    const answer = handler(engine, message, call);
    if (answer instanceof Promise) {
      return answer.then((init) => writeMessage(response, init), asFault).then(committed);
    }
    return committed(answer instanceof Uint8Array ? answer : writeMessage(response, answer));
  } catch (error) {
    return asFault(error);
  }

  /** What a handler wrote, or read of what others wrote in this turn, is told when it is durable. */
  function committed(outcome: Outcome): Outcome | Promise<Outcome> {
    const settled = engine.commits.settledWith(outcome instanceof Uint8Array ? outcome.length : 0);
    return settled === undefined ? outcome : settled.then(() => outcome, asFault);
  }
}
