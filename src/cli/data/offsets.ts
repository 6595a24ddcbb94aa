/**
 * `sluice offsets`: where the logs of a table begin and end.
 *
 * @module
 */
import type { BucketOffset } from "../../query/admin/buckets.ts";
import type { CliCommand, Io, Values } from "../command.ts";
import { CONNECTION_EXITS, CONNECTION_OPTIONS } from "./connection.ts";
import { jsonText, printRows } from "./output.ts";
import { readOffsetPosition, TIME_TEXT } from "./positions.ts";
import { textOf } from "./values.ts";
import { withDb } from "./with_db.ts";

/** See the module. */
export const offsets: CliCommand = {
  name: "offsets",
  summary: "print where the logs of a table begin and end",
  about: "Prints for each bucket of a table the first offset that is kept and the next that will be written, or with " +
    "--at those of a time.",
  words: [{ syntax: "<table>", text: "the table, as database.table" }],
  options: [
    ...CONNECTION_OPTIONS,
    { flags: "--at <place>", text: `earliest, latest, ${TIME_TEXT}` },
    { flags: "--partition <name>", text: "one partition, by the name that ls prints" },
  ],
  examples: ["offsets web.clicks", "offsets web.clicks --at 1h --partition 2026-11-23"],
  exits: CONNECTION_EXITS,
  run,
};

interface Entry {
  readonly partition?: string;
  readonly bucket: number;
  readonly [name: string]: string | number | bigint | undefined;
}

async function run(values: Values, io: Io, [name]: readonly string[]): Promise<void> {
  const at = textOf(values, "at");
  const position = at === undefined ? undefined : readOffsetPosition("at", at);
  const partition = textOf(values, "partition");
  await withDb(values, io, async (db) => {
    const found = async (place: Parameters<typeof db.admin.offsets>[1]) =>
      await db.admin.offsets(name!, place, partition === undefined ? {} : { partition });
    const entries = position === undefined
      ? joined(await found("earliest"), await found("latest"))
      : (await found(position)).map((each): Entry => ({ ...each }));
    const partitioned = entries.some((entry) => entry.partition !== undefined);
    const names = [
      ...(partitioned ? ["partition"] : []),
      "bucket",
      ...(position === undefined ? ["earliest", "latest", "records"] : ["offset"]),
    ];
    await printRows(
      {
        columns: names.map((name) => ({ name, right: name !== "partition" })),
        cells: (entry: Entry) => names.map((name) => String(entry[name] ?? "")),
        json: jsonText,
      },
      values,
      io,
      (output) => output.add(entries),
    );
  });
}

/** Both ends of each bucket. A bucket that came in between is left out. */
function joined(first: readonly BucketOffset[], last: readonly BucketOffset[]): Entry[] {
  const key = ({ partition, bucket }: BucketOffset) => `${bucket} ${partition ?? ""}`;
  const ends = new Map(last.map((each) => [key(each), each.offset]));
  return first.flatMap((each): Entry[] => {
    const latest = ends.get(key(each));
    const { partition, bucket, offset: earliest } = each;
    if (latest === undefined) return [];
    return [{
      ...(partition === undefined ? {} : { partition }),
      bucket,
      earliest,
      latest,
      records: latest - earliest,
    }];
  });
}
