import assert from "node:assert/strict";
import type { TournamentDetails, TournamentSummary } from "../../src/actors/tournaments/TournamentOperations.ts";
import type { WireError } from "../../src/errors.ts";
import { someQuest } from "../quests/someQuest.ts";
import { RingmasterNode, tokenOf } from "../support/RingmasterNode.ts";
import { muteSdk, Visitor } from "../support/Visitor.ts";
import { someTournament } from "../tournaments/someTournament.ts";

interface Line {
  kind: string;
  type: string;
  data: object;
}

describe("the admin room", function () {
  this.timeout(120_000);
  muteSdk();
  let node: RingmasterNode;
  let operator: Visitor;
  let viewer: Visitor;

  before(async () => {
    node = await RingmasterNode.alone();
    operator = await Visitor.join(node.client(await tokenOf("operator")), "admin");
    viewer = await Visitor.join(node.client(await tokenOf("viewer")), "admin");
  });

  after(async () => {
    await node.close();
  });

  const command = <T>(name: string, args?: object, requestId?: string): Promise<T> =>
    operator.request("command", { name, ...(args && { args }), ...(requestId && { requestId }) });
  const query = <T>(name: string, args?: object): Promise<T> =>
    viewer.request("query", { name, ...(args && { args }) });

  /** What the room takes as commands or queries. */
  async function namesOf(type: "command" | "query"): Promise<string[]> {
    const told = await operator.request(type, { name: "none" }).catch(({ message }: WireError) => message);
    return /there are (.+)\.$/.exec(String(told))![1]!.split(", ");
  }

  it("takes commands of operators alone, whatever they are, and lets viewers ask", async () => {
    const commands = await namesOf("command");
    assert.ok(commands.length > 20);
    // On connections of their own: so many at once are all that one may send for a while.
    for (let from = 0; from < commands.length; from += 30) {
      const other = await Visitor.join(node.client(await tokenOf("viewer")), "admin");
      for (const name of commands.slice(from, from + 30))
        await assert.rejects(other.request("command", { name, args: {} }), { code: "forbidden" }, name);
    }
    const { token } = await node.signIn();
    await assert.rejects(Visitor.join(node.client(token), "admin"), { code: 403 });
    for (const name of ["tournaments", "games", "quests", "hunts", "jobs", "nodes"])
      assert.ok(typeof (await query(name)) === "object", name);
  });

  it("grants and redeems items with a reason, and tells the timeline who did it", async () => {
    const { id: playerId } = await node.signIn("Ada");
    const order = { playerId, item: "TICO", reason: "a lost parcel" };
    await command("grantItem", { ...order, amount: "12" }, "grant-1");
    await command("grantItem", { ...order, amount: "12" }, "grant-1");
    await command("redeemItem", { ...order, amount: "5" });
    await assert.rejects(command("takeItem", { ...order, amount: "8" }), { code: "conflict" });
    await assert.rejects(command("takeItem", { ...order, amount: "1", reason: " " }), { code: "invalid_payload" });
    const { items, changes } = await query<{ items: unknown; changes: Array<{ kind: string; reason: string }> }>(
      "inventory",
      { playerId },
    );
    assert.deepEqual(items, [{ item: "TICO", amount: "7" }]);
    assert.deepEqual(
      changes.map(({ kind, reason }) => [kind, reason]),
      [
        ["redeem", "a lost parcel"],
        ["grant", "a lost parcel"],
      ],
    );
    assert.deepEqual(await query("refusedAwards"), []);
    await operator.message<Line>("timeline", ({ kind, type }) => kind === "audit" && type === "redeemItem");
  });

  it("runs a tournament from its creation to its end, and tells the timeline who did it", async () => {
    const startsAt = Date.now() + 3_600_000;
    const args = someTournament({ startsAt, endsAt: startsAt + 60_000, graceMs: 0 });
    const { id: tournamentId } = await command<{ id: string }>("createTournament", args, "once");
    assert.deepEqual(await command("createTournament", args, "once"), { id: tournamentId });
    const { data } = await viewer.message<Line>("timeline", ({ type }) => type === "createTournament");
    assert.deepEqual(data, { operatorId: "operator", operator: "operator" });
    const listed = await query<TournamentSummary[]>("tournaments");
    assert.deepEqual(listed[0], await pick(tournamentId));
    assert.equal((await command<TournamentSummary>("startTournament", { tournamentId })).phase, "open");
    const { endsAt } = await query<TournamentDetails>("tournament", { tournamentId });
    const extended = await command<TournamentSummary>("extendTournament", { tournamentId, ms: 1000 });
    assert.equal(extended.endsAt, endsAt + 1000);
    const player = await node.signIn("Ada");
    const room = await Visitor.join(node.client(player.token), "tournament", { tournamentId });
    await room.request("submit", { submissionId: "s", score: 5 });
    const preview = await command<{ players: number; prizes: { name: string }[] }>("previewTournament", {
      tournamentId,
    });
    assert.deepEqual([preview.players, preview.prizes.map(({ name }) => name)], [1, ["Ada"]]);
    await command("endTournament", { tournamentId });
    await room.message("settled");
    assert.equal((await query<TournamentDetails>("tournament", { tournamentId })).phase, "settled");
    const page = await query("tournamentStandings", { tournamentId, limit: 1 });
    const row = { rank: 1, playerId: player.id, name: "Ada", score: 5, subscore: 0, entries: 1 };
    assert.deepEqual(page, { rows: [row], total: 1 });
    await assert.rejects(command("cancelTournament", { tournamentId }), { code: "wrong_phase" });
    await assert.rejects(command("endSeries", { tournamentId }), { code: "conflict" });
  });

  async function pick(tournamentId: string): Promise<TournamentSummary> {
    const details = await query<TournamentDetails>("tournament", { tournamentId });
    const { id, name, game, phase, startsAt, endsAt, phaseEndsAt } = details;
    return { id, name, game, phase, startsAt, endsAt, phaseEndsAt };
  }

  it("cancels a tournament, and adds a game", async () => {
    const { id: tournamentId } = await command<{ id: string }>("createTournament", someTournament());
    assert.equal((await command<TournamentSummary>("cancelTournament", { tournamentId })).phase, "cancelled");
    const golf = {
      id: "golf",
      name: "Golf",
      precision: 2,
      order: "asc",
      minScore: 18,
      maxScore: 300,
      submissionsPerMinute: 2,
    };
    assert.deepEqual(await command("createGame", golf), { id: "golf" });
    await assert.rejects(command("createGame", golf), { code: "conflict" });
    assert.deepEqual(
      (await query<{ id: string }[]>("games")).find(({ id }) => id === "golf"),
      { ...golf, runs: "optional" },
    );
  });

  it("takes the same requestId of another command, and of another event, for another request", async () => {
    const [one, other] = [
      await command<{ id: string }>("createTournament", someTournament(), "first"),
      await command<{ id: string }>("createTournament", someTournament({ name: "Other" }), "second"),
    ];
    assert.notEqual(one.id, other.id);
    for (const { id } of [one, other]) {
      const extend = (ms: number) => command<TournamentSummary>("extendTournament", { tournamentId: id, ms }, "same");
      const extended = await extend(1000);
      assert.equal(extended.id, id);
      assert.deepEqual(await extend(1000), extended, "a repeat of its own");
      await assert.rejects(extend(5000), { code: "conflict" });
      const ended = await command<TournamentSummary>("endTournament", { tournamentId: id }, "same");
      assert.deepEqual([ended.id, ended.phase], [id, "grace"]);
    }
  });

  it("adds and retires quests", async () => {
    assert.deepEqual(await command("createQuest", someQuest({ id: "q1" })), { id: "q1" });
    await assert.rejects(command("createQuest", someQuest({ id: "q1" })), { code: "conflict" });
    assert.deepEqual(
      (await query<{ id: string }[]>("quests")).map(({ id }) => id),
      ["q1"],
    );
    assert.equal((await command<{ id: string }>("retireQuest", { questId: "q1" })).id, "q1");
    assert.deepEqual(await query("quests"), []);
    await assert.rejects(command("retireQuest", { questId: "none" }), { code: "not_found" });
  });
});
