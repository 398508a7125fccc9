import assert from "node:assert/strict";
import { isDone, type Mark, MOST_GAPS, marked, withGap } from "../../src/actors/runtime/marks.ts";

const at = (version: number, index = 0) => ({ version, index });

describe("what a receiver has had from a sender", () => {
  it("is all up to the latest, whichever of them there were", () => {
    const mark = marked(marked(undefined, at(3, 1)), at(7));
    assert.deepEqual(mark, { ...at(7), gaps: [] });
    for (const had of [at(1), at(3, 1), at(5), at(7)]) assert.equal(isDone(mark, had), true);
    for (const news of [at(7, 1), at(8)]) assert.equal(isDone(mark, news), false);
    assert.equal(isDone(undefined, at(0)), false);
  });

  it("is not what was left out, until that comes or is given up", () => {
    const mark = marked(withGap(withGap(marked(undefined, at(1)), at(2)), at(2, 1)), at(5));
    assert.deepEqual(mark, { ...at(5), gaps: [at(2), at(2, 1)] });
    assert.equal(isDone(mark, at(2)), false);
    assert.equal(isDone(mark, at(2, 2)), true);
    const later = marked(mark, at(2));
    assert.deepEqual(later, { ...at(5), gaps: [at(2, 1)] });
    assert.equal(isDone(later, at(2)), true);
    // A letter that dies once more is the gap that it was.
    assert.equal(withGap(mark, at(2)), mark);
  });

  it("has no more gaps than it may have", () => {
    let mark: Mark | undefined;
    for (let version = 1; version <= MOST_GAPS; version += 1) mark = withGap(mark, at(version))!;
    assert.equal(withGap(mark, at(MOST_GAPS + 1)), undefined);
    assert.notEqual(withGap(marked(mark, at(4)), at(MOST_GAPS + 1)), undefined);
  });
});
