import type { Room } from "@colyseus/sdk";
import { announce, announcePause, announceReview } from "../announcer.ts";
import { api } from "../api.ts";
import { RoomLink } from "../connection.ts";
import { Observable } from "../observable.ts";
import { itemsText, ordinal } from "../prizes.ts";
import type { Problem } from "../problems.ts";
import type {
  BegunRun,
  PrizeRange,
  ScoreRow,
  StandingsPage,
  SubmitAnswer,
  TournamentClosed,
  TournamentDetails,
  TournamentPhase,
  TournamentSettled,
  TournamentState,
} from "../protocol.ts";
import { randomId } from "../randomId.ts";
import { ServerClock } from "../serverClock.ts";
import type { Session } from "../session.ts";
import { Round } from "../snake/Round.ts";
import { handOver, pendingScores } from "./pendingScores.ts";
import { refusalText, reportText } from "./reports.ts";
import { type Report, Submissions } from "./Submissions.ts";

/** The room's state as plain values, replaced as a whole with every patch. */
export type TournamentView = Omit<TournamentState, "top" | "prizes"> & { top: ScoreRow[]; prizes: PrizeRange[] };

export type OwnStanding = Pick<ScoreRow, "rank" | "score">;

/** The one game that this page can play. */
export const PLAYABLE_GAME = "snake";

/**
 * The subscore of a round that was played at the player's own pace: of equal scores the other one ranks first, and everybody sees in the
 * standings which it was.
 */
const OWN_PACE = -1;

/** Rows around the player's own that are asked for. */
const ROWS_AROUND = 5;
/** A round that is played until nothing is taken any more ends so many milliseconds before: its score has to get there. */
const BELL_MS = 1500;
/** A timer of a browser cannot be set for longer than some weeks; what is due later is looked at again, in milliseconds. */
const LONGEST_TIMER_MS = 3_600_000;
/** However often the standings change, the player's own place among them is asked for once in so many milliseconds. */
const AROUND_EVERY_MS = 3000;

/** What is read out when a phase begins. */
const BEGUN: Record<TournamentPhase, string> = {
  scheduled: "The tournament is announced.",
  open: "The tournament is open. Rounds count from now on.",
  grace: "Time is up. A round that is being played still counts.",
  settling: "The tournament is closed. The judges are counting.",
  // The result itself is read out.
  settled: "",
  cancelled: "The tournament was cancelled.",
};

/** One player's tournament: the room behind it, the round that is being played, and scores on their way. */
export class TournamentGame {
  readonly tournamentId: string;
  readonly clock = new ServerClock();
  readonly link: RoomLink<TournamentState>;
  readonly tournament = new Observable<TournamentView | undefined>(undefined);
  readonly details = new Observable<TournamentDetails | undefined>(undefined);
  readonly standings = new Observable<StandingsPage>({ rows: [], total: 0 });
  /** The rows around the player's own; none before the player's first entry. */
  readonly around = new Observable<ScoreRow[]>([]);
  readonly round = new Observable<Round | undefined>(undefined);
  /** Why no round could be begun just now; empty otherwise. */
  readonly trouble = new Observable("");
  readonly report = new Observable<Report | undefined>(undefined);
  readonly settled = new Observable<TournamentSettled | undefined>(undefined);
  /** How this player stands; nothing before the first entry. */
  readonly own = new Observable<OwnStanding | undefined>(undefined);
  /** What counts for this player; 0 before the first entry. */
  readonly points = new Observable(0);
  /** How many entries this player has made. */
  readonly entries = new Observable<number | undefined>(undefined);
  #playerId: string;
  #isBeginning = false;
  readonly #submissions: Submissions;
  #aroundAt = Number.NEGATIVE_INFINITY;
  #bell: ReturnType<typeof setTimeout> | undefined;
  #aroundTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(owner: Session, tournamentId: string) {
    this.tournamentId = tournamentId;
    this.#playerId = owner.player.id;
    this.#submissions = new Submissions({
      send: (pending) => this.link.request<SubmitAnswer>("submit", pending),
      wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      tell: (report) => this.#hear(report),
      store: pendingScores(tournamentId, () => this.#playerId),
    });
    this.link = new RoomLink<TournamentState>(owner, "tournament", () => ({ tournamentId }), {
      joined: (room) => this.#listen(room),
      ready: () => {
        void this.clock.observeHttp();
        void this.#submissions.deliver();
        this.#lookAround();
      },
      renewed: ({ id }) => this.#playAs(id),
      state: (state) => this.#read(state),
    });
    this.#readDetails();
  }

  close(): void {
    clearTimeout(this.#aroundTimer);
    clearTimeout(this.#bell);
    this.#submissions.close();
    this.link.close();
  }

  /** A new round. It counts when the tournament is open: then it is a run that the server begins. */
  async play(isStepwise: boolean): Promise<void> {
    const { phase, pausedAt = 0 } = this.tournament.value ?? {};
    if ((phase !== "open" && phase !== "scheduled") || pausedAt > 0 || this.#isBeginning) return;
    this.#isBeginning = true;
    this.trouble.set("");
    try {
      const begun = phase === "open" ? await this.#beginRun() : undefined;
      const seed = begun?.seed ?? crypto.getRandomValues(new Uint32Array(1))[0]!;
      this.#begin(new Round({ seed, counts: phase === "open", isStepwise, run: begun?.run }));
    } catch (error) {
      this.trouble.set(refusalText(error as Problem));
    } finally {
      this.#isBeginning = false;
    }
  }

  /** Nodes of an earlier version begin no runs, and want none. */
  async #beginRun(): Promise<BegunRun | undefined> {
    try {
      return await this.link.request<BegunRun>("begin", {});
    } catch (error) {
      if ((error as Problem).code === "unknown_request") return undefined;
      throw error;
    }
  }

  #begin(round: Round): void {
    this.report.set(undefined);
    this.round.set(round);
    const unsubscribe = round.status.subscribe((status) => {
      if (status !== "over") return;
      unsubscribe();
      if (round.snake.value.end && round.counts) this.#submit(round);
    });
  }

  /**
   * What was reached stays the former player's, and so does a run that is being played: it does not count any more. Scores on their way
   * without a run go on as the new player's.
   */
  #playAs(playerId: string): void {
    handOver(this.#playerId, playerId);
    this.#playerId = playerId;
    this.own.set(undefined);
    this.points.set(0);
    this.entries.set(undefined);
    this.around.set([]);
    this.settled.set(undefined);
  }

  #submit({ snake, isStepwise, run, proof }: Round): void {
    const { score } = snake.value;
    const played = run === undefined ? {} : { run, proof };
    this.#submissions.add({ submissionId: randomId(), score, subscore: isStepwise ? OWN_PACE : 0, ...played });
  }

  #hear(report: Report): void {
    this.report.set(report);
    if (report.at === "refused") announce(reportText(report));
    if (report.at !== "counted") return;
    const { rank, best, entries } = report.answer;
    this.entries.set(entries);
    this.#stand({ rank, score: best });
    announce(`Your ${report.score} points count. You are ${ordinal(rank)} with ${best}.`);
    this.#lookAround();
  }

  #listen(room: Room<unknown, TournamentState>): void {
    room.onMessage("standings", (page: StandingsPage) => {
      this.standings.set(page);
      this.#lookAroundSoon();
    });
    room.onMessage("closed", ({ acceptsUntil }: TournamentClosed) => this.#setBell(acceptsUntil));
    room.onMessage("settled", (settled: TournamentSettled) => {
      const isNews = this.settled.value === undefined;
      this.settled.set(settled);
      // A client that comes back is told again.
      if (isNews) announce(resultText(settled));
      this.#lookAround();
    });
  }

  #read(state: TournamentState): void {
    const { phase: before, pausedAt: pausedBefore, reviewSince: reviewedBefore } = this.tournament.value ?? {};
    this.clock.observe(state.serverNow);
    const { tournamentId, name, game, phase, startsAt, endsAt, phaseEndsAt, players, serverNow, resultHash } = state;
    const { pausedAt, resumesAt, reviewSince, cancelReason = "" } = state;
    const top = [...state.top].map(({ rank, playerId, name, score, subscore }) => ({
      ...{ rank, playerId, name, score, subscore },
    }));
    const times = { startsAt, endsAt, phaseEndsAt, pausedAt, resumesAt, reviewSince, serverNow };
    const prizes = this.tournament.value?.prizes ?? (JSON.parse(state.prizes) as PrizeRange[]);
    this.tournament.set({ tournamentId, name, game, phase, ...times, cancelReason, players, resultHash, prizes, top });
    this.standings.set({ rows: top, total: players });
    announcePause("tournament", pausedBefore, pausedAt);
    announceReview("tournament", reviewedBefore, reviewSince);
    if (pausedBefore !== undefined && pausedBefore > 0 && pausedAt === 0) void this.#submissions.deliver();
    // What ends is told anew when it goes on.
    if (pausedAt > 0) clearTimeout(this.#bell);
    else if (phase === "open" && this.details.value?.graceMs === 0) this.#setBell(phaseEndsAt);
    else if (phase === "grace") this.#setBell(phaseEndsAt);
    if (phase === before) return;
    if (before !== undefined && BEGUN[phase]) announce(BEGUN[phase]);
    // A round that goes on would only disappoint.
    if (phase === "settling" || phase === "settled" || phase === "cancelled") this.round.set(undefined);
    if (before !== undefined) this.#readDetails();
  }

  #stand({ rank, score }: OwnStanding): void {
    this.own.set({ rank, score });
    this.points.set(score);
  }

  /** Nothing is taken after `acceptsUntil`: a round that is being played then ends just before, so that its score counts. */
  #setBell(acceptsUntil: number): void {
    clearTimeout(this.#bell);
    if (acceptsUntil === 0) return;
    const wait = Math.max(0, acceptsUntil - BELL_MS - this.clock.now());
    const ring = (): void => (wait > LONGEST_TIMER_MS ? this.#setBell(acceptsUntil) : this.round.value?.ring());
    this.#bell = setTimeout(ring, Math.min(wait, LONGEST_TIMER_MS));
  }

  #readDetails(): void {
    api<TournamentDetails>(`/api/tournaments/${encodeURIComponent(this.tournamentId)}`).then(
      (details) => this.details.set(details),
      // The page shows less without them; the room itself says what is wrong.
      () => undefined,
    );
  }

  #lookAroundSoon(): void {
    if (this.#aroundTimer !== undefined || !this.own.value) return;
    const wait = Math.max(0, this.#aroundAt + AROUND_EVERY_MS - performance.now());
    this.#aroundTimer = setTimeout(() => this.#lookAround(), wait);
  }

  #lookAround(): void {
    clearTimeout(this.#aroundTimer);
    this.#aroundTimer = undefined;
    this.#aroundAt = performance.now();
    const asked = { around: this.#playerId, limit: ROWS_AROUND };
    this.link.request<StandingsPage>("standings", asked).then(
      ({ rows }) => {
        this.around.set(rows);
        const own = rows.find(({ playerId }) => playerId === this.#playerId);
        if (!own) return;
        this.#stand(own);
        if (own.entries !== undefined) this.entries.set(own.entries);
      },
      // Asked again with the next change, or when the room is back.
      () => undefined,
    );
  }
}

function resultText({ rank, prizes }: TournamentSettled): string {
  if (rank === null) return "The tournament is settled.";
  const won = prizes.length > 0 ? ` You have won ${itemsText(prizes)}.` : "";
  return `The tournament is settled. You came in ${ordinal(rank)}.${won}`;
}
