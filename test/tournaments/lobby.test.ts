import assert from "node:assert/strict";
import type { TournamentDefinition } from "../../src/actors/tournaments/definition.ts";
import { RingmasterNode, tokenOf } from "../support/RingmasterNode.ts";
import { Visitor } from "../support/Visitor.ts";
import { someTournament } from "./someTournament.ts";

interface Entry {
  id: string;
  domain: string;
  name: string;
  phase: string;
  startsAt: number;
  endsAt: number;
}

interface Event {
  type: string;
  data: { id: string; phase?: string };
}

describe("tournaments in the lobby", function () {
  this.timeout(120_000);
  let node: RingmasterNode;
  let operator: string;
  let visitor: Visitor;

  before(async () => {
    operator = await tokenOf("operator");
    node = await RingmasterNode.alone();
    visitor = await Visitor.join(node.client((await node.signIn()).token), "lobby");
  });

  after(async () => {
    await node.close();
  });

  async function create(change: Partial<TournamentDefinition>): Promise<string> {
    const { body } = await node.post<{ id: string }>("/api/tournaments", {
      token: operator,
      body: someTournament(change),
    });
    return body.id;
  }

  const act = (id: string, action: string, body: object = {}) =>
    node.post<Entry>(`/api/tournaments/${id}/${action}`, { token: operator, body });

  /** Resolves once the board shows this of the tournament in this list: `undefined` for nothing. */
  function shown(list: "on" | "coming", id: string, phase: string | undefined): Promise<Entry | undefined> {
    const { room } = visitor;
    return new Promise((resolve) => {
      const look = (): void => {
        const entries = (room.state.toJSON() as Record<string, Entry[]>)[list]!;
        const entry = entries.find((each) => each.id === id);
        if (entry?.phase !== phase) return;
        room.onStateChange.remove(look);
        resolve(entry);
      };
      room.onStateChange(look);
      look();
    });
  }

  it("stand beside hunts, with the time at which their phase ends, until they are over", async () => {
    const startsAt = Date.now() + 3_600_000;
    const id = await create({ startsAt, endsAt: startsAt + 60_000 });
    const times = { startsAt, endsAt: startsAt, pausedAt: 0, reviewSince: 0 };
    const coming = { id, domain: "tournaments", name: "Regatta", phase: "scheduled", ...times };
    assert.deepEqual(await shown("coming", id, "scheduled"), coming);
    const { endsAt } = (await act(id, "start")).body;
    assert.equal((await shown("on", id, "open"))!.endsAt, endsAt);
    await shown("coming", id, undefined);
    await act(id, "end");
    assert.equal((await shown("on", id, "grace"))!.domain, "tournaments");
    await act(id, "end");
    await shown("on", id, undefined);
  });

  it("tell their news, and who has won", async () => {
    const id = await create({ graceMs: 0 });
    const player = await node.signIn("Ada");
    const room = await Visitor.join(node.client(player.token), "tournament", { tournamentId: id });
    await room.request("submit", { submissionId: "s", score: 3 });
    await act(id, "end");
    const phases: unknown[] = [];
    for (const type of ["tournamentScheduled", "tournamentPhase", "tournamentPhase", "tournamentPhase"]) {
      const event = await visitor.message<Event>("event", (each) => each.type === type && each.data.id === id);
      phases.push(event.data.phase);
    }
    assert.deepEqual(phases, ["scheduled", "open", "settling", "settled"]);
    const { data } = await visitor.message<Event>(
      "event",
      (each) => each.type === "tournamentSettled" && each.data.id === id,
    );
    const { resultHash } = (await node.get<{ resultHash: string }>(`/api/tournaments/${id}`)).body;
    const prizes = [
      { item: "PRIVATE_PASS", amount: "1" },
      { item: "TICO", amount: "50" },
    ];
    const winners = [{ rank: 1, playerId: player.id, name: "Ada", score: 3, prizes }];
    assert.deepEqual(data, { id, name: "Regatta", game: "tetris", players: 1, resultHash, winners });
  });
});
