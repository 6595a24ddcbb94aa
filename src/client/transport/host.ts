/**
 * The name of this machine.
 *
 * @module
 */
import { hostname } from "node:os";

/** Asks for the name of this machine: undefined on Deno when the process was not given that right. Nobody is asked. */
export function hostName(): string | undefined {
  const { Deno } = globalThis as {
    Deno?: { permissions: { querySync(permission: { name: "sys"; kind: "hostname" }): { state: string } } };
  };
  const right = Deno?.permissions.querySync({ name: "sys", kind: "hostname" }).state ?? "granted";
  return right === "granted" ? hostname() : undefined;
}
