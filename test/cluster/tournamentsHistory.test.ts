import assert from "node:assert/strict";
import type { Order, ScoreOperator } from "../../src/entities/tournaments/Tournament.ts";
import {
  answerFaults,
  awardFaults,
  type Entry,
  entryFaults,
  hashOf,
  inventoryFaults,
  isPrizeOf,
  orderFaults,
  type Payment,
  type Rules,
  rankFaults,
  type Submission,
  standingsOf,
} from "./supportTournamentChecks.ts";

/** Entries of two players, right in every respect: one after the other, answered 5 ms after they were sent. */
function someHistory(): { submissions: Submission[]; entries: Entry[] } {
  const entries: Entry[] = [
    entry("ada", 1, 10, { best: 10, seq: 1, reachedSeq: 1, toldRank: 1 }),
    entry("bob", 1, 12, { best: 12, seq: 2, reachedSeq: 2, toldRank: 1 }),
    entry("ada", 2, 12, { best: 12, seq: 3, reachedSeq: 3, toldRank: 2 }),
    entry("bob", 2, 3, { best: 12, seq: 4, reachedSeq: 2, toldRank: 1 }),
    entry("ada", 3, 13, { best: 13, seq: 5, reachedSeq: 5, toldRank: 1 }),
  ];
  const submissions = entries.map(({ player, submissionId, score, subscore, toldRank, best, entryNo }, at) => ({
    ...{ player, submissionId, score, subscore, sentAt: 10 * at, answeredAt: 10 * at + 5 },
    answer: { rank: toldRank, best, entries: entryNo },
  }));
  return { submissions, entries };
}

function entry(
  player: string,
  entryNo: number,
  score: number,
  rest: Pick<Entry, "best" | "seq" | "reachedSeq" | "toldRank">,
): Entry {
  return { player, name: player, entryNo, submissionId: `s${entryNo}`, score, subscore: 0, bestSubscore: 0, ...rest };
}

const BEST: Rules = { operator: "best", order: "desc" };

const faultsOf = ({ submissions, entries }: ReturnType<typeof someHistory>): string[] => [
  ...answerFaults(submissions, entries),
  ...entryFaults(entries, BEST),
  ...orderFaults(submissions, entries),
  ...rankFaults(entries, BEST),
];

/** What each of these does to a history must be noticed. */
const FORGERIES: [string, (history: ReturnType<typeof someHistory>) => void, RegExp][] = [
  ["an answer that is not stored", ({ entries }) => entries.pop(), /ada's s3 was answered and is not stored/],
  ["an entry that nobody sent", ({ submissions }) => submissions.pop(), /ada's s3 was never sent/],
  [
    "an entry of another player's submission",
    ({ entries }) => Object.assign(entries[4]!, { player: "bob", entryNo: 3 }),
    /bob's s3 was never sent/,
  ],
  ["another score", ({ entries }) => Object.assign(entries[1]!, { score: 11 }), /sent with 12, and is stored with 11/],
  [
    "another answer",
    ({ submissions }) => Object.assign(submissions[2]!.answer!, { entries: 1 }),
    /ada's s2 was answered with/,
  ],
  [
    "an entry that was refused for good",
    ({ submissions }) => {
      const { answer: _, answeredAt: __, ...rest } = submissions.pop()!;
      submissions.push({ ...rest, refusal: "wrong_phase" });
    },
    /stored, and was refused as wrong_phase/,
  ],
  [
    "a submission counted twice",
    ({ entries }) =>
      entries.push(entry("bob", 3, 3, { best: 12, seq: 6, reachedSeq: 2, toldRank: 2 }), {
        ...entry("bob", 4, 3, { best: 12, seq: 7, reachedSeq: 2, toldRank: 2 }),
        submissionId: "s3",
      }),
    /bob's s3 is 2 entries/,
  ],
  ["a gap", ({ entries }) => entries.splice(2, 1), /ada's entry 2 is numbered 3/],
  [
    "a place in the order that two have",
    ({ entries }) => Object.assign(entries[3]!, { seq: 5 }),
    /bob's s2 and ada's s3 share seq 5/,
  ],
  ["a standing that is not the best", ({ entries }) => Object.assign(entries[3]!, { best: 3 }), /bob stands at/],
  ["a tie that was reached later", ({ entries }) => Object.assign(entries[3]!, { reachedSeq: 4 }), /bob stands at/],
  [
    "an order that is not that of the answers",
    ({ entries }) => {
      for (const [at, seq] of [2, 3, 1, 4, 5].entries()) entries[at]!.seq = seq;
    },
    /bob's s1 was answered before ada's s2 was sent, and is numbered after it/,
  ],
  [
    "a rank that was another's",
    ({ entries }) => Object.assign(entries[2]!, { toldRank: 1 }),
    /was rank 2, and is told 1/,
  ],
];

describe("what is checked of a tournament's history", () => {
  it("finds nothing wrong with a true one", () => assert.deepEqual(faultsOf(someHistory()), []));

  it("leaves open what became of a submission that was neither answered nor refused", () => {
    const { submissions, entries } = someHistory();
    const { answer: _, answeredAt: __, ...unheard } = submissions.pop()!;
    assert.deepEqual(faultsOf({ submissions: [...submissions, unheard], entries }), []);
    assert.deepEqual(faultsOf({ submissions: [...submissions, unheard], entries: entries.slice(0, -1) }), []);
  });

  for (const [what, forge, fault] of FORGERIES) {
    it(`finds ${what}`, () => {
      const history = someHistory();
      forge(history);
      assert.match(faultsOf(history).join("\n"), fault);
    });
  }

  it("ranks by score, subscore and who came first, as each operator has it", () => {
    const { entries } = someHistory();
    const ranked = (operator: ScoreOperator, order: Order) =>
      standingsOf(entries, { operator, order }).map(({ rank, playerId, score, entries: count }) => [
        ...[rank, playerId, score, count],
      ]);
    assert.deepEqual(ranked("best", "desc"), [
      [1, "ada", 13, 3],
      [2, "bob", 12, 2],
    ]);
    assert.deepEqual(ranked("best", "asc"), [
      [1, "bob", 3, 2],
      [2, "ada", 10, 3],
    ]);
    assert.deepEqual(ranked("last", "desc")[0], [1, "ada", 13, 3]);
    assert.deepEqual(ranked("sum", "asc")[0], [1, "bob", 15, 2]);
    const tied = [
      entry("bob", 1, 12, { best: 12, seq: 3, reachedSeq: 3, toldRank: 1 }),
      entry("ada", 1, 12, { best: 12, seq: 2, reachedSeq: 2, toldRank: 2 }),
      { ...entry("cid", 1, 12, { best: 12, seq: 4, reachedSeq: 4, toldRank: 1 }), subscore: 1, bestSubscore: 1 },
    ];
    assert.deepEqual(
      standingsOf(tied, BEST).map(({ playerId }) => playerId),
      ["cid", "ada", "bob"],
    );
  });

  it("hashes what is documented", () => {
    const prizes = [{ from: 1, to: 1, items: [{ item: "TICO", amount: "5" }] }];
    const head = { ...BEST, id: "t", game: "snake", startsAt: 1, endsAt: 2, prizes };
    // printf '%s\n' '{"id":"t","game":"snake",…}' '[1,"ada",1.5,0,2]' | sha256sum
    assert.equal(
      hashOf(head, [{ rank: 1, playerId: "ada", name: "Ada", score: 1.5, subscore: 0, entries: 2 }]),
      "0c2013b110891c7fcdaa91cdb4fc129ae752210947a1b568b8fe9bbb02953fe0",
    );
  });

  it("finds awards and inventories that are not what the prize table gives", () => {
    const table = [
      { from: 1, to: 1, items: [{ item: "TICO", amount: "5" }] },
      { from: 1, to: 2, items: [{ item: "TICO", amount: "2" }] },
    ];
    const standings = standingsOf(someHistory().entries, BEST);
    const due: Payment[] = [
      { player: "ada", item: "TICO", amount: 7n },
      { player: "bob", item: "TICO", amount: 2n },
    ];
    assert.deepEqual(awardFaults(standings, table, due), []);
    assert.deepEqual(awardFaults(standings, table, due.slice(1)), ["missing award: ada TICO 7"]);
    assert.deepEqual(awardFaults(standings, table, [...due, due[1]!]), ["award of nothing: bob TICO 2"]);
    assert.deepEqual(inventoryFaults([...due, due[1]!], [due[0]!, { ...due[1]!, amount: 4n }]), []);
    assert.deepEqual(inventoryFaults(due, [due[0]!, { ...due[1]!, amount: 4n }]), [
      "missing inventory: bob TICO 2",
      "inventory of nothing: bob TICO 4",
    ]);
    assert.equal(isPrizeOf([{ item: "TICO", amount: "7" }], 1, table), true);
    assert.equal(isPrizeOf([{ item: "TICO", amount: "5" }], 1, table), false);
    assert.equal(isPrizeOf([], 3, table), true);
  });
});
