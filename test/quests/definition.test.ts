import assert from "node:assert/strict";
import { questDefinition } from "../../src/actors/quests/definition.ts";
import { DEMO_QUESTS } from "../../src/actors/quests/demo.ts";
import type { FieldComplaint } from "../../src/validate.ts";
import { validate } from "../../src/validate.ts";
import { someQuest } from "./someQuest.ts";

describe("a quest's definition", () => {
  it("takes every check of the registry", () => {
    const conditions = [
      { check: "walletConnected", args: {} },
      { check: "exchangeChosen", args: {} },
      { check: "exchangeChosen", args: { exchange: "kraken" } },
      { check: "huntsSolved", args: { atLeast: 3 } },
      { check: "scoreReached", args: { atLeast: 1000 } },
    ];
    for (const condition of conditions) {
      const quest = someQuest({ condition });
      assert.deepEqual(validate(questDefinition, quest), quest);
    }
  });

  it("takes how long a repeatable one rests, and how often it can be completed", () => {
    const quest = someQuest({ repeatable: true, cooldownMs: 0, maxRounds: 10_000 });
    assert.deepEqual(validate(questDefinition, quest), quest);
  });

  it("is kept by the demo's quests", () => {
    for (const quest of DEMO_QUESTS) assert.deepEqual(validate(questDefinition, quest), quest);
  });

  const twice = [
    { item: "TICO", amount: "1" },
    { item: "TICO", amount: "2" },
  ];
  const faults: Array<[string, object, string]> = [
    ["an id with capitals", { id: "Wallet" }, "id"],
    ["an id that is too long", { id: "x".repeat(33) }, "id"],
    ["a title of nothing", { title: "  " }, "title"],
    ["a check that there is not", { condition: { check: "constructor", args: {} } }, "condition.check"],
    ["arguments of another check", { condition: { check: "huntsSolved", args: {} } }, "condition.args.atLeast"],
    ["arguments that nobody takes", { condition: { check: "walletConnected", args: { x: 1 } } }, "condition.args.x"],
    ["a number that is none", { condition: { check: "huntsSolved", args: { atLeast: 0 } } }, "condition.args.atLeast"],
    ["a delay before now", { delayMs: -1 }, "delayMs"],
    ["a delay of more than 30 days", { delayMs: 31 * 86_400_000 }, "delayMs"],
    ["a rest of one that is done once", { cooldownMs: 1000 }, "cooldownMs"],
    ["rounds of one that is done once", { maxRounds: 2 }, "maxRounds"],
    ["more rounds than there may be", { repeatable: true, maxRounds: 10_001 }, "maxRounds"],
    ["an amount that is a number", { rewards: [{ item: "TICO", amount: 5 }] }, "rewards.0.amount"],
    ["an item named twice", { rewards: twice }, "rewards"],
    ["a field that there is not", { bonus: 1 }, "bonus"],
  ];
  for (const [name, change, path] of faults) {
    it(`refuses ${name}`, () => {
      assert.throws(
        () => validate(questDefinition, { ...someQuest(), ...change }),
        (error: { code: string; details: FieldComplaint[] }) =>
          error.code === "invalid_payload" && error.details[0]!.path === path,
      );
    });
  }
});
