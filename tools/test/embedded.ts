/**
 * Our own server as a target of the suite that it shares with real clusters: inside of the test's process, in memory and
 * in a folder, and on ports.
 *
 * @module
 */
import { Engine, listen } from "../../src/embedded/mod.ts";
import type { Settings } from "../../src/embedded/settings.ts";
import { memoryStorage } from "../../src/embedded/storage/memory.ts";

/** Where a suite runs, besides on the clusters. */
export interface EmbeddedTarget {
  /** For the report. */
  readonly name: string;
  /** What tells the tests. */
  readonly env: Readonly<Record<string, string>>;
  /**
   * Whether a test file runs there.
   *
   * @param again whether another runtime has run it there before
   */
  runs(file: string, again: boolean): boolean;
}

/** The suites that a real cluster and our own server have in common. */
function isShared(file: string): boolean {
  return file.startsWith("tests/conformance/") || file.startsWith("tests/examples/");
}

const USERS = [{ name: "alice", password: "alice-secret" }, { name: "bob", password: "bob-secret" }];

/** With so little room writers are soon under pressure. */
const MAX_UNCOMMITTED_BYTES = 512 << 10;

/** What only the other clusters show was shown before. */
const NO_OTHERS = { SLUICE_CLUSTER3: "", SLUICE_TIERED: "", SLUICE_S3: "" };

/** Starts the server on ports, and names all three targets. */
export async function embeddedTargets(stack: AsyncDisposableStack, long: boolean): Promise<EmbeddedTarget[]> {
  const dev = await served(stack, {});
  const pressed = await served(stack, { maxUncommittedBytes: MAX_UNCOMMITTED_BYTES });
  const rights = await served(stack, { authorizer: true, superUsers: ["ANONYMOUS", USERS[0]!.name] });
  return [
    { name: "memory:", env: { ...NO_OTHERS, SLUICE_TARGET: "memory" }, runs: isShared },
    { name: "file:", env: { ...NO_OTHERS, SLUICE_TARGET: "file" }, runs: isShared },
    {
      name: "our server",
      env: { ...NO_OTHERS, SLUICE_CLUSTER: dev, SLUICE_NEXT: pressed, SLUICE_RIGHTS: rights },
      // The official clients know servers with an address only; what servers after 0.9.1 can do is seen on a socket.
      // What they do with the server does not depend on the runtime of the test.
      runs: (file, again) =>
        isShared(file) || file.startsWith("tests/next/") || (file.startsWith("tests/interop/") && (long || !again)),
    },
  ];
}

/** Starts a server, and says where it is in the words of `tests/cluster.ts`. */
async function served(stack: AsyncDisposableStack, settings: Partial<Settings>): Promise<string> {
  const engine = new Engine({ storage: memoryStorage(), settings });
  stack.defer(() => engine.close());
  const plain = stack.use(await listen(engine, { port: 0 }));
  const sasl = stack.use(await listen(engine, { port: 0, users: USERS }));
  const users = USERS.map(({ name, password }) => ({ username: name, password }));
  return JSON.stringify({
    kind: "dev",
    bootstrap: `127.0.0.1:${plain.coordinator.port}`,
    sasl: { bootstrap: `127.0.0.1:${sasl.coordinator.port}`, ...users[0], users },
    tabletServers: 1,
  });
}
