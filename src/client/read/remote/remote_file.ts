/**
 * The names of files in remote storage, which come from a server and are not trusted.
 *
 * @module
 */
import { flussError } from "../../../base/errors.ts";
import type { RemoteSegment } from "../remote_reads.ts";

/** A file that a server named. */
export interface RemoteFile {
  /** The remote root of the cluster (`remote.data.dir`), as far as the name says: what is before `/log/`. */
  readonly root: string;
  /** The file below it. */
  readonly path: string;
}

const TABLET = /^(.*)(\/log\/[^/]+\/[^/]+(?:\/[^/]+)?\/\d+)\/?$/s;
const SEGMENT_ID = /^[0-9A-Za-z_-]{1,64}$/;
const OFFSET_DIGITS = 20;

/**
 * The data file of a segment: `<root>/log/<database>/<table>-<id>[/<partition>-p<id>]/<bucket>/<segment>/<offset>.log`
 * (Fluss: FlussPaths.java).
 *
 * @throws FlussUsageError `REMOTE.NOT_ALLOWED` for names of another form, or with steps out of the folder
 */
export function remoteFile(
  { table, bucket }: { readonly table: string; readonly bucket: number },
  directory: string,
  { id, startOffset }: RemoteSegment,
): RemoteFile {
  const parts = TABLET.exec(directory);
  const steps = directory.split("/");
  if (parts === null || steps.includes("..") || steps.includes(".") || !SEGMENT_ID.test(id) || startOffset < 0n) {
    throw flussError("REMOTE.NOT_ALLOWED", {
      table,
      bucket,
      message:
        `the server names the segment ${JSON.stringify(id)} in ${JSON.stringify(directory)}, which is no folder of ` +
        "a log",
    });
  }
  const file = `${startOffset}`.padStart(OFFSET_DIGITS, "0");
  return { root: parts[1]!, path: `${parts[2]!}/${id}/${file}.log` };
}
