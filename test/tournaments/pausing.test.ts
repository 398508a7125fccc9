import assert from "node:assert/strict";
import { LOBBY_TOPIC } from "../../src/actors/runtime/Actor.ts";
import { ScoreJournal } from "../../src/actors/tournaments/ScoreJournal.ts";
import type { Database } from "../../src/entities/sql.ts";
import { type TournamentRecord, Tournaments } from "../../src/entities/tournaments/Tournament.ts";
import { MemoryLeaderboard } from "../../src/stores/tournaments/MemoryLeaderboard.ts";
import { ManualClock } from "../actors/simulation.ts";
import { openDatabase } from "../support/database.ts";
import { type Service, TournamentCluster } from "./TournamentCluster.ts";

const WHY = { operatorId: "op", reason: "the game's server is down" };
const MINUTE = 60_000;
const PAUSE = { ...WHY, ms: 5 * MINUTE };

/** Holds back what is to be committed while it is told to. */
class SlowJournal extends ScoreJournal {
  gate: Promise<void> | undefined;

  override async commit(...asked: Parameters<ScoreJournal["commit"]>) {
    await this.gate;
    return super.commit(...asked);
  }
}

describe("a tournament that is paused", () => {
  let database: Database;
  let clock: ManualClock;
  let cluster: TournamentCluster<ManualClock>;
  let journal: SlowJournal;
  let a: Service;
  let b: Service;

  beforeEach(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    clock = new ManualClock();
    cluster = new TournamentCluster(clock, database, new MemoryLeaderboard());
    cluster.plan = { startsAt: clock.now(), endsAt: clock.now() + 3 * MINUTE, graceMs: MINUTE };
    journal = new SlowJournal(database, clock);
    a = await cluster.join("a", { journal });
    b = await cluster.join("b");
    await clock.advance(100);
  });
  afterEach(() => database.close());

  const within = <T>(work: Promise<T>): Promise<T> => cluster.within(work, 200);
  const pause = (at = a) => within(cluster.actor(at).pause(PAUSE));
  const resume = (at = a) => within(cluster.actor(at).resume(WHY));
  const stored = async (): Promise<TournamentRecord> => (await new Tournaments(database).get("t"))!;
  const near = (one: number, other: number): void => assert.ok(Math.abs(one - other) < 1000, `${one - other} ms apart`);

  it("takes no score on any node, but answers one that it had taken, and shows its standings, the lost board's too", async () => {
    const first = await a.submit("ann", "s1", 5);
    const status = await pause();
    near(status.pausedAt!, clock.now());
    await assert.rejects(a.submit("ann", "s2", 6), {
      code: "paused",
      details: { pausedAt: status.pausedAt, resumesAt: status.resumesAt },
    });
    await assert.rejects(b.submit("bob", "s1", 6), { code: "paused" });
    await assert.rejects(b.begin("bob"), { code: "paused" });
    assert.deepEqual(await a.submit("ann", "s1", 5), first);
    await cluster.lose();
    await clock.advance(10_000);
    const { rows } = await cluster.within(b.service.standings("t", { limit: 100 }));
    assert.deepEqual(
      rows.map(({ playerId }) => playerId),
      ["ann"],
    );
    assert.equal(b.row.shown, "ann");
    await resume();
    assert.equal((await b.submit("bob", "s1", 6)).rank, 1);
  });

  it("is given back the time: its end and its grace come later by as long as it was paused", async () => {
    const { endsAt } = await stored();
    await pause();
    await clock.advance(2 * MINUTE);
    await resume();
    near((await stored()).endsAt, endsAt + 2 * MINUTE);
    await clock.advance(endsAt + 2 * MINUTE - clock.now() - 5000);
    await a.submit("ann", "s1", 5, { joinedAt: clock.now() });
    await clock.advance(20_000);
    const { phase, phaseEndsAt } = await stored();
    assert.equal(phase, "grace");
    await pause();
    await clock.advance(2 * MINUTE);
    await resume();
    assert.equal((await a.submit("ann", "s2", 6)).best, 6);
    near((await stored()).phaseEndsAt, phaseEndsAt + 2 * MINUTE);
    near((await stored()).endsAt, endsAt + 2 * MINUTE);
    await clock.advance(2 * MINUTE);
    assert.equal((await stored()).phase, "settled");
  });

  it("goes on by itself when its longest time is over, also after its node died", async () => {
    const { endsAt } = await stored();
    const owner = a.node.actors.residents > 0 ? a : b;
    const other = owner === a ? b : a;
    await pause();
    await owner.node.crash();
    await clock.advance(PAUSE.ms - MINUTE);
    await assert.rejects(other.submit("ann", "s1", 5), { code: "paused" });
    await clock.advance(2 * MINUTE);
    await other.submit("ann", "s1", 5);
    near((await stored()).endsAt, endsAt + PAUSE.ms);
  });

  it("takes what was under way when it began fully or not at all", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    journal.gate = promise;
    const submitting = a.submit("ann", "s1", 5);
    submitting.catch(() => {});
    await clock.advance(50);
    await pause();
    resolve();
    journal.gate = undefined;
    await assert.rejects(submitting, { code: "paused" });
    assert.deepEqual(await cluster.committed(), []);
    await clock.advance(MINUTE);
    assert.equal(a.row.shown, "", "what was decided and is not committed is not shown for long");
    await resume();
    assert.equal((await a.submit("ann", "s1", 5)).entries, 1);
    assert.deepEqual(await cluster.committed(), [["ann", 1, "s1"]]);
  });

  it("takes nothing through a node that has heard neither of the pause nor of its end", async () => {
    const deaf = await cluster.join("c", { feed: new (cluster.feed.constructor as new () => typeof cluster.feed)() });
    await pause();
    await assert.rejects(deaf.submit("ann", "s1", 5), { code: "paused" });
    assert.deepEqual(await cluster.committed(), []);
    await resume();
    await deaf.submit("ann", "s1", 5);
    assert.deepEqual(await cluster.committed(), [["ann", 1, "s1"]]);
  });

  it("is told so: the lobby, the list and whoever reads its row; and can be cancelled, ended and extended", async () => {
    const { endsAt } = await stored();
    const status = await pause();
    const { events } = await cluster.feed.read(LOBBY_TOPIC, undefined);
    assert.deepEqual(events.at(-1)!.data, status);
    assert.equal((await new Tournaments(database).list())[0]!.pausedAt, status.pausedAt);
    await within(cluster.actor(a).extend(MINUTE));
    await clock.advance(4 * MINUTE);
    await assert.rejects(a.submit("ann", "s1", 5), { code: "paused" });
    await resume();
    near((await stored()).endsAt, endsAt + 5 * MINUTE);
    await pause();
    await within(cluster.actor(a).end());
    assert.deepEqual([(await stored()).phase, (await stored()).pauses], ["grace", 4]);
    await pause();
    assert.equal((await within(cluster.actor(a).cancel())).pausedAt, undefined);
    await clock.advance(2 * PAUSE.ms);
    assert.equal((await stored()).phase, "cancelled");
  });

  it("is refused what does not fit: a pause of one that is not running or paused already, an end of none", async () => {
    await assert.rejects(resume(), { code: "conflict" });
    await pause();
    await assert.rejects(pause(), { code: "paused" });
    await within(cluster.actor(a).cancel());
    await assert.rejects(pause(), { code: "wrong_phase" });
  });
});
