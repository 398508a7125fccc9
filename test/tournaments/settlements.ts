import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import { TournamentActor, type TournamentPorts, tournamentKind } from "../../src/actors/tournaments/TournamentActor.ts";
import { TournamentOperations } from "../../src/actors/tournaments/TournamentOperations.ts";
import { TournamentSeriesActor } from "../../src/actors/tournaments/TournamentSeriesActor.ts";
import { type Rng, seededRng } from "../../src/clock.ts";
import type { PrizeRange } from "../../src/entities/prizes/PrizeLedger.ts";
import type { Database, Value } from "../../src/entities/sql.ts";
import { Tournaments, type TournamentTerms } from "../../src/entities/tournaments/Tournament.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";
import { MemoryLeaderboard } from "../../src/stores/tournaments/MemoryLeaderboard.ts";
import { MortalDatabase } from "../actors/MortalDatabase.ts";
import { kindOf, ManualClock, SimulatedNode, silentLog } from "../actors/simulation.ts";

/** Open for ten seconds from `startsAt` on, with a grace of five; the best score counts. */
export function someTerms(startsAt: number, change: Partial<TournamentTerms> = {}): TournamentTerms {
  return {
    name: "Harbour cup",
    game: "snake",
    startsAt,
    endsAt: startsAt + 10_000,
    graceMs: 5000,
    operator: "best",
    order: "desc",
    maxEntries: 100,
    maxSubmissions: 1_000_000,
    minScore: -1e9,
    maxScore: 1e9,
    submissionsPerMinute: 120,
    prizes: [],
    series: null,
    ...change,
  };
}

/** Three ranges that overlap, with ranks in between that get nothing. */
export const SOME_PRIZES: PrizeRange[] = [
  {
    from: 1,
    to: 1,
    items: [
      { item: "PRIVATE_PASS", amount: "1" },
      { item: "TICO", amount: "100" },
    ],
  },
  { from: 1, to: 3, items: [{ item: "TICO", amount: "50" }] },
  { from: 6, to: 1000, items: [{ item: "TICO", amount: "7" }] },
];

/** Pages so small that a settlement of a dozen players takes several turns of each kind. */
export const SMALL_PAGES = { standings: 5, ranks: 3 };

const ENTRY_COLUMNS = [
  ...["tournament_id", "player_id", "entry_no", "submission_id", "player_name", "game", "score", "subscore"],
  ...["best", "best_subscore", "seq", "reached_seq", "told_rank", "stored_at"],
] as const;

/** Commits entries of `players` players, some of them several, with ties of score and subscore. */
export async function writeEntries(
  database: Database,
  tournamentId: string,
  players: number,
  rng: Rng = seededRng(7),
): Promise<void> {
  let seq = 0;
  const rows: Value[][] = [];
  for (let at = 0; at < players; at++) {
    const id = `p${rng.id(6)}${at}`;
    let best: { score: number; subscore: number; seq: number } | undefined;
    for (let no = 1; no <= 1 + Math.floor(rng.next() * 3); no++) {
      seq += 1;
      const score = Math.floor(rng.next() * 8) / 3 - 1;
      const subscore = Math.floor(rng.next() * 3);
      if (!best || score > best.score || (score === best.score && subscore > best.subscore))
        best = { score, subscore, seq };
      const made = [`s${no}`, `Player\t${at} 🎪`, "snake", score, subscore];
      rows.push([tournamentId, id, no, ...made, best.score, best.subscore, seq, best.seq, 1, 0]);
    }
  }
  await database.transaction((tx) => tx.load("score_entries", ENTRY_COLUMNS, rows));
}

/** The hash as anyone can compute it: from the tables and the words of the protocol, with nothing of the code that settles. */
export async function hashFromSql(database: Database, tournamentId: string): Promise<string> {
  const [record] = await database.query<Record<string, unknown>>("SELECT * FROM tournaments WHERE id = ?", [
    tournamentId,
  ]);
  const { operator, order, prizes } = JSON.parse(String(record!.definition));
  const [startsAt, endsAt] = [Number(record!.starts_at), Number(record!.ends_at)];
  const lines = [JSON.stringify({ id: tournamentId, game: record!.game, operator, order, startsAt, endsAt, prizes })];
  const exact = database.dialect === "mysql" ? "CAST(score AS CHAR)" : "score";
  const rows = await database.query<Record<string, unknown>>(
    `SELECT place, player_id, ${exact} AS score, subscore, entries FROM standings WHERE tournament_id = ? ORDER BY place`,
    [tournamentId],
  );
  for (const { place, player_id, score, subscore, entries } of rows)
    lines.push(JSON.stringify([Number(place), player_id, Number(score), Number(subscore), Number(entries)]));
  return createHash("sha256")
    .update(lines.map((line) => `${line}\n`).join(""))
    .digest("hex");
}

/** What a settlement leaves behind, but for times and random ids. */
export async function outcomeOf(database: Database, tournamentId: string): Promise<object> {
  const [tournament] = await database.query<object>(
    "SELECT phase, players, result_hash, prizes_distributed FROM tournaments WHERE id = ?",
    [tournamentId],
  );
  const standings = await database.query<object>(
    "SELECT place, player_id, player_name, score, subscore, entries FROM standings WHERE tournament_id = ? ORDER BY place",
    [tournamentId],
  );
  const awards = await database.query<object>(
    "SELECT player_id, item, amount FROM awards WHERE source = 'tournament' AND source_id = ? ORDER BY player_id, item",
    [tournamentId],
  );
  const inventories = await database.query<object>(
    "SELECT player_id, item, amount FROM inventories ORDER BY player_id, item",
  );
  return { tournament, standings, awards, inventories };
}

/** A simulated cluster with a clock of its own, which hosts tournaments. */
export class TournamentWorld {
  readonly clock: ManualClock;
  readonly feed = new MemoryFeed();
  readonly hub = new MemoryHub();
  readonly leaderboard = new MemoryLeaderboard();
  readonly database: Database;
  node!: SimulatedNode;
  /** How often a node counted a result as forgotten. */
  reviewsOverdue = 0;

  constructor(database: Database, clock = new ManualClock()) {
    this.database = database;
    this.clock = clock;
  }

  /** A node that has joined; calls go to the latest one. */
  async join(id: string): Promise<SimulatedNode> {
    const { clock, database, feed, hub } = this;
    const ports: TournamentPorts = {
      ...{
        database,
        leaderboard: this.leaderboard,
        clock,
        log: silentLog,
        reviewOverdue: () => void this.reviewsOverdue++,
      },
      pages: SMALL_PAGES,
    };
    const node = new SimulatedNode({ id, hub, database, clock, feed }, [
      tournamentKind(ports),
      kindOf(TournamentSeriesActor),
    ]);
    ports.database = new MortalDatabase(database, node.life);
    await node.actors.start();
    this.node = node;
    return node;
  }

  /**
   * Moves time to `epochMs`, most of it with nobody there, which is fast: the node leaves, and another comes while nothing that
   * it would have to do is late by more than the way there.
   */
  async leap(epochMs: number): Promise<void> {
    const gap = epochMs - this.clock.now() - 30_000;
    if (gap > 0) {
      const { actors } = this.node;
      await this.within(actors.drain().then(() => actors.stop()));
      await this.node.crash();
      await this.clock.advance(gap);
      await this.join(`leapt-${epochMs}`);
    }
    await this.clock.advance(epochMs - this.clock.now());
  }

  tournament(id = "t", requestId?: string) {
    return this.node.actors.ref(TournamentActor, id, requestId === undefined ? {} : { requestId });
  }

  get operations(): TournamentOperations {
    const { database, node } = this;
    return new TournamentOperations({
      ...{ actors: node.actors, tournaments: new Tournaments(database), database },
      service: { standings: () => assert.fail("nobody reads the standings here") },
    });
  }

  series(id = "t") {
    return this.node.actors.ref(TournamentSeriesActor, id);
  }

  /** Runs a call to its end while time stands nearly still. */
  within<T>(call: Promise<T>): Promise<T> {
    return this.clock.within(200, call, 1);
  }

  /** What a topic was sent, as [type, data]. */
  async notified(topic: string): Promise<[string, unknown][]> {
    return (await this.feed.read(topic, undefined)).events.map(({ type, data }) => [type, data]);
  }
}
