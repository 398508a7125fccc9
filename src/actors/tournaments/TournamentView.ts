import { isPaused, type Pausing, pausedError } from "../../entities/events/Pausing.ts";
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
import { mayFollow } from "../events/phaseOrder.ts";
import { isNewer } from "../events/ThrottledRefresh.ts";

/** Who hears what happens to a tournament on this node: its rooms. The table tells what it is. */
export interface TournamentAudience {
  /** Phase or times have changed. */
  onPhase(): void;
  /** The top rows have changed. */
  onStandings(view: BoardPage): void;
  /** Standings, prizes and result are final. */
  onSettled(): void;
  /** The definition is another one. */
  onCorrected(): void;
}

/** Who may submit now: everybody, those whom grace is for, or nobody. */
export type SubmissionWindow = "open" | "grace" | "closed";

/** How a tournament's phase, times and pauses stand. */
export type TournamentTimes = Pick<TournamentRecord, "phase" | "startsAt" | "endsAt" | "phaseEndsAt" | "pausing">;

/** Whether entries are taken. */
export const isTaking = (phase: TournamentPhase): boolean => phase === "open" || phase === "grace";

/** What this node knows of one tournament while it has rooms for it. Times are epoch milliseconds. */
export class TournamentView {
  readonly id: string;
  definition: TournamentTerms;
  key: BoardKey;
  readonly audience = new Set<TournamentAudience>();
  phase: TournamentPhase;
  startsAt: number;
  /** When the open phase ends, or did. */
  endsAt: number;
  /** When the phase changes next by itself; 0 while it settles and once it is over. */
  phaseEndsAt: number;
  /** SHA-256 of the result in hex, once it is settled. */
  resultHash: string | undefined;
  /** The top rows. */
  view: BoardPage | undefined;
  /** Undefined until it is paused for the first time. */
  pausing: Pausing | undefined;
  /** The latest revision of the definition that was heard of; what is known of it may be older for a moment. */
  #revisionTold = 0;

  constructor(record: TournamentRecord) {
    const { id, definition, phase, startsAt, endsAt, phaseEndsAt, resultHash, pausing } = record;
    this.id = id;
    this.definition = definition;
    this.phase = phase;
    this.startsAt = startsAt;
    this.endsAt = endsAt;
    this.phaseEndsAt = phaseEndsAt;
    this.resultHash = resultHash ?? undefined;
    this.pausing = pausing ?? undefined;
    this.key = { id, rules: rulesOf(definition) };
  }

  /** Digits of a score after the point. Boards and views have scores in units of it (`precision.ts`). */
  get precision(): number {
    return this.definition.precision ?? 0;
  }

  /** Throws `unavailable` for the moment in which a correction has been heard of, and not been read. */
  requireCurrent(): void {
    if (this.#isOutdated)
      throw new RingmasterError("unavailable", "The tournament was corrected just now; try again in a moment.");
  }

  get #isOutdated(): boolean {
    return (this.definition.revision ?? 0) < this.#revisionTold;
  }

  /** The tournament was heard to have this revision; answers whether the definition is to be read. */
  hearRevision(revision: number): boolean {
    this.#revisionTold = Math.max(this.#revisionTold, revision);
    return this.#isOutdated;
  }

  /** Takes the definition over if it is a later one. */
  correct({ definition }: Pick<TournamentRecord, "definition">): void {
    if ((definition.revision ?? 0) <= (this.definition.revision ?? 0)) return;
    this.definition = definition;
    this.key = { id: this.id, rules: rulesOf(definition) };
    for (const room of this.audience) room.onCorrected();
  }

  /** Whether entries are taken, as far as this node knows: the journal has the last word. */
  get isTaking(): boolean {
    return isTaking(this.phase);
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
    return new RingmasterError("score_refused", undefined, { min: minScore, max: maxScore });
  }

  /** Throws `paused` while it is. */
  requireRunning(): void {
    if (isPaused(this.pausing)) throw this.paused();
  }

  /** Why nothing is taken, while the tournament is paused and when it was since something was decided. */
  paused(): RingmasterError {
    return pausedError(this.pausing);
  }

  wrongPhase(): RingmasterError {
    const { phase, phaseEndsAt } = this;
    const message =
      phase === "grace"
        ? "The tournament is over; only scores of what was being played before its end are still taken."
        : `The tournament is ${phase}; it takes no score now.`;
    return new RingmasterError("wrong_phase", message, { phase, changesAt: phaseEndsAt === 0 ? null : phaseEndsAt });
  }

  /** Takes note of phase, times and pauses; false when they are not news. What is heard late may be older than what is known. */
  moveTo(now: TournamentTimes): boolean {
    const { phase, startsAt, endsAt, phaseEndsAt, pausing } = now;
    const [pauses, pausesKnown] = [pausing?.count ?? 0, this.pausing?.count ?? 0];
    if (!mayFollow(TOURNAMENT_PHASES, this.phase, phase) || pauses < pausesKnown) return false;
    const isKnown =
      pauses === pausesKnown && phase === this.phase && endsAt === this.endsAt && phaseEndsAt === this.phaseEndsAt;
    if (isKnown && startsAt === this.startsAt) return false;
    Object.assign(this, { phase, startsAt, endsAt, phaseEndsAt, pausing: pausing ?? undefined });
    for (const room of this.audience) room.onPhase();
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
