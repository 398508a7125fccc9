import assert from "node:assert/strict";
import type { TournamentDefinition } from "../../src/actors/tournaments/definition.ts";
import type { TournamentDetails } from "../../src/actors/tournaments/TournamentOperations.ts";
import type { SubmitAnswer } from "../../src/actors/tournaments/TournamentService.ts";
import type { ItemAmount } from "../../src/entities/prizes/PrizeLedger.ts";
import type { OwnResult } from "../../src/rooms/tournaments/Results.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { clientOf, type Player, RingmasterNode, tokenOf } from "../support/RingmasterNode.ts";
import { muteSdk, Visitor } from "../support/Visitor.ts";
import { WireTap } from "../support/WireTap.ts";
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
  this.timeout(120_000);
  muteSdk();
  let node: RingmasterNode;
  let operator: string;

  before(async () => {
    operator = await tokenOf("operator");
    node = await RingmasterNode.alone();
  });

  after(async () => {
    await node.close();
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
    const graceMs = 3000;
    const id = await create({ graceMs });
    const [ada, bob, cleo] = await Promise.all(["Ada", "Bob", "Cleo"].map((name) => node.signIn(name)));
    const [first, second, third] = await Promise.all([ada!, bob!, cleo!].map((player) => enter(id, player)));
    await state(first!, ({ phase }) => phase === "open");
    assert.deepEqual(await submit(first!, "a1", 10), { rank: 1, best: 10, entries: 1 });
    assert.deepEqual(await submit(second!, "b1", 20), { rank: 1, best: 20, entries: 1 });
    assert.deepEqual(await submit(first!, "a2", 5), { rank: 2, best: 10, entries: 2 });
    assert.deepEqual(await submit(first!, "a1", 10), { rank: 1, best: 10, entries: 1 }, "the first answer again");
    const shown = await state(third!, ({ players }) => players === 2);
    const rows = [
      { rank: 1, playerId: bob!.id, name: "Bob", score: 20, subscore: 0 },
      { rank: 2, playerId: ada!.id, name: "Ada", score: 10, subscore: 0 },
    ];
    assert.deepEqual(shown.top, rows);
    const last = await third!.message<{ total: number }>("standings", ({ total }) => total === 2);
    assert.deepEqual(last, { rows, total: 2 });

    await act(id, "end");
    const { phase, acceptsUntil } = await first!.message<Closed>("closed");
    assert.equal(phase, "grace");
    assert.ok(acceptsUntil > Date.now() && acceptsUntil <= Date.now() + graceMs);
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

  it("shows whoever has just submitted where they stand, though the same was asked for just before", async () => {
    const id = await create();
    const [ada, bob] = await Promise.all(["Ada", "Bob"].map(async (name) => await enter(id, await node.signIn(name))));
    await state(ada!, ({ phase }) => phase === "open");
    for (let score = 1; score <= 10; score += 1) {
      await submit(ada!, `a${score}`, score);
      const pages = [ada!, bob!].flatMap((visitor) =>
        [{}, { limit: 50 }].map((range) => visitor.request<{ rows: { score: number }[] }>("standings", range)),
      );
      for (const { rows } of await Promise.all(pages)) assert.equal(rows[0]!.score, score);
    }
    await Promise.all([ada, bob].map((visitor) => visitor!.room.leave()));
  });

  it("takes scores only while it is open, and in grace only of what was being played", async () => {
    const startsAt = Date.now() + 3_600_000;
    const id = await create({ startsAt, endsAt: startsAt + 60_000 });
    const early = await enter(id, await node.signIn());
    const refused = { code: "wrong_phase", details: { phase: "scheduled", changesAt: startsAt } };
    await assert.rejects(submit(early, "a", 1), refused);
    await act(id, "start");
    await state(early, ({ phase }) => phase === "open");
    await submit(early, "a", 1);
    await act(id, "end");
    const { acceptsUntil } = await early.message<Closed>("closed");
    const late = await enter(id, await node.signIn());
    assert.deepEqual(await late.message<Closed>("closed"), { phase: "grace", acceptsUntil });
    await assert.rejects(submit(late, "b", 2), { details: { phase: "grace", changesAt: acceptsUntil } });
    assert.equal((await submit(early, "b", 2)).best, 2);
    await act(id, "extend", { ms: 1000 });
    const moved = await late.message<Closed>("closed");
    assert.deepEqual(moved, { phase: "grace", acceptsUntil: acceptsUntil + 1000 });
    await act(id, "end");
    await early.message("settled");
    await assert.rejects(submit(early, "c", 3), { details: { phase: "settled", changesAt: null } });
    assert.deepEqual(await submit(early, "b", 2), { rank: 1, best: 2, entries: 2 }, "what was taken is told again");
  });

  it("keeps when a player began to play through a drop, and tells them again how it stands", async () => {
    const id = await create({ prizes: [{ from: 1, to: 1, items: [{ item: "TICO", amount: "7" }] }] });
    const player = await node.signIn();
    const wire = await WireTap.open(node.port);
    const visitor = await Visitor.join(clientOf(wire.url, player.token), "tournament", { tournamentId: id });
    await submit(visitor, "a", 1);
    const isBack = new Promise<void>((resolve) => visitor.room.onReconnect(() => resolve()));
    const isGone = new Promise<void>((resolve) => visitor.room.onDrop(() => resolve()));
    visitor.room.reconnection.enabled = true;
    wire.isDown = true;
    wire.cut();
    await isGone;
    await act(id, "end");
    wire.isDown = false;
    await isBack;
    const { phase, acceptsUntil } = await visitor.message<Closed>("closed");
    assert.deepEqual([phase, acceptsUntil > Date.now()], ["grace", true]);
    assert.equal((await submit(visitor, "b", 2)).best, 2);
    await act(id, "end");
    const won = { rank: 1, prizes: [{ item: "TICO", amount: "7" }] };
    assert.deepEqual(await visitor.message<OwnResult>("settled"), won);
    visitor.room.reconnection.enabled = false;
    wire.close();
  });

  it("tells those who play that it was cancelled, and pays nothing", async () => {
    const id = await create();
    const player = await node.signIn();
    const visitor = await enter(id, player);
    await submit(visitor, "a", 1);
    await act(id, "cancel");
    assert.deepEqual(await visitor.message<Closed>("closed"), { phase: "cancelled", acceptsUntil: 0 });
    await assert.rejects(submit(visitor, "b", 2), { code: "wrong_phase" });
    assert.deepEqual(await inventory(player), []);
    const late = await enter(id, player);
    assert.deepEqual(await late.message<Closed>("closed"), { phase: "cancelled", acceptsUntil: 0 });
  });

  it("refuses what is no score, beyond the bounds, or too many", async () => {
    const id = await create({ maxEntries: 2, maxSubmissions: 3 });
    const [first, second] = await Promise.all([0, 1].map(async () => enter(id, await node.signIn())));
    for (const bad of [
      {},
      { submissionId: "", score: 1 },
      { submissionId: "a b", score: 1 },
      { submissionId: "x".repeat(65), score: 1 },
      { submissionId: "\u00e9", score: 1 },
      { submissionId: "a", score: Number.NaN },
      { submissionId: "a", score: Number.POSITIVE_INFINITY },
      { submissionId: "a", score: "1" },
      { submissionId: "a", score: 1, subscore: 0.5 },
      { submissionId: "a", score: 1, subscore: 2 ** 29 + 1 },
      { submissionId: "a", score: 1, proof: "x".repeat(4097) },
      { submissionId: "a", score: 1, playerId: "another" },
    ])
      await assert.rejects(first!.request("submit", bad), { code: "invalid_payload" }, JSON.stringify(bad));
    await assert.rejects(submit(first!, "a", -1), { code: "score_refused", details: { min: 0, max: 1e9 } });
    await assert.rejects(submit(first!, "a", 1e9 + 1), { code: "score_refused" });
    const largest = { subscore: 2 ** 29, proof: "x".repeat(4096) };
    assert.equal((await submit(first!, "!".repeat(64), 1e9, largest)).entries, 1);
    await submit(first!, "b", 1);
    await assert.rejects(submit(first!, "c", 1), { code: "entries_used_up", details: { of: "player" } });
    await submit(second!, "a", 1);
    await assert.rejects(submit(second!, "b", 1), { code: "entries_used_up", details: { of: "tournament" } });
    for (const bad of [{ limit: 0 }, { limit: 101 }, { around: "" }, { around: 5 }, { offset: 1 }])
      await assert.rejects(first!.request("standings", bad), { code: "invalid_payload" }, JSON.stringify(bad));
    // The page that everybody sees is read at most four times a second.
    await state(first!, ({ players }) => players === 2);
    const { rows } = await first!.request<{ rows: unknown[] }>("standings");
    assert.equal(rows.length, 2);
  });

  it("is entered only for a tournament that there is", async () => {
    const { token } = await node.signIn();
    for (const [options, code] of [
      [{ tournamentId: "none" }, 404],
      [{ tournamentId: "" }, 400],
      [{}, 400],
    ] as const)
      await assert.rejects(Visitor.join(node.client(token), "tournament", options), { code });
    await assert.rejects(Visitor.join(node.client("x"), "tournament", { tournamentId: await create() }), { code: 401 });
  });

  it("shows in the metrics how many compete, until it is over", async () => {
    const id = await create();
    const visitor = await enter(id, await node.signIn());
    await submit(visitor, "a", 1);
    await state(visitor, ({ players }) => players === 1);
    const metrics = async (): Promise<string> => await (await fetch(`${node.url}/metrics`)).text();
    // They are up to a second old.
    const shown = (what: string, holds: (text: string) => boolean): Promise<boolean> =>
      until(async () => holds(await metrics()), { timeoutMs: DEADLINE_MS, what });
    await shown("it competes", (text) => text.includes(`tournament_players{tournament="${id}"} 1`));
    assert.match(await metrics(), /submit_latency_seconds_count [1-9]/);
    await act(id, "cancel");
    await visitor.message("closed");
    await shown("it is over", (text) => !text.includes(`tournament="${id}"`));
  });
});
