import assert from "node:assert/strict";
import { HUNT_BOUNDS, type HuntDefinition, huntDefinition } from "../../src/actors/hunts/definition.ts";
import { RingmasterError } from "../../src/errors.ts";
import type { FieldComplaint } from "../../src/validate.ts";
import { validate } from "../../src/validate.ts";

function hunt(): HuntDefinition {
  return {
    name: "Harbour lights",
    startsAt: 1_800_000_000_000,
    discoveryMs: 0,
    solvingMs: 600_000,
    revealMs: 30_000,
    clueTtlMs: 60_000,
    attempts: 3,
    winners: 10,
    repeat: 1000,
    clues: [{ type: "riddle", prompt: "It turns all night.", answers: ["lighthouse"], points: 10 }],
  };
}

/** The hunt with one field replaced, at a path such as `clues.0.points`; `undefined` takes it out. */
function withField(path: string, value: unknown): unknown {
  const whole: Record<string, unknown> = structuredClone({ ...hunt() });
  const keys = path.split(".");
  const last = keys.pop()!;
  const parent = keys.reduce<Record<string, unknown>>((at, key) => at[key] as Record<string, unknown>, whole);
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return whole;
}

function complaints(input: unknown): FieldComplaint[] {
  try {
    validate(huntDefinition, input);
  } catch (error) {
    assert.ok(error instanceof RingmasterError);
    assert.equal(error.code, "invalid_payload");
    return error.details as FieldComplaint[];
  }
  return [];
}

const { longestMs } = HUNT_BOUNDS;

describe("A hunt's definition", () => {
  it("is taken as it is when all is well", () => {
    assert.deepEqual(validate(huntDefinition, hunt()), hunt());
    const clues = [{ ...hunt().clues[0]!, repeatable: true }];
    const more = { ...hunt(), clues, perPlayer: 5_000_000, cooldownMs: 0, endWhenExhausted: true };
    assert.deepEqual(validate(huntDefinition, more), more);
  });

  const bad: [string, unknown[]][] = [
    ["name", [undefined, 7, "", "   ", "x".repeat(81), "a\u202Eb", "a\nb", null]],
    ["startsAt", [undefined, "now", 1.5, 1_700_000_000, 4_102_444_800_001, -1, Number.NaN, Number.POSITIVE_INFINITY]],
    ["discoveryMs", [undefined, -1, 1, 999, longestMs + 1, "0", null]],
    ["solvingMs", [undefined, 0, 999, longestMs + 1, 1000.5]],
    ["revealMs", [undefined, -1, 999, longestMs + 1]],
    ["clueTtlMs", [undefined, 0, 999, longestMs + 1]],
    ["attempts", [undefined, 0, 21, 1.5]],
    ["winners", [undefined, 0, 101]],
    ["repeat", [undefined, 0, 1_000_001, 1.5]],
    ["perPlayer", [0, 5_000_001, 1.5, null]],
    ["cooldownMs", [-1, 999, longestMs + 1, "0", null]],
    ["endWhenExhausted", ["yes", 1, null]],
    ["clues.0.repeatable", ["yes", 1, null]],
    ["clues", [undefined, [], {}, "none", new Array(501).fill(hunt().clues[0])]],
    ["clues.0", [null, 5, "clue", []]],
    ["clues.0.type", [undefined, "", "Riddle", "a b", "x".repeat(25)]],
    ["clues.0.prompt", [undefined, "", "x".repeat(501), 4]],
    ["clues.0.answers", [undefined, [], "lighthouse", new Array(21).fill("a")]],
    ["clues.0.answers.0", ["", "  ", "x".repeat(101), 5, null]],
    ["clues.0.points", [undefined, 0, 10_001, "10", 2 ** 53]],
  ];
  for (const [path, values] of bad) {
    it(`names ${path} when it is bad`, () => {
      for (const value of values) {
        const found = complaints(withField(path, value)).map((complaint) => complaint.path);
        assert.equal(found[0], path, `${path} = ${JSON.stringify(value)}`);
        // Too many points or repetitions also break the bounds over the whole.
        assert.deepEqual(
          found.filter((other) => other !== "repeat" && other !== path),
          [],
        );
      }
    });
  }

  it("refuses fields it does not know, at every level", () => {
    for (const path of ["prize", "clues.0.hint"])
      assert.deepEqual(
        complaints(withField(path, 5)).map((complaint) => complaint.path),
        [path],
      );
  });

  it("refuses what is no object at all", () => {
    for (const input of [undefined, null, 5, "hunt", [], [hunt()]]) assert.equal(complaints(input).length, 1);
  });

  it("bounds instances and points over all repetitions", () => {
    const clue = { type: "riddle", prompt: "?", answers: ["a"], points: 1 };
    const many = { ...hunt(), clues: new Array(6).fill(clue), repeat: 1_000_000 };
    assert.match(complaints(many)[0]!.message, /5000000/);
    const dear = { ...hunt(), clues: [{ ...clue, points: HUNT_BOUNDS.points }] };
    assert.deepEqual(complaints({ ...dear, repeat: 53_687 }), []);
    assert.match(complaints({ ...dear, repeat: 53_688 })[0]!.message, /536870911/);
  });

  it("refuses answers that no player can send, though they have few characters", () => {
    const family = "\u{1F468}\u200D\u{1F469}\u200D\u{1F467}";
    const answered = (answer: string) => withField("clues.0.answers.0", answer);
    assert.deepEqual(complaints(answered(family.repeat(25))), []);
    const [complaint] = complaints(answered(`${family.repeat(25)}a`));
    assert.equal(complaint?.path, "clues.0.answers.0");
    assert.match(complaint!.message, /200 UTF-16 units/);
  });

  it("refuses prizes of ranks that nobody can win", () => {
    const items = [{ item: "TICO", amount: "1" }];
    const withPrizes = (to: number) => ({ ...hunt(), winners: 3, prizes: [{ from: 1, to, items }] });
    assert.deepEqual(complaints(withPrizes(3)), []);
    const [complaint] = complaints(withPrizes(4));
    assert.match(JSON.stringify(complaint), /prizes\.0\.to.*must be at most 3/);
  });

  it("takes what lies exactly on its bounds", () => {
    assert.deepEqual(complaints({ ...hunt(), name: "x".repeat(80), discoveryMs: longestMs, revealMs: 0 }), []);
    assert.deepEqual(complaints({ ...hunt(), solvingMs: 1000, clueTtlMs: 1000, attempts: 20, winners: 100 }), []);
  });

  it("complains at most twenty times, and never repeats an answer", () => {
    const clue = { type: "RIDDLE", prompt: "", answers: ["s3cret".repeat(100)], points: 0 };
    const found = complaints({ ...hunt(), clues: new Array(100).fill(clue) });
    assert.equal(found.length, 20);
    assert.doesNotMatch(JSON.stringify(found), /s3cret/);
  });
});
