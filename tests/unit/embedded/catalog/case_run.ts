/**
 * Runs cases of the catalog on any server and says in one line each what became of every request.
 *
 * @module
 */
import type { DescMessage, MessageInitShape, MessageValidType } from "@bufbuild/protobuf";
import { API, type Api } from "../../../../src/client/rpc/api.ts";

/** The database that every case has to itself; its real name is the server's. */
export const DATABASE = "db";

/** A request: its name, and its message; what is bytes of JSON on the wire is the JSON, or text that is none. */
export type CaseStep = readonly [api: keyof typeof API, message: Readonly<Record<string, unknown>>];

/** See the module. */
export interface Case {
  readonly name: string;
  readonly steps: readonly CaseStep[];
  /** Of errors only the code counts: the words are those of a Java library. */
  readonly codeOnly?: boolean;
}

/** A server on which cases run. */
export interface CaseServer {
  /** What stands for {@linkcode DATABASE}. */
  readonly database: string;
  call<Q extends DescMessage, A extends DescMessage>(
    api: Api<Q, A>,
    request: MessageInitShape<Q>,
  ): Promise<MessageValidType<A>>;
}

/** Runs a case. */
export async function runCase(test: Case, server: CaseServer): Promise<string[]> {
  const ids = new Map<string, string>();
  const said: string[] = [];
  for (const [name, message] of test.steps) {
    said.push(await answer(API[name] as Api, real(message, server.database, ids) as Record<string, unknown>));
  }
  return said;

  async function answer(api: Api, request: Record<string, unknown>): Promise<string> {
    try {
      const found = await server.call(api, request);
      return JSON.stringify(plain(found, "", server.database, ids));
    } catch (error) {
      const { serverCode, code, serverMessage, message } = error as Partial<Record<string, unknown>>;
      const words = test.codeOnly ? "" : ` ${firstLine(String(serverMessage ?? message))}`;
      return `refused ${serverCode ?? code}${words.replaceAll(server.database, DATABASE)}`;
    }
  }
}

/** The first line of a message: what follows says where in the server. */
function firstLine(message: string): string {
  return message.split("\n")[0]!.trim();
}

/** A message as it is sent to a server whose database has another name. */
function real(value: unknown, database: string, ids: ReadonlyMap<string, string>, key = ""): unknown {
  if (Array.isArray(value)) return value.map((one) => real(one, database, ids, key));
  if (key.endsWith("Json")) return new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, real(one, database, ids, key)]));
  }
  if (key === "databaseName" && value === DATABASE) return database;
  if (key === "partitionsId") return BigInt([...ids].find(([, name]) => name === value)?.[0].split(" ")[1] ?? 999_999);
  return value;
}

/** What goes over the wire as a list and is a set. */
const SETS = ["tableName", "partitionsInfo", "partitionMetadata", "tableMetadata"];

/** Where servers are is no matter of the catalog; 0.9.1 forgets when a table was modified. */
const LEFT_OUT = ["$typeName", "host", "port", "createdTime", "modifiedTime"];

/** An answer, without what differs from run to run. */
function plain(value: unknown, key: string, database: string, ids: Map<string, string>): unknown {
  if (value instanceof Uint8Array) return sorted(JSON.parse(new TextDecoder().decode(value)));
  if (Array.isArray(value)) {
    const listed = SETS.includes(key) ? value.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)) : value;
    return listed.map((one) => plain(one, key, database, ids));
  }
  if (key === "tableId" || key === "partitionId") {
    const id = `${key} ${value}`;
    if (!ids.has(id)) ids.set(id, `${key} ${[...ids.keys()].filter((one) => one.startsWith(key)).length + 1}`);
    return ids.get(id);
  }
  if (typeof value === "bigint") return Number(value);
  if (value === database) return DATABASE;
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([key]) => !LEFT_OUT.includes(key));
  return sorted(Object.fromEntries(entries.map(([key, one]) => [key, plain(one, key, database, ids)])));
}

/** What an entry of a set is called; ids differ from run to run. */
function nameOf(value: unknown): string {
  if (typeof value === "string") return value;
  const { partitionName, partitionSpec, tablePath } = value as Readonly<Record<string, unknown>>;
  return JSON.stringify(partitionName ?? partitionSpec ?? tablePath);
}

/** JSON without an order of keys: servers keep options in maps that have none. */
function sorted(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(sorted);
  if (typeof json !== "object" || json === null) return json;
  return Object.fromEntries(
    Object.entries(json).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => [key, sorted(value)]),
  );
}
