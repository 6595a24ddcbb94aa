/**
 * Remote storage that is a folder of this machine: a mounted one, or that of a cluster on this machine.
 *
 * @module
 */
import { FlussError, flussError } from "../../../base/errors.ts";
import type { FlussClient } from "../../client.ts";
import type { RemoteFile } from "./remote_file.ts";
import type { OpenFile } from "./remote_log.ts";

type Place = { readonly table: string; readonly bucket: number };

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
      message: `the log is in ${JSON.stringify(root)}, and this version reads folders of this machine alone`,
    });
  }
  const { roots } = client.options.scanner.remote;
  const allowed = roots.map((each) => localPath(each) ?? each);
  if (client.options.bootstrap.every(({ host }) => isLoopback(host))) allowed.push(folder);
  // Loaded here, for no program that has no remote storage needs a right to read files.
  const { open, realpath } = await import("node:fs/promises");
  try {
    const real = await realpath(folder + path);
    signal.throwIfAborted();
    let inside = false;
    for (const each of allowed) {
      const realRoot = await realpath(each).catch(() => undefined);
      if (realRoot !== undefined && real.startsWith(realRoot.endsWith("/") ? realRoot : `${realRoot}/`)) inside = true;
    }
    if (!inside) throw notAllowed(place, folder + path, roots);
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
    const said = error instanceof Error ? error.message : String(error);
    throw flussError("REMOTE.UNAVAILABLE", {
      ...place,
      message: `the remote segment ${folder + path} cannot be read: ${said}`,
      // A file that is not there has been removed since it was named; the server knows better by now.
      retriable: (error as { readonly code?: unknown }).code === "ENOENT",
      cause: error,
    });
  }
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

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);
}
