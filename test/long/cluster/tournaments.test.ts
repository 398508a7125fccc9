import assert from "node:assert/strict";
import type { TournamentDefinition } from "../../../src/actors/tournaments/definition.ts";
import { seededRng } from "../../../src/clock.ts";
import type { PrizeRange } from "../../../src/entities/prizes/PrizeLedger.ts";
import type { FeedEvent } from "../../../src/stores/feeds/Feed.ts";
import type { Place } from "../../cluster/supportNodes.ts";
import { TournamentBot, TournamentHistory } from "../../cluster/supportTournamentBot.ts";
import {
  answerFaults,
  awardFaults,
  entryFaults,
  hashOf,
  inventoryFaults,
  isPrizeOf,
  orderFaults,
  rankFaults,
  standingsOf,
} from "../../cluster/supportTournamentChecks.ts";
import { TournamentCluster } from "../../cluster/supportTournaments.ts";
import { DEADLINE_MS, until } from "../../support/processes.ts";
import { clientOf, type Player } from "../../support/RingmasterNode.ts";
import { muteSdk, Visitor } from "../../support/Visitor.ts";

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
/** Players of the first tournament, and of the second. */
const PLAYERS = [120, 80] as const;
/** Answers between one blow and the next. */
const PROGRESS = 150;

/** Everybody gets something, and some get more: ranges overlap. */
const PRIZES: PrizeRange[] = [
  {
    from: 1,
    to: 1,
    items: [
      { item: "TICO", amount: "1000" },
      { item: "PRIVATE_PASS", amount: "1" },
    ],
  },
  { from: 1, to: 10, items: [{ item: "TICO", amount: "100" }] },
  { from: 1, to: 1000, items: [{ item: "TICO", amount: "1" }] },
];

function someTournament(name: string, rules: Pick<TournamentDefinition, "operator" | "order">): TournamentDefinition {
  const startsAt = Date.now();
  return {
    ...{
      name,
      game: "tetris",
      startsAt,
      endsAt: startsAt + 3_600_000,
      graceMs: 3_600_000,
      graceFor: "joined",
      ...rules,
    },
    ...{ maxEntries: 1000, maxSubmissions: 1_000_000, prizes: PRIZES },
  };
}

/** A tournament, and those who play it. */
interface Arena {
  id: string;
  history: TournamentHistory;
  bots: TournamentBot[];
}

describe("tournaments on a cluster whose nodes and Redis are killed", function () {
  this.timeout(240_000);
  muteSdk();
  let cluster: TournamentCluster;
  const arenas: Arena[] = [];

  before(async () => {
    console.log(`      seed ${SEED} (SEED=${SEED} replays what players do)`);
    cluster = await TournamentCluster.open(3);
  });
  after(async () => {
    for (const { bots } of arenas) for (const bot of bots) bot.leave();
    await cluster.close();
  });

  async function arena(definition: TournamentDefinition, players: readonly Player[]): Promise<Arena> {
    const id = await cluster.create(definition);
    const history = new TournamentHistory();
    const urls = cluster.places.map(({ url }) => url);
    const bots = players.map(
      (player, at) =>
        new TournamentBot({
          player,
          tournamentId: id,
          urls,
          history,
          rng: seededRng(SEED + 1000 * arenas.length + at),
        }),
    );
    await untilIn("open", id);
    for (const [at, visitor] of (await cluster.seat(id, players)).entries()) bots[at]!.sit(visitor);
    return { id, history, bots };
  }

  const untilIn = (phase: string, ...ids: string[]) =>
    until(async () => (await Promise.all(ids.map((id) => cluster.phaseOf(id)))).every((each) => each === phase), {
      timeoutMs: DEADLINE_MS,
      what: `${ids} are in ${phase}`,
    });

  /** Kills the node that owns the tournament; it is that node and no other which has its timers and turns. */
  async function killOwner({ id }: Arena): Promise<Place> {
    const place = await cluster.ownerOf("tournament", id);
    await place.node.kill();
    return place;
  }

  const progress = () => Promise.all(arenas.map(({ history }) => history.progress(PROGRESS)));
  const act = (action: string) => Promise.all(arenas.map(({ id }) => cluster.act(id, action)));

  it(`counts and pays everything once for ${PLAYERS[0] + PLAYERS[1]} players, who can all check the result`, async () => {
    const players = await cluster.signIn(PLAYERS[0] + PLAYERS[1]);
    const best = someTournament("Highest", { operator: "best", order: "desc" });
    const sum = someTournament("Least of all", { operator: "sum", order: "asc" });
    arenas.push(await arena(best, players.slice(0, PLAYERS[0])));
    arenas.push(await arena(sum, players.slice(PLAYERS[0])));
    const [first, second] = arenas as [Arena, Arena];

    // As long as nothing is lost, every rank is exact.
    await Promise.all(arenas.flatMap(({ bots }) => bots.map((bot) => bot.submitOnce())));
    for (const { id } of arenas)
      assert.deepEqual(rankFaults(await cluster.entriesOf(id), await cluster.settled(id)), []);

    const game = Promise.all(arenas.flatMap(({ bots }) => bots.map((bot) => bot.play())));
    game.catch((error: unknown) => first.history.fault(String(error)));
    await progress();
    // In open: the owner of one tournament dies, Redis forgets everything, the owner of the other one is taken for dead.
    await (await killOwner(first)).start();
    await progress();
    await cluster.redis.kill();
    await cluster.redis.restart();
    await progress();
    await stopOwner(second);
    await progress();

    await act("end");
    await untilIn("grace", first.id, second.id);
    await progress();
    const dead = await killOwner(first);
    assert.equal(await cluster.phaseOf(first.id), "grace");
    await dead.start();
    await progress();

    await settle(first, `INSERT INTO standings VALUES (?, 1, '', '', 0, 0, 0)`, first.id);
    await settle(
      second,
      "INSERT INTO inventories (player_id, item, amount) VALUES (?, 'TICO', 0)",
      second.bots[0]!.player.id,
    );
    await untilIn("settled", first.id, second.id);
    await game;
    for (const each of arenas) await assertKept(each);
    await assertPaid();
    await assertDeliveredOnce();
    assertNothingUncaught();
    for (const { history } of arenas)
      console.log(
        `      ${history.submissions.length} scores sent, ${history.count} answered; ` +
          `lived through ${JSON.stringify(Object.fromEntries(history.troubles))}`,
      );
  });

  /** The owner stands still until another node has taken the tournament over, and then goes on as if nothing had happened. */
  async function stopOwner({ id }: Arena): Promise<void> {
    const owner = await cluster.ownerOf("tournament", id);
    owner.node.program.signal("SIGSTOP");
    const [before] = await ownership(id);
    // A turn is asked for, or nobody would need an owner.
    const elsewhere = cluster.up.find((place) => place !== owner)!;
    await until(
      async () => {
        await elsewhere.node.post(`/api/tournaments/${id}/preview`, { token: cluster.operator, body: {} });
        return (await ownership(id))[0]!.owner !== before!.owner;
      },
      { timeoutMs: DEADLINE_MS, what: "another node has taken over" },
    );
    owner.node.program.signal("SIGCONT");
  }

  const ownership = (id: string) =>
    cluster.database.query<{ owner: string | null }>("SELECT owner FROM actors WHERE kind = 'tournament' AND id = ?", [
      id,
    ]);

  /**
   * Ends the grace of a tournament, and kills its settler as it waits for what is `held`: a row that it has to store. An actor
   * in whose turns node after node dies is put in quarantine, so it is cleared of the deaths before, as an operator would.
   */
  async function settle(each: Arena, held: string, key: string): Promise<void> {
    await cluster.pardon("tournament", each.id);
    const killed = await cluster.whileOpen(held, [key], async () => {
      await cluster.act(each.id, "end");
      await cluster.untilWaiting(/INTO (\w+)/.exec(held)![1]!);
      assert.equal(await cluster.phaseOf(each.id), "settling");
      return await killOwner(each);
    });
    await killed.start();
  }

  async function assertKept({ id, history, bots }: Arena): Promise<void> {
    assert.deepEqual(history.faults, []);
    const open = history.submissions.filter(({ answer, refusal }) => !answer && refusal === undefined);
    assert.deepEqual(open, [], "each submission was answered or refused in the end");
    const [entries, tournament] = await Promise.all([cluster.entriesOf(id), cluster.settled(id)]);
    assert.deepEqual(answerFaults(history.submissions, entries), []);
    assert.deepEqual(entryFaults(entries, tournament), []);
    assert.deepEqual(orderFaults(history.submissions, entries), []);

    const standings = standingsOf(entries, tournament);
    assert.deepEqual(await cluster.standingsOf(id), standings);
    assert.equal(tournament.players, bots.length);
    assert.equal(tournament.prizesDistributed, true);
    assert.equal(tournament.resultHash, hashOf(tournament, standings), "the hash, from SQL alone");
    assert.equal(tournament.resultHash, await cluster.hashByApi(id), "the hash, from the API alone");

    const ranks = new Map(standings.map(({ rank, playerId }) => [playerId, rank]));
    for (const { player, results } of bots) {
      assert.ok(results.length > 0);
      for (const { result } of results) {
        assert.equal(result.rank, ranks.get(player.id));
        assert.ok(isPrizeOf(result.prizes, result.rank!, PRIZES), `${player.id} is told of ${JSON.stringify(result)}`);
      }
      assert.equal(new Set(results.map(({ visitor }) => visitor)).size, results.length, "told once on each connection");
    }
  }

  async function assertPaid(): Promise<void> {
    const awards = await Promise.all(arenas.map(({ id }) => cluster.awardsOf(id)));
    for (const [at, { id }] of arenas.entries())
      assert.deepEqual(awardFaults(await cluster.standingsOf(id), PRIZES, awards[at]!), []);
    assert.deepEqual(inventoryFaults(awards.flat(), await cluster.inventories()), []);
  }

  /** Nodes write lines of JSON, and one when they are ready; anything else was caught by nobody. */
  function assertNothingUncaught(): void {
    const lines = cluster.places.flatMap(({ output }) => output);
    assert.deepEqual(
      lines.filter((line) => !line.startsWith("{") && !line.startsWith("Ringmaster is ready")),
      [],
    );
  }

  /** The lobby's feed has one end of each tournament. */
  async function assertDeliveredOnce(): Promise<void> {
    const token = arenas[0]!.bots[0]!.player.token;
    const lobby = await Visitor.join(clientOf(cluster.node.url, token), "lobby");
    const ends = () =>
      lobby.heard
        .filter(({ type }) => type === "event")
        .map(({ payload }) => payload as FeedEvent)
        .filter(({ type }) => type === "tournamentSettled")
        .map(({ data }) => (data as { id: string }).id);
    await until(() => arenas.every(({ id }) => ends().includes(id)), {
      timeoutMs: DEADLINE_MS,
      what: "both ends are told",
    });
    assert.equal(ends().length, arenas.length);
    await lobby.room.leave();
  }
});
