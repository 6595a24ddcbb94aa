/**
 * Remote storage that is a folder of this machine: a mounted one, or that of a cluster on this machine.
 *
 * @module
 */
import { FlussError, flussError } from "../../../base/errors.ts";
import type { FlussClient } from "../../client.ts";
import type { RemoteFile } from "./remote_file.ts";
import { isLocalCluster } from "./loopback.ts";
import type { OpenFile, Place } from "./remote_log.ts";

/**
 * Opens a file that a server named, within the roots that the user allowed. Where the servers are on this machine, their
 * own folder is allowed.
 *
 * @throws FlussUsageError `REMOTE.NOT_ALLOWED`, `REMOTE.NOT_SUPPORTED`
 * @throws FlussConnectionError `REMOTE.UNAVAILABLE`
 */
export async function openLocal(
  client: FlussClient,
  place: Place,
  { root, path }: RemoteFile,
  signal: AbortSignal,
): Promise<OpenFile> {
  const folder = localPath(root);
  if (folder === undefined) {
    throw flussError("REMOTE.NOT_SUPPORTED", {
      ...place,
      message: `the log is in ${JSON.stringify(root)}, and folders and stores of the S3 kind are what is read`,
    });
  }
  const { roots } = client.options.scanner.remote;
  const allowed = roots.map(localPath).filter((each) => each !== undefined);
  if (isLocalCluster(client)) allowed.push(folder);
  // Loaded here, for no program that has no remote storage needs a right to read files.
  const { open, realpath, stat } = await import("node:fs/promises");
  const named = folder + path;
  try {
    const inside: string[] = [];
    for (const each of allowed) {
      const real = await realpath(each).catch(() => each);
      // A name outside is not so much as looked at: that alone could call up another machine.
      if (isWithin(named, each) || isWithin(named, real)) inside.push(real);
    }
    if (inside.length === 0) throw notAllowed(place, named, roots);
    const real = await realpath(named);
    if (!inside.some((root) => isWithin(real, root))) throw notAllowed(place, named, roots);
    // Opening a pipe would wait for somebody to write to it.
    if (!(await stat(real)).isFile()) throw unavailable(place, named, "it is no file", undefined);
    signal.throwIfAborted();
    const file = await open(real, "r");
    const { size } = await file.stat();
    return {
      size,
      async read(into, position) {
        let at = 0;
        while (at < into.length) {
          const { bytesRead } = await file.read(into, at, into.length - at, position + at);
          if (bytesRead === 0) break;
          at += bytesRead;
        }
        return at;
      },
      close: () => file.close(),
    };
  } catch (error) {
    signal.throwIfAborted();
    if (FlussError.is(error)) throw error;
    throw unavailable(place, named, error instanceof Error ? error.message : String(error), error);
  }
}

function unavailable(place: Place, path: string, said: string, cause: unknown): FlussError {
  const { code, name } = (cause ?? {}) as { readonly code?: unknown; readonly name?: unknown };
  return flussError("REMOTE.UNAVAILABLE", {
    ...place,
    message: `the remote segment ${path} cannot be read: ${said}`,
    // A file that is not there has been removed since it was named; the server knows better by now.
    retriable: code === "ENOENT",
    // Deno's word for a right that the program was not given.
    ...(name === "NotCapable"
      ? { hint: "run Deno with --allow-read and the folder of the cluster's remote storage" }
      : {}),
    cause,
  });
}

function isWithin(path: string, root: string): boolean {
  return path.startsWith(root.endsWith("/") ? root : `${root}/`);
}

function notAllowed(place: Place, path: string, roots: readonly string[]): FlussError {
  return flussError("REMOTE.NOT_ALLOWED", {
    ...place,
    message: `the server names the file ${path}, and scanner.remote.roots allows ` +
      (roots.length === 0 ? "none" : roots.join(", ")),
  });
}

/** The path of a folder on this machine, from a path or a `file:` URI; undefined for other storage. */
function localPath(root: string): string | undefined {
  if (root.startsWith("/")) return root;
  if (!root.startsWith("file:")) return undefined;
  try {
    const { host, pathname } = new URL(root);
    return host === "" ? decodeURIComponent(pathname) : undefined;
  } catch {
    return undefined;
  }
}
