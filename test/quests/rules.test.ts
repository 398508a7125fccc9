import assert from "node:assert/strict";
import { awardsOf, judgeStart, nextBatchAt, PARTS, partOf, sourceIdOf } from "../../src/actors/quests/rules.ts";

const ONCE = { repeatable: false, retiredAt: null };
const AGAIN = { repeatable: true, retiredAt: null };
const RETIRED = { repeatable: true, retiredAt: 5 };
const UNDER_WAY = { playerId: "ada", questId: "q", round: 2, startedAt: 1, dueAt: null };

describe("the rules of quests", () => {
  const starts: Array<[string, Parameters<typeof judgeStart>, unknown]> = [
    ["a first start begins round 1", [ONCE, undefined, undefined], { kind: "begins", round: 1 }],
    ["one under way stays", [ONCE, UNDER_WAY, undefined], { kind: "underWay", progress: UNDER_WAY }],
    [
      "one under way stays when it is retired",
      [RETIRED, UNDER_WAY, undefined],
      { kind: "underWay", progress: UNDER_WAY },
    ],
    ["what lapsed begins again", [ONCE, undefined, { rounds: 2, wasCompleted: false }], { kind: "begins", round: 3 }],
    ["what is done is done", [ONCE, undefined, { rounds: 1, wasCompleted: true }], { kind: "done" }],
    [
      "a repeatable one begins again",
      [AGAIN, undefined, { rounds: 7, wasCompleted: true }],
      { kind: "begins", round: 8 },
    ],
    ["a retired one is not to be started", [RETIRED, undefined, undefined], { kind: "unknown" }],
    ["nor one that there is not", [undefined, undefined, undefined], { kind: "unknown" }],
  ];
  for (const [name, args, verdict] of starts) it(name, () => assert.deepEqual(judgeStart(...args), verdict));

  const sources: Array<[string, boolean, number, string]> = [
    ["a quest that is done once is paid under its id, whatever the round", false, 3, "q"],
    ["a repeatable one under its id and round", true, 3, "q#3"],
  ];
  for (const [name, repeatable, round, id] of sources)
    it(name, () => assert.equal(sourceIdOf({ id: "q", repeatable }, round), id));

  it("gives each reward as one award", () => {
    const quest = {
      id: "q",
      repeatable: true,
      rewards: [
        { item: "TICO", amount: "50" },
        { item: "PRIVATE_PASS", amount: "1" },
      ],
    };
    const common = { source: "quest", sourceId: "q#2", playerId: "ada" };
    assert.deepEqual(awardsOf(quest, UNDER_WAY), [
      { ...common, item: "TICO", amount: 50n },
      { ...common, item: "PRIVATE_PASS", amount: 1n },
    ]);
  });

  it("keeps every source id within the ledger's column", () => {
    assert.ok(sourceIdOf({ id: "q".repeat(32), repeatable: true }, 2 ** 31 - 1).length <= 64);
  });

  const batches: Array<[string, [number, number, boolean], number]> = [
    ["what is due later is completed when it is due", [5000, 1000, false], 5000],
    ["what is due within the gap waits for company", [1001, 1000, false], 1050],
    ["what was due long ago waits for the gap too", [500, 1000, false], 1050],
    ["a full batch is followed at once", [500, 1000, true], 1000],
  ];
  for (const [name, args, at] of batches) it(name, () => assert.equal(nextBatchAt(...args), at));

  it("spreads players over all parts", () => {
    const counts = new Map<string, number>();
    for (let at = 0; at < 8000; at++) {
      const part = partOf(`player-${at}`);
      counts.set(part, (counts.get(part) ?? 0) + 1);
    }
    assert.deepEqual([...counts.keys()].sort(), [...PARTS]);
    for (const count of counts.values()) assert.ok(count > 1800 && count < 2200, `${count} of 8,000`);
  });
});
