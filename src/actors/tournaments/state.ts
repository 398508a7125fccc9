import type { EventStatus } from "../../entities/events/EventStatus.ts";
import type { TournamentPhase, TournamentRecord, TournamentTerms } from "../../entities/tournaments/Tournament.ts";
import type { EventNews, EventState } from "../events/EventCore.ts";
import type { TournamentPlan } from "./phases.ts";
import type { PreviewedPrize, Settlement } from "./settlement.ts";

/** What a tournament's actor keeps in its own row. */
export interface TournamentState extends EventState<TournamentPhase> {
  /** Absent until the tournament is created. */
  terms?: TournamentTerms;
  /** Of one that was corrected: the terms before that, which its series goes by. */
  seriesTerms?: TournamentTerms;
  /** As it is now: operators may have moved its times. */
  plan: TournamentPlan;
  seriesId: string | null;
  createdBy: string;
  boardEpoch: number;
  settlement: Settlement;
}

/** How a tournament stands, as operators and rooms are told. Times are epoch milliseconds. */
export type TournamentStatus = Pick<
  TournamentRecord,
  "id" | "name" | "game" | "phase" | "startsAt" | "endsAt" | "phaseEndsAt"
> &
  EventStatus;

/** What the lobby is told of a settled tournament. */
export interface TournamentOutcome {
  id: string;
  name: string;
  game: string;
  players: number;
  resultHash: string;
  /** The first three, with what they got. */
  winners: PreviewedPrize[];
}

/** A `phase` event of a tournament's feed. */
export interface PhaseNews extends EventNews {
  phase: TournamentPhase;
  endsAt: number;
  phaseEndsAt: number;
}
