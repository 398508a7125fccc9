import assert from "node:assert/strict";
import type { ClueCard } from "../../src/actors/hunts/HuntView.ts";
import { Hunts, type Winner } from "../../src/entities/hunts/Hunt.ts";
import { someHunt } from "../hunts/someHunt.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { clientOf, type Player } from "../support/RingmasterNode.ts";
import { Hunter, muteSdk, Visitor } from "../support/Visitor.ts";
import { placesOf, recount } from "./supportHuntHistory.ts";
import { HuntCluster } from "./supportHunts.ts";
import type { Place } from "./supportNodes.ts";

const CLUE = { type: "riddle", prompt: "It turns all night.", answers: ["lighthouse"], points: 10 };

/** What the issue allows between the death of a node and the end of its listings. */
const DELISTED_WITHIN_MS = 10_000;
/** What it allows between the return of Redis and the first join. */
const JOINS_WITHIN_MS = 5000;

describe("a hunt across nodes", function () {
  this.timeout(120_000);
  muteSdk();
  let cluster: HuntCluster;

  before(async () => {
    cluster = await HuntCluster.open(3);
  });
  after(() => cluster.close());

  /** One clue, held by the first player; all others wait, in order, each on another node than the one before. */
  async function queue(
    count: number,
  ): Promise<{ huntId: string; players: Player[]; hunters: Hunter[]; card: ClueCard }> {
    const huntId = await cluster.create(someHunt({ repeat: 1, attempts: 1, clues: [CLUE] }));
    const players = await cluster.signIn(count);
    const hunters = await cluster.seat(huntId, players);
    const card = await hunters[0]!.clue();
    for (const [at, hunter] of hunters.slice(1).entries()) {
      assert.deepEqual(await hunter.claim(), { waiting: true, position: at + 1 });
    }
    return { huntId, players, hunters, card };
  }

  it("serves those who wait in order of arrival, and pushes the clue to whatever node they are on", async () => {
    const { hunters, card } = await queue(12);
    let { assignmentId } = card;
    for (const [at, hunter] of hunters.entries()) {
      await hunter.solve(assignmentId, "no idea");
      for (const later of hunters.slice(at + 2)) assert.deepEqual(later.unread("clue"), [], "nobody overtakes");
      const next = hunters[at + 1];
      if (next) ({ assignmentId } = await next.message<ClueCard>("clue"));
    }
    assert.equal(assignmentId, "0.12");
  });

  it("shows everybody the same counts and standings", async () => {
    const huntId = await cluster.create(someHunt());
    const hunters = await cluster.seat(huntId, await cluster.signIn(6));
    for (const hunter of hunters) {
      const { assignmentId, clueId } = await hunter.clue();
      await hunter.solve(assignmentId, ["lighthouse", "twelve"][Number(clueId)]!);
    }
    await hunters[0]!.clue();
    const rows = await recount(cluster.database, huntId, 10);
    for (const { room } of hunters) {
      await until(() => room.state.solved === 6 && room.state.open === 1, {
        timeoutMs: DEADLINE_MS,
        what: "all is counted",
      });
      assert.deepEqual(placesOf(room.state.top.toJSON() as Winner[]), rows);
      assert.equal(room.state.players, 6);
    }
  });

  it("lets players join, claim and solve again soon after Redis is back without its data", async () => {
    const huntId = await cluster.create(someHunt());
    const players = await cluster.signIn(6);
    const hunters = await cluster.seat(huntId, players.slice(0, 3));
    const cards = await Promise.all(hunters.map((hunter) => hunter.clue()));
    await cluster.redis.kill();
    await assert.rejects(hunters[0]!.claim(), { code: "unavailable" });
    for (const { node } of cluster.up) {
      await until(async () => (await node.get("/readyz")).status === 503, {
        timeoutMs: DEADLINE_MS,
        what: "the node is not ready",
      });
    }
    await cluster.redis.restart();
    const joined = await Promise.all(
      cluster.up.map(({ url }, at) =>
        until(() => Hunter.join(clientOf(url, players[3 + at]!.token), huntId), {
          timeoutMs: JOINS_WITHIN_MS,
          what: `a player joins by ${url}`,
        }),
      ),
    );
    for (const { node } of cluster.up) {
      await until(async () => (await node.get("/readyz")).status === 200, {
        timeoutMs: DEADLINE_MS,
        what: "the node is ready",
      });
    }
    for (const [at, hunter] of hunters.entries())
      assert.deepEqual(await hunter.clue(), cards[at], "the clue is still open");
    const fresh = await Promise.all(joined.map((hunter) => hunter.clue()));
    const ids = [...cards, ...fresh].map(({ assignmentId }) => assignmentId);
    assert.equal(new Set(ids).size, 6, "nobody has what another has");
    const lobby = await Visitor.join(clientOf(cluster.node.url, players[0]!.token), "lobby");
    await until(() => [...lobby.room.state.on].some(({ id }) => id === huntId), {
      timeoutMs: DEADLINE_MS,
      what: "it is on",
    });
  });

  it("tells of its end also on a node that was stopped meanwhile, and whose news Redis has lost", async () => {
    const huntId = await cluster.create(someHunt());
    const hunters = await cluster.seat(huntId, await cluster.signIn(3));
    const owner = await cluster.ownerOf("hunt", huntId);
    // Nobody asks anything of the one that is stopped: neither the operator, who is on the first, nor a player.
    const stopped = cluster.up[2] === owner ? 1 : 2;
    const [hunter, sleeper] = [hunters[0]!, hunters[stopped]!];
    const { assignmentId, clueId } = await hunter.clue();
    await hunter.solve(assignmentId, ["lighthouse", "twelve"][Number(clueId)]!);
    const { program } = cluster.up[stopped]!.node;
    await hunter.message("phase");
    let chest: { winners: Winner[] };
    program.signal("SIGSTOP");
    try {
      // The first event still reaches the reader that waits for it, stopped or not; what comes after has nobody to go to.
      await cluster.act(huntId, "extend", { ms: 1000 });
      await hunter.message("phase");
      await cluster.act(huntId, "end");
      chest = await hunter.message<{ winners: Winner[] }>("chest");
      await cluster.redis.kill();
      await cluster.redis.restart();
    } finally {
      program.signal("SIGCONT");
    }
    assert.deepEqual(await sleeper.message("chest"), chest);
    await sleeper.message("phase", ({ phase }: { phase: string }) => phase === "reveal");
    assert.equal(sleeper.heard.filter(({ type }) => type === "chest").length, 1);
  });

  it("loses nothing when a node drains: answers under way arrive, then all leave with 4001 and go on elsewhere", async () => {
    const huntId = await cluster.create(someHunt({ winners: 100 }));
    const players = await cluster.signIn(30);
    const hunters = await cluster.seat(huntId, players);
    const cards = await Promise.all(hunters.map((hunter) => hunter.clue()));
    const [place, other] = cluster.up;
    const leavers = hunters.filter((_, at) => at % 3 === 0);

    // A lock on the hunt's row holds the commit of what is being answered, and so the end of the drain.
    const { answered, readiness } = await whileLocked(huntId, async () => {
      const underWay = Promise.all(
        leavers.map((hunter, at) => hunter.solve(cards[3 * at]!.assignmentId, "lighthouse or twelve")),
      );
      underWay.catch(() => {});
      await until(() => isWaitingForLock(), { timeoutMs: DEADLINE_MS, what: "the answers are being committed" });
      place!.node.program.signal("SIGTERM");
      await place!.node.program.line("draining", (line) => (line.includes('"draining"') ? true : undefined));
      return { answered: underWay, readiness: await place!.node.get<{ ready: boolean }>("/readyz") };
    });
    assert.deepEqual([readiness.status, readiness.body.ready], [503, false]);
    for (const answer of await answered) assert.deepEqual([answer.correct, answer.attemptsLeft], [false, 2]);
    assert.deepEqual(new Set(await Promise.all(leavers.map(({ left }) => left))), new Set([4001]));
    assert.deepEqual(await place!.node.program.exited, { code: 0, signal: null });

    const back = await Promise.all(
      leavers.map((_, at) => Hunter.join(clientOf(other!.url, players[3 * at]!.token), huntId)),
    );
    for (const [at, hunter] of back.entries()) {
      assert.deepEqual(await hunter.clue(), { ...cards[3 * at], attemptsLeft: 2 }, "the clue is still open");
      const right = ["lighthouse", "twelve"][Number(cards[3 * at]!.clueId)]!;
      assert.equal((await hunter.solve(cards[3 * at]!.assignmentId, right)).attemptsLeft, 1, "the wrong answer counts");
    }
    await cluster.act(huntId, "end");
    const { winners } = await back[0]!.message<{ winners: Winner[] }>("chest");
    assert.deepEqual(placesOf(winners), await recount(cluster.database, huntId, 100));
    assert.equal(winners.length, 10);
    assert.deepEqual((await new Hunts(cluster.database).get(huntId))!.winners, winners);
  });

  it("keeps the places of those who wait on a node that drains", async () => {
    const { huntId, hunters, players, card } = await queue(5);
    const [place, other] = cluster.up;
    const first = cluster.up.length === 3 ? 3 : 2;
    place!.node.program.signal("SIGTERM");
    await Promise.all([hunters[0]!.left, hunters[first]!.left]);
    const back = await Hunter.join(clientOf(other!.url, players[first]!.token), huntId);
    assert.deepEqual(await back.claim(), { waiting: true, position: first });
    const holder = await Hunter.join(clientOf(other!.url, players[0]!.token), huntId);
    assert.equal((await holder.clue()).assignmentId, card.assignmentId);
    assert.deepEqual(await place!.node.program.exited, { code: 0, signal: null });
    await place!.start();
  });

  describe("when a node dies", () => {
    let staged: Awaited<ReturnType<typeof queue>>;
    let victim: Place;

    before(async () => {
      staged = await queue(4);
      // The first and the third of those who wait are on the second node.
      victim = cluster.up[1]!;
      assert.equal((await listed()).length, 1);
      await victim.node.kill();
      await Promise.all([staged.hunters[1]!.left, staged.hunters[3]!.left]);
    });

    const listed = async () =>
      (await cluster.roomsOf(staged.huntId)).filter(({ publicAddress }) => publicAddress === victim.address);

    it("lets those who wait be back on another with their places kept", async () => {
      const { huntId, hunters, players, card } = staged;
      const [one, three] = await Promise.all(
        [1, 3].map((at) => Hunter.join(clientOf(cluster.node.url, players[at]!.token), huntId)),
      );
      assert.deepEqual(await three!.claim(), { waiting: true, position: 3 });
      assert.deepEqual(await one!.claim(), { waiting: true, position: 1 });
      let { assignmentId } = card;
      await hunters[0]!.solve(assignmentId, "no idea");
      for (const hunter of [one!, hunters[2]!, three!]) {
        ({ assignmentId } = await hunter.message<ClueCard>("clue"));
        await hunter.solve(assignmentId, "no idea");
      }
    });

    it("takes its rooms off the list", async () => {
      await until(async () => (await listed()).length === 0, {
        timeoutMs: DELISTED_WITHIN_MS,
        what: "nothing is listed",
      });
    });
  });

  /** Whether rows of some hunt wait for its lock to be committed. */
  async function isWaitingForLock(): Promise<boolean> {
    const sql = "SELECT 1 FROM information_schema.PROCESSLIST WHERE INFO LIKE 'SELECT ledger_epoch%' AND TIME_MS > 50";
    return (await cluster.database.query(sql)).length > 0;
  }

  /** Holds a lock on the hunt's row, without which nothing of it can be committed, while `work` runs. */
  async function whileLocked<T>(huntId: string, work: () => Promise<T>): Promise<T> {
    const tx = await cluster.database.begin();
    try {
      await tx.query("SELECT id FROM hunts WHERE id = ? FOR UPDATE", [huntId]);
      return await work();
    } finally {
      await tx.rollback();
    }
  }
});
