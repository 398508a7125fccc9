import { countdownText } from "../countdown.ts";

/** From this many milliseconds on the ring burns red. */
const HURRY_MS = 10_000;

/** A ring that burns down from `lifetime` to nothing, with the time left in its middle. Both in milliseconds. */
export function ExpiryRing({ left, lifetime }: { left: number; lifetime: number }) {
  const gone = 1 - Math.min(1, Math.max(0, left / lifetime));
  return (
    <div class={left <= HURRY_MS ? "burn burn--hurry" : "burn"}>
      <svg viewBox="0 0 100 100" aria-hidden="true" focusable="false">
        <circle class="burn__track" cx="50" cy="50" r="43" />
        <circle
          class="burn__left"
          cx="50"
          cy="50"
          r="43"
          pathLength={1}
          stroke-dasharray="1"
          stroke-dashoffset={gone}
          transform="rotate(-90 50 50)"
        />
      </svg>
      <span class="burn__time" role="timer">
        <span class="unseen">Time left for this clue: </span>
        {countdownText(left)}
      </span>
    </div>
  );
}
