import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import { Entrants } from "../../src/actors/tournaments/Entrants.ts";
import type { OpenTournament } from "../../src/actors/tournaments/OpenTournament.ts";
import { type BegunRun, Runs } from "../../src/actors/tournaments/Runs.ts";
import type { ScoreCheck } from "../../src/actors/tournaments/ScoreCheck.ts";
import { ScoreJournal } from "../../src/actors/tournaments/ScoreJournal.ts";
import { TournamentActor, tournamentKind } from "../../src/actors/tournaments/TournamentActor.ts";
import { TournamentSeriesActor } from "../../src/actors/tournaments/TournamentSeriesActor.ts";
import { type SubmitAnswer, TournamentService } from "../../src/actors/tournaments/TournamentService.ts";
import { type TournamentAudience, TournamentView } from "../../src/actors/tournaments/TournamentView.ts";
import { type Clock, systemRng } from "../../src/clock.ts";
import type { Database } from "../../src/entities/sql.ts";
import { Tournaments, type TournamentTerms } from "../../src/entities/tournaments/Tournament.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";
import type { BoardKey, BoardPage, Leaderboard } from "../../src/stores/tournaments/Leaderboard.ts";
import { kindOf, ManualClock, SimulatedNode, silentLog } from "../actors/simulation.ts";

/** How long a tournament is open, and then its grace: some beats of the nodes, of which each is simulated. */
export const ROUND_MS = 60_000;

/** Time at ten times its pace: rebuilds, deaths and reconciliation take seconds. */
export const fastClock: Clock = {
  now: () => 1_800_000_000_000 + Math.floor(performance.now() * 10),
  monotonic: () => performance.now() * 10,
  schedule: (callback, ms) => {
    const timer = setTimeout(callback, ms / 10);
    return () => clearTimeout(timer);
  },
};

/** A tournament that takes anything for a minute. */
export function someTerms(startsAt: number, change: Partial<TournamentTerms> = {}): TournamentTerms {
  return {
    ...{
      name: "Snake Sunday",
      game: "snake",
      startsAt,
      endsAt: startsAt + ROUND_MS,
      graceMs: ROUND_MS,
      operator: "best",
    },
    ...{ order: "desc", maxEntries: 1000, maxSubmissions: 100_000, minScore: 0, maxScore: 1000 },
    ...{ submissionsPerMinute: 10_000, prizes: [], series: null },
    ...change,
  } as TournamentTerms;
}

/** A room of one node, and what it was told. */
export class Row implements TournamentAudience {
  tournament!: OpenTournament;
  readonly phases: string[] = [];
  readonly views: BoardPage[] = [];
  results: (string | undefined)[] = [];
  /** How often the definition was corrected. */
  corrected = 0;

  onCorrected(): void {
    this.corrected += 1;
  }

  onPhase(): void {
    this.phases.push(this.tournament.phase);
  }

  onStandings(view: BoardPage): void {
    this.views.push(view);
  }

  onSettled(): void {
    this.results.push(this.tournament.resultHash);
  }

  /** The players whom it shows, best first. */
  get shown(): string {
    return (this.views.at(-1)?.rows ?? []).map(({ playerId }) => playerId).join(" ");
  }
}

/** A node's service with one room at it. */
export interface Service {
  node: SimulatedNode;
  service: TournamentService;
  row: Row;
  tournament: OpenTournament;
  leave(): void;
  begin(playerId: string): Promise<BegunRun>;
  submit(playerId: string, submissionId: string | undefined, score: number, more?: SubmitMore): Promise<SubmitAnswer>;
}

export interface SubmitMore {
  run?: string;
  subscore?: number;
  proof?: string;
  joinedAt?: number;
}

/** What a node may have of its own. */
export interface NodeParts {
  journal?: ScoreJournal;
  leaderboard?: Leaderboard;
  feed?: MemoryFeed;
  checks?: Record<string, ScoreCheck>;
  entrants?: Pick<Entrants, "note" | "joinedAt" | "close">;
}

/** Nodes with services at the tournament `t` on one database, one feed, and one leaderboard. */
export class TournamentCluster<C extends Clock = Clock> {
  readonly clock: C;
  readonly hub = new MemoryHub();
  readonly feed = new MemoryFeed();
  readonly database: Database;
  readonly leaderboard: Leaderboard;
  readonly tournaments: Tournaments;
  /** What the tournament `t` shall be; to be set before the first node joins. */
  plan: Partial<TournamentTerms> = {};

  constructor(clock: C, database: Database, leaderboard: Leaderboard) {
    this.clock = clock;
    this.database = database;
    this.leaderboard = leaderboard;
    this.tournaments = new Tournaments(database);
  }

  /** Adds a node whose room is at the tournament, which is open unless `plan` has a start. */
  async join(id: string, parts: NodeParts = {}): Promise<Service> {
    const { clock, database, hub } = this;
    const leaderboard = parts.leaderboard ?? this.leaderboard;
    const kinds = [
      tournamentKind({ database, leaderboard, clock, log: silentLog, reviewOverdue: () => {} }),
      kindOf(TournamentSeriesActor),
    ];
    const node = new SimulatedNode({ id, hub, database, clock, feed: this.feed }, kinds);
    await node.actors.start();
    const service = new TournamentService({
      ...{ actors: node.actors, tournaments: this.tournaments, database, clock, log: silentLog },
      leaderboard,
      journal: parts.journal ?? new ScoreJournal(database, clock),
      feed: parts.feed ?? this.feed,
      entrants: parts.entrants ?? new Entrants({ database, clock, log: silentLog }),
      checks: new Map(Object.entries(parts.checks ?? {})),
      runs: new Runs("a secret that all nodes of this cluster know", systemRng),
    });
    await this.within(this.#ensureTournament(node));
    return await this.another({ node, service });
  }

  /** Another room at the same service. */
  async another({ node, service }: Pick<Service, "node" | "service">): Promise<Service> {
    const row = new Row();
    const { event: tournament, leave } = await this.within(service.views.join("t", row));
    row.tournament = tournament;
    const submit: Service["submit"] = (playerId, submissionId, score, { joinedAt = 0, ...more } = {}) =>
      this.within(service.submit(tournament, playerOf(playerId), { submissionId, score, ...more }, joinedAt));
    const begin: Service["begin"] = (playerId) => this.within(service.begin(tournament, playerId));
    return { node, service, row, tournament, leave, begin, submit };
  }

  actor({ node }: Pick<Service, "node">) {
    return node.actors.ref(TournamentActor, "t");
  }

  async key(): Promise<BoardKey> {
    return new TournamentView((await this.tournaments.get("t"))!).key;
  }

  /** The board is lost. */
  async lose(): Promise<void> {
    await this.leaderboard.drop(await this.key());
  }

  /** The committed entries, in order of their decision, as `[playerId, entryNo, submissionId]`. */
  async committed(): Promise<[string, number, string][]> {
    const rows = await this.database.query<{ player_id: string; entry_no: unknown; submission_id: string }>(
      "SELECT player_id, entry_no, submission_id FROM score_entries WHERE tournament_id = 't' ORDER BY seq",
    );
    return rows.map((row) => [row.player_id, Number(row.entry_no), row.submission_id]);
  }

  /** Runs something to its end, with a little of a manual clock's time. */
  within<T>(work: Promise<T>, ms = 20_000): Promise<T> {
    const { clock } = this;
    return clock instanceof ManualClock ? clock.within(ms, work) : work;
  }

  async #ensureTournament(node: SimulatedNode): Promise<void> {
    if (await this.tournaments.get("t")) return;
    const isOpened = this.plan.startsAt === undefined;
    const tournament = node.actors.ref(TournamentActor, "t");
    await tournament.create(someTerms(this.clock.now() + (isOpened ? ROUND_MS : 0), this.plan), "op", null);
    if (isOpened) await tournament.start();
  }
}

export function playerOf(playerId: string): { playerId: string; name: string } {
  return { playerId, name: playerId.toUpperCase() };
}
