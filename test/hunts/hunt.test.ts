import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import SQLite from "better-sqlite3";
import { removeDirectory, temporaryDirectory } from "../../scripts/processes/guard.ts";
import type { HuntDefinition } from "../../src/actors/hunts/definition.ts";
import type { ClueCard } from "../../src/actors/hunts/HuntView.ts";
import type { Winner } from "../../src/entities/hunts/Hunt.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { clientOf, RingmasterNode, tokenOf, tokens } from "../support/RingmasterNode.ts";
import { Hunter, muteSdk, Visitor } from "../support/Visitor.ts";
import { WireTap } from "../support/WireTap.ts";
import { someHunt } from "./someHunt.ts";

/** Answers that nothing else can contain by accident. */
const RIGHT = ["zyzzyva-quokka-lighthouse", "zyzzyva-quokka-twelve"];
const CLUES: HuntDefinition["clues"] = [
  { type: "riddle", prompt: "It turns all night.", answers: [RIGHT[0]!, "another-zyzzyva"], points: 10 },
  { type: "sum", prompt: "Three boats of four oars.", answers: [RIGHT[1]!], points: 5 },
];

const phaseIs =
  (wanted: string) =>
  ({ phase }: { phase: string }): boolean =>
    phase === wanted;

const podium = (winners: Winner[]): unknown[][] =>
  winners.map(({ rank, playerId, name, points }) => [rank, playerId, name, points]);

const rightFor = ({ clueId }: ClueCard): string => RIGHT[Number(clueId)]!;

describe("a hunt on one embedded node", () => {
  let directory: string;
  let path: string;
  let node: RingmasterNode;
  /** All clients come over this wire. */
  let wire: WireTap;
  let operator: string;
  /** What earlier nodes and wires have said. */
  const said: Buffer[] = [];
  const output: string[] = [];

  before(async () => {
    directory = temporaryDirectory("hunt");
    path = join(directory, "ringmaster.sqlite");
    operator = await tokenOf("operator");
    await start();
  });

  after(async () => {
    wire.close();
    await node.kill();
    removeDirectory(directory);
  });

  async function start(): Promise<void> {
    node = await RingmasterNode.start({ DATABASE_URL: `sqlite:${path}`, LOG_LEVEL: "trace" });
    wire = await WireTap.open(node.port);
  }

  function keepRecords(): void {
    said.push(...wire.said());
    output.push(...node.output);
  }

  async function create(change: Partial<HuntDefinition> = {}): Promise<string> {
    const { status, body } = await node.post<{ id: string }>("/api/hunts", {
      token: operator,
      body: someHunt({ clues: CLUES, ...change }),
    });
    assert.equal(status, 201, JSON.stringify(body));
    return body.id;
  }

  async function act(huntId: string, action: string, body: object = {}): Promise<void> {
    const answer = await node.post(`/api/hunts/${huntId}/${action}`, { token: operator, body });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
  }

  async function enter(huntId: string, name?: string, by = wire): Promise<Hunter & { playerId: string }> {
    const { token, id } = await node.signIn(name);
    const hunter = await Hunter.join(clientOf(by.url, token), huntId);
    return Object.assign(hunter, { playerId: id });
  }

  /** Has a visitor come back by itself from a drop of its own wire, which stays down until `meanwhile` is done. */
  async function drop({ room }: Visitor, own: WireTap, meanwhile: () => Promise<void>): Promise<void> {
    const back = new Promise<void>((resolve) => room.onReconnect(() => resolve()));
    const gone = new Promise<void>((resolve) => room.onDrop(() => resolve()));
    room.reconnection.enabled = true;
    own.isDown = true;
    own.cut();
    await gone;
    await meanwhile();
    own.isDown = false;
    await back;
    // The node keeps the seat of a connection only once it has heard that the client is in.
    await new Promise<void>((resolve) => room.ping(() => resolve()));
    room.reconnection.enabled = false;
  }

  /** A hunt whose only clue is held by the first of `count` players; the others wait, in order. */
  async function queue(
    count: number,
    change: Partial<HuntDefinition> = {},
  ): Promise<{ huntId: string; card: ClueCard; hunters: Hunter[] }> {
    const huntId = await create({ repeat: 1, clues: [CLUES[0]!], ...change });
    const hunters = await Promise.all(Array.from({ length: count }, () => enter(huntId)));
    const card = await hunters[0]!.clue();
    for (const [at, hunter] of hunters.slice(1).entries()) {
      assert.deepEqual(await hunter.claim(), { waiting: true, position: at + 1 });
    }
    return { huntId, card, hunters };
  }

  describe("gives out clues", () => {
    it("as they are defined, the same one for as long as it is open", async () => {
      const hunter = await enter(await create());
      const before = Date.now();
      const card = await hunter.clue();
      const fields = ["assignmentId", "attemptsLeft", "clueId", "expiresAt", "points", "prompt", "type"];
      assert.deepEqual(Object.keys(card).sort(), fields);
      const { type, prompt, points } = CLUES[Number(card.clueId)]!;
      assert.deepEqual([card.type, card.prompt, card.points, card.attemptsLeft], [type, prompt, points, 3]);
      assert.ok(card.expiresAt >= before + 60_000 && card.expiresAt <= Date.now() + 60_000);
      assert.deepEqual(await Promise.all([hunter.claim(), hunter.claim(), hunter.claim()]), [card, card, card]);
    });

    it("one to each player, however they come", async () => {
      const huntId = await create();
      const hunters = await Promise.all(Array.from({ length: 20 }, () => enter(huntId)));
      const cards = await Promise.all(hunters.map((hunter) => hunter.clue()));
      assert.equal(new Set(cards.map(({ assignmentId }) => assignmentId)).size, 20);
    });

    it("to those who wait, first come first served, as soon as there is one", async () => {
      const { card, hunters } = await queue(4, { attempts: 1 });
      assert.deepEqual(await hunters[3]!.claim(), { waiting: true, position: 3 }, "asking again keeps the place");
      let { assignmentId } = card;
      for (const [at, hunter] of hunters.entries()) {
        assert.deepEqual(await hunter.solve(assignmentId, "no idea"), {
          correct: false,
          points: 0,
          total: 0,
          attemptsLeft: 0,
        });
        const next = hunters[at + 1];
        if (next) ({ assignmentId } = await next.message<ClueCard>("clue"));
      }
      assert.equal(assignmentId, "0.4");
      for (const hunter of hunters) assert.deepEqual(hunter.unread("clue"), [], "nobody is told twice");
    });

    it("in solving only: before and after, a claim is refused with the phase and when it changes", async () => {
      const startsAt = Date.now() + 3_600_000;
      const huntId = await create({ startsAt, discoveryMs: 60_000, revealMs: 1000 });
      const hunter = await enter(huntId);
      assert.deepEqual(await hunter.message("phase"), { phase: "scheduled", endsAt: startsAt });
      await assert.rejects(hunter.claim(), {
        code: "wrong_phase",
        details: { phase: "scheduled", changesAt: startsAt },
      });
      await act(huntId, "start");
      const discovery = await hunter.message<{ phase: string; endsAt: number }>("phase");
      assert.equal(discovery.phase, "discovery");
      const refused = { code: "wrong_phase", details: { phase: "discovery", changesAt: discovery.endsAt } };
      await assert.rejects(hunter.claim(), refused);
      await assert.rejects(hunter.solve("0.1", "x"), refused);
      await act(huntId, "end");
      await hunter.message("phase", phaseIs("solving"));
      const { assignmentId } = await hunter.clue();
      await act(huntId, "end");
      await hunter.message("phase", phaseIs("reveal"));
      await assert.rejects(hunter.solve(assignmentId, RIGHT[0]!), { code: "wrong_phase" });
      await hunter.message("phase", phaseIs("finished"));
      await assert.rejects(hunter.claim(), { code: "wrong_phase", details: { phase: "finished", changesAt: null } });
    });
  });

  describe("takes answers", () => {
    it("right ones, however they are written, for points and the next clue", async () => {
      const hunter = await enter(await create());
      const first = await hunter.clue();
      const answer = `  ${rightFor(first).toUpperCase()}! `;
      const solved = { correct: true, points: first.points, total: first.points, attemptsLeft: 2 };
      assert.deepEqual(await hunter.solve(first.assignmentId, answer), solved);
      assert.deepEqual(await hunter.solve(first.assignmentId, answer), solved, "asking again changes nothing");
      const second = await hunter.clue();
      assert.notEqual(second.assignmentId, first.assignmentId);
      const { total } = await hunter.solve(second.assignmentId, rightFor(second));
      assert.equal(total, 15);
    });

    it("that come again by their request id once, with the first answer", async () => {
      const hunter = await enter(await create());
      const { assignmentId } = await hunter.clue();
      const wrong = { correct: false, points: 0, total: 0, attemptsLeft: 2 };
      const twice = () => hunter.solve(assignmentId, "no idea", "first");
      assert.deepEqual(await Promise.all([twice(), twice()]), [wrong, wrong]);
      assert.equal((await hunter.solve(assignmentId, "no idea", "second")).attemptsLeft, 1);
      assert.deepEqual(await twice(), wrong);
      await assert.rejects(hunter.solve(assignmentId, "no idea", "white space"), { code: "invalid_payload" });
    });

    it("wrong ones until the attempts are used up; then the clue goes to whoever waits", async () => {
      const { card, hunters } = await queue(2);
      const [holder, next] = hunters as [Hunter, Hunter];
      for (const attemptsLeft of [2, 1, 0]) {
        const { correct, attemptsLeft: left } = await holder.solve(card.assignmentId, "no idea");
        assert.deepEqual([correct, left], [false, attemptsLeft]);
      }
      assert.deepEqual(await holder.message("revoked"), { assignmentId: card.assignmentId });
      const served = await next.message<ClueCard>("clue");
      assert.deepEqual([served.assignmentId, served.prompt], ["0.2", card.prompt]);
      assert.equal((await next.solve(served.assignmentId, RIGHT[0]!)).total, 10);
      const nothing = { waiting: true, position: 0, exhausted: true };
      assert.deepEqual(await holder.claim(), nothing, "the only clue is lost to them");
    });

    it("or takes the clue back, and who waits out of the queue, when asked to", async () => {
      const { card, hunters } = await queue(3);
      const [holder, next, last] = hunters as [Hunter, Hunter, Hunter];
      assert.deepEqual(await next.request("leaveQueue", {}), { left: true });
      assert.deepEqual(await next.message("left"), {});
      assert.deepEqual(await last.message("position"), { position: 1 });
      const { assignmentId } = card;
      assert.deepEqual(await holder.request("giveBack", { assignmentId }), { returned: true });
      assert.deepEqual(await holder.message("revoked"), { assignmentId });
      assert.equal((await last.message<ClueCard>("clue")).assignmentId, "0.2");
      assert.deepEqual(next.unread("clue"), []);
      await assert.rejects(next.request("giveBack", { assignmentId: "0.2" }), { code: "unknown_assignment" });
    });

    it("back at once from who leaves for good, wanting to or with a token that has run out; not from who drops out", async () => {
      const { huntId, hunters } = await queue(3);
      const [holder, next, last] = hunters as [Hunter, Hunter, Hunter];
      await holder.room.leave();
      assert.equal((await next.message<ClueCard>("clue")).assignmentId, "0.2");
      await next.request("giveBack", { assignmentId: "0.2" });
      assert.equal((await last.message<ClueCard>("clue")).assignmentId, "0.3");
      await last.request("giveBack", { assignmentId: "0.3" });
      const short = { playerId: "leaving", name: "Leaving", role: "player" } as const;
      const [brief, long] = [await tokens.issue(short, 3000), await tokens.issue(short, 60_000)];
      const leaving = await Hunter.join(clientOf(wire.url, brief), huntId);
      assert.equal((await leaving.clue()).assignmentId, "0.4");
      const dropping = await enter(huntId);
      assert.deepEqual(await dropping.claim(), { waiting: true, position: 1 });
      assert.equal((await dropping.message<ClueCard>("clue")).assignmentId, "0.5");
      dropping.room.reconnection.enabled = false;
      dropping.room.connection.close(4010);
      await dropping.left;
      const again = await Hunter.join(clientOf(wire.url, long), huntId);
      assert.deepEqual(await again.claim(), { waiting: true, position: 1 }, "who dropped out has it");
    });

    it("of a player with two tabs, both of which hear what is for the player, whichever leaves", async () => {
      const huntId = await create({ repeat: 1, attempts: 1, clues: [CLUES[0]!], clueTtlMs: 2500 });
      const holder = await enter(huntId);
      const { assignmentId } = await holder.clue();
      const { token } = await node.signIn("Tab");
      const [first, second, third] = [
        await Hunter.join(clientOf(wire.url, token), huntId),
        await Hunter.join(clientOf(wire.url, token), huntId),
        await Hunter.join(clientOf(wire.url, token), huntId),
      ];
      assert.deepEqual(await first.claim(), { waiting: true, position: 1 });
      assert.deepEqual(await (await enter(huntId)).claim(), { waiting: true, position: 2 });
      await third.room.leave();
      await third.left;
      assert.deepEqual(await second.claim(), { waiting: true, position: 1 }, "the other tabs keep the place");
      await holder.solve(assignmentId, "no idea");
      for (const tab of [first, second]) {
        assert.equal((await tab.message<ClueCard>("clue")).assignmentId, "0.2");
      }
      for (const tab of [first, second]) assert.deepEqual(await tab.message("revoked"), { assignmentId: "0.2" });
    });

    it("in time only: an expired clue is revoked, and whoever waits has it", async () => {
      // Long enough for everybody to be in the queue before.
      const clueTtlMs = 2500;
      const { card, hunters } = await queue(3, { clueTtlMs });
      const [holder, next, last] = hunters as [Hunter, Hunter, Hunter];
      assert.deepEqual(await holder.message("revoked"), { assignmentId: card.assignmentId });
      const served = await next.message<ClueCard>("clue");
      assert.equal(served.assignmentId, "0.2");
      assert.ok(served.expiresAt >= card.expiresAt + clueTtlMs);
      await assert.rejects(holder.solve(card.assignmentId, RIGHT[0]!), { code: "unknown_assignment" });
      assert.deepEqual(await next.message("revoked"), { assignmentId: "0.2" });
      assert.equal((await last.message<ClueCard>("clue")).assignmentId, "0.3");
    });

    it("for the player's own open clue only", async () => {
      const huntId = await create();
      const [one, other] = await Promise.all([enter(huntId), enter(huntId)]);
      const card = await one.clue();
      for (const assignmentId of [card.assignmentId, "0.7", "999999999.1", "1", "0.0", "-1.1", "0.1 OR 1=1"])
        await assert.rejects(other.solve(assignmentId, RIGHT[0]!), { code: "unknown_assignment" });
      assert.equal((await one.solve(card.assignmentId, rightFor(card))).correct, true);
    });
  });

  describe("shows", () => {
    it("when it is postponed, to who waits for it and to who comes later", async () => {
      const startsAt = Date.now() + 3_600_000;
      const huntId = await create({ startsAt });
      const { room } = await enter(huntId);
      await act(huntId, "postpone", { ms: 5000 });
      const expected = [startsAt + 5000, startsAt + 5000, "scheduled"];
      for (const each of [room, (await enter(huntId)).room])
        await until(() => isDeepStrictEqual([each.state.startsAt, each.state.endsAt, each.state.phase], expected), {
          timeoutMs: DEADLINE_MS,
          what: "the new start is shown",
        });
      await act(huntId, "cancel");
    });

    it("the chest to everybody when it ends, and to who comes later", async () => {
      const huntId = await create({ winners: 2 });
      const [ann, bob, cid] = await Promise.all([enter(huntId, "Ann"), enter(huntId, "Bob"), enter(huntId, "Cid")]);
      for (const [hunter, count] of [
        [bob, 2],
        [ann, 2],
        [cid, 1],
      ] as const) {
        for (let at = 0; at < count; at++) {
          const card = await hunter.clue();
          await hunter.solve(card.assignmentId, rightFor(card));
        }
      }
      await act(huntId, "end");
      const winners = [
        [1, bob.playerId, "Bob", 15],
        [2, ann.playerId, "Ann", 15],
      ];
      const late = await enter(huntId);
      for (const hunter of [ann, bob, cid, late]) {
        assert.deepEqual(podium((await hunter.message<{ winners: Winner[] }>("chest")).winners), winners);
      }
      const { body } = await node.get<{ phase: string; players: number; solved: number; standings: Winner[] }>(
        `/api/hunts/${huntId}`,
      );
      assert.deepEqual([body.phase, body.players, body.solved], ["reveal", 3, 5]);
      assert.deepEqual(podium(body.standings), [...winners, [3, cid.playerId, "Cid", 10]]);
    });

    it("players their own place and points, also beyond the top ten, and for good once it is over", async () => {
      const huntId = await create({ clues: [CLUES[0]!], repeat: 20 });
      const hunters = await Promise.all(Array.from({ length: 13 }, () => enter(huntId)));
      assert.deepEqual(await hunters[12]!.request("standing", {}), { rank: null, points: 0 });
      for (const hunter of hunters.slice(0, 12)) await hunter.solve((await hunter.clue()).assignmentId, RIGHT[0]!);
      const last = { rank: 12, points: 10 };
      assert.deepEqual(await hunters[11]!.request("standing", {}), last);
      await act(huntId, "end");
      await hunters[11]!.message("phase", phaseIs("reveal"));
      await until(async () => isDeepStrictEqual(await hunters[11]!.request("standing", {}), last), {
        timeoutMs: DEADLINE_MS,
        what: "the results are stored",
      });
      assert.deepEqual(await hunters[12]!.request("standing", {}), { rank: null, points: 0 });
    });

    it("the phase, counts and the top ten, and nothing else that grows with the players", async () => {
      const huntId = await create();
      const hunters = await Promise.all(Array.from({ length: 14 }, () => enter(huntId)));
      await Promise.all(
        hunters.map(async (hunter) => {
          const card = await hunter.clue();
          await hunter.solve(card.assignmentId, rightFor(card));
        }),
      );
      await hunters[0]!.clue();
      const { room } = hunters[1]!;
      await until(() => room.state.solved === 14 && room.state.open === 1, {
        timeoutMs: DEADLINE_MS,
        what: "the counts arrive",
      });
      const { serverNow, endsAt, startsAt, top, ...rest } = room.state.toJSON();
      assert.deepEqual(rest, {
        huntId,
        name: "Harbour lights",
        phase: "solving",
        pausedAt: 0,
        resumesAt: 0,
        reviewSince: 0,
        cancelReason: "",
        players: 14,
        open: 1,
        solved: 14,
        total: 2000,
        waiting: 0,
      });
      assert.ok(Math.abs(serverNow - Date.now()) < 10_000);
      assert.equal(endsAt, startsAt + 600_000);
      assert.equal(top.length, 10);
      assert.deepEqual(
        top.map(({ rank }: { rank: number }) => rank),
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
      );
      assert.deepEqual(Object.keys(top[0]).sort(), ["name", "playerId", "points", "rank"]);
    });
  });

  describe("survives", () => {
    muteSdk();

    let own: WireTap;
    beforeEach(async () => {
      own = await WireTap.open(node.port);
    });
    afterEach(() => own.close());

    it("the drop of a connection: the player is back in its seat, with its clue open", async () => {
      const hunter = await enter(await create(), "Ann", own);
      const { sessionId } = hunter.room;
      const card = await hunter.clue();
      await hunter.solve(card.assignmentId, "no idea");
      await hunter.message("phase");
      await drop(hunter, own, async () => {});
      assert.equal(hunter.room.sessionId, sessionId);
      assert.equal((await hunter.message<{ phase: string }>("phase")).phase, "solving");
      assert.deepEqual(await hunter.clue(), { ...card, attemptsLeft: 2 });
      assert.equal((await hunter.solve(card.assignmentId, rightFor(card))).attemptsLeft, 1);
    });

    it("the drop of a connection in the queue: the place is kept, and the clue that came up meanwhile is handed over", async () => {
      const { card, hunters, huntId } = await queue(1, { attempts: 1 });
      const [holder] = hunters as [Hunter];
      const [dropped, last] = [await enter(huntId, "Bob", own), await enter(huntId)];
      assert.deepEqual(await dropped.claim(), { waiting: true, position: 1 });
      await drop(dropped, own, async () => {
        assert.deepEqual(await last.claim(), { waiting: true, position: 2 });
      });
      await drop(dropped, own, async () => {
        await holder.solve(card.assignmentId, "no idea");
        await until(() => holder.room.state.waiting === 1, {
          timeoutMs: DEADLINE_MS,
          what: "one is left in the queue",
        });
      });
      assert.equal((await dropped.message<ClueCard>("clue")).assignmentId, "0.2");
      await dropped.solve("0.2", "no idea");
      assert.equal((await last.message<ClueCard>("clue")).assignmentId, "0.3");
    });

    it("the drop of a connection, while another tab of the player comes in and leaves for good: the clue, and the place in the queue", async () => {
      const huntId = await create({ repeat: 1, clues: [CLUES[0]!] });
      const { token } = await node.signIn("Ann");
      const ann = await Hunter.join(clientOf(own.url, token), huntId);
      const { assignmentId } = await ann.clue();
      const passBy = async (): Promise<void> => {
        const tab = await Hunter.join(clientOf(wire.url, token), huntId);
        await tab.room.leave();
        await tab.left;
      };
      const bob = await enter(huntId);
      assert.deepEqual(await bob.claim(), { waiting: true, position: 1 });
      await drop(ann, own, passBy);
      assert.equal((await ann.clue()).assignmentId, assignmentId);
      await ann.request("giveBack", { assignmentId });
      assert.equal((await bob.message<ClueCard>("clue")).assignmentId, "0.2");
      assert.deepEqual(await ann.claim(), { waiting: true, position: 1 });
      const cid = await enter(huntId);
      assert.deepEqual(await cid.claim(), { waiting: true, position: 2 });
      await drop(ann, own, passBy);
      assert.deepEqual(await cid.claim(), { waiting: true, position: 2 }, "the place is kept");
      await bob.request("giveBack", { assignmentId: "0.2" });
      assert.equal((await ann.message<ClueCard>("clue")).assignmentId, "0.3");
    });

    it("the drop of a connection in the queue, to another tab that the player opens meanwhile: it hears of the clue", async () => {
      const { card, hunters, huntId } = await queue(1);
      const { token } = await node.signIn("Ann");
      const ann = await Hunter.join(clientOf(own.url, token), huntId);
      assert.deepEqual(await ann.claim(), { waiting: true, position: 1 });
      await drop(ann, own, async () => {
        const tab = await Hunter.join(clientOf(wire.url, token), huntId);
        await hunters[0]!.request("giveBack", { assignmentId: card.assignmentId });
        assert.equal((await tab.message<ClueCard>("clue")).assignmentId, "0.2");
      });
    });

    it("the drop of a connection in the lobby: the news that came meanwhile follow", async () => {
      const lobby = await Visitor.join(clientOf(own.url, (await node.signIn()).token), "lobby");
      const quiet = await Visitor.join(clientOf(wire.url, (await node.signIn()).token), "lobby");
      let id = "";
      await drop(lobby, own, async () => {
        id = await create();
        await quiet.message("event", ({ data }: { data: { id: string } }) => data.id === id);
      });
      await lobby.message("event", ({ data }: { data: { id: string } }) => data.id === id);
    });

    it("SIGKILL in the middle: points, open clues, attempts, the queue's players and the phase go on", async () => {
      const huntId = await create({ repeat: 2, clues: [CLUES[0]!] });
      const plan = (await node.get<{ phaseEndsAt: number }>(`/api/hunts/${huntId}`)).body.phaseEndsAt;
      const players = await Promise.all(Array.from({ length: 3 }, () => node.signIn()));
      const seated = () => Promise.all(players.map(({ token }) => Hunter.join(clientOf(wire.url, token), huntId)));
      let [one, two, three] = (await seated()) as [Hunter, Hunter, Hunter];
      const first = await one.clue();
      const second = await two.clue();
      await two.solve(second.assignmentId, "no idea");
      assert.deepEqual(await three.claim(), { waiting: true, position: 1 });
      assert.equal((await one.solve(first.assignmentId, RIGHT[0]!)).total, 10);

      keepRecords();
      wire.close();
      await node.kill();
      await start();
      [one, two, three] = (await seated()) as [Hunter, Hunter, Hunter];
      const phase = await one.message<{ phase: string; endsAt: number }>("phase");
      assert.deepEqual(phase, { phase: "solving", endsAt: plan });
      assert.deepEqual(await three.claim(), { waiting: true, position: 1 });
      assert.deepEqual(await one.solve(first.assignmentId, RIGHT[0]!), {
        correct: true,
        points: 10,
        total: 10,
        attemptsLeft: 2,
      });
      assert.deepEqual(await two.clue(), { ...second, attemptsLeft: 2 });
      assert.equal((await two.solve(second.assignmentId, "no idea")).attemptsLeft, 1);
      assert.equal((await two.solve(second.assignmentId, "no idea")).attemptsLeft, 0);
      assert.equal((await three.message<ClueCard>("clue")).assignmentId, "1.2");
      await act(huntId, "end");
      const { winners } = await three.message<{ winners: Winner[] }>("chest");
      assert.deepEqual(podium(winners), [[1, players[0]!.id, players[0]!.name, 10]]);
    });
  });

  describe("is run by operators", () => {
    let console: Visitor;
    before(async () => {
      console = await Visitor.join(clientOf(wire.url, operator), "admin");
    });

    const command = <T>(name: string, args: object, requestId?: string) =>
      console.request<T>("command", { name, args, ...(requestId === undefined ? {} : { requestId }) });
    const query = <T>(name: string, args?: object) => console.request<T>("query", { name, ...(args && { args }) });

    interface Entry {
      kind: string;
      type: string;
      data: { id?: string; phase?: string; operatorId?: string };
    }
    const news = (kind: string, type: string) =>
      console.message<Entry>("timeline", (entry) => entry.kind === kind && entry.type === type);

    it("in the admin room: create, start, extend, end and cancel, each of which comes by on the timeline", async () => {
      const definition = someHunt({ startsAt: Date.now() + 3_600_000, discoveryMs: 60_000, clues: CLUES });
      const { id } = await command<{ id: string }>("createHunt", definition);
      assert.equal((await news("event", "huntScheduled")).data.id, id);
      assert.equal((await news("audit", "createHunt")).data.operatorId, "operator");
      const started = await command<{ phase: string; phaseEndsAt: number }>("startHunt", { huntId: id });
      assert.equal(started.phase, "discovery");
      assert.deepEqual((await news("event", "huntPhase")).data.phase, "discovery");
      const extended = await command<{ phaseEndsAt: number }>("extendHunt", { huntId: id, ms: 5000 });
      assert.equal(extended.phaseEndsAt, started.phaseEndsAt + 5000);
      assert.equal((await command<{ phase: string }>("endHunt", { huntId: id })).phase, "solving");
      assert.deepEqual(await command("cancelHunt", { huntId: id }), {
        id,
        name: definition.name,
        phase: "cancelled",
        startsAt: definition.startsAt,
        phaseEndsAt: null,
        prizes: "unpaid",
      });
      for (const verb of ["startHunt", "extendHunt", "endHunt", "cancelHunt"]) await news("audit", verb);
      await assert.rejects(command("endHunt", { huntId: id }), {
        code: "wrong_phase",
        details: { phase: "cancelled", changesAt: null },
      });
    });

    it("who may repeat a command with its request id and have it carried out once", async () => {
      const id = await create();
      const [one, two] = await Promise.all([
        command<{ phaseEndsAt: number }>("extendHunt", { huntId: id, ms: 5000 }, "longer"),
        command<{ phaseEndsAt: number }>("extendHunt", { huntId: id, ms: 5000 }, "longer"),
      ]);
      assert.deepEqual(one, two);
      assert.equal((await query<{ phaseEndsAt: number }>("hunt", { huntId: id })).phaseEndsAt, one.phaseEndsAt);
    });

    it("who see what there is: hunts, one with its live counts, and nodes", async () => {
      const id = await create();
      const hunter = await enter(id);
      await hunter.clue();
      const hunts = await query<{ id: string }[]>("hunts");
      assert.ok(hunts.some((hunt) => hunt.id === id));
      const hunt = await query<{ players: number; instances: number }>("hunt", { huntId: id });
      assert.deepEqual([hunt.players, hunt.instances], [1, 2000]);
      const { nodes, actorsHere } = await query<{ nodes: object[]; actorsHere: number }>("nodes");
      assert.equal(nodes.length, 1);
      assert.ok(actorsHere > 0);
    });

    it("who are told what is wrong with a command", async () => {
      await assert.rejects(command("fireHunt", {}), { code: "unknown_request" });
      await assert.rejects(command("constructor", {}), { code: "unknown_request" });
      await assert.rejects(command("startHunt", { huntId: "nowhere" }), { code: "not_found" });
      await assert.rejects(command("createHunt", someHunt({ winners: 0 })), (error: Error & { code: string }) => {
        assert.equal(error.code, "invalid_payload");
        assert.match(error.message, /^winners: /);
        return true;
      });
    });

    it("while viewers watch and change nothing, and players stay outside", async () => {
      const id = await create();
      const viewer = await Visitor.join(clientOf(wire.url, await tokenOf("viewer")), "admin");
      await assert.rejects(viewer.request("command", { name: "endHunt", args: { huntId: id } }), { code: "forbidden" });
      assert.equal(
        (await viewer.request<{ phase: string }>("query", { name: "hunt", args: { huntId: id } })).phase,
        "solving",
      );
      await command("endHunt", { huntId: id });
      await viewer.message<Entry>(
        "timeline",
        ({ type, data }) => type === "huntPhase" && data.id === id && data.phase === "reveal",
      );
      const { token } = await node.signIn();
      await assert.rejects(Visitor.join(clientOf(wire.url, token), "admin"), { code: 403, message: /^forbidden: / });
    });

    it("over HTTP, where the same Idempotency-Key makes one hunt", async () => {
      const headers = { "Idempotency-Key": "harbour-1" };
      const body = someHunt({ name: "Once only", clues: CLUES });
      const answers = await Promise.all(
        Array.from({ length: 4 }, () => node.post<{ id: string }>("/api/hunts", { token: operator, body, headers })),
      );
      assert.deepEqual(
        answers.map(({ status }) => status),
        [201, 201, 201, 201],
      );
      assert.equal(new Set(answers.map((answer) => answer.body.id)).size, 1);
      const { hunts } = (await node.get<{ hunts: { name: string }[] }>("/api/hunts")).body;
      assert.equal(hunts.filter(({ name }) => name === "Once only").length, 1);
    });
  });

  describe("is in the lobby", () => {
    interface FeedEvent {
      id: string;
      type: string;
      data: { id: string; phase: string };
    }
    const visit = async (options: object = {}) =>
      Visitor.join(clientOf(wire.url, (await node.signIn()).token), "lobby", options);
    const heard = (visitor: Visitor): string[] =>
      visitor.heard.filter(({ type }) => type === "event").map(({ payload }) => (payload as FeedEvent).id);
    const ids = (rows: Iterable<{ id: string }>): string[] => [...rows].map(({ id }) => id);

    it("as coming, then as on, until it is over", async () => {
      const lobby = await visit();
      const state = () => lobby.room.state;
      const id = await create({ startsAt: Date.now() + 3_600_000 });
      await lobby.message<FeedEvent>("event", ({ type, data }) => type === "huntScheduled" && data.id === id);
      await until(() => ids(state().coming).includes(id), { timeoutMs: DEADLINE_MS, what: "it is coming" });
      await act(id, "start");
      await until(() => ids(state().on).includes(id) && !ids(state().coming).includes(id), {
        timeoutMs: DEADLINE_MS,
        what: "it is on",
      });
      const row = [...state().on].find((each) => each.id === id).toJSON();
      assert.deepEqual(Object.keys(row).sort(), [
        "domain",
        "endsAt",
        "id",
        "name",
        "pausedAt",
        "phase",
        "reviewSince",
        "startsAt",
      ]);
      assert.deepEqual([row.domain, row.name, row.phase], ["hunts", "Harbour lights", "solving"]);
      await act(id, "cancel");
      await until(() => !ids(state().on).includes(id), { timeoutMs: DEADLINE_MS, what: "it is gone" });
    });

    it("with its news, which go on from a cursor, each once and in order", async () => {
      const early = await visit();
      const id = await create();
      const cursor = (await early.message<FeedEvent>("event", ({ data }) => data.id === id)).id;
      await act(id, "extend", { ms: 1000 });
      await act(id, "extend", { ms: 1000 });
      const later = await visit({ since: cursor });
      await act(id, "cancel");
      for (const visitor of [later, early]) {
        await visitor.message<FeedEvent>("event", ({ data }) => data.id === id && data.phase === "cancelled");
      }
      const all = heard(early);
      assert.deepEqual(heard(later), all.slice(all.indexOf(cursor) + 1));
      assert.equal(new Set(all).size, all.length);
      assert.deepEqual(later.unread("reset"), []);
    });

    it("with news that come while somebody comes in, also each once and in order", async () => {
      const early = await visit();
      const id = await create();
      const cursor = (await early.message<FeedEvent>("event", ({ data }) => data.id === id)).id;
      const extensions = Array.from({ length: 40 }, () => act(id, "extend", { ms: 1000 }));
      const visitors = await Promise.all(Array.from({ length: 20 }, () => visit({ since: cursor })));
      await Promise.all(extensions);
      await act(id, "cancel");
      for (const visitor of [early, ...visitors]) {
        await visitor.message<FeedEvent>("event", ({ data }) => data.id === id && data.phase === "cancelled");
      }
      const all = heard(early);
      for (const visitor of visitors) assert.deepEqual(heard(visitor), all.slice(all.indexOf(cursor) + 1));
    });

    it("with its newest news for a cursor that is gone, after a reset", async () => {
      const id = await create();
      const lobby = await visit({ since: "1-1" });
      assert.deepEqual(await lobby.message("reset"), {});
      await lobby.message<FeedEvent>("event", ({ data }) => data.id === id);
      assert.equal(lobby.heard[0]?.type, "reset");
    });
  });

  describe("keeps its answers", () => {
    it("from everybody, plain and hashed, and out of its log", async () => {
      const hunter = await enter(await create());
      const { assignmentId } = await hunter.clue();
      const long = `${RIGHT[0]}${randomBytes(200).toString("hex")}`;
      await assert.rejects(hunter.solve(assignmentId, long), { code: "invalid_payload" });
      await assert.rejects(hunter.solve(RIGHT[0]!, RIGHT[0]!), { code: "invalid_payload" });
      const bad = { ...someHunt({ clues: CLUES }), winners: RIGHT };
      assert.equal((await node.post("/api/hunts", { token: operator, body: bad })).status, 400);
      keepRecords();

      const file = new SQLite(path, { readonly: true });
      const definitions = file.prepare("SELECT definition FROM hunts").pluck().all() as string[];
      file.close();
      const secrets = definitions.flatMap((text) => {
        const { salt, clues } = JSON.parse(text) as { salt: string; clues: { hashes: string[] }[] };
        return [salt, ...clues.flatMap(({ hashes }) => hashes)];
      });
      assert.ok(secrets.length > 40 && said.length > 20 && output.length > 10, "there is something to look through");
      assert.ok(
        definitions.every((text) => !text.includes("zyzzyva")),
        "they are not stored in clear either",
      );
      const everything = [...said.map((bytes) => bytes.toString("latin1")), output.join("\n")];
      for (const text of everything) {
        for (const secret of ["zyzzyva", ...secrets]) assert.ok(!text.includes(secret), `${secret} was told`);
      }
    });
  });
});
