/**
 * Rules about types and their JavaScript side. Source of the ranges: Fluss `DataTypes.java` and the types beside it.
 *
 * @module
 */
import { type DataType, typeText, type ValueMode } from "../data_type.ts";
import type { ColumnDefinition, ValueRules } from "../definition.ts";
import type { Finding } from "../violation.ts";
import { quoted, repeated, type Rule, typesOf } from "./rule.ts";

const INT_MAX = 2147483647;
const MAX_DECIMAL = 38;
const MAX_FRACTION = 9;
/** Nothing deeper makes sense, and depth costs stack. */
const MAX_DEPTH = 64;

/** The modes of types, other than their defaults. */
export const MODES: { readonly [kind in DataType["kind"]]?: readonly ValueMode[] } = {
  bigint: ["number"],
  decimal: ["unscaled", "number"],
  date: ["string", "days"],
  time: ["string", "millis"],
  timestamp: ["string", "epochMillis", "epochMicros", "epochNanos", "date"],
  timestampLtz: ["string", "epochMillis", "epochMicros", "epochNanos", "date"],
  map: ["object"],
};

function isWhole(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max;
}

function whyNotSize(type: DataType): string | undefined {
  switch (type.kind) {
    case "char":
    case "binary":
      return isWhole(type.length, 1, INT_MAX) ? undefined : `length ${type.length} is not a whole number from 1`;
    case "decimal":
      if (!isWhole(type.precision, 1, MAX_DECIMAL)) {
        return `precision ${type.precision} is not a whole number from 1 to ${MAX_DECIMAL}`;
      }
      return isWhole(type.scale, 0, type.precision)
        ? undefined
        : `scale ${type.scale} is not a whole number from 0 to the precision, ${type.precision}`;
    case "time":
    case "timestamp":
    case "timestampLtz":
      return isWhole(type.precision, 0, MAX_FRACTION)
        ? undefined
        : `precision ${type.precision} is not a whole number from 0 to ${MAX_FRACTION}`;
    default:
      return undefined;
  }
}

function modeFinding(type: DataType, path: string): Finding | undefined {
  const { mode, codec } = type;
  if (mode === undefined) return undefined;
  const modes = MODES[type.kind] ?? [];
  if (!modes.includes(mode)) {
    return {
      message: `${path} has the mode ${quoted(mode)}, which ${typeText(type)} does not have`,
      hint: modes.length === 0 ? "leave mode out" : `its modes are ${modes.join(", ")}; leave mode out for the default`,
    };
  }
  if (codec !== undefined) {
    return { message: `${path} has a mode and a codec`, hint: "a codec works on the default mode: leave mode out" };
  }
  if ((type.kind === "timestamp" || type.kind === "timestampLtz") && type.precision > 3) {
    if (mode === "epochMillis" || mode === "date") {
      return {
        message: `${path} is a ${typeText(type)} in mode ${quoted(mode)}, which holds milliseconds`,
        hint: `use t.${type.kind}(3, { mode: ${quoted(mode)} }), or mode "epochMicros"`,
      };
    }
  }
  if (
    type.kind === "map" && ((type.key.kind !== "string" && type.key.kind !== "char") || type.key.codec !== undefined)
  ) {
    return {
      message: `${path} is a ${typeText(type)} in mode "object", which needs text keys`,
      hint: "leave mode out",
    };
  }
  return undefined;
}

function* oneOfFindings(type: DataType, rules: ValueRules, path: string): Iterable<Omit<Finding, "column">> {
  const { oneOf } = rules;
  if (oneOf !== undefined) {
    if (oneOf.length === 0) {
      yield { message: `${path} allows no value at all`, hint: 'name the values: .oneOf("new", "paid")' };
    }
    for (const value of repeated(oneOf)) yield { message: `${path} allows ${quoted(value)} twice` };
    for (const value of oneOf) {
      if (typeof value !== "string") yield { message: `${path} allows ${String(value)}, which is not text` };
      else if (type.kind === "char" && [...value].length > type.length) {
        yield { message: `${path} allows ${quoted(value)}, which does not fit into CHAR(${type.length})` };
      }
    }
  }
  if (type.kind === "array" && rules.element !== undefined) {
    yield* oneOfFindings(type.element, rules.element, `${path}[]`);
  }
  if (type.kind === "map") {
    if (rules.mapKey !== undefined) yield* oneOfFindings(type.key, rules.mapKey, `${path}[key]`);
    if (rules.mapValue !== undefined) yield* oneOfFindings(type.value, rules.mapValue, `${path}[value]`);
  }
  if (type.kind !== "row" || rules.fields === undefined) return;
  for (const field of type.fields) {
    const inner = rules.fields.get(field.key);
    if (inner !== undefined) yield* oneOfFindings(field.type, inner, `${path}.${field.key}`);
  }
}

/** Whether values of the type are made with `Temporal`. */
function needsTemporal(type: DataType): boolean {
  const { kind, mode, temporal } = type;
  if (kind !== "date" && kind !== "time" && kind !== "timestamp" && kind !== "timestampLtz") return false;
  return mode === undefined && temporal === undefined && (globalThis as { Temporal?: unknown }).Temporal === undefined;
}

function* inTypes(
  columns: readonly ColumnDefinition[],
  find: (type: DataType, path: string) => Finding | undefined,
): Iterable<Finding> {
  for (const { key, type: outer } of columns) {
    for (const { type, path } of typesOf(outer, key)) {
      const found = find(type, path);
      if (found !== undefined) yield { ...found, column: key };
    }
  }
}

/** See the module. */
export const TYPE_RULES: readonly Rule[] = [
  {
    name: "precision",
    code: "SCHEMA.PRECISION",
    serverCode: 15,
    find: ({ columns }) =>
      inTypes(columns, (type, path) => {
        const why = whyNotSize(type);
        return why === undefined ? undefined : { message: `${path} is a ${type.kind} whose ${why}` };
      }),
  },
  {
    name: "depth",
    code: "SCHEMA.PRECISION",
    *find({ columns }) {
      for (const { key, type } of columns) {
        if (depthOf(type) > MAX_DEPTH) {
          yield { column: key, message: `${key} is nested more than ${MAX_DEPTH} levels deep` };
        }
      }
    },
  },
  {
    name: "mode",
    code: "SCHEMA.MODE",
    find: ({ columns }) => inTypes(columns, modeFinding),
  },
  {
    name: "temporal",
    code: "RUNTIME.TEMPORAL_MISSING",
    find: ({ columns }) =>
      inTypes(
        columns,
        (type, path) =>
          needsTemporal(type)
            ? {
              message: `${path} is a ${typeText(type)}, whose values are made with Temporal, and the runtime has none`,
            }
            : undefined,
      ),
  },
  {
    name: "one-of",
    code: "SCHEMA.ONE_OF",
    *find({ columns }) {
      for (const column of columns) {
        for (const found of oneOfFindings(column.type, column, column.key)) yield { ...found, column: column.key };
      }
    },
  },
];

function depthOf(type: DataType): number {
  switch (type.kind) {
    case "array":
      return 1 + depthOf(type.element);
    case "map":
      return 1 + Math.max(depthOf(type.key), depthOf(type.value));
    case "row":
      return 1 + Math.max(0, ...type.fields.map((field) => depthOf(field.type)));
    default:
      return 0;
  }
}
