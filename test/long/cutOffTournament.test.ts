import assert from "node:assert/strict";
import type { Place } from "../cluster/supportNodes.ts";
import { SilentProxy } from "../cluster/supportProxy.ts";
import { hashOf, standingsOf } from "../cluster/supportTournamentChecks.ts";
import { TournamentCluster } from "../cluster/supportTournaments.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import type { Player } from "../support/RingmasterNode.ts";
import { muteSdk } from "../support/Visitor.ts";

const PLAYERS = 6;
/** How long the cut may last; it is healed once what has to happen during it has happened. */
const CUT_MS = 45_000;
/** Long enough to find a tournament that the node owns, and for its players' entries. */
const OPEN_MS = 18_000;
const GRACE_MS = 8000;

describe("a tournament whose owner is cut off from MariaDB alone", function () {
  this.timeout(240_000);
  muteSdk();
  let cluster: TournamentCluster;
  /** The owner's way to the database. */
  let way: SilentProxy;
  let peer: Place;
  let owner: Place;
  let players: Player[];

  before(async () => {
    cluster = await TournamentCluster.open(2, {}, async (at, databaseUrl) => {
      if (at === 0) return {};
      const url = new URL(databaseUrl);
      way = await SilentProxy.to(Number(url.port));
      url.hostname = "127.0.0.1";
      url.port = String(way.port);
      return { DATABASE_URL: url.href };
    });
    [peer, owner] = cluster.places as [Place, Place];
    players = await cluster.signIn(PLAYERS);
  });

  after(async () => {
    await cluster?.close();
    way?.close();
  });

  /** Creates tournaments until one lives on the owner's place; each of them is open from now on. */
  async function createThere(): Promise<string> {
    return until(
      async () => {
        const startsAt = Date.now();
        const id = await cluster.create({
          ...{
            name: "Cut off",
            game: "tetris",
            startsAt,
            endsAt: startsAt + OPEN_MS,
            graceMs: GRACE_MS,
            graceFor: "joined",
          },
          ...{ operator: "best", order: "desc", maxEntries: 100, maxSubmissions: 1000 },
          prizes: [{ from: 1, to: 3, items: [{ item: "TICO", amount: "5" }] }],
        });
        return (await cluster.ownerOf("tournament", id)) === owner ? id : undefined;
      },
      { timeoutMs: DEADLINE_MS, what: "the node at the second place owns a tournament" },
    );
  }

  it("leaves `open`, and then its grace, on the peer while the cut goes on, each once; then the node hosts again", async () => {
    // Before any is created: how many there are until one lives on that node is chance, and the lobby keeps the newest 20 events.
    const lobby = await cluster.lobbyFor(players[0]!);
    const id = await createThere();
    const visitors = await cluster.seat(id, players);
    for (const [at, visitor] of visitors.entries())
      await until(() => visitor.request("submit", { submissionId: "s1", score: 10 + at }), {
        timeoutMs: DEADLINE_MS,
        what: "a score is taken",
      });
    assert.equal(await cluster.phaseOf(id), "open");
    way.hold();
    const cutAt = performance.now();
    const leaves = (...phases: string[]) =>
      until(async () => !phases.includes(await cluster.phaseOf(id)), {
        timeoutMs: CUT_MS - (performance.now() - cutAt),
        what: `it is no longer ${phases.join(" or ")}`,
      });
    await leaves("open");
    await leaves("grace");
    assert.equal(await cluster.ownerOf("tournament", id), peer);
    console.log(`      left its grace ${Math.round(performance.now() - cutAt)} ms after the cut`);
    way.release();
    await until(async () => (await owner.node.get("/readyz")).status === 200, {
      timeoutMs: DEADLINE_MS,
      what: "the node is ready again",
    });
    await assertResult(id, await cluster.toldIn(lobby, id));
    await createThere();
  });

  /** Each phase was entered once, and each prize paid once. */
  async function assertResult(id: string, told: readonly string[]): Promise<void> {
    const [entries, tournament] = await Promise.all([cluster.entriesOf(id), cluster.settled(id)]);
    assert.deepEqual(told, ["tournamentScheduled", "open", "grace", "settling", "settled", "tournamentSettled"]);
    assert.deepEqual([tournament.phase, tournament.players], ["settled", PLAYERS]);
    const standings = standingsOf(entries, tournament);
    assert.deepEqual(await cluster.standingsOf(id), standings);
    assert.equal(tournament.resultHash, hashOf(tournament, standings));
    const winners = standings.filter(({ rank }) => rank <= 3).map(({ playerId }) => playerId);
    assert.deepEqual(
      (await cluster.awardsOf(id)).map(({ player }) => player).sort(),
      winners.sort(),
      "each prize is paid once",
    );
  }
});
