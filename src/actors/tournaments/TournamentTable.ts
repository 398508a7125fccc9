import {
  TOURNAMENT_PHASES,
  type TournamentPhase,
  type TournamentRecord,
  type TournamentTerms,
} from "../../entities/tournaments/Tournament.ts";
import { RingmasterError } from "../../errors.ts";
import type { BoardKey, BoardPage } from "../../stores/tournaments/Leaderboard.ts";
import { isNewer } from "../events/Pulse.ts";
import { mayFollow } from "../events/phaseOrder.ts";

/** Who hears what happens to a tournament on this node: its rooms. The table tells what it is. */
export interface TournamentAudience {
  /** Phase or times have changed. */
  onPhase(): void;
  /** The top rows have changed. */
  onStandings(view: BoardPage): void;
  /** Standings, prizes and result are final. */
  onSettled(): void;
}

/** Who may submit now: everybody, who began to play before the end, or nobody. */
export type Window = "open" | "grace" | "closed";

/** Whether entries are taken. */
export const isTaking = (phase: TournamentPhase): boolean => phase === "open" || phase === "grace";

/** What this node knows of one tournament while it has rooms for it. Times are epoch milliseconds. */
export class TournamentTable {
  readonly id: string;
  readonly definition: TournamentTerms;
  readonly key: BoardKey;
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

  constructor(record: TournamentRecord) {
    const { id, definition, phase, startsAt, endsAt, phaseEndsAt, resultHash } = record;
    this.id = id;
    this.definition = definition;
    this.phase = phase;
    this.startsAt = startsAt;
    this.endsAt = endsAt;
    this.phaseEndsAt = phaseEndsAt;
    this.resultHash = resultHash ?? undefined;
    const { operator, order, maxEntries, maxSubmissions, minScore, maxScore, submissionsPerMinute } = definition;
    const rules = { operator, order, maxEntries, maxSubmissions, minScore, maxScore, submissionsPerMinute };
    this.key = { id, rules };
  }

  /** Whether entries are taken, as far as this node knows: the journal has the last word. */
  get isTaking(): boolean {
    return isTaking(this.phase);
  }

  /** By phase and clock: the word of a phase may be late, and its end is known. */
  windowAt(now: number): Window {
    const { phase, endsAt, phaseEndsAt, definition } = this;
    if (phase === "open" && now < endsAt) return "open";
    const graceEndsAt = phase === "open" ? endsAt + definition.graceMs : phaseEndsAt;
    return this.isTaking && now < graceEndsAt ? "grace" : "closed";
  }

  wrongPhase(): RingmasterError {
    const { phase, phaseEndsAt } = this;
    const message =
      phase === "grace"
        ? "The tournament is over; only scores of what was being played before its end are still taken."
        : `The tournament is ${phase}; it takes no score now.`;
    return new RingmasterError("wrong_phase", message, { phase, changesAt: phaseEndsAt === 0 ? null : phaseEndsAt });
  }

  /** Takes note of phase and times; false when they are not news. What is heard late may be older than what is known. */
  moveTo(now: Pick<TournamentRecord, "phase" | "startsAt" | "endsAt" | "phaseEndsAt">): boolean {
    const { phase, startsAt, endsAt, phaseEndsAt } = now;
    if (!mayFollow(TOURNAMENT_PHASES, this.phase, phase)) return false;
    const isKnown = phase === this.phase && endsAt === this.endsAt && phaseEndsAt === this.phaseEndsAt;
    if (isKnown && startsAt === this.startsAt) return false;
    Object.assign(this, { phase, startsAt, endsAt, phaseEndsAt });
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
