import type { Room } from "@colyseus/sdk";
import type { Rng } from "../../src/clock.ts";
import { decimalOf, unitsOf } from "../../src/entities/tournaments/precision.ts";
import type { Seat } from "../runtime/Bot.ts";
import { RoomBot } from "../runtime/RoomBot.ts";
import type { Tally } from "../runtime/Tally.ts";
import { closedMessage, type Rules, settledMessage, standingsMessage, submitAnswer, wrongPhase } from "./answers.ts";

export const TOURNAMENT_EVENTS = ["answered", "firstRanks", "standings", "settled", "prizes"] as const;
export const TOURNAMENT_TIMES = ["submit"] as const;
type TournamentTimed = (typeof TOURNAMENT_TIMES)[number];
export type TournamentTally = Tally<(typeof TOURNAMENT_EVENTS)[number], TournamentTimed>;

/** How all bots of one load test play. */
export interface TournamentPlay {
  tournamentId: string;
  rules: Rules;
  /** A bot submits again after half of this to one and a half times this, in milliseconds. */
  everyMs: number;
  rng: Rng;
  tally: TournamentTally;
}

interface Submission {
  submissionId: string;
  score: number;
}

interface Standing {
  best: number;
  entries: number;
}

/** Scores of bots are below so many units of the game's precision. */
const MOST_UNITS = 1_000_000;
/** How long a bot waits for a tournament that has not begun, in milliseconds. */
const BEGIN_MS = 500;

/** One player of a tournament: submits score after score, each until it is answered, and checks what it is told. */
export class TournamentBot extends RoomBot<TournamentTimed> {
  readonly #play: TournamentPlay;
  /** What was sent and not answered: it is sent again under the same id. */
  #pending: Submission | undefined;
  #standing: Standing | undefined;
  #sent = 0;
  #isOver = false;
  #hasBegun = true;

  constructor(play: TournamentPlay, seat: Seat) {
    super(seat, play, { tournamentId: play.tournamentId });
    this.#play = play;
  }

  protected override onRoom(room: Room): void {
    const { tally } = this.#play;
    this.hear(room, "standings", standingsMessage, ({ rows, total }) => {
      tally.events.standings += 1;
      this.#checkRows(rows, total);
    });
    this.hear(room, "closed", closedMessage, ({ phase }) => {
      if (phase !== "grace") this.#isOver = true;
    });
    this.hear(room, "settled", settledMessage, ({ rank, prizes }) => {
      tally.events.settled += 1;
      tally.events.prizes += prizes.length;
      this.#isOver = true;
      if (rank === null && this.#standing) tally.protocolError("a player with entries is told of no rank");
    });
  }

  protected override onBack(): void {}

  protected override async step(): Promise<void> {
    if (this.#isOver) return await this.change();
    if (!this.#hasBegun) await this.sleep(BEGIN_MS);
    else if (this.#pending === undefined) await this.sleep(this.#play.everyMs * (0.5 + this.#play.rng.next()));
    if (this.isEnding || this.#isOver) return;
    this.#pending ??= this.#next();
    await this.#submit(this.#pending);
  }

  protected override onRefused(code: string, details: unknown): boolean {
    if (code === "wrong_phase") {
      const phase = wrongPhase.safeParse(details).data?.phase;
      this.#hasBegun = phase !== "scheduled";
      // In grace, who has begun after the end is not heard any more either.
      this.#isOver = this.#hasBegun;
      return true;
    }
    if (code === "entries_used_up") this.#isOver = true;
    return this.#isOver;
  }

  #next(): Submission {
    this.#sent += 1;
    const score = decimalOf(Math.floor(this.#play.rng.next() * MOST_UNITS), this.#play.rules.precision);
    return { submissionId: `load-${this.#sent}`, score };
  }

  async #submit(pending: Submission): Promise<void> {
    const answer = await this.ask("submit", pending, submitAnswer);
    if (answer === undefined) return;
    const { events } = this.#play.tally;
    events.answered += 1;
    if (answer.rank === 1) events.firstRanks += 1;
    this.#hasBegun = true;
    this.#pending = undefined;
    this.#check(pending, answer);
    this.#standing = answer;
  }

  /** What a player who is alone with this account can tell for sure: how many entries there are, and what they come to. */
  #check({ score }: Submission, { best, entries }: Standing): void {
    const { tally, rules } = this.#play;
    const before = this.#standing;
    const expected = expectedBest(rules, before?.best, score);
    if (entries !== (before?.entries ?? 0) + 1)
      tally.protocolError(`${entries} entries were told after ${before?.entries ?? 0}`);
    if (best !== expected)
      tally.protocolError(`${best} counts after ${score}, where ${before?.best ?? "nothing"} counted: not ${expected}`);
  }

  #checkRows(rows: readonly { rank: number; score: number }[], total: number): void {
    const sign = this.#play.rules.order === "desc" ? -1 : 1;
    const isInOrder = rows.every(
      ({ rank, score }, at) => rank === at + 1 && (at === 0 || sign * (score - rows[at - 1]!.score) >= 0),
    );
    if (!isInOrder || total < rows.length)
      this.#play.tally.protocolError(`standings of ${total} read ${JSON.stringify(rows)}`);
  }
}

/** What counts for a player after a score. */
function expectedBest({ operator, order, precision }: Rules, before: number | undefined, score: number): number {
  if (before === undefined || operator === "last") return score;
  if (operator === "best") return order === "desc" ? Math.max(before, score) : Math.min(before, score);
  return decimalOf(unitsOf(before, precision)! + unitsOf(score, precision)!, precision);
}
