/**
 * What a server answers when it cannot do what was asked: a code of the wire, and words.
 *
 * @module
 */
import { ERROR_TABLE } from "../base/error_table.ts";
import { FlussError } from "../base/errors.ts";

/** The codes that servers have a number for. */
export type FaultCode = {
  [K in keyof typeof ERROR_TABLE]: (typeof ERROR_TABLE)[K] extends { readonly serverCode: number } ? K : never;
}[keyof typeof ERROR_TABLE];

/**
 * Thrown by whatever serves a request. A handler that answers per bucket puts it into that bucket's part of the answer;
 * one that is not caught becomes the answer to the whole request.
 */
export class ServerFault extends Error {
  override readonly name = "ServerFault";
  /** The number on the wire (Fluss: rpc/protocol/Errors.java). */
  readonly code: number;
  /** The message without what {@linkcode uncoded} puts before it. */
  readonly words: string;

  constructor(code: number, message: string, words: string = message) {
    super(message);
    this.code = code;
    this.words = words;
  }
}

/** Makes a fault by its name in the one table of error codes. */
export function fault(code: FaultCode, message: string): ServerFault {
  return new ServerFault((ERROR_TABLE[code] as { readonly serverCode: number }).serverCode, message);
}

/**
 * An exception of the real server that no code of the wire stands for: clients are told -1, and its Java class before
 * its words. (A stack follows there, and no stack here.)
 */
export function uncoded(exception: string, message: string): ServerFault {
  return new ServerFault(-1, message === "" ? exception : `${exception}: ${message}`, message);
}

/** What the real server says when what it runs on failed. */
export function runtimeFailure(message: string): ServerFault {
  return uncoded("org.apache.fluss.exception.FlussRuntimeException", message);
}

/** What the real server's checks of arguments say. */
export function illegalArgument(message: string): ServerFault {
  return uncoded("java.lang.IllegalArgumentException", message);
}

/** What the real server's checks of a schema say. */
export function illegalState(message: string): ServerFault {
  return uncoded("java.lang.IllegalStateException", message);
}

/** The fields of an answer that tell of a failure, for the part of an answer that one bucket has. */
export function faultFields(error: unknown): { readonly errorCode: number; readonly errorMessage: string } {
  const { code, message } = asFault(error);
  return { errorCode: code, errorMessage: message };
}

/** Any error as a fault; one that is none is the server's own mistake, and says so with -1. */
export function asFault(error: unknown): ServerFault {
  if (error instanceof ServerFault) return error;
  if (!(error instanceof Error)) return new ServerFault(-1, String(error));
  return new ServerFault(-1, `${error.name}: ${FlussError.is(error) ? wordsOf(error) : error.message}`);
}

/** What an error of ours says, without its code and its hint: those are for who called us, not for who is far away. */
function wordsOf({ code, hint, message }: FlussError): string {
  const words = message.startsWith(`${code}: `) ? message.slice(code.length + 2) : message;
  const end = `. hint: ${hint}`;
  return hint !== undefined && words.endsWith(end) ? words.slice(0, -end.length) : words;
}
