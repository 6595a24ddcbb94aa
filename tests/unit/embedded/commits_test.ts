import assert from "node:assert/strict";
import { test } from "node:test";
import { Commits } from "../../../src/embedded/commits.ts";
import { ServerFault } from "../../../src/embedded/fault.ts";
import { memoryStorage } from "../../../src/embedded/storage/memory.ts";

/** A storage that says when it commits. */
function make() {
  const state = { dirty: true, commits: 0, undone: 0, failing: false };
  const storage = Object.create(memoryStorage(), {
    dirty: { get: () => state.dirty },
    commit: {
      value: () => {
        state.commits++;
        state.dirty = false;
        if (state.failing) throw new Error("the disk is full");
      },
    },
  });
  return { state, commits: new Commits(storage, () => state.undone++) };
}

const isFailure = (error: unknown) =>
  error instanceof ServerFault && error.code === 26 && error.message === "the disk is full";

test("what one turn writes is committed once, when the turn is over", async () => {
  const { state, commits } = make();
  const settled = [commits.settled, commits.settledWith(10), commits.settled];
  assert.equal(new Set(settled).size, 1);
  assert.equal(state.commits, 0);
  await settled[0];
  assert.equal(state.commits, 1);
  assert.equal(commits.settled, undefined);
  assert.equal(commits.settledWith(1 << 30), undefined);
});

test("a commit that fails is told to all who wait, and undone once", async () => {
  const { state, commits } = make();
  state.failing = true;
  await Promise.all([assert.rejects(commits.settled!, isFailure), assert.rejects(commits.settledWith(1)!, isFailure)]);
  assert.deepEqual([state.commits, state.undone], [1, 1]);
  state.dirty = true;
  state.failing = false;
  await commits.settled;
  assert.deepEqual([state.commits, state.undone], [2, 1]);
});

test("where answers of many bytes wait, it commits at once, and counts anew", async () => {
  const { state, commits } = make();
  const half = 32 << 20;
  const first = commits.settledWith(half);
  assert.equal(commits.settledWith(half), first);
  assert.equal(state.commits, 0);
  assert.equal(commits.settledWith(1), undefined);
  assert.equal(state.commits, 1);
  await first;
  state.dirty = true;
  assert.ok(commits.settledWith(half) instanceof Promise);
  state.failing = true;
  assert.throws(() => commits.settledWith(half + 1), isFailure);
  assert.deepEqual([state.commits, state.undone], [2, 1]);
});

test("what waits is committed when it closes", async () => {
  const { state, commits } = make();
  const settled = commits.settled;
  commits.close();
  assert.equal(state.commits, 1);
  await settled;
  commits.close();
  assert.equal(state.commits, 1);
});
