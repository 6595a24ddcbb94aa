/**
 * What runtimes say when a stream cannot be opened, in our words. Each runtime has its own classes and codes.
 *
 * @module
 */
import { type FlussError, flussError } from "../../base/errors.ts";

/** `host:port`, with brackets around an IPv6 address. */
export function addressText(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * Makes `CONNECTION.REFUSED` of whatever a dial rejected with.
 *
 * @param address how to name the server, where that is more than host and port
 */
export function connectionRefused(
  host: string,
  port: number,
  cause: unknown,
  address: string = addressText(host, port),
): FlussError {
  const said = causeText(cause);
  if (/ENOTFOUND|EAI_|getaddrinfo|failed to lookup address/.test(said)) {
    return flussError("CONNECTION.REFUSED", {
      message: `the name "${host}" of ${address} could not be resolved (${said})`,
      hint: "check the host name; servers behind NAT or Docker are reached with resolveAddress",
      cause,
    });
  }
  if (cause instanceof Error && (cause.name === "NotCapable" || cause.name === "PermissionDenied")) {
    return flussError("CONNECTION.REFUSED", {
      message: `Deno may not connect to ${address}`,
      hint: `run with --allow-net=${addressText(host, port)}`,
      retriable: false,
      cause,
    });
  }
  return flussError("CONNECTION.REFUSED", { message: `no connection to ${address} (${said})`, cause });
}

/** One line about a runtime's error; Node gathers those of several addresses of one name. */
function causeText(cause: unknown): string {
  if (cause instanceof AggregateError && cause.errors.length > 0) return causeText(cause.errors[0]);
  if (!(cause instanceof Error)) return String(cause);
  const { code } = cause as { code?: unknown };
  const message = cause.message.split("\n", 1)[0]!;
  return typeof code === "string" && !message.includes(code) ? `${code}: ${message}` : message;
}
