/**
 * Row functions made from source text: the only file that does so. A row object of one literal costs 0.01 us for four
 * columns and 0.1 for twenty, where assignments in a loop cost up to 2.7; calls at places of their own are inlined,
 * calls in a loop are not. Names enter the text as quoted strings only, everything else is passed as values. Where the host
 * forbids `new Function`, loops do the same work.
 *
 * @module
 */
import { inColumn } from "../base/column_error.ts";
import { checkAbsent, needsOwnCheck, ownValue } from "./row_plan.ts";
import type {
  AppendStep,
  ColumnForm,
  PlanAppender,
  PlanReader,
  PlanWriter,
  ReadPlan,
  RowSource,
  WriteStep,
} from "./row_plan.ts";

/** Wider rows run as loops: engines do not optimize functions of any size. */
const MAX_COLUMNS = 256;

/** Makes a function from text, or by other means where the host forbids that or the row is too wide. */
function generateOr<F>(width: number, generated: () => F, loop: () => F): F {
  if (width > MAX_COLUMNS) return loop();
  try {
    return generated();
  } catch (error) {
    // Hosts say no with this error, at every attempt (Node: --disallow-code-generation-from-strings, browsers: CSP).
    if (error instanceof EvalError) return loop();
    throw error;
  }
}

/** Makes the function that reads rows of a plan. */
export function compileReader(plan: ReadPlan): PlanReader {
  const width = Math.max(plan.steps.length, plan.keys.length);
  return generateOr(width, () => generatedReader(plan), () => loopReader(plan));
}

/** Makes the function that writes rows of a plan. */
export function compileWriter(steps: readonly WriteStep[]): PlanWriter {
  return generateOr(steps.length, () => generatedWriter(steps), () => loopWriter(steps));
}

/** Makes the function that puts the values of a row at the end of columns. */
export function compileAppender(steps: readonly AppendStep[]): PlanAppender {
  return generateOr(steps.length, () => generatedAppender(steps), () => loopAppender(steps));
}

/** Makes the function that turns the values of a row, in the order of `keys`, into a row object. */
export function compileRowMaker(keys: readonly string[]): (values: readonly unknown[]) => Record<string, unknown> {
  return generateOr(keys.length, () => generatedRowMaker(keys), () => loopRowMaker(keys));
}

/** Makes the function that makes the function that reads rows of columns: for one batch of columns after the other. */
export function compileRowSource(keys: readonly string[], forms: readonly ColumnForm[]): RowSource {
  return generateOr(keys.length, () => generatedRowSource(keys, forms), () => loopRowSource(keys));
}

/** A row object as source text. */
function literal(keys: readonly string[], valueOf: (index: number) => string): string {
  // As a plain key, `__proto__` would set the prototype; in brackets it is a property like any other.
  return `{${keys.map((key, i) => `[${JSON.stringify(key)}]: ${valueOf(i)}`).join(", ")}}`;
}

/** For {@linkcode compileReader}; exported for the test that compares both ways. */
export function generatedReader(plan: ReadPlan): PlanReader {
  const targets = new Set(plan.steps.map((step) => step.target));
  const constants = plan.steps.map((_, i) => `const read${i} = steps[${i}].read;`);
  const statements = plan.steps.map((step, i) => {
    const isNull = step.nullBit < 0 ? "" : `(bytes[nulls + ${step.nullBit >> 3}] & ${1 << (step.nullBit & 7)}) !== 0`;
    if (step.target < 0) return isNull === "" ? `read${i}(source);` : `if (!(${isNull})) read${i}(source);`;
    const value = isNull === "" ? `read${i}(source)` : `${isNull} ? null : read${i}(source)`;
    return `column = ${step.target}; const value${step.target} = ${value};`;
  });
  const text = `"use strict";
${constants.join("\n")}
return (source, nulls) => {
  const bytes = source.bytes;
  let column = 0;
  try {
    ${statements.join("\n    ")}
    return ${literal(plan.keys, (i) => targets.has(i) ? `value${i}` : "null")};
  } catch (error) {
    throw inColumn(error, keys[column]);
  }
};`;
  return new Function("steps", "keys", "inColumn", text)(plan.steps, plan.keys, inColumn) as PlanReader;
}

/** For {@linkcode compileReader}. */
export function loopReader(plan: ReadPlan): PlanReader {
  const { steps, keys } = plan;
  const make = compileRowMaker(keys);
  return (source, nulls) => {
    const { bytes } = source;
    const values: unknown[] = new Array(keys.length).fill(null);
    let column = 0;
    try {
      for (const { nullBit, read, target } of steps) {
        if (target >= 0) column = target;
        if (nullBit >= 0 && (bytes[nulls + (nullBit >> 3)]! & (1 << (nullBit & 7))) !== 0) continue;
        const value = read(source);
        if (target >= 0) values[target] = value;
      }
    } catch (error) {
      throw inColumn(error, keys[column]!);
    }
    return make(values);
  };
}

/** For {@linkcode compileWriter}. */
export function generatedWriter(steps: readonly WriteStep[]): PlanWriter {
  const constants = steps.map((_, i) => `const step${i} = steps[${i}], write${i} = step${i}.write;`);
  const statements = steps.map((step, i) => {
    const setNull = `out.bytes[nulls + ${step.nullBit >> 3}] |= ${1 << (step.nullBit & 7)};`;
    if (step.write === undefined) return setNull;
    const key = JSON.stringify(step.key);
    const value = needsOwnCheck(step.key) ? `ownValue(row, ${key})` : `row[${key}]`;
    return `column = ${i}; value = ${value};
    if (value !== null && value !== undefined) write${i}(out, value);
    else { checkAbsent(row, value, step${i}); ${setNull} }`;
  });
  const text = `"use strict";
${constants.join("\n")}
return (out, nulls, row) => {
  let column = 0, value;
  try {
    ${statements.join("\n    ")}
  } catch (error) {
    throw inColumn(error, steps[column].key);
  }
};`;
  return new Function("steps", "ownValue", "checkAbsent", "inColumn", text)(
    steps,
    ownValue,
    checkAbsent,
    inColumn,
  ) as PlanWriter;
}

/** For {@linkcode compileWriter}. */
export function loopWriter(steps: readonly WriteStep[]): PlanWriter {
  return (out, nulls, row) => {
    let column = 0;
    try {
      for (; column < steps.length; column++) {
        const step = steps[column]!;
        if (step.write !== undefined) {
          const value = ownValue(row, step.key);
          if (value !== null && value !== undefined) {
            step.write(out, value);
            continue;
          }
          checkAbsent(row, value, step);
        }
        out.bytes[nulls + (step.nullBit >> 3)]! |= 1 << (step.nullBit & 7);
      }
    } catch (error) {
      throw inColumn(error, steps[column]!.key);
    }
  };
}

/** For {@linkcode compileAppender}. */
export function generatedAppender(steps: readonly AppendStep[]): PlanAppender {
  const constants = steps.map((_, i) => `const step${i} = steps[${i}], encode${i} = step${i}.encode;`);
  const statements = steps.map((step, i) => {
    const key = JSON.stringify(step.key);
    const value = needsOwnCheck(step.key) ? `ownValue(row, ${key})` : `row[${key}]`;
    const store = {
      data: `columns[${i}].data[at] = encode${i}(value);`,
      words: `value = encode${i}(value); words = columns[${i}].words;
      words[2 * at] = value | 0; words[2 * at + 1] = Math.floor(value / 4294967296);`,
      text: `columns[${i}].writeText(at, encode${i}(value));`,
      column: `columns[${i}].write(at, value);`,
    }[step.form];
    return `column = ${i}; value = ${value};
    if (value !== null && value !== undefined) {
      ${store}
    } else { checkAbsent(row, value, step${i}); columns[${i}].writeNull(at); }`;
  });
  const text = `"use strict";
${constants.join("\n")}
return (columns, at, row) => {
  let column = 0, value, words;
  try {
    ${statements.join("\n    ")}
  } catch (error) {
    throw inColumn(error, steps[column].key);
  }
};`;
  return new Function("steps", "ownValue", "checkAbsent", "inColumn", text)(
    steps,
    ownValue,
    checkAbsent,
    inColumn,
  ) as PlanAppender;
}

/** For {@linkcode compileAppender}. */
export function loopAppender(steps: readonly AppendStep[]): PlanAppender {
  return (columns, at, row) => {
    let column = 0;
    try {
      for (; column < steps.length; column++) {
        const step = steps[column]!;
        const target = columns[column]!;
        const value = ownValue(row, step.key);
        if (value === null || value === undefined) {
          checkAbsent(row, value, step);
          target.writeNull(at);
        } else if (step.form === "column") target.write(at, value);
        else if (step.form === "text") target.writeText(at, step.encode(value) as string);
        else if (step.form === "data") target.data[at] = step.encode(value);
        else {
          const number = step.encode(value) as number;
          target.words[2 * at] = number | 0;
          target.words[2 * at + 1] = Math.floor(number / 4294967296);
        }
      }
    } catch (error) {
      throw inColumn(error, steps[column]!.key);
    }
  };
}

/** For {@linkcode compileRowMaker}. */
export function generatedRowMaker(keys: readonly string[]): (values: readonly unknown[]) => Record<string, unknown> {
  return new Function("values", `"use strict"; return ${literal(keys, (i) => `values[${i}]`)};`) as (
    values: readonly unknown[],
  ) => Record<string, unknown>;
}

/** For {@linkcode compileRowMaker}: a template gives the shape, and makes `__proto__` an own property before it is set. */
export function loopRowMaker(keys: readonly string[]): (values: readonly unknown[]) => Record<string, unknown> {
  const template = Object.fromEntries(keys.map((key) => [key, null]));
  return (values) => {
    const row: Record<string, unknown> = { ...template };
    for (let i = 0; i < keys.length; i++) row[keys[i]!] = values[i];
    return row;
  };
}

/** For {@linkcode compileRowSource}. */
export function generatedRowSource(keys: readonly string[], forms: readonly ColumnForm[]): RowSource {
  const constants = forms.map((form, i) =>
    form === "null" ? "" : `const nulls${i} = columns[${i}].validity, ${form}${i} = columns[${i}].${form};`
  );
  const statements = forms.map((form, i) => {
    if (form === "null") return "";
    const isNull = `nulls${i} !== undefined && (nulls${i}[i >> 3] & (1 << (i & 7))) === 0`;
    const value = form === "values" ? `values${i}[i]` : `read${i}(i)`;
    return `column = ${i}; const value${i} = ${isNull} ? null : ${value};`;
  });
  const text = `"use strict";
return (columns) => {
  ${constants.join("\n  ")}
  return (i) => {
    let column = 0;
    try {
      ${statements.join("\n      ")}
      return ${literal(keys, (i) => forms[i] === "null" ? "null" : `value${i}`)};
    } catch (error) {
      throw inColumn(error, keys[column]);
    }
  };
};`;
  return new Function("keys", "inColumn", text)(keys, inColumn) as RowSource;
}

/** For {@linkcode compileRowSource}. */
export function loopRowSource(keys: readonly string[]): RowSource {
  const make = compileRowMaker(keys);
  return (columns) => (i) => {
    const values: unknown[] = [];
    try {
      for (const { validity, form, values: plain, read } of columns) {
        if (form === "null" || (validity !== undefined && (validity[i >> 3]! & (1 << (i & 7))) === 0)) {
          values.push(null);
        } else values.push(form === "values" ? plain![i] : read(i));
      }
    } catch (error) {
      throw inColumn(error, keys[values.length]!);
    }
    return make(values);
  };
}
