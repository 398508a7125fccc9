import type { Phase } from "../protocol.ts";
import type { ServerClock } from "../serverClock.ts";
import { type Act, ActsBanner, type PhaseWords } from "../shell/ActsBanner.tsx";
import type { HuntView } from "./HuntGame.ts";

const ACTS: readonly Act<Phase>[] = [
  { phase: "discovery", name: "Doors open" },
  { phase: "solving", name: "The hunt" },
  { phase: "reveal", name: "The chest" },
];

const WORDS: Record<Phase, PhaseWords> = {
  scheduled: { until: "Doors open in" },
  discovery: { until: "The hunt begins in" },
  solving: { until: "Time left" },
  reveal: { until: "Curtain in" },
  finished: { instead: "The hunt is over" },
  cancelled: { instead: "The hunt was cancelled" },
};

/** The hunt's name, the act it is in, and how long that lasts. */
export function PhaseBanner({ hunt, clock }: { hunt: HuntView; clock: ServerClock }) {
  const { name, phase, startsAt, endsAt } = hunt;
  const current = ACTS.findIndex((act) => act.phase === phase);
  const passed = phase === "finished" ? ACTS.length : current;
  const ends = phase === "scheduled" ? startsAt : endsAt;
  return (
    <ActsBanner
      name={name}
      phase={phase}
      ends={ends}
      of="hunt"
      acts={ACTS}
      passed={passed}
      words={WORDS}
      clock={clock}
      pausedAt={hunt.pausedAt}
      resumesAt={hunt.resumesAt}
      reviewSince={hunt.reviewSince}
    />
  );
}
