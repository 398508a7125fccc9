import { useEffect, useRef } from "preact/hooks";
import { countdownText, useServerNow } from "../countdown.ts";
import { focusWhenLost } from "../focus.ts";
import type { Phase } from "../protocol.ts";
import type { ServerClock } from "../serverClock.ts";
import type { HuntView } from "./HuntGame.ts";

const STEPS: readonly { phase: Phase; name: string }[] = [
  { phase: "discovery", name: "Doors open" },
  { phase: "solving", name: "The hunt" },
  { phase: "reveal", name: "The chest" },
];

/** What the countdown of a phase counts down to. */
const UNTIL: Record<Phase, string> = {
  scheduled: "Doors open in",
  discovery: "The hunt begins in",
  solving: "Time left",
  reveal: "Curtain in",
  finished: "",
  cancelled: "",
};

const ENDED: Partial<Record<Phase, string>> = { finished: "The hunt is over", cancelled: "The hunt was cancelled" };

/** The hunt's name, the act it is in, and how long that lasts. */
export function PhaseBanner({ hunt, clock }: { hunt: HuntView; clock: ServerClock }) {
  const now = useServerNow(clock);
  const heading = useRef<HTMLHeadingElement>(null);
  const phase = useRef(hunt.phase);
  useEffect(() => {
    if (phase.current === hunt.phase) return;
    phase.current = hunt.phase;
    focusWhenLost(heading.current);
  }, [hunt.phase]);
  const ends = hunt.phase === "scheduled" ? hunt.startsAt : hunt.endsAt;
  const ended = ENDED[hunt.phase];
  const current = STEPS.findIndex(({ phase }) => phase === hunt.phase);
  const passed = hunt.phase === "finished" ? STEPS.length : current;

  return (
    <section class="phase" data-phase={hunt.phase} aria-labelledby="hunt-name">
      <div class="phase__words">
        <h1 id="hunt-name" ref={heading} tabIndex={-1}>
          {hunt.name}
        </h1>
        <ol class="acts" aria-label="Acts of the hunt">
          {STEPS.map(({ phase, name }, index) => (
            <li
              key={phase}
              class={index < passed ? "act act--past" : index === current ? "act act--now" : "act"}
              aria-current={index === current ? "step" : undefined}
            >
              {name}
            </li>
          ))}
        </ol>
      </div>
      <p class="phase__time">
        {ended ? (
          <span class="phase__ended">{ended}</span>
        ) : (
          <>
            <span class="phase__until">{UNTIL[hunt.phase]}</span>{" "}
            <span class="phase__clock" role="timer">
              {ends > 0 ? countdownText(ends - now) : "—"}
            </span>
          </>
        )}
      </p>
    </section>
  );
}
