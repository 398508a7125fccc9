import type { EventStatus } from "../../entities/events/EventStatus.ts";
import type { HuntPhase, SealedHunt } from "../../entities/hunts/Hunt.ts";
import type { Recorded } from "../../entities/hunts/results.ts";
import type { EventNews, EventState } from "../events/EventCore.ts";
import type { HuntPlan } from "./phases.ts";
import type { Counting } from "./scores.ts";

/** What the actor needs of the definition. */
type KeptPlan = HuntPlan &
  Pick<SealedHunt, "name" | "winners" | "prizes" | "endWhenExhausted" | "revision"> & { total: number };

/** What a hunt's actor keeps in its own row; the definition with its many clues stays in `hunts`. */
export interface HuntState extends EventState<HuntPhase> {
  /** Absent until the hunt is created. */
  plan?: KeptPlan;
  /** Instances that may be in the pool or beyond it: the ledger never has more. */
  issued: number;
  ledgerEpoch: number;
  /**
   * From the end of solving until all is counted, and released where it is to be reviewed: how far counting has come, and when (epoch
   * milliseconds) it began and the next phase was to.
   */
  counting?: Counting & { since: number; begins: number };
  /** Of one that was cancelled in solving. Not `counting`, after which a node of the version before would pay. */
  countingCancelled?: Counting;
  /** Of a hunt that ends once all is solved: the instances below this one are committed as solved. */
  solvedUpTo?: number;
  /** From the reveal until all results are stored: the last one that is. A version before noted a player: then all are stored once more. */
  resultsTo?: Recorded | string;
  /** Set once it is cancelled. */
  prizes?: "paid" | "unpaid";
}

/** How a hunt stands, as operators and rooms are told. Times are epoch milliseconds. */
export interface HuntStatus extends EventStatus {
  id: string;
  name: string;
  phase: HuntPhase;
  startsAt: number;
  /** 0 once the hunt is over. */
  phaseEndsAt: number;
  /** Of a hunt that is cancelled: whether its winners had been paid by then, who keep what they have. */
  prizes?: "paid" | "unpaid";
}

/** A `phase` event of a hunt's feed. */
export interface PhaseNews extends EventNews {
  phase: HuntPhase;
  endsAt: number;
}

export function planOf(definition: SealedHunt): KeptPlan {
  const { name, startsAt, discoveryMs, solvingMs, revealMs, winners, prizes, clues, repeat } = definition;
  const { endWhenExhausted = false } = definition;
  const total = clues.length * repeat;
  return { name, startsAt, discoveryMs, solvingMs, revealMs, winners, prizes, total, endWhenExhausted };
}
