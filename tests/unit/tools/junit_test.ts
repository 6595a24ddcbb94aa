import assert from "node:assert/strict";
import { test } from "node:test";
import { parseJUnit } from "../../../tools/test/junit.ts";
import { judge } from "../../../tools/test/suite.ts";

// What the three runtimes really write about a file with a test that passes, one that is skipped by an option, one that
// fails, and a group of three; shortened, but for the parts that are hard to read.
const DENO = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="7" failures="3" errors="0" time="0.015">
    <testsuite name="./tests/a_test.ts" tests="4" disabled="1" errors="0" failures="2">
        <testcase name="passes" classname="./tests/a_test.ts" time="0.001" line="3" col="1">
        </testcase>
        <testcase name="left out" classname="./tests/a_test.ts" time="0.000" line="4" col="1">
            <skipped/>
        </testcase>
        <testcase name="fails &lt;a &amp; b&gt;" classname="./tests/a_test.ts" time="0.001" line="8" col="1">
            <failure message="Uncaught AssertionError: 1 !== 2">AssertionError: 1 !== 2
    at (file:///x/a_test.ts:8:38)</failure>
        </testcase>
        <testcase name="group" classname="./tests/a_test.ts" time="0.003" line="9" col="1">
            <failure message="1 test step failed">1 test step failed.</failure>
        </testcase>
    </testsuite>
    <testsuite name="ext:deno_node/testing.ts" tests="3" disabled="1" errors="0" failures="1">
        <testcase name="group &gt; inner" classname="ext:deno_node/testing.ts" time="0.000" line="1" col="23191">
        </testcase>
        <testcase name="group &gt; inner skip" classname="ext:deno_node/testing.ts" time="0.000" line="1" col="21231">
            <skipped/>
        </testcase>
        <testcase name="group &gt; inner fail" classname="ext:deno_node/testing.ts" time="0.000" line="1" col="21231">
            <failure message="Uncaught Error: boom ]]&gt; &lt;testcase name=&apos;x&apos;&gt;">Error: boom ]]&gt;</failure>
        </testcase>
    </testsuite>
</testsuites>`;

const BUN = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="bun test" tests="6" assertions="0" failures="2" skipped="2" time="0.05">
  <testsuite name="tests/a_test.ts" file="tests/a_test.ts" tests="6" failures="2" skipped="2" time="0.02" hostname="vm">
    <testcase name="passes" classname="" time="0.0009" file="tests/a_test.ts" line="3" assertions="0" />
    <testcase name="left out" classname="" time="0" file="tests/a_test.ts" line="4" assertions="0">
      <skipped />
    </testcase>
    <testcase name="fails &lt;a &amp; b&gt;" classname="" time="0.001" file="tests/a_test.ts" line="8" assertions="0">
      <failure type="AssertionError" message="1 !== 2">AssertionError: 1 !== 2&#10;      at a_test.ts:8:38&#10;</failure>
    </testcase>
    <testsuite name="group" file="tests/a_test.ts" line="9" tests="3" failures="1" skipped="1" time="0" hostname="vm">
      <testcase name="inner" classname="group" time="0.0001" file="tests/a_test.ts" line="9" assertions="0" />
      <testcase name="inner skip" classname="group" time="0" file="tests/a_test.ts" line="9" assertions="0">
        <skipped />
      </testcase>
      <testcase name="inner fail" classname="group" time="0.0002" file="tests/a_test.ts" line="9" assertions="0">
        <failure type="Error" message="boom">Error: boom ]]&gt; &lt;testcase name=&apos;x&apos;&gt;&#10;</failure>
      </testcase>
    </testsuite>
  </testsuite>
</testsuites>`;

const NODE = `<?xml version="1.0" encoding="utf-8"?>
<testsuites>
	<testcase name="passes" time="0.000684" classname="test" file="/x/tests/a_test.ts"/>
	<testcase name="left out" time="0.000116" classname="test" file="/x/tests/a_test.ts">
		<skipped type="skipped" message="no cluster: X &lt;is> &quot;not&quot; set"/>
	</testcase>
	<testcase name="fails &lt;a &amp; b>" time="0.000703" classname="test" file="/x/tests/a_test.ts" failure="1 !== 2&#10;">
		<failure type="testCodeFailure" message="1 !== 2">
[Error [ERR_TEST_FAILURE]: 1 !== 2] { at &lt;anonymous> (file:///x/a_test.ts:8:38) }
		</failure>
	</testcase>
	<testsuite name="group" time="0.000674" disabled="0" errors="0" tests="3" failures="1" skipped="1" hostname="vm">
		<testcase name="inner" time="0.000139" classname="group" file="/x/tests/a_test.ts"/>
		<testcase name="inner skip" time="0.000080" classname="group" file="/x/tests/a_test.ts">
			<skipped type="skipped" message="why"/>
		</testcase>
		<testcase name="inner fail" time="0.000136" classname="group" file="/x/tests/a_test.ts" failure="boom ]]> &lt;testcase name='x'>">
			<failure type="testCodeFailure" message="boom ]]> &lt;testcase name='x'>">
[Error [ERR_TEST_FAILURE]: boom ]]> &lt;testcase name='x'>]
			</failure>
		</testcase>
	</testsuite>
	<!-- tests 6 -->
</testsuites>`;

const EXPECTED: readonly (readonly [name: string, outcome: string])[] = [
  ["passes", "passed"],
  ["left out", "skipped"],
  ["fails <a & b>", "failed"],
  ["group > inner", "passed"],
  ["group > inner skip", "skipped"],
  ["group > inner fail", "failed"],
];

for (const [runtime, xml] of [["deno", DENO], ["bun", BUN], ["node", NODE]] as const) {
  test(`${runtime}'s report says what passed, failed and was skipped`, () => {
    const { results, files } = parseJUnit(xml);
    assert.deepEqual(results.map(({ name, outcome }) => [name, outcome]), EXPECTED);
    assert.match(results[2]!.detail, /1 !== 2[^]*a_test\.ts:8:38/);
    assert.equal([...files].length, 1);
    assert.match([...files][0]!, /tests\/a_test\.ts$/);
  });

  test(`${runtime}'s report that was cut off gives what it holds whole`, () => {
    const cut = xml.slice(0, xml.indexOf("inner fail") - 20);
    assert.ok(parseJUnit(cut).results.length >= 3);
    for (let end = 0; end < xml.length; end += 7) parseJUnit(xml.slice(0, end));
  });

  test(`${runtime}: a file that is not in the report is a failure`, () => {
    const { problems } = judge(runtime, ["tests/a_test.ts", "tests/b_test.ts"], 1, xml);
    assert.deepEqual(problems, ["tests/b_test.ts ran no test: it did not load, or has none"]);
  });
}

test("the reason for a skipped test is kept where the runtime tells it", () => {
  assert.equal(parseJUnit(NODE).results[1]!.detail, 'no cluster: X <is> "not" set');
});

test("a group that failed though none of its tests did stays a failure", () => {
  const xml = DENO.replaceAll(/<testcase name="group &gt; inner fail"[^]*?<\/testcase>/g, "");
  const failed = parseJUnit(xml).results.filter(({ outcome }) => outcome === "failed");
  assert.deepEqual(failed.map(({ name }) => name), ["fails <a & b>", "group"]);
});

test("an exit code other than 0 is a failure though the report has none, as when Bun's `before` failed", () => {
  const xml = `<testsuites name="bun test" tests="1"><testsuite name="tests/c_test.ts" file="tests/c_test.ts" tests="1">
    <testcase name="after failed before" classname="" time="0.0008" file="tests/c_test.ts" line="3" assertions="0" />
  </testsuite></testsuites>`;
  const { results, problems } = judge("bun", ["tests/c_test.ts"], 1, xml);
  assert.deepEqual(results.map(({ outcome }) => outcome), ["passed"]);
  assert.deepEqual(problems, ["bun ended with exit code 1, though no test failed: see its output"]);
  assert.deepEqual(judge("bun", ["tests/c_test.ts"], 0, xml).problems, []);
});

test("a run without a report is a failure for every file", () => {
  assert.equal(judge("deno", ["tests/a_test.ts", "tests/b_test.ts"], 1, "").problems.length, 2);
  assert.equal(judge("deno", ["tests/a_test.ts"], 0, "").problems.length, 1);
});

test("Node's stand-in for a file without tests, or one that did not load, counts for no test", () => {
  const empty =
    `<testsuites><testcase name="tests/d_test.ts" time="0.08" classname="test" file="/x/tests/d_test.ts"/></testsuites>`;
  const broken =
    `<testsuites><testcase name="tests/d_test.ts" time="0.07" classname="test" file="/x/tests/d_test.ts" failure="test failed">
    <failure type="testCodeFailure" message="test failed">[Error: test failed]</failure></testcase></testsuites>`;
  for (const [xml, code] of [[empty, 0], [broken, 1]] as const) {
    const { results, problems } = judge("node", ["tests/d_test.ts"], code, xml);
    assert.deepEqual(results, []);
    assert.deepEqual(problems, ["tests/d_test.ts ran no test: it did not load, or has none"]);
  }
});
