import assert from "node:assert/strict";
import { AssignmentJournal, standings } from "../../src/actors/hunts/AssignmentJournal.ts";
import { HuntActor } from "../../src/actors/hunts/HuntActor.ts";
import type { SolveAnswer } from "../../src/actors/hunts/HuntService.ts";
import { roomsTopic } from "../../src/actors/runtime/Actor.ts";
import { databaseTime } from "../../src/entities/databaseTime.ts";
import { Hunts } from "../../src/entities/hunts/Hunt.ts";
import type { CommitResult } from "../../src/entities/journaling.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";
import type { AssignmentRow } from "../../src/stores/hunts/ClueLedger.ts";
import { LossyFeed } from "../support/LossyFeed.ts";
import { type Service, ServiceCluster } from "./ServiceCluster.ts";

/** Waiting players ask again after this at the latest, in milliseconds. */
const ASKED_AGAIN_MS = 16_000;

describe("the services of a hunt on several nodes", () => {
  let cluster: ServiceCluster;
  let a: Service;
  let b: Service;

  beforeEach(async () => {
    cluster = await ServiceCluster.open();
  });
  afterEach(() => cluster.database.close());

  const playerOf = (playerId: string) => ({ playerId, name: playerId.toUpperCase() });
  const solve = (service: Service, playerId: string, assignmentId: string, answer: string): Promise<SolveAnswer> =>
    cluster.within(service.service.solve(service.hunt, playerOf(playerId), { assignmentId, answer }));
  const giveUp = (service: Service, playerId: string, assignmentId: string): Promise<SolveAnswer> =>
    solve(service, playerId, assignmentId, "no idea");
  const given = ({ row }: Service): [string, string][] =>
    row.clues.map(([playerId, { assignmentId }]) => [playerId, assignmentId]);

  describe("serve those who wait", () => {
    // One clue, which ann has.
    beforeEach(async () => {
      cluster.plan = { repeat: 1, attempts: 1, clues: [{ type: "riddle", prompt: "?", answers: ["yes"], points: 10 }] };
      a = await cluster.join("a");
      b = await cluster.join("b");
      await cluster.clock.advance(1000);
      assert.ok("assignmentId" in (await a.claim("ann")));
    });

    it("wherever they are, in the order in which they came", async () => {
      for (const [service, player, position] of [
        [b, "bob", 1],
        [a, "cid", 2],
        [b, "dot", 3],
      ] as const) {
        assert.deepEqual(await service.claim(player), { waiting: true, position });
      }
      await giveUp(a, "ann", "0.1");
      await giveUp(b, "bob", "0.2");
      await giveUp(a, "cid", "0.3");
      assert.deepEqual(given(b), [
        ["bob", "0.2"],
        ["dot", "0.4"],
      ]);
      assert.deepEqual(given(a), [["cid", "0.3"]]);
    });

    it("also when the word of it is lost on the way: their node asks again for them", async () => {
      await b.claim("bob");
      b.node.bus.cut = true;
      await giveUp(a, "ann", "0.1");
      await cluster.clock.advance(100);
      b.node.bus.cut = false;
      assert.deepEqual(given(b), []);
      await cluster.clock.advance(2 * ASKED_AGAIN_MS);
      assert.deepEqual(given(b), [["bob", "0.2"]], "and once, however often it asks");
    });

    it("also when the one who was to tell them has died: their node asks again as soon as it is known", async () => {
      await b.claim("bob");
      a.node.bus.cut = true;
      await giveUp(a, "ann", "0.1");
      await a.node.crash();
      await cluster.clock.advance(5000);
      assert.deepEqual(given(b), [["bob", "0.2"]]);
    });

    it("also when the ledger is lost with its queue: their nodes ask again as soon as it is rebuilt", async () => {
      await b.claim("bob");
      await cluster.lose();
      await a.claim("cid");
      await cluster.clock.advance(1000);
      await giveUp(a, "ann", "0.1");
      await cluster.clock.advance(1000);
      const [served] = [...given(a), ...given(b)];
      assert.equal(served?.[1], "0.2");
      await giveUp(served![0] === "bob" ? b : a, served![0], "0.2");
      assert.deepEqual([...given(a), ...given(b)].map(([player]) => player).sort(), ["bob", "cid"]);
    });

    it("and none of those who have left for good", async () => {
      await b.claim("bob");
      await b.claim("cid");
      b.row.players.delete("bob");
      await cluster.within(b.service.queue.forget(b.hunt, "bob"));
      await giveUp(a, "ann", "0.1");
      assert.deepEqual(given(b), [["cid", "0.2"]]);
      await cluster.clock.advance(ASKED_AGAIN_MS);
      assert.deepEqual(await a.claim("dot"), { waiting: true, position: 1 });
    });

    it("once they are back from a drop, with what came up meanwhile", async () => {
      await b.claim("bob");
      b.row.players.delete("bob");
      b.service.queue.away(b.hunt, "bob");
      await giveUp(a, "ann", "0.1");
      await cluster.clock.advance(ASKED_AGAIN_MS);
      assert.deepEqual(given(b), []);
      b.row.players.add("bob");
      b.service.queue.back(b.hunt, playerOf("bob"));
      await cluster.clock.advance(100);
      assert.deepEqual(given(b), [["bob", "0.2"]]);
    });

    it("once they are back from a drop, with the place that they had", async () => {
      await b.claim("bob");
      b.row.players.delete("bob");
      b.service.queue.away(b.hunt, "bob");
      await a.claim("cid");
      b.row.players.add("bob");
      b.service.queue.back(b.hunt, playerOf("bob"));
      await cluster.clock.advance(100);
      await giveUp(a, "ann", "0.1");
      assert.deepEqual(given(b), [["bob", "0.2"]]);
    });

    it("where they have gone, and the seat that they left behind takes no place from them", async () => {
      await b.claim("bob");
      b.row.players.delete("bob");
      b.service.queue.away(b.hunt, "bob");
      assert.deepEqual(await a.claim("bob"), { waiting: true, position: 1 });
      await cluster.clock.advance(2 * ASKED_AGAIN_MS);
      await cluster.within(b.service.queue.forget(b.hunt, "bob"));
      assert.deepEqual(await a.claim("cid"), { waiting: true, position: 2 });
      await giveUp(a, "ann", "0.1");
      assert.deepEqual(given(a), [["bob", "0.2"]]);
      assert.deepEqual(given(b), []);
    });

    it("on every node on which they are, and leaving one of them changes nothing, whichever it is", async () => {
      for (const [stays, leaves] of [
        [a, b],
        [b, a],
      ] as const) {
        const [name, next] = stays === a ? ["bob", "cid"] : ["dot", "eve"];
        stays.row.players.add(name);
        await leaves.claim(name);
        await stays.claim(next);
        await cluster.clock.advance(100);
        leaves.row.players.delete(name);
        await cluster.within(leaves.service.queue.forget(leaves.hunt, name));
        assert.deepEqual(await stays.claim(name), { waiting: true, position: 1 });
        const [holder, id] = stays === a ? ["ann", "0.1"] : ["cid", "0.3"];
        await giveUp(a, holder, id);
        assert.deepEqual(given(stays).at(-1)?.[0], name);
        await giveUp(stays, name, given(stays).at(-1)![1]);
      }
    });

    it("on a node on which they come in while they wait on another", async () => {
      await b.claim("bob");
      a.row.players.add("bob");
      await cluster.within(a.service.queue.attend(a.hunt, playerOf("bob")));
      b.row.players.delete("bob");
      await cluster.within(b.service.queue.forget(b.hunt, "bob"));
      await giveUp(a, "ann", "0.1");
      assert.deepEqual(given(a), [["bob", "0.2"]]);
    });

    it("but not for a node on which they were and that has died", async () => {
      await a.claim("bob");
      await b.claim("bob");
      await b.claim("cid");
      await a.node.crash();
      await cluster.clock.advance(5000);
      b.row.players.delete("bob");
      await cluster.within(b.service.queue.forget(b.hunt, "bob"));
      assert.deepEqual(await b.claim("cid"), { waiting: true, position: 1 });
    });

    it("and nobody whose node has died, who keep their place until they are back", async () => {
      await b.claim("bob");
      await a.claim("cid");
      await a.claim("dot");
      await b.node.crash();
      await cluster.clock.advance(5000);
      await giveUp(a, "ann", "0.1");
      assert.deepEqual(given(a), [["cid", "0.2"]], "bob is first, and not there");
      assert.deepEqual(await a.claim("bob"), { waiting: true, position: 1 });
      await giveUp(a, "cid", "0.2");
      assert.deepEqual(given(a).at(-1), ["bob", "0.3"]);
    });

    it("and nobody whose node has died and who do not come back in time, who lose their place", async () => {
      await b.claim("bob");
      await a.claim("cid");
      await b.node.crash();
      await cluster.clock.advance(5000);
      assert.deepEqual(await a.claim("cid"), { waiting: true, position: 2 });
      await cluster.clock.advance(35_000);
      assert.deepEqual(await a.claim("cid"), { waiting: true, position: 1 });
    });

    it("with what somebody gives back, who may have it again as long as they have not answered it wrong", async () => {
      await b.claim("bob");
      const giveBack = (service: Service, playerId: string, id: string) =>
        cluster.within(service.service.giveBack(service.hunt, playerId, id));
      assert.deepEqual(await giveBack(a, "ann", "0.1"), { returned: true });
      assert.deepEqual(given(b), [["bob", "0.2"]]);
      assert.deepEqual(a.row.revoked, [["ann", "0.1"]]);
      await cluster.lose();
      assert.deepEqual(await giveBack(b, "ann", "0.1"), { returned: true }, "the same again changes nothing");
      await assert.rejects(giveBack(a, "ann", "0.2"), { code: "unknown_assignment" });
      assert.deepEqual(await a.claim("ann"), { waiting: true, position: 1 });
      await giveBack(b, "bob", "0.2");
      assert.deepEqual(given(a), [["ann", "0.3"]]);
    });

    it("and none of those who have left the queue, on any node, until they claim again", async () => {
      b.row.players.add("bob");
      await a.claim("bob");
      await b.claim("cid");
      await cluster.clock.advance(100);
      assert.deepEqual(await cluster.within(a.service.queue.quit(a.hunt, "bob")), { left: true });
      assert.deepEqual([a.row.quit, b.row.quit], [["bob"], ["bob"]]);
      await cluster.clock.advance(2 * ASKED_AGAIN_MS);
      await giveUp(a, "ann", "0.1");
      assert.deepEqual(given(b), [["cid", "0.2"]]);
      assert.deepEqual(await b.claim("bob"), { waiting: true, position: 1 });
    });

    it("in whichever of a node's rooms they are", async () => {
      await b.claim("bob");
      b.row.players.delete("bob");
      b.service.queue.away(b.hunt, "bob");
      const other = await cluster.another(b);
      await other.claim("bob");
      await cluster.within(b.service.queue.forget(b.hunt, "bob"));
      await giveUp(a, "ann", "0.1");
      assert.deepEqual(given(other), [["bob", "0.2"]]);
    });
  });

  describe("keep what they have acknowledged", () => {
    it("when the ledger is lost in the middle: open clues, attempts and points", async () => {
      a = await cluster.join("a");
      const first = await a.claim("ann");
      assert.ok("assignmentId" in first);
      assert.equal((await solve(a, "ann", first.assignmentId, "lighthouse")).total, 10);
      const card = await a.claim("ann");
      assert.ok("assignmentId" in card);
      await giveUp(a, "ann", card.assignmentId);
      await cluster.lose();
      assert.deepEqual(await a.claim("ann"), { ...card, attemptsLeft: 2 });
      const { attemptsLeft, total } = await giveUp(a, "ann", card.assignmentId);
      assert.deepEqual([attemptsLeft, total], [1, 10]);
    });

    /** A right answer that the ledger has taken and that is committed only after the winners were stored. */
    async function answerTooLate(journal: HeldJournal): Promise<{ answer: Promise<SolveAnswer>; isFinal: boolean }> {
      a = await cluster.join("a", { journal });
      const card = await a.claim("ann");
      assert.ok("assignmentId" in card);
      const release = journal.hold();
      const answer = a.service.solve(a.hunt, playerOf("ann"), {
        assignmentId: card.assignmentId,
        answer: "lighthouse",
      });
      answer.catch(() => {});
      await cluster.clock.advance(10);
      await cluster.within(a.node.actors.ref(HuntActor, "h").end());
      release();
      await cluster.within(Promise.allSettled([answer]));
      const { winners } = (await new Hunts(cluster.database).get("h"))!;
      const counted = await standings(cluster.database, "h", 3);
      const names = (rows: readonly { playerId: string }[]): string[] => rows.map(({ playerId }) => playerId);
      return { answer, isFinal: names(winners!).join() === names(counted).join() };
    }

    it("and acknowledge nothing once the winners are stored", async () => {
      const { answer, isFinal } = await answerTooLate(new HeldJournal(cluster.database, cluster.clock));
      await assert.rejects(answer, { code: "wrong_phase" });
      assert.equal(isFinal, true);
    });

    it("and acknowledge nothing after the end of solving while the hunt's actor lives nowhere", async () => {
      a = await cluster.join("a");
      b = await cluster.join("b");
      const card = await a.claim("ann");
      assert.ok("assignmentId" in card);
      const ended = (await databaseTime(cluster.database)) - 1;
      await cluster.database.write("UPDATE hunts SET phase_ends_at = ? WHERE id = 'h'", [ended]);
      for (const late of [() => solve(a, "ann", card.assignmentId, "a lighthouse"), () => b.claim("bob")])
        await assert.rejects(late, { code: "wrong_phase", message: "Solving is over." });
      assert.deepEqual(await standings(cluster.database, "h", 10), []);
    });

    it("for which the epoch of the ledger is there: without it, points come after the winners", async () => {
      const { answer, isFinal } = await answerTooLate(new UnfencedJournal(cluster.database, cluster.clock));
      assert.equal((await answer).correct, true);
      assert.equal(isFinal, false);
    });
  });

  describe("know the phase", () => {
    it("also when the word of it was lost, once they look it up", async () => {
      a = await cluster.join("a");
      const deaf = await cluster.join("b", { feed: new MemoryFeed() });
      await cluster.clock.advance(1000);
      await cluster.within(a.node.actors.ref(HuntActor, "h").end());
      assert.deepEqual([a.row.phases, deaf.row.phases], [["reveal"], []]);
      a.service.refresh();
      deaf.service.refresh();
      await cluster.clock.advance(100);
      assert.deepEqual([a.row.phases, deaf.row.phases], [["reveal"], ["reveal"]], "who knew is not told again");
      assert.deepEqual([a.row.chests, deaf.row.chests], [[[]], [[]]]);
      await assert.rejects(deaf.claim("ann"), { code: "wrong_phase" });
    });

    it("which only goes forward: a word of one that is over, which comes late, is left out", async () => {
      a = await cluster.join("a");
      await cluster.clock.advance(1000);
      await cluster.within(a.node.actors.ref(HuntActor, "h").end());
      const late = {
        key: "late",
        topic: roomsTopic(HuntActor, "h"),
        at: 0,
        type: "phase",
        data: { phase: "solving", endsAt: 1 },
      };
      await cluster.within(cluster.feed.append([late]));
      assert.deepEqual(a.row.phases, ["reveal"]);
      await assert.rejects(a.claim("ann"), { code: "wrong_phase", message: /is in reveal/ });
    });
  });

  it("look up the phase when their feed may have lost the word of it", async () => {
    const feed = new LossyFeed();
    const deaf = await cluster.join("b", { feed });
    await cluster.clock.advance(1000);
    await cluster.within(deaf.node.actors.ref(HuntActor, "h").end());
    assert.deepEqual(deaf.row.phases, []);
    feed.lose();
    await cluster.clock.advance(100);
    assert.deepEqual(deaf.row.phases, ["reveal"]);
  });

  it("show how the hunt stands also when the word of it was lost, once they look it up", async () => {
    a = await cluster.join("a");
    b = await cluster.join("b");
    await cluster.clock.advance(1000);
    b.node.bus.cut = true;
    await a.claim("ann");
    await cluster.clock.advance(1000);
    b.node.bus.cut = false;
    assert.deepEqual([a.row.open, b.row.open], [1, 0]);
    b.service.refresh();
    await cluster.clock.advance(1000);
    assert.equal(b.row.open, 1);
  });

  describe("are closed", () => {
    it("with the last room, and leave nothing behind, whatever was under way", async () => {
      const feed = new CountingFeed();
      a = await cluster.join("a", { feed });
      assert.equal(feed.followed, 1);
      const claim = a.service.claim(a.hunt, playerOf("ann"));
      const arrival = a.service.views.join("h", a.row);
      a.leave();
      const { leave } = await cluster.within(arrival);
      assert.equal(feed.followed, 1, "who came meanwhile has a table of its own");
      leave();
      await cluster.within(Promise.allSettled([claim]));
      await assert.rejects(cluster.within(a.service.claim(a.hunt, playerOf("ann"))), { code: "unavailable" });
      await cluster.clock.advance(ASKED_AGAIN_MS);
      assert.equal(feed.followed, 0);
    });
  });
});

/** A journal whose commits can be held up. */
class HeldJournal extends AssignmentJournal {
  #held: Promise<void> = Promise.resolve();

  /** Holds all commits from now on until the returned function is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held = promise;
    return resolve;
  }

  override async commit(huntId: string, epoch: number, rows: readonly AssignmentRow[]): Promise<CommitResult> {
    await this.#held;
    return super.commit(huntId, epoch, rows);
  }
}

/** One that takes rows whatever epoch they were decided under. */
class UnfencedJournal extends HeldJournal {
  readonly #hunts: Hunts;

  constructor(...parts: ConstructorParameters<typeof AssignmentJournal>) {
    super(...parts);
    this.#hunts = new Hunts(parts[0] as ConstructorParameters<typeof Hunts>[0]);
  }

  override async commit(huntId: string, _epoch: number, rows: readonly AssignmentRow[]): Promise<CommitResult> {
    const result = await super.commit(huntId, _epoch, []);
    assert.equal(result, "committed");
    return super.commit(huntId, (await this.#hunts.get(huntId))!.ledgerEpoch, rows);
  }
}

/** Counts who follows it. */
class CountingFeed extends MemoryFeed {
  followed = 0;

  override async follow(...parts: Parameters<MemoryFeed["follow"]>): Promise<() => void> {
    const unfollow = await super.follow(...parts);
    this.followed += 1;
    return () => {
      this.followed -= 1;
      unfollow();
    };
  }
}
