import assert from "node:assert/strict";
import { AssignmentJournal } from "../../src/actors/hunts/AssignmentJournal.ts";
import type { HuntDefinition } from "../../src/actors/hunts/definition.ts";
import type { SolveAnswer } from "../../src/actors/hunts/HuntService.ts";
import type { ClueCard } from "../../src/actors/hunts/HuntView.ts";
import type { CommitResult } from "../../src/entities/journaling.ts";
import { RingmasterError } from "../../src/errors.ts";
import { type Service, ServiceCluster } from "./ServiceCluster.ts";

const ASKED_AGAIN_MS = 16_000;
const CLUES: HuntDefinition["clues"] = [
  { type: "riddle", prompt: "It turns all night.", answers: ["lighthouse"], points: 10 },
  { type: "sum", prompt: "Three boats of four oars.", answers: ["twelve"], points: 5 },
];
const RIGHT = ["lighthouse", "twelve"];
const NOTHING = { waiting: true, position: 0, exhausted: true };

/** A journal whose database can be out of reach. */
class FailingJournal extends AssignmentJournal {
  isDown = false;

  override async commit(...parts: Parameters<AssignmentJournal["commit"]>): Promise<CommitResult> {
    if (this.isDown) throw new RingmasterError("unavailable");
    return super.commit(...parts);
  }
}

describe("a hunt's services are fair", () => {
  let cluster: ServiceCluster;
  let a: Service;
  let b: Service;

  beforeEach(async () => {
    cluster = await ServiceCluster.open();
  });
  afterEach(() => cluster.database.close());

  async function begin(plan: Partial<HuntDefinition>, journal?: AssignmentJournal): Promise<void> {
    cluster.plan = { clues: CLUES, ...plan };
    a = await cluster.join("a", journal && { journal });
    b = await cluster.join("b");
    await cluster.clock.advance(1000);
  }

  async function clue(service: Service, playerId: string): Promise<ClueCard> {
    const card = await service.claim(playerId);
    assert.ok("assignmentId" in card, JSON.stringify(card));
    return card;
  }

  const solve = (
    service: Service,
    playerId: string,
    { assignmentId }: ClueCard,
    answer: string,
    requestId?: string,
  ): Promise<SolveAnswer> =>
    cluster.within(
      service.service.solve(service.hunt, { playerId, name: playerId }, { assignmentId, answer, requestId }),
    );

  /** The ledger forgets everything, and is loaded from the database by whoever asks next. */
  const lose = () => cluster.lose();

  it("with attempts that bind their guesser on every node, and after the ledger was lost", async () => {
    await begin({ attempts: 2 });
    const first = await clue(a, "ann");
    assert.equal(first.attemptsLeft, 2);
    assert.equal((await solve(a, "ann", first, "no idea")).attemptsLeft, 1);
    await lose();
    assert.equal((await clue(b, "ann")).attemptsLeft, 1);
    assert.equal((await solve(b, "ann", first, "no idea")).attemptsLeft, 0);
    await lose();
    const other = await clue(b, "ann");
    assert.notEqual(other.clueId, first.clueId);
    await solve(b, "ann", other, RIGHT[Number(other.clueId)]!);
    await lose();
    assert.deepEqual(await a.claim("ann"), NOTHING);
    assert.equal((await clue(a, "bob")).assignmentId, "0.2", "what she lost is others' to have");
  });

  it("with attempts that an expiry does not bring back, of another instance of the same clue either", async () => {
    await begin({ attempts: 2, clues: [CLUES[0]!], clueTtlMs: 5000 });
    const first = await clue(a, "ann");
    await solve(a, "ann", first, "no idea");
    await cluster.clock.advance(6000);
    await lose();
    const second = await clue(b, "ann");
    assert.deepEqual([second.assignmentId, second.attemptsLeft], ["1.1", 1]);
    assert.equal((await solve(b, "ann", second, "no idea")).attemptsLeft, 0);
    assert.deepEqual(await b.claim("ann"), NOTHING);
  });

  it("with each clue once to who solves it, unless it is repeatable", async () => {
    await begin({ clues: [CLUES[0]!, { ...CLUES[1]!, repeatable: true }] });
    const seen: string[] = [];
    for (let round = 0; round < 4; round += 1) {
      const card = await clue(a, "ann");
      seen.push(card.clueId);
      assert.equal((await solve(a, "ann", card, RIGHT[Number(card.clueId)]!)).correct, true);
      await lose();
    }
    assert.deepEqual(seen, ["0", "1", "1", "1"]);
  });

  it("with so many clues for each player, and a pause between them, as it is defined", async () => {
    await begin({ perPlayer: 2, cooldownMs: 5000 });
    const first = await clue(a, "ann");
    await solve(a, "ann", first, RIGHT[Number(first.clueId)]!);
    await lose();
    await assert.rejects(b.claim("ann"), ({ code, details }: { code: string; details: { retryAfterMs: number } }) => {
      assert.equal(code, "rate_limited");
      assert.ok(details.retryAfterMs > 0 && details.retryAfterMs <= 5000);
      return true;
    });
    await cluster.clock.advance(5000);
    const second = await clue(b, "ann");
    await solve(b, "ann", second, RIGHT[Number(second.clueId)]!);
    await cluster.clock.advance(5000);
    assert.deepEqual(await b.claim("ann"), NOTHING);
  });

  it("with one attempt for an answer that is sent twice, on any node, and after the ledger was lost", async () => {
    await begin({ attempts: 3 });
    const card = await clue(a, "ann");
    const first = await solve(a, "ann", card, "no idea", "first");
    assert.deepEqual(first, { correct: false, points: 0, total: 0, attemptsLeft: 2 });
    assert.deepEqual(await solve(b, "ann", card, "no idea", "first"), first);
    await lose();
    assert.deepEqual(await solve(b, "ann", card, "another", "first"), first, "the id is what counts");
    const second = await solve(b, "ann", card, "no idea", "second");
    assert.equal(second.attemptsLeft, 1);
    const right = await solve(b, "ann", card, RIGHT[Number(card.clueId)]!, "third");
    assert.deepEqual(right, { correct: true, points: 10, total: 10, attemptsLeft: 0 });
    await lose();
    for (const [requestId, answer] of [
      ["first", first],
      ["second", second],
      ["third", right],
    ] as const)
      assert.deepEqual(await solve(a, "ann", card, "no idea", requestId), answer);
    const next = await clue(a, "ann");
    assert.equal((await solve(a, "ann", next, "no idea", "first")).attemptsLeft, 2, "ids are an assignment's own");
  });

  it("with one attempt for an answer whose commit failed, and that is then sent again", async () => {
    const journal = new FailingJournal(cluster.database, cluster.clock);
    await begin({ attempts: 3 }, journal);
    const card = await clue(a, "ann");
    journal.isDown = true;
    await assert.rejects(solve(a, "ann", card, "no idea", "first"), { code: "unavailable" });
    journal.isDown = false;
    assert.equal((await solve(a, "ann", card, "no idea", "first")).attemptsLeft, 2);
    await lose();
    assert.equal((await clue(b, "ann")).attemptsLeft, 2, "and it is committed");
  });

  it("and tells who waits, wherever they are, when nothing will be theirs any more", async () => {
    await begin({ clues: [CLUES[0]!], repeat: 1 });
    const only = await clue(a, "ann");
    assert.deepEqual(await b.claim("bob"), { waiting: true, position: 1 });
    await solve(a, "ann", only, "lighthouse");
    await cluster.clock.advance(1000);
    assert.deepEqual(b.row.exhausted, ["bob"]);
    await cluster.clock.advance(ASKED_AGAIN_MS);
    assert.deepEqual(b.row.exhausted, ["bob"], "and once");
    assert.deepEqual([a.row.phases, b.row.phases], [[], []], "the hunt goes on as planned");
  });

  it("and tells who waits that nothing will be theirs also while there is something left for others", async () => {
    await begin({ attempts: 1, repeat: 1 });
    const first = await clue(a, "ann");
    await solve(a, "ann", first, "no idea");
    const second = await clue(b, "bob");
    assert.deepEqual([first.clueId, second.clueId], ["0", "0"]);
    const third = await clue(a, "cid");
    assert.deepEqual(await a.claim("ann"), { waiting: true, position: 1 });
    await solve(a, "cid", third, RIGHT[1]!);
    await cluster.clock.advance(ASKED_AGAIN_MS);
    assert.deepEqual(a.row.exhausted, ["ann"], "bob has what she has lost");
  });

  it("and end solving as soon as all is solved and committed, where that is wanted", async () => {
    const journal = new FailingJournal(cluster.database, cluster.clock);
    await begin({ repeat: 1, endWhenExhausted: true }, journal);
    const [first, second] = [await clue(a, "ann"), await clue(b, "bob")];
    journal.isDown = true;
    await assert.rejects(solve(a, "ann", first, RIGHT[0]!, "x"), { code: "unavailable" });
    await solve(b, "bob", second, RIGHT[1]!);
    await cluster.clock.advance(2000);
    assert.deepEqual(b.row.phases, [], "one answer is decided, and not committed");
    journal.isDown = false;
    assert.equal((await solve(a, "ann", first, RIGHT[0]!, "x")).correct, true);
    await cluster.clock.advance(2000);
    assert.deepEqual([a.row.phases, b.row.phases], [["reveal"], ["reveal"]]);
    assert.deepEqual(
      a.row.chests.at(-1)?.map(({ playerId, points }) => [playerId, points]),
      [
        ["ann", 10],
        ["bob", 5],
      ],
    );
  });
});
