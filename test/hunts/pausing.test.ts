import assert from "node:assert/strict";
import { AssignmentJournal } from "../../src/actors/hunts/AssignmentJournal.ts";
import { HuntActor } from "../../src/actors/hunts/HuntActor.ts";
import type { HuntSolution, SolveAnswer } from "../../src/actors/hunts/HuntService.ts";
import { type ClueCard, HuntView } from "../../src/actors/hunts/HuntView.ts";
import { LOBBY_TOPIC } from "../../src/actors/runtime/Actor.ts";
import { eventChanges } from "../../src/entities/events/EventChange.ts";
import { type HuntRecord, Hunts } from "../../src/entities/hunts/Hunt.ts";
import { type Service, ServiceCluster } from "./ServiceCluster.ts";

const WHY = { operatorId: "op", reason: "the riddle is being asked about" };
const MINUTE = 60_000;
const PAUSE = { ...WHY, ms: 5 * MINUTE };
const PLAN = { solvingMs: 3 * MINUTE, clueTtlMs: MINUTE, revealMs: 0, repeat: 5 };

/** Holds back what is to be committed while it is told to. */
class SlowJournal extends AssignmentJournal {
  gate: Promise<void> | undefined;

  override async commit(...asked: Parameters<AssignmentJournal["commit"]>) {
    await this.gate;
    return super.commit(...asked);
  }
}

describe("a hunt that is paused", () => {
  let cluster: ServiceCluster;
  let journal: SlowJournal;
  let a: Service;
  let b: Service;

  beforeEach(async () => {
    cluster = await ServiceCluster.open();
    cluster.plan = PLAN;
    journal = new SlowJournal(cluster.database, cluster.clock);
    a = await cluster.join("a", { journal });
    b = await cluster.join("b");
  });
  afterEach(() => cluster.database.close());

  const hunt = (at: Service = a) => at.node.actors.ref(HuntActor, "h");
  const within = <T>(work: Promise<T>): Promise<T> => cluster.within(work, 200);
  const pause = () => within(hunt().pause(PAUSE));
  const resume = () => within(hunt().resume(WHY));
  const stored = async (): Promise<HuntRecord> => (await new Hunts(cluster.database).get("h"))!;
  const now = (): number => cluster.clock.now();
  const near = (one: number, other: number): void => assert.ok(Math.abs(one - other) < 1000, `${one - other} ms apart`);
  const player = (playerId: string) => ({ playerId, name: playerId.toUpperCase() });
  const solve = (at: Service, playerId: string, solution: HuntSolution): Promise<SolveAnswer> =>
    cluster.within(at.service.solve(at.hunt, player(playerId), solution));
  const answerOf = ({ prompt }: ClueCard): string => (prompt.startsWith("It turns") ? "lighthouse" : "twelve");

  async function clue(at: Service, playerId: string): Promise<ClueCard> {
    const answer = await at.claim(playerId);
    assert.ok("assignmentId" in answer, JSON.stringify(answer));
    return answer;
  }

  it("gives and takes nothing, on any node, and says since when and until when at the latest", async () => {
    const card = await clue(a, "ann");
    await pause();
    const pausedAt = now();
    for (const refused of [
      a.claim("bob"),
      b.claim("cid"),
      solve(a, "ann", { assignmentId: card.assignmentId, answer: answerOf(card) }),
      cluster.within(a.service.giveBack(a.hunt, "ann", card.assignmentId)),
    ])
      await assert.rejects(refused, ({ code, details }: { code: string; details: Record<string, number> }) => {
        near(details.pausedAt!, pausedAt);
        near(details.resumesAt!, pausedAt + PAUSE.ms);
        return code === "paused";
      });
    await resume();
    assert.deepEqual(
      (await solve(a, "ann", { assignmentId: card.assignmentId, answer: answerOf(card) })).correct,
      true,
    );
    await clue(b, "cid");
  });

  it("shows its standings all the same, also where the ledger has lost them", async () => {
    const card = await clue(a, "ann");
    await solve(a, "ann", { assignmentId: card.assignmentId, answer: answerOf(card) });
    await pause();
    const standing = { rank: 1, points: card.points };
    assert.deepEqual(await cluster.within(a.service.standing(a.hunt, "ann")), standing);
    // Whoever loaded it last has the right to do so for some seconds.
    await cluster.clock.advance(5000);
    await cluster.lose();
    const c = await cluster.join("c");
    await cluster.clock.advance(1000);
    assert.deepEqual(c.row.top, ["ann"]);
    assert.deepEqual(await cluster.within(b.service.standing(b.hunt, "ann")), standing);
    await resume();
    const next = await clue(c, "ann");
    assert.equal((await solve(c, "ann", { assignmentId: next.assignmentId, answer: answerOf(next) })).total, 15);
  });

  it("is given back the time: its end, and those of clues, come later by as long as it was paused", async () => {
    const { phaseEndsAt } = await stored();
    const card = await clue(a, "ann");
    await pause();
    await cluster.clock.advance(2 * MINUTE);
    assert.deepEqual(a.row.revoked, [], "no clue runs out");
    await resume();
    near((await stored()).phaseEndsAt, phaseEndsAt + 2 * MINUTE);
    const again = await clue(a, "ann");
    assert.equal(again.assignmentId, card.assignmentId);
    near(again.expiresAt, card.expiresAt + 2 * MINUTE);
    await cluster.clock.advance(MINUTE - 5000);
    assert.deepEqual(a.row.revoked, []);
    await cluster.clock.advance(10_000);
    assert.deepEqual(a.row.revoked, [["ann", card.assignmentId]]);
    await cluster.clock.advance(phaseEndsAt + 2 * MINUTE - now() - 5000);
    assert.equal((await stored()).phase, "solving");
    await cluster.clock.advance(10_000);
    assert.equal((await stored()).phase, "finished");
  });

  it("gives back the time of a player's rest between clues", async () => {
    await cluster.database.write("DELETE FROM hunts");
    await cluster.database.close();
    cluster = await ServiceCluster.open();
    cluster.plan = { ...PLAN, cooldownMs: 30_000 };
    a = await cluster.join("a");
    const card = await clue(a, "ann");
    await solve(a, "ann", { assignmentId: card.assignmentId, answer: answerOf(card) });
    await pause();
    await cluster.clock.advance(MINUTE);
    await resume();
    await assert.rejects(a.claim("ann"), ({ code, details }: { code: string; details: { retryAfterMs: number } }) => {
      near(details.retryAfterMs, 30_000);
      return code === "rate_limited";
    });
  });

  it("goes on by itself when its longest time is over, also after its node died", async () => {
    const { phaseEndsAt } = await stored();
    const owner = a.node.actors.residents > 0 ? a : b;
    const other = owner === a ? b : a;
    await pause();
    await owner.node.crash();
    await cluster.clock.advance(PAUSE.ms - MINUTE);
    await assert.rejects(other.claim("ann"), { code: "paused" });
    await cluster.clock.advance(2 * MINUTE);
    await clue(other, "ann");
    near((await stored()).phaseEndsAt, phaseEndsAt + PAUSE.ms);
    assert.deepEqual(
      (await eventChanges(cluster.database, "hunts", "h", 10)).map(({ kind }) => kind),
      ["pause"],
    );
  });

  it("takes what was under way when it began fully or not at all", async () => {
    const card = await clue(a, "ann");
    const { promise, resolve } = Promise.withResolvers<void>();
    journal.gate = promise;
    const solution = { assignmentId: card.assignmentId, answer: answerOf(card), requestId: "r1" };
    const solving = solve(a, "ann", solution);
    const claiming = a.claim("bob");
    for (const underWay of [solving, claiming]) underWay.catch(() => {});
    await cluster.clock.advance(50);
    await pause();
    resolve();
    journal.gate = undefined;
    await assert.rejects(solving, { code: "paused" });
    await assert.rejects(claiming, { code: "paused" });
    const [counted] = await cluster.database.query<{ n: unknown }>(
      "SELECT COUNT(*) AS n FROM hunt_assignments WHERE outcome = 1 OR player_id = 'bob'",
    );
    assert.equal(Number(counted!.n), 0);
    await resume();
    assert.deepEqual(await solve(a, "ann", solution), {
      correct: true,
      points: card.points,
      total: card.points,
      attemptsLeft: 2,
    });
    await clue(a, "bob");
  });

  it("has nothing decided by a node that has heard neither of the pause nor of its end", async () => {
    const deaf = await cluster.join("c", { feed: cluster.deaf() });
    const card = await clue(deaf, "ann");
    await pause();
    await assert.rejects(deaf.claim("bob"), { code: "paused" });
    await cluster.clock.advance(2 * MINUTE);
    await resume();
    await clue(a, "cid");
    await assert.rejects(solve(deaf, "ann", { assignmentId: card.assignmentId, answer: "no" }), { code: "paused" });
    await cluster.clock.advance(1000);
    assert.deepEqual(a.row.revoked, [], "by its clock the clue has run out");
    assert.equal((await solve(a, "ann", { assignmentId: card.assignmentId, answer: "no" })).attemptsLeft, 2);
  });

  it("is told so: rooms, the lobby, its row and whoever comes late; and late news change nothing", async () => {
    const before = await stored();
    const status = await pause();
    near(status.pausedAt!, now());
    const { events } = await cluster.feed.read(LOBBY_TOPIC, undefined);
    assert.deepEqual(events.at(-1)!.data, status);
    const [listed] = await new Hunts(cluster.database).list();
    assert.deepEqual([listed!.pausedAt, listed!.resumesAt], [status.pausedAt, status.resumesAt]);
    const table = new HuntView(await stored());
    assert.equal(table.isPaused, true);
    table.moveTo({ phase: "solving", endsAt: before.phaseEndsAt });
    assert.equal(table.isPaused, true);
    assert.equal((await resume()).pausedAt, undefined);
    assert.equal(new HuntView(await stored()).isPaused, false);
  });

  it("can be cancelled, ended and extended", async () => {
    const { phaseEndsAt } = await stored();
    await pause();
    await within(hunt().extend(MINUTE));
    await cluster.clock.advance(4 * MINUTE);
    await assert.rejects(a.claim("ann"), { code: "paused" });
    await resume();
    near((await stored()).phaseEndsAt, phaseEndsAt + 5 * MINUTE);
    await pause();
    assert.equal((await within(hunt().end())).phase, "finished");
    assert.deepEqual([(await stored()).pausing?.pausedAt, (await stored()).pauses], [undefined, 4]);
  });

  it("can be cancelled, and nothing wakes it again", async () => {
    await pause();
    assert.deepEqual((await within(hunt().cancel())).pausedAt, undefined);
    await cluster.clock.advance(2 * PAUSE.ms);
    assert.equal((await stored()).phase, "cancelled");
  });

  it("is refused what does not fit: a pause of one that is not running or paused already, an end of none", async () => {
    await assert.rejects(resume(), { code: "conflict" });
    await pause();
    await assert.rejects(pause(), { code: "paused" });
    await resume();
    await within(hunt().end());
    await assert.rejects(pause(), { code: "wrong_phase" });
  });
});
