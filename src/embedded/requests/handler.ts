/**
 * What serves a request: a function from its message to the answer's.
 *
 * @module
 */
import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { Api, Apis } from "../../client/rpc/api.ts";
import type { Engine } from "../engine.ts";

/** Who asks. */
export interface Principal {
  /** `ANONYMOUS` where nobody logs in. */
  readonly name: string;
  /** `User` */
  readonly type: string;
  /** The client's address, which rights may be bound to; absent within the process. */
  readonly host?: string;
}

/** An address that clients are told. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** One request, besides its message. */
export interface Call {
  readonly apiVersion: number;
  readonly principal: Principal;
  /** What the server is on the listener that the request came through. */
  readonly server: "coordinator" | "tablet";
  /** Where clients of that listener find both servers. */
  readonly endpoints: { readonly coordinator: Endpoint; readonly tablet: Endpoint };
  /** The connection. */
  readonly session: SessionHandle;
}

/** What a handler may know of the connection that a request came through. */
export interface SessionHandle {
  /** Whether the connection has ended; nobody reads an answer then. */
  readonly closed: boolean;
  /** Calls `listener` once when the connection ends. The function that comes back takes that back. */
  onClose(listener: () => void): () => void;
  /** Hangs up. */
  close(): void;
  /**
   * Calls `make` when there is room for a large answer to `call`, at once or later: one is made at a time, and none while
   * the client does not read those before. For answers that had to be waited for; where many were, they come together.
   * When the connection ends it is called, too.
   */
  whenRoom(call: Call, make: () => void): void;
}

/**
 * Serves one kind of request. Fields of bytes in the message are views of the request's own buffer, which nobody else
 * uses: they may be kept. Optional fields that were not sent read as zero: see `optionalField()`.
 *
 * What it writes is committed before the answer leaves. It throws a `ServerFault` to refuse the whole request.
 */
export type Handler<Q extends DescMessage, A extends DescMessage, Written = never> = (
  engine: Engine,
  request: MessageShape<Q>,
  call: Call,
) => MessageInitShape<A> | Written | Promise<MessageInitShape<A>>;

/** Requests whose answers may come as the bytes that go over the wire: the generated codec would be too slow for them. */
type WrittenByHand = "LOOKUP";

/** Handlers by the names of their requests. */
export type Handlers = {
  readonly [K in keyof Apis]?: Apis[K] extends Api<infer Q, infer A>
    ? Handler<Q, A, K extends WrittenByHand ? Uint8Array<ArrayBuffer> : never>
    : never;
};
