import { useEffect, useRef } from "preact/hooks";
import { countdownText, useServerNow } from "../countdown.ts";
import { focusWhenLost } from "../focus.ts";
import type { ServerClock } from "../serverClock.ts";

/** What the banner says of one phase. */
export interface PhaseWords {
  /** What its countdown counts down to. */
  until?: string;
  /** Said in place of a countdown. */
  instead?: string;
}

export interface Act<Phase> {
  phase: Phase;
  name: string;
}

const UNDER_REVIEW: PhaseWords = { instead: "Under review" };

interface BannerProps<Phase extends string> {
  name: string;
  phase: Phase;
  /** When the phase ends, in epoch milliseconds; 0 when nobody can say. */
  ends: number;
  /** What the acts are acts of, for whoever hears them. */
  of: string;
  acts: readonly Act<Phase>[];
  /** Acts that are over, counted from the first. */
  passed: number;
  words: Record<Phase, PhaseWords>;
  clock: ServerClock;
  /** Since when it is paused, and when it goes on at the latest; 0 while it is not. */
  pausedAt: number;
  resumesAt: number;
  /** Since when the result is held for review; 0 while it is not. */
  reviewSince: number;
}

/** The name of what is on, the act it is in, and how long that lasts. */
export function ActsBanner<Phase extends string>(props: BannerProps<Phase>) {
  const { name, phase, of, acts, passed } = props;
  const heading = useRef<HTMLHeadingElement>(null);
  const before = useRef(phase);
  useEffect(() => {
    if (before.current === phase) return;
    before.current = phase;
    focusWhenLost(heading.current);
  }, [phase]);

  return (
    <section class="phase" data-phase={phase} aria-labelledby="act-name">
      <div class="phase__words">
        <h1 id="act-name" ref={heading} tabIndex={-1}>
          {name}
        </h1>
        <ol class="acts" aria-label={`Acts of the ${of}`}>
          {acts.map((act, index) => (
            <li
              key={act.phase}
              class={act.phase === phase ? "act act--now" : index < passed ? "act act--past" : "act"}
              aria-current={act.phase === phase ? "step" : undefined}
            >
              {act.name}
            </li>
          ))}
        </ol>
        {props.pausedAt > 0 && <p>{pausedText(props)}</p>}
      </div>
      <PhaseTime {...props} />
    </section>
  );
}

/** By the clock of the device, which may be wrong. */
function pausedText({ of, clock, resumesAt }: Pick<BannerProps<string>, "of" | "clock" | "resumesAt">): string {
  const goesOn = new Date(Date.now() + resumesAt - clock.now());
  const at = goesOn.toLocaleString("en", { dateStyle: "medium", timeStyle: "short" });
  return `The ${of} is paused, until ${at} at the latest. No time is lost.`;
}

function PhaseTime<Phase extends string>(props: BannerProps<Phase>) {
  const { phase, ends, words, clock, pausedAt, reviewSince } = props;
  const time = useServerNow(clock);
  const now = pausedAt > 0 ? pausedAt : time;
  const { until, instead } = reviewSince > 0 ? UNDER_REVIEW : words[phase];
  return (
    <p class="phase__time">
      {instead !== undefined ? (
        <span class="phase__ended">{instead}</span>
      ) : (
        <>
          <span class="phase__until">{until}</span>{" "}
          <span class="phase__clock" role="timer">
            {ends > 0 ? countdownText(ends - now) : "—"}
          </span>
        </>
      )}
    </p>
  );
}
