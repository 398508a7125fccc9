import { TOURNAMENT_ERRORS } from "../../entities/tournaments/errors.ts";
import { LARGEST_SCORE, unitsOf } from "../../entities/tournaments/precision.ts";
import {
  TOURNAMENT_PHASES,
  type TournamentPhase,
  type TournamentRecord,
  type TournamentTerms,
} from "../../entities/tournaments/Tournament.ts";
import { RingmasterError } from "../../errors.ts";
import type { BoardKey, BoardPage } from "../../stores/tournaments/Leaderboard.ts";
import { invalidPayload } from "../../validate.ts";
import { type EventAudience, EventView } from "../events/EventView.ts";
import { isNewer } from "../events/ThrottledRefresh.ts";

/** Who hears what happens to a tournament on this node: its rooms. */
export interface TournamentAudience extends EventAudience {
  /** The top rows have changed. */
  onStandings(view: BoardPage): void;
  /** Standings, prizes and result are final. */
  onSettled(): void;
}

/** Who may submit now: everybody, those whom grace is for, or nobody. */
export type SubmissionWindow = "open" | "grace" | "closed";

/** How a tournament's phase, times, pauses and review stand. */
export type TournamentTimes = Pick<
  TournamentRecord,
  "phase" | "startsAt" | "endsAt" | "phaseEndsAt" | "pausing" | "reviewSince" | "cancelReason"
>;

/** Whether entries are taken. */
export const isTaking = (phase: TournamentPhase): boolean => phase === "open" || phase === "grace";

/** What a node knows of one tournament. Times are epoch milliseconds. */
export class TournamentView extends EventView<TournamentRecord, TournamentAudience> {
  protected override readonly kind = { noun: "tournament", phases: TOURNAMENT_PHASES };
  key: BoardKey;
  /** When the open phase ends, or did. `phaseEndsAt` is 0 while it settles and once it is over. */
  endsAt: number;
  /** SHA-256 of the result in hex, once it is settled. */
  resultHash: string | undefined;
  /** The top rows. */
  view: BoardPage | undefined;

  constructor(record: TournamentRecord) {
    super(record);
    this.endsAt = record.endsAt;
    this.resultHash = record.resultHash ?? undefined;
    this.key = { id: this.id, rules: rulesOf(this.definition) };
  }

  protected override onDefinition(): void {
    this.key = { id: this.id, rules: rulesOf(this.definition) };
  }

  /** Digits of a score after the point. Boards and views have scores in units of it (`precision.ts`). */
  get precision(): number {
    return this.definition.precision ?? 0;
  }

  /** Whether entries are taken, as far as this node knows: the journal has the last word. */
  get isTaking(): boolean {
    return isTaking(this.phase);
  }

  /** Throws `wrong_phase` unless they are. */
  requireTaking(): void {
    if (!this.isTaking) throw this.wrongPhase();
  }

  /** By phase and clock: the event of a phase may be late, and its end is known. */
  windowAt(now: number): SubmissionWindow {
    const { phase, endsAt, phaseEndsAt, definition } = this;
    if (phase === "open" && now < endsAt) return "open";
    const graceEndsAt = phase === "open" ? endsAt + definition.graceMs : phaseEndsAt;
    return this.isTaking && now < graceEndsAt ? "grace" : "closed";
  }

  /**
   * A score that somebody submits, in units. Throws `invalid_payload` for one with too many digits after the point, and `score_refused`
   * for one that is too large to be kept exactly.
   */
  unitsOf(score: number): number {
    const units = unitsOf(score, this.precision);
    if (units === undefined) {
      const message = `must have no more digits after the point than ${this.precision}, the precision of ${this.definition.game}`;
      throw invalidPayload([{ path: "score", message }]);
    }
    if (Math.abs(units) > LARGEST_SCORE) throw this.scoreRefused();
    return units;
  }

  /** The score cannot be, or was not verified. */
  scoreRefused(): RingmasterError {
    const { minScore, maxScore } = this.definition;
    return new RingmasterError(TOURNAMENT_ERRORS.score_refused, undefined, { min: minScore, max: maxScore });
  }

  wrongPhase(): RingmasterError {
    const { phase, phaseEndsAt } = this;
    const message =
      phase === "grace"
        ? "The tournament is over; only scores of what was being played before its end are still taken."
        : `The tournament is ${phase}; it takes no score now.`;
    return new RingmasterError("wrong_phase", message, { phase, changesAt: phaseEndsAt === 0 ? null : phaseEndsAt });
  }

  /** Takes note of phase, times, pauses and review; false when they are not news. What is heard late may be older than what is known. */
  moveTo(now: TournamentTimes): boolean {
    const { phase, startsAt, endsAt, phaseEndsAt, pausing } = now;
    const reviewSince = now.reviewSince ?? undefined;
    if (!this.mayFollow(now)) return false;
    const isSamePause = (pausing?.count ?? 0) === (this.pausing?.count ?? 0);
    const isSamePhase = phase === this.phase && endsAt === this.endsAt && phaseEndsAt === this.phaseEndsAt;
    const isSameReview = reviewSince === this.reviewSince;
    if (isSamePause && isSamePhase && isSameReview && startsAt === this.startsAt) return false;
    Object.assign(this, { phase, startsAt, endsAt, phaseEndsAt, pausing: pausing ?? undefined, reviewSince });
    this.cancelReason = now.cancelReason ?? undefined;
    for (const room of this.audience) room.onPhase(phase);
    return true;
  }

  settle(resultHash: string): void {
    if (this.resultHash !== undefined) return;
    this.resultHash = resultHash;
    for (const room of this.audience) room.onSettled();
  }

  show(view: BoardPage): void {
    if (!isNewer(view, this.view)) return;
    this.view = view;
    for (const room of this.audience) room.onStandings(view);
  }
}

function rulesOf(definition: TournamentTerms): BoardKey["rules"] {
  const { operator, order, maxEntries, maxSubmissions, minScore, maxScore, submissionsPerMinute } = definition;
  const { precision = 0 } = definition;
  // Bounds of before games had a precision may have more digits.
  const bounds = {
    minScore: unitsOf(minScore, precision) ?? Math.ceil(minScore * 10 ** precision),
    maxScore: unitsOf(maxScore, precision) ?? Math.floor(maxScore * 10 ** precision),
  };
  return { operator, order, maxEntries, maxSubmissions, ...bounds, submissionsPerMinute };
}
