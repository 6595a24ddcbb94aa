import { t, table } from "../../mod.ts";

/** The table whose log it is. */
export const flooded = table("flood.rows", {
  id: t.bigint({ mode: "number" }),
  name: t.string(),
  score: t.double(),
  at: t.timestamp(3, { mode: "epochMillis" }),
}, { buckets: 4, log: { compression: { type: "none" } } });
