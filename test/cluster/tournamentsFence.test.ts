import assert from "node:assert/strict";
import { DEADLINE_MS, until } from "../support/processes.ts";
import type { Player } from "../support/RingmasterNode.ts";
import { muteSdk, type Visitor } from "../support/Visitor.ts";
import type { Place } from "./supportNodes.ts";
import { SilentProxy } from "./supportProxy.ts";
import { hashOf, standingsOf } from "./supportTournamentChecks.ts";
import { TournamentCluster } from "./supportTournaments.ts";

const PLAYERS = 6;

describe("a tournament one of whose nodes is late", function () {
  this.timeout(120_000);
  muteSdk();
  let cluster: TournamentCluster;
  /** The way of the late node to the database. */
  let proxy: SilentProxy;
  let late: Place;
  let players: Player[];

  before(async () => {
    cluster = await TournamentCluster.open(2, {}, async (at, databaseUrl) => {
      if (at === 0) return {};
      const url = new URL(databaseUrl);
      proxy = await SilentProxy.to(Number(url.port));
      url.hostname = "127.0.0.1";
      url.port = String(proxy.port);
      return { DATABASE_URL: url.href };
    });
    late = cluster.places[1]!;
    players = await cluster.signIn(PLAYERS);
  });
  after(async () => {
    await cluster?.close();
    proxy?.close();
  });

  /** A tournament that the late node owns, or the other one; each player has an entry of 10 in it. */
  async function begin(isLateOwner: boolean): Promise<{ id: string; visitors: Visitor[] }> {
    for (;;) {
      const startsAt = Date.now();
      const id = await cluster.create({
        ...{ name: "Too late", game: "tetris", startsAt, endsAt: startsAt + 3_600_000, graceMs: 0, graceFor: "joined" },
        ...{ operator: "best", order: "desc", maxEntries: 100, maxSubmissions: 1000 },
        prizes: [{ from: 1, to: 3, items: [{ item: "TICO", amount: "5" }] }],
      });
      if (((await cluster.ownerOf("tournament", id)) === late) !== isLateOwner) continue;
      const visitors = await cluster.seat(id, players);
      await Promise.all(visitors.map((visitor) => submitted(visitor, "s1", 10)));
      return { id, visitors };
    }
  }

  /** Submits until it is taken: the news that the tournament is open may be on its way. */
  const submitted = (visitor: Visitor, submissionId: string, score: number) =>
    until(() => visitor.request("submit", { submissionId, score }), {
      timeoutMs: DEADLINE_MS,
      what: `${submissionId} is taken`,
    });

  const untilSettled = (id: string) =>
    until(async () => (await cluster.phaseOf(id)) === "settled", { timeoutMs: DEADLINE_MS, what: "it is settled" });

  /** The result is that of the players' first entries, and told once. */
  async function assertResult(id: string): Promise<void> {
    const [entries, tournament] = await Promise.all([cluster.entriesOf(id), cluster.settled(id)]);
    assert.deepEqual(new Set(entries.map(({ submissionId }) => submissionId)), new Set(["s1"]));
    assert.deepEqual([tournament.phase, tournament.players], ["settled", PLAYERS]);
    const standings = standingsOf(entries, tournament);
    assert.deepEqual(await cluster.standingsOf(id), standings);
    assert.equal(tournament.resultHash, hashOf(tournament, standings));
    const told = await cluster.toldIn(await cluster.lobbyFor(players[0]!), id);
    assert.deepEqual(told, ["tournamentScheduled", "open", "settling", "settled", "tournamentSettled"]);
  }

  it("takes no score whose commit comes after the end, decided in time or not", async () => {
    const { id, visitors } = await begin(false);
    const there = visitors.filter((_, at) => at % 2 === 1);
    proxy.hold();
    const answers = Promise.allSettled(
      there.map((visitor) => visitor.request("submit", { submissionId: "s2", score: 20 })),
    );
    await until(
      async () => {
        const { body } = await cluster.node.get<{ rows: { entries: number }[] }>(`/api/tournaments/${id}/standings`);
        return body.rows.filter(({ entries }) => entries === 2).length === there.length;
      },
      { timeoutMs: DEADLINE_MS, what: "the leaderboard has decided" },
    );
    await cluster.act(id, "end");
    await untilSettled(id);
    proxy.release();
    for (const answer of await answers) {
      assert.ok(answer.status === "rejected");
      assert.equal((answer.reason as { code?: string }).code, "wrong_phase");
    }
    await assertResult(id);
  });

  it("is not ended a second time by an owner that was taken for dead", async () => {
    const { id } = await begin(true);
    proxy.hold();
    // The owner takes the call, and its turn is about to begin in the database when the node stops.
    const first = cluster.act(id, "end").catch(() => {});
    await until(() => proxy.isHolding("START TRANSACTION"), { timeoutMs: DEADLINE_MS, what: "the turn is on its way" });
    late.node.program.signal("SIGSTOP");
    await first;
    await until(() => cluster.act(id, "end").then(() => true), {
      timeoutMs: DEADLINE_MS,
      what: "another node ends it",
    });
    await untilSettled(id);
    await assertResult(id);
    proxy.release();
    late.node.program.signal("SIGCONT");
    // What it asks the database for now, it asks after what it had been about to do.
    await until(
      async () => (await late.node.get<{ phase?: string }>(`/api/tournaments/${id}`)).body.phase === "settled",
      {
        timeoutMs: DEADLINE_MS,
        what: "the late node has caught up",
      },
    );
    await assertResult(id);
  });
});
