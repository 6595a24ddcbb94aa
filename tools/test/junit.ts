/**
 * Reads the JUnit reports of Deno's, Bun's and Node's test runners.
 *
 * @module
 */

/** How one test went. */
export interface TestResult {
  /** The name with the names of its groups before it. */
  readonly name: string;
  /** The test file, where the runner says it. */
  readonly file: string | undefined;
  readonly outcome: "passed" | "failed" | "skipped";
  /** What went wrong, or why it was skipped, where the runner says it. */
  readonly detail: string;
}

const MARKUP =
  /<!\[CDATA\[[\s\S]*?\]\]>|<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<(\/?)([\w:.-]+)((?:\s+[\w:.-]+="[^"]*")*)\s*(\/?)>/g;

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

function decode(text: string): string {
  return text.replace(/&(#x[0-9a-f]+|#\d+|\w+);/gi, (whole, entity: string) => {
    if (entity[0] !== "#") return ENTITIES[entity] ?? whole;
    const hex = entity[1] === "x" || entity[1] === "X";
    return String.fromCodePoint(Number.parseInt(entity.slice(hex ? 2 : 1), hex ? 16 : 10));
  });
}

function attributes(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [, name, value] of text.matchAll(/([\w:.-]+)="([^"]*)"/g)) found[name!] = decode(value!);
  return found;
}

function isFile(name: string | undefined): name is string {
  // Deno says of the tests of a group that they are in `ext:deno_node/testing.ts`.
  return name !== undefined && /^(?!ext:).*\.[cm]?[jt]s$/.test(name);
}

/** What a report says. */
export interface Report {
  /** The tests in its order. */
  readonly results: readonly TestResult[];
  /** The files that had a test. */
  readonly files: ReadonlySet<string>;
}

/** Reads a report. One that was cut off gives the tests that it holds whole. */
export function parseJUnit(xml: string): Report {
  const results: TestResult[] = [];
  const groups: string[] = [];
  let current: { name: string; file: string | undefined; outcome: TestResult["outcome"]; detail: string } | undefined;
  // Where the text of a failure starts, while inside one that says nothing in its attributes.
  let textFrom = -1;
  const close = () => {
    if (current !== undefined) results.push(current);
    current = undefined;
  };
  for (const match of xml.matchAll(MARKUP)) {
    const [, slash, element, attributeText, selfClosing] = match;
    if (element === undefined) continue;
    if (slash === "/") {
      if (element === "testsuite") groups.pop();
      else if (element === "testcase") close();
      else if (element === "failure" || element === "error") {
        if (current !== undefined && textFrom >= 0) {
          current.detail = decode(xml.slice(textFrom, match.index)).trim() || current.detail;
        }
        textFrom = -1;
      }
      continue;
    }
    const attribute = attributes(attributeText!);
    if (element === "testsuite") {
      if (selfClosing !== "/") groups.push(attribute["name"] ?? "");
    } else if (element === "testcase") {
      const path = groups.filter((group) => !/\.[cm]?[jt]s$/.test(group));
      const file = [attribute["file"], attribute["classname"], groups[0]].find(isFile);
      current = { name: [...path, attribute["name"] ?? ""].join(" > "), file, outcome: "passed", detail: "" };
      if (selfClosing === "/") close();
    } else if (element === "failure" || element === "error") {
      if (current === undefined) continue;
      current.outcome = "failed";
      current.detail = attribute["message"] ?? "";
      if (selfClosing !== "/") textFrom = match.index + match[0].length;
    } else if (element === "skipped" && current !== undefined) {
      current.outcome = "skipped";
      current.detail = attribute["message"] ?? "";
    }
  }
  const named = results.flatMap(({ file }) => file === undefined ? [] : [file]);
  return { results: withoutGroups(results), files: new Set(named) };
}

/**
 * Deno reports a group beside its tests; it says something new only if it failed and none of them did.
 */
function withoutGroups(results: readonly TestResult[]): TestResult[] {
  const parents = new Map<string, boolean>();
  for (const { name, outcome } of results) {
    for (let at = name.indexOf(" > "); at >= 0; at = name.indexOf(" > ", at + 1)) {
      const parent = name.slice(0, at);
      parents.set(parent, (parents.get(parent) ?? false) || outcome === "failed");
    }
  }
  return results.filter(({ name, outcome }) => {
    const childFailed = parents.get(name);
    return childFailed === undefined || (outcome === "failed" && !childFailed);
  });
}
