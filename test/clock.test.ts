import assert from "node:assert/strict";
import { systemRng } from "../src/clock.ts";

describe("The chance of a node", () => {
  it("gives ids of letters and digits that no two have in common, each character as often as any other", () => {
    const COUNT = 20_000;
    const ids = Array.from({ length: COUNT }, () => systemRng.id());
    assert.equal(new Set(ids).size, COUNT);
    const times = new Map<string, number>();
    for (const character of ids.join("")) times.set(character, (times.get(character) ?? 0) + 1);
    assert.equal(times.size, 62);
    // 320,000 characters: some 5,161 of each, with a standard deviation of 71.
    for (const [character, count] of times) assert.ok(Math.abs(count - 5161) < 500, `${character}: ${count}`);
  });

  it("gives an id of any length, also one that takes more than is drawn at a time", () => {
    for (const length of [1, 16, 10_000]) assert.match(systemRng.id(length), new RegExp(`^[0-9A-Za-z]{${length}}$`));
  });

  it("gives numbers from 0 to below 1, spread evenly", () => {
    const tenths = new Array<number>(10).fill(0);
    for (let n = 0; n < 20_000; n += 1) tenths[Math.floor(systemRng.next() * 10)]! += 1;
    // 2,000 of each, with a standard deviation of 42.
    for (const count of tenths) assert.ok(Math.abs(count - 2000) < 300, `${tenths}`);
  });
});
