import assert from "node:assert/strict";
import { awardsOf, judgeStart, nextBatchAt, partOf, QUEST_PARTS, sourceIdOf } from "../../src/actors/quests/rules.ts";

const ONCE = { repeatable: false, retiredAt: null };
const AGAIN = { repeatable: true, retiredAt: null };
const RETIRED = { repeatable: true, retiredAt: 5 };
const UNDER_WAY = { playerId: "ada", questId: "q", round: 2, startedAt: 1, dueAt: null };

describe("the rules of quests", () => {
  const past = (rounds: number, completions = 0, completedAt: number | null = null) => ({
    rounds,
    completions,
    completedAt,
  });
  const LIMITED = { ...AGAIN, cooldownMs: 100, maxRounds: 3 };
  const NOW = 10_000_000;

  type Start = Parameters<typeof judgeStart> extends [...infer Asked, number] ? Asked : never;
  const starts: Array<[string, Start, unknown]> = [
    ["a first start begins round 1", [ONCE, undefined, undefined], { kind: "begins", round: 1 }],
    ["one under way stays", [ONCE, UNDER_WAY, undefined], { kind: "underWay", progress: UNDER_WAY }],
    [
      "one under way stays when it is retired",
      [RETIRED, UNDER_WAY, undefined],
      { kind: "underWay", progress: UNDER_WAY },
    ],
    ["what lapsed begins again", [ONCE, undefined, past(2)], { kind: "begins", round: 3 }],
    ["what is done is done", [ONCE, undefined, past(1, 1, 5)], { kind: "done" }],
    ["a repeatable one begins again", [AGAIN, undefined, past(7, 7, 5)], { kind: "begins", round: 8 }],
    [
      "a repeatable one rests for an hour unless it says otherwise",
      [AGAIN, undefined, past(7, 7, NOW - 3_599_999)],
      { kind: "resting", until: NOW + 1 },
    ],
    ["and can be completed a thousand times", [AGAIN, undefined, past(1000, 1000, 5)], { kind: "done" }],
    ["one rests as long as it says", [LIMITED, undefined, past(1, 1, NOW - 99)], { kind: "resting", until: NOW + 1 }],
    ["and begins once it has", [LIMITED, undefined, past(1, 1, NOW - 100)], { kind: "begins", round: 2 }],
    ["rounds that lapsed are not counted", [LIMITED, undefined, past(5, 2, 5)], { kind: "begins", round: 6 }],
    ["one is done as often as it says", [LIMITED, undefined, past(5, 3, 5)], { kind: "done" }],
    ["a retired one is not to be started", [RETIRED, undefined, undefined], { kind: "unknown" }],
    ["nor one that there is not", [undefined, undefined, undefined], { kind: "unknown" }],
  ];
  for (const [name, args, decision] of starts) it(name, () => assert.deepEqual(judgeStart(...args, NOW), decision));

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
    assert.deepEqual([...counts.keys()].sort(), [...QUEST_PARTS]);
    for (const count of counts.values()) assert.ok(count > 1800 && count < 2200, `${count} of 8,000`);
  });
});
