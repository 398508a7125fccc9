import type { TournamentPhase } from "../protocol.ts";
import type { ServerClock } from "../serverClock.ts";
import { type Act, ActsBanner, type PhaseWords } from "../shell/ActsBanner.tsx";
import type { TournamentView } from "./TournamentGame.ts";

const ACTS: readonly Act<TournamentPhase>[] = [
  { phase: "open", name: "The contest" },
  { phase: "grace", name: "Last rounds" },
  { phase: "settled", name: "The prizes" },
];

/** Acts that are over in each phase. */
const PASSED: Record<TournamentPhase, number> = {
  scheduled: 0,
  open: 0,
  grace: 1,
  settling: 2,
  settled: 2,
  cancelled: 0,
};

const WORDS: Record<TournamentPhase, PhaseWords> = {
  scheduled: { until: "Opens in" },
  open: { until: "Time left" },
  grace: { until: "Last rounds for" },
  settling: { instead: "The judges are counting" },
  settled: { instead: "The tournament is over" },
  cancelled: { instead: "The tournament was cancelled" },
};

/** The tournament's name, the act it is in, and how long that lasts. */
export function TournamentBanner({ tournament, clock }: { tournament: TournamentView; clock: ServerClock }) {
  const { name, phase, startsAt, phaseEndsAt } = tournament;
  const ends = phase === "scheduled" ? startsAt : phaseEndsAt;
  return (
    <ActsBanner
      name={name}
      phase={phase}
      ends={ends}
      of="tournament"
      acts={ACTS}
      passed={PASSED[phase]}
      words={WORDS}
      clock={clock}
      pausedAt={tournament.pausedAt}
      resumesAt={tournament.resumesAt}
      reviewSince={tournament.reviewSince}
    />
  );
}
