// Copied into a project that has only the package, and type-checked there; what does not compile fails `deno task test`.
import { connect, FlussError, type InferInsert, type InferRow, t, table } from "../../mod.ts";

const users = table("shop.users", {
  id: t.bigint(),
  name: t.string(),
  visits: t.int(),
}, { primaryKey: ["id"] });

/** A row as it is read. */
export type User = InferRow<typeof users>;

/** A row as it is written. */
export type NewUser = InferInsert<typeof users>;

/** What a program does all day. */
export async function visit(url: string, id: bigint): Promise<User | null> {
  await using db = await connect(url);
  const handle = db.table(users);
  try {
    await handle.upsert({ id, name: "ada" } satisfies NewUser);
    await handle.update({ id, visits: 1 });
    // @ts-expect-error a bigint column takes no number
    await handle.lookup({ id: 1 });
    return await handle.lookup({ id });
  } catch (error) {
    if (FlussError.is(error, "CONNECTION.AUTH_FAILED")) return null;
    throw error;
  }
}
