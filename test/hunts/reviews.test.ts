import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { FiguresReader } from "../../src/actors/hunts/FiguresReader.ts";
import { HuntActor } from "../../src/actors/hunts/HuntActor.ts";
import { HuntOperations } from "../../src/actors/hunts/HuntOperations.ts";
import { LOBBY_TOPIC } from "../../src/actors/runtime/Actor.ts";
import { seededRng } from "../../src/clock.ts";
import { eventChanges } from "../../src/entities/events/EventChange.ts";
import { Hunts } from "../../src/entities/hunts/Hunt.ts";
import { PrizeLedger } from "../../src/entities/prizes/PrizeLedger.ts";
import { type Service, ServiceCluster } from "./ServiceCluster.ts";

const WHY = { operatorId: "op", reason: "somebody was very fast" };
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const PRIZES = [{ from: 1, to: 2, items: [{ item: "TICO", amount: "50" }] }];
const PLAN = { solvingMs: MINUTE, clueTtlMs: MINUTE, revealMs: MINUTE, repeat: 1, winners: 2, prizes: PRIZES };

describe("a hunt whose result is to be reviewed", () => {
  let cluster: ServiceCluster;
  let a: Service;
  let b: Service;

  afterEach(() => cluster.database.close());

  async function open(change: object = {}): Promise<void> {
    cluster = await ServiceCluster.open();
    cluster.plan = { ...PLAN, ...change };
    a = await cluster.join("a");
    b = await cluster.join("b");
  }

  const hunt = (at: Service = a) => at.node.actors.ref(HuntActor, "h");
  const within = <T>(work: Promise<T>): Promise<T> => cluster.within(work, 200);
  const stored = async () => (await new Hunts(cluster.database).get("h"))!;
  const hold = (at: Service = a) => within(hunt(at).hold(WHY));
  const release = (at: Service = a) => within(hunt(at).release(WHY));
  const held = (playerId: string) => new PrizeLedger(cluster.database, seededRng(1)).inventory(playerId);
  const results = () => cluster.database.query("SELECT player_id FROM hunt_results");
  const changes = async () =>
    (await eventChanges(cluster.database, "hunts", "h", 10)).map(({ kind }) => kind).toReversed();

  /** One of the two clues is solved by ann, who has its points. */
  async function play(): Promise<void> {
    const card = await a.claim("ann");
    assert.ok("assignmentId" in card);
    const answer = card.prompt.startsWith("It turns") ? "lighthouse" : "twelve";
    const player = { playerId: "ann", name: "ANN" };
    await cluster.within(a.service.solve(a.hunt, player, { assignmentId: card.assignmentId, answer }));
  }

  async function untilOver(): Promise<void> {
    await cluster.clock.advance(MINUTE + 5000);
  }

  let leaps = 0;

  /** Lets time go by with nobody there, which is fast, and has another node come. */
  async function leap(ms: number): Promise<void> {
    for (const { leave, node } of new Set([a, b])) {
      leave();
      await node.crash();
    }
    await cluster.clock.advance(ms);
    a = await cluster.join(`late${leaps++}`);
    b = a;
    await cluster.clock.advance(5000);
  }

  function review(at: Service = a) {
    const { database, clock, ledger } = cluster;
    const figures = new FiguresReader({ database, clock });
    const hunts = new Hunts(database);
    const ports = { actors: at.node.actors, hunts, ledger, figures, database, rng: seededRng(1) };
    return within(new HuntOperations(ports).review("h"));
  }

  it("pays nothing, reveals nothing and stores no result of a player's before an operator releases it", async () => {
    await open({ review: true });
    await play();
    await untilOver();
    await cluster.clock.advance(5 * MINUTE);
    const { phase, winners, figures, reviewSince } = await stored();
    assert.deepEqual([phase, winners], ["solving", null]);
    assert.ok(reviewSince! > 0);
    assert.deepEqual(figures, {
      players: 1,
      solved: 1,
      standings: [{ rank: 1, playerId: "ann", name: "ANN", points: 10 }],
    });
    assert.deepEqual([await held("ann"), await results()], [[], []]);
    assert.deepEqual([a.row.chests, b.row.chests], [[], []]);
    await release();
    await cluster.clock.advance(5000);
    assert.equal((await stored()).phase, "reveal");
    assert.deepEqual(await held("ann"), [{ item: "TICO", amount: "50" }]);
    assert.equal((await results()).length, 1);
    assert.equal(a.row.chests.length, 1);
    assert.deepEqual((await stored()).reviewSince, null);
    await cluster.clock.advance(MINUTE - 10_000);
    assert.equal((await stored()).phase, "reveal", "the reveal has its full length");
    await cluster.clock.advance(10_000);
    assert.equal((await stored()).phase, "finished");
    assert.deepEqual(await changes(), ["release"]);
  });

  it("shows operators what would be paid: ranks, prizes, their sums and the hash of the result", async () => {
    await open({ review: true });
    const nothing = { since: null, resultHash: null, players: 0, winners: [], totals: [] };
    assert.deepEqual(await review(), { orderedBy: "definition", ...nothing });
    await play();
    await untilOver();
    const { startsAt, reviewSince } = await stored();
    const head = { id: "h", startsAt, prizes: PRIZES };
    const lines = [JSON.stringify(head), JSON.stringify([1, "ann", 10])];
    const prizes = [{ item: "TICO", amount: "50" }];
    const resultHash = createHash("sha256")
      .update(`${lines.join("\n")}\n`)
      .digest("hex");
    assert.deepEqual(await review(b), {
      ...{ orderedBy: "definition", since: reviewSince, resultHash, players: 1 },
      winners: [{ rank: 1, playerId: "ann", name: "ANN", points: 10, prizes }],
      totals: prizes,
    });
    await release();
    assert.deepEqual(await review(), { orderedBy: null, ...nothing });
  });

  it("tells rooms, the lobby, its row and whoever comes late that it is under review", async () => {
    await open({ review: true });
    await play();
    await untilOver();
    const { reviewSince } = await stored();
    assert.deepEqual([a.hunt.reviewSince, b.hunt.reviewSince], [reviewSince, reviewSince]);
    assert.deepEqual(b.row.top, ["ann"]);
    const late = await cluster.join("c");
    assert.equal(late.hunt.reviewSince, reviewSince);
    await cluster.clock.advance(1000);
    assert.deepEqual(late.row.top, ["ann"]);
    assert.deepEqual(await cluster.within(late.service.standing(late.hunt, "ann")), { rank: null, points: 10 });
    const [listed] = await new Hunts(cluster.database).list();
    assert.equal(listed!.reviewSince, reviewSince);
    const { events } = await cluster.feed.read(LOBBY_TOPIC, undefined);
    assert.equal((events.at(-1)!.data as { reviewSince: number }).reviewSince, reviewSince);
    await release();
    await cluster.clock.advance(1000);
    assert.deepEqual([a.hunt.reviewSince, late.hunt.reviewSince], [undefined, undefined]);
    assert.deepEqual(await cluster.within(late.service.standing(late.hunt, "ann")), { rank: 1, points: 10 });
  });

  it("takes and gives nothing while it is held", async () => {
    await open({ review: true });
    await play();
    await untilOver();
    await assert.rejects(a.claim("bob"), { code: "wrong_phase" });
    for (const refused of [() => hunt().end(), () => hunt().extend(1000), () => hunt().pause({ ...WHY, ms: 1000 })])
      await assert.rejects(within(refused()), { code: "wrong_phase" });
    await assert.rejects(within(hunt().rebuild()), { code: "wrong_phase" });
  });

  it("stays held when the node that it lives on dies, and is paid once by whoever has it then", async () => {
    await open({ review: true });
    await play();
    await untilOver();
    const owner = a.node.actors.residents > 0 ? a : b;
    const other = owner === a ? b : a;
    await owner.node.crash();
    await cluster.clock.advance(MINUTE);
    assert.deepEqual([(await stored()).phase, await held("ann")], ["solving", []]);
    await cluster.within(hunt(other).release(WHY));
    await cluster.clock.advance(5000);
    assert.equal((await stored()).phase, "reveal");
    await assert.rejects(release(other), { code: "wrong_phase" });
    assert.deepEqual(await held("ann"), [{ item: "TICO", amount: "50" }]);
  });

  it("is held by an operator's word, before it begins or while it runs, and paid as usual where that is taken back in time", async () => {
    await open();
    await hold();
    await assert.rejects(hold(), { code: "conflict" });
    await release();
    await assert.rejects(release(), { code: "conflict" });
    await play();
    await hold();
    await untilOver();
    assert.ok((await stored()).reviewSince);
    await release();
    await cluster.clock.advance(5000);
    assert.deepEqual(await held("ann"), [{ item: "TICO", amount: "50" }]);
    await assert.rejects(hold(), { code: "wrong_phase" });
    assert.deepEqual(await changes(), ["hold", "release", "hold", "release"]);
  });

  it("answers an operator who asks again by the same id as the first time", async () => {
    await open();
    const again = () => a.node.actors.ref(HuntActor, "h", { requestId: "r1" });
    const first = await within(again().hold(WHY));
    assert.deepEqual(await within(again().hold(WHY)), first);
    assert.deepEqual(await changes(), ["hold"]);
  });

  it("is cancelled instead, and nobody is paid", async () => {
    await open({ review: true });
    await play();
    await untilOver();
    const status = await within(hunt().cancel());
    assert.deepEqual([status.phase, status.prizes, status.reviewSince], ["cancelled", "unpaid", undefined]);
    await leap(48 * HOUR);
    const { phase, winners, reviewSince, figures } = await stored();
    assert.deepEqual([phase, winners, reviewSince, figures!.players], ["cancelled", null, null, 1]);
    assert.deepEqual([await held("ann"), await results()], [[], []]);
    await assert.rejects(release(), { code: "wrong_phase" });
  });

  it("goes by a corrected definition, but for what an operator has ordered", async () => {
    cluster = await ServiceCluster.open();
    cluster.plan = { ...PLAN, review: true };
    cluster.isStarted = false;
    a = await cluster.join("a");
    const { definition } = await stored();
    const ordered = async () => (await within(hunt().review())).orderedBy;
    await within(hunt().correct({ ...definition, review: false }, WHY));
    assert.equal(await ordered(), null);
    await hold();
    await within(hunt().correct({ ...definition, review: false }, WHY));
    assert.equal(await ordered(), "operator");
  });

  it("is counted as forgotten once a day has gone by, and each hour from then on, until it is released", async () => {
    await open({ review: true });
    await play();
    await untilOver();
    await leap(23 * HOUR);
    assert.equal(cluster.reviewsOverdue, 0);
    await leap(HOUR);
    assert.equal(cluster.reviewsOverdue, 1);
    await leap(HOUR);
    await leap(HOUR);
    assert.equal(cluster.reviewsOverdue, 3);
    await release();
    await leap(5 * HOUR);
    assert.equal(cluster.reviewsOverdue, 3);
  });
});
