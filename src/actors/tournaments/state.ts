import type { TournamentPhase, TournamentTerms } from "../../entities/tournaments/Tournament.ts";
import type { TournamentPlan } from "./phases.ts";
import type { PreviewedPrize, Settlement } from "./settlement.ts";

/** What a tournament's actor keeps in its own row. */
export interface TournamentState {
  /** Absent until the tournament is created. */
  terms?: TournamentTerms;
  /** As it is now: operators may have moved its times. */
  plan: TournamentPlan;
  seriesId: string | null;
  createdBy: string;
  phase: TournamentPhase;
  phaseEndsAt: number;
  boardEpoch: number;
  settlement: Settlement;
}

/** How a tournament stands, as operators and rooms are told. Times are epoch milliseconds. */
export interface TournamentStatus {
  id: string;
  name: string;
  game: string;
  phase: TournamentPhase;
  startsAt: number;
  /** When the open phase ends, or did. */
  endsAt: number;
  /** 0 while it settles and once it is over. */
  phaseEndsAt: number;
}

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
