/**
 * The login of a connection: SASL/PLAIN (RFC 4616) where there are users, none where there is nobody.
 * Words and order of the checks are those of 0.9.1 (Fluss: security/auth/sasl/plain/PlainSaslServer.java,
 * rpc/netty/server/NettyServerHandler.java).
 *
 * @module
 */
import { fault, type ServerFault, uncoded } from "./fault.ts";
import type { Principal } from "./requests/handler.ts";
import type { User } from "./settings.ts";

const ANONYMOUS = "ANONYMOUS";

/** Zero bytes, which is something else than no challenge: 0.9.1 sends them when a login succeeds. */
const NO_CHALLENGE: Uint8Array<ArrayBuffer> = new Uint8Array(0);

/** See the module. */
export class Login {
  readonly #users: readonly User[];
  readonly #host: string | undefined;
  #principal: Principal | undefined;
  /** A first step was taken, even if it failed: 0.9.1 looks at the mechanism's case before that only. */
  #begun = false;

  /** @param host the client's address; absent within the process */
  constructor(users: readonly User[], host?: string) {
    this.#users = users;
    this.#host = host;
    if (users.length === 0) this.#principal = this.#named(ANONYMOUS);
  }

  /** Who it is; undefined before the login. */
  get principal(): Principal | undefined {
    return this.#principal;
  }

  /**
   * Takes a step of the login; the answer is the challenge, if there is one.
   *
   * @throws {ServerFault} 46; -1 for a mechanism in lower case
   */
  authenticate(protocol: string, token: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
    if (this.#users.length === 0) {
      if (protocol.toUpperCase() === "PLAINTEXT") return undefined;
      throw refusal(
        "Authenticate protocol not match: protocol of server is 'PLAINTEXT' while protocol of client is " +
          `'${protocol}'`,
      );
    }
    if (protocol.toUpperCase() !== "PLAIN") {
      throw refusal(`SASL server enables [PLAIN] while protocol of client is '${protocol}'`);
    }
    // Whoever is in stays who it is.
    if (this.#principal !== undefined) return undefined;
    if (!this.#begun && protocol !== "PLAIN") {
      throw uncoded(
        "java.lang.RuntimeException",
        `java.lang.IllegalArgumentException: Unsupported mechanism: ${protocol}`,
      );
    }
    this.#begun = true;
    const tokens = new TextDecoder().decode(token).split("\0");
    if (tokens.length !== 3) {
      // The server stops counting at the fourth.
      throw refusal(`Invalid SASL/PLAIN response: expected 3 tokens, got ${Math.min(tokens.length, 4)}`);
    }
    const [authorization, name, password] = tokens as [string, string, string];
    if (name === "") throw refusal("Authentication failed: username not specified");
    if (password === "") throw refusal("Authentication failed: password not specified");
    if (!isKnown(this.#users, name, password)) {
      throw refusal("Authentication failed: Invalid username or password");
    }
    if (authorization !== "" && authorization !== name) {
      throw refusal(
        "Authentication failed: Client requested an authorization id that is different from username",
      );
    }
    this.#principal = this.#named(name);
    return NO_CHALLENGE;
  }

  #named(name: string): Principal {
    return { name, type: "User", ...(this.#host === undefined ? {} : { host: this.#host }) };
  }
}

/** Whether somebody has this name and password. Whoever asks cannot tell by the time it takes what was wrong. */
function isKnown(users: readonly User[], name: string, password: string): boolean {
  let known = 0;
  for (const user of users) known |= sameText(name, user.name) & sameText(password, user.password);
  return known === 1;
}

/** 1 for equal texts, else 0. The time it takes depends on nothing but the length of what was given. */
function sameText(given: string, expected: string): 0 | 1 {
  let difference = given.length ^ expected.length;
  for (let i = 0; i < given.length; i++) {
    difference |= given.charCodeAt(i) ^ expected.charCodeAt(i % expected.length);
  }
  return difference === 0 ? 1 : 0;
}

function refusal(message: string): ServerFault {
  return fault("SERVER.AUTHENTICATE_EXCEPTION", message);
}
