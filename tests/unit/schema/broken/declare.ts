/**
 * What the cases of broken declarations share.
 *
 * @module
 */
import { t, table } from "../../../../src/schema/mod.ts";

// Wrong declarations are what this file is about, so the compiler must not refuse them first.
// deno-lint-ignore no-explicit-any
export const declare: (name: any, columns: any, options?: any) => object = table as any;
// deno-lint-ignore no-explicit-any
export const any: any = t;

/** A broken rule. */
export interface Case {
  readonly what: string;
  readonly code: string;
  /** A part of the message and hint. */
  readonly says: RegExp;
  readonly wrong: () => unknown;
  /** The near miss. */
  readonly right: () => unknown;
}

export const id = { id: t.bigint() };
export const pk = { primaryKey: ["id"] };
export const long = (length: number) => "x".repeat(length);

// deno-lint-ignore no-explicit-any
export const codec: any = { encode: (value: unknown) => value, decode: (raw: unknown) => raw };

export function arrays(depth: number): unknown {
  let type: unknown = t.int();
  for (let i = 0; i < depth; i++) type = any.array(type);
  return type;
}

export function partitioned(autoPartition: object, partitionBy: readonly string[] = ["p"]): object {
  const columns = {
    ...id,
    p: t.string().name("part"),
    q: t.string(),
    at: t.timestamp(3, { mode: "date" }),
    number: t.int(),
    day: t.date({ mode: "string" }),
  };
  return declare("a.b", columns, { partitionBy, autoPartition });
}

export function aggregated(columns: object): object {
  return declare("a.b", columns, { ...pk, mergeEngine: "aggregation" });
}

export function property(key: string, value: string): object {
  return declare("a.b", { ...id, n: t.int() }, { ...pk, properties: { [key]: value } });
}
