/**
 * What happens on a new connection before anything else: the server's versions, then the login.
 *
 * @module
 */
import type { Alarms } from "../../base/alarms.ts";
import { VERSION } from "../../base/version.ts";
import { Deadline } from "../../base/wait.ts";
import { API } from "./api.ts";
import type { RpcConnection } from "./connection.ts";
import { optionalField } from "./required.ts";
import { type Credentials, logIn } from "./sasl.ts";

export type { Credentials };

/** What this client calls itself. Servers store it, and do nothing with it. */
export const CLIENT_NAME = "sluice";

/** How to shake hands. */
export interface HandshakeOptions {
  /** Log in with these, or not at all. */
  readonly credentials: Credentials | undefined;
  /** Ends the handshake. */
  readonly deadline: { readonly alarms: Alarms; readonly ms: number; readonly signal: AbortSignal };
}

/** Makes a connected stream usable (Fluss: rpc/netty/client/ServerConnection.java). */
export async function handshake(connection: RpcConnection, options: HandshakeOptions): Promise<void> {
  const { alarms, ms, signal } = options.deadline;
  const deadline = new Deadline(alarms, ms, signal);
  const answer = await connection.call(
    API.API_VERSIONS,
    { clientSoftwareName: CLIENT_NAME, clientSoftwareVersion: VERSION },
    deadline.options,
  );
  const serverType = optionalField(answer, "serverType");
  // A server may say -1 for "unknown" (Fluss: ServerType.java).
  connection.versions.learn(answer.apiVersions, serverType === -1 ? undefined : serverType);
  if (options.credentials !== undefined) await logIn(connection, options.credentials, deadline);
}
