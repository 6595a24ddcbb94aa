/**
 * The login: SASL/PLAIN (RFC 4616). A listener without SASL takes no login at all.
 *
 * @module
 */
import { type FlussError, flussError } from "../../base/errors.ts";
import type { Deadline } from "../../base/wait.ts";
import { API } from "./api.ts";
import type { RpcConnection } from "./connection.ts";
import { AUTHENTICATE_EXCEPTION, RETRIABLE_AUTHENTICATE_EXCEPTION, serverCodeOf } from "./server_errors.ts";

/** A user and a password. */
export interface Credentials {
  /** Who logs in. Appears in error messages. */
  readonly username: string;
  /** Appears nowhere but on the wire. */
  readonly password: string;
}

/** The mechanism's name, which is what the wire wants; not "SASL". */
const MECHANISM = "PLAIN";

/** The client's only message: no identity to act for, then user and password. */
export function plainToken({ username, password }: Credentials): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`\0${username}\0${password}`);
}

/**
 * Logs in on a connection that knows the server's versions.
 *
 * @throws FlussConnectionError `CONNECTION.AUTH_FAILED`, which never names the password
 */
export async function logIn(connection: RpcConnection, credentials: Credentials, deadline: Deadline): Promise<void> {
  const token = plainToken(credentials);
  for (let attempt = 1;; attempt++) {
    try {
      const { challenge } = await connection.call(API.AUTHENTICATE, { protocol: MECHANISM, token }, deadline.options);
      // PLAIN is complete with its first message: servers answer it with a challenge that is there and empty.
      if (challenge === undefined || challenge.length === 0) return;
      throw flussError("CONNECTION.PROTOCOL", {
        message: `${connection.address} wants another step of a login by ${MECHANISM}, which has only one`,
      });
    } catch (error) {
      const code = serverCodeOf(error);
      if (code === AUTHENTICATE_EXCEPTION) throw refused(connection.address, credentials, error);
      if (code !== RETRIABLE_AUTHENTICATE_EXCEPTION) throw error;
      await deadline.pause(retryMs(attempt), `logging in to ${connection.address}`, error);
    }
  }
}

/** 100 ms, doubling up to 5 s, 20 % more or less (Fluss: rpc/netty/client/ServerConnection.java). */
function retryMs(attempt: number): number {
  return Math.min(5_000, 100 * 2 ** Math.min(attempt - 1, 10)) * (0.8 + Math.random() * 0.4);
}

function refused(address: string, { username }: Credentials, cause: unknown): FlussError {
  const { serverMessage } = cause as { serverMessage: string };
  // The server's words here are the only sign of it: the code is that of a wrong password.
  if (/server is 'PLAINTEXT'/i.test(serverMessage)) {
    return flussError("CONNECTION.AUTH_FAILED", {
      message: `${address} takes no login: its listener is PLAINTEXT, and credentials of user "${username}" were given`,
      hint: "connect to the port of the SASL listener, or leave username and password out",
      cause,
    });
  }
  return flussError("CONNECTION.AUTH_FAILED", {
    message: `${address} refused user "${username}": ${serverMessage.split("\n", 1)[0] || "no reason given"}`,
    cause,
  });
}
