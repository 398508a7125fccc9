import assert from "node:assert/strict";
import { join } from "node:path";
import { removeDirectory, temporaryDirectory } from "../../scripts/processes/guard.ts";
import type { TournamentDefinition } from "../../src/actors/tournaments/definition.ts";
import type { SubmitAnswer } from "../../src/actors/tournaments/TournamentDesk.ts";
import type { TournamentDetails } from "../../src/actors/tournaments/TournamentOffice.ts";
import type { ItemAmount } from "../../src/entities/prizes/PrizeLedger.ts";
import type { OwnResult } from "../../src/rooms/tournaments/Results.ts";
import { type Player, RingmasterNode, tokenOf } from "../support/RingmasterNode.ts";
import { muteSdk, Visitor } from "../support/Visitor.ts";
import { someTournament } from "./someTournament.ts";

interface Closed {
  phase: string;
  acceptsUntil: number;
}

interface Seen {
  phase: string;
  players: number;
  resultHash: string;
  prizes: string;
  phaseEndsAt: number;
  top: { rank: number; playerId: string; name: string; score: number }[];
}

describe("a tournament's room", function () {
  this.timeout(60_000);
  muteSdk();
  let directory: string;
  let node: RingmasterNode;
  let operator: string;

  before(async () => {
    directory = temporaryDirectory("tournament-room");
    operator = await tokenOf("operator");
    node = await RingmasterNode.start({ DATABASE_URL: `sqlite:${join(directory, "ringmaster.sqlite")}` });
  });

  after(async () => {
    await node.kill();
    removeDirectory(directory);
  });

  async function create(change: Partial<TournamentDefinition> = {}): Promise<string> {
    const { status, body } = await node.post<{ id: string }>("/api/tournaments", {
      token: operator,
      body: someTournament(change),
    });
    assert.equal(status, 201, JSON.stringify(body));
    return body.id;
  }

  async function act(id: string, action: string, body: object = {}): Promise<void> {
    const answer = await node.post(`/api/tournaments/${id}/${action}`, { token: operator, body });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
  }

  async function enter(tournamentId: string, player: Player): Promise<Visitor> {
    return Visitor.join(node.client(player.token), "tournament", { tournamentId });
  }

  const submit = (visitor: Visitor, submissionId: string, score: number, more: object = {}): Promise<SubmitAnswer> =>
    visitor.request("submit", { submissionId, score, ...more });

  /** Resolves with the first state that fits. */
  function state({ room }: Visitor, fits: (seen: Seen) => boolean): Promise<Seen> {
    return new Promise((resolve) => {
      const look = (): void => {
        const seen = room.state.toJSON() as Seen;
        if (!fits(seen)) return;
        room.onStateChange.remove(look);
        resolve(seen);
      };
      room.onStateChange(look);
      if (room.state.tournamentId) look();
    });
  }

  const inventory = async ({ token }: Player): Promise<ItemAmount[]> =>
    (await node.get<{ items: ItemAmount[] }>("/api/me/inventory", { token })).body.items;

  it("takes scores, shows who leads, and ends with prizes", async () => {
    const id = await create({ graceMs: 1500 });
    const [ada, bob, cleo] = await Promise.all(["Ada", "Bob", "Cleo"].map((name) => node.signIn(name)));
    const [first, second, third] = await Promise.all([ada!, bob!, cleo!].map((player) => enter(id, player)));
    await state(first!, ({ phase }) => phase === "open");
    assert.deepEqual(await submit(first!, "a1", 10), { rank: 1, best: 10, entries: 1 });
    assert.deepEqual(await submit(second!, "b1", 20), { rank: 1, best: 20, entries: 1 });
    assert.deepEqual(await submit(first!, "a2", 5), { rank: 2, best: 10, entries: 2 });
    assert.deepEqual(await submit(first!, "a1", 10), { rank: 1, best: 10, entries: 1 }, "the first answer again");
    const shown = await state(third!, ({ players }) => players === 2);
    const rows = [
      { rank: 1, playerId: bob!.id, name: "Bob", score: 20 },
      { rank: 2, playerId: ada!.id, name: "Ada", score: 10 },
    ];
    assert.deepEqual(shown.top, rows);
    const last = await third!.message<{ total: number }>("standings", ({ total }) => total === 2);
    assert.deepEqual(last, { rows, total: 2 });

    await act(id, "end");
    const { phase, acceptsUntil } = await first!.message<Closed>("closed");
    assert.equal(phase, "grace");
    assert.ok(acceptsUntil > Date.now() && acceptsUntil <= Date.now() + 1500);
    assert.deepEqual(await submit(third!, "c1", 15), { rank: 2, best: 15, entries: 1 }, "it was being played");
    await first!.message<Closed>("closed", (closed) => closed.phase === "settling" && closed.acceptsUntil === 0);

    const pass = { item: "PRIVATE_PASS", amount: "1" };
    const money = { item: "TICO", amount: "50" };
    assert.deepEqual(await second!.message<OwnResult>("settled"), { rank: 1, prizes: [pass, money] });
    assert.deepEqual(await third!.message<OwnResult>("settled"), { rank: 2, prizes: [money] });
    assert.deepEqual(await first!.message<OwnResult>("settled"), { rank: 3, prizes: [] });
    assert.deepEqual(await inventory(bob!), [pass, money]);
    assert.deepEqual(await inventory(ada!), []);
    const { resultHash } = await state(first!, (seen) => seen.phase === "settled" && seen.resultHash !== "");
    const { body } = await node.get<TournamentDetails>(`/api/tournaments/${id}`);
    assert.equal(body.resultHash, resultHash);
    assert.deepEqual([body.phase, body.players, body.prizesDistributed], ["settled", 3, true]);
    await Promise.all([first, second, third].map((visitor) => visitor!.room.leave()));

    const late = await enter(id, bob!);
    assert.deepEqual(await late.message<OwnResult>("settled"), { rank: 1, prizes: [pass, money] });
    const stranger = await enter(id, await node.signIn());
    assert.deepEqual(await stranger.message<OwnResult>("settled"), { rank: null, prizes: [] });
    await assert.rejects(submit(late, "b9", 99), { code: "wrong_phase" });
    const page = await late.request<{ rows: { rank: number; name: string }[]; total: number }>("standings", {
      around: cleo!.id,
      limit: 1,
    });
    assert.deepEqual([page.total, page.rows.map(({ rank, name }) => [rank, name])], [3, [[2, "Cleo"]]]);
    await Promise.all([late, stranger].map(({ room }) => room.leave()));
  });
});
