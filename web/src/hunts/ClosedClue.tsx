import { useLayoutEffect, useRef } from "preact/hooks";
import { Star } from "../art/Star.tsx";
import { focusWhenLost } from "../focus.ts";
import type { HuntGame } from "./HuntGame.ts";
import type { Closing, Play } from "./play.ts";

const WORDS: Record<Exclude<Closing["how"], "solved">, { title: string; text: string }> = {
  exhausted: {
    title: "Out of attempts",
    text: "That clue goes to somebody else now. The next one may suit you better.",
  },
  expired: { title: "Time is up", text: "The ring burned down, and that clue goes to somebody else. On to the next." },
  returned: {
    title: "Given back",
    text: "That clue goes to whoever waits for one. Your wrong answers to it stay counted.",
  },
  lost: { title: "That clue moved on", text: "It closed while you were away. There is another one for you." },
};

/** How the clue ended, and the way to the next one. */
export function ClosedClue(props: { closed: Play & { at: "closed" }; game: HuntGame; reachable: boolean }) {
  const { closed, game, reachable } = props;
  const next = useRef<HTMLButtonElement>(null);
  const { clue, closing } = closed;
  useLayoutEffect(() => focusWhenLost(next.current), []);

  return (
    <section class={closing.how === "solved" ? "card card--won" : "card card--lost"} aria-labelledby="closed">
      {closing.how === "solved" ? (
        <>
          <p class="won" aria-hidden="true">
            <span class="won__points">+{closing.points}</span>
            {SPARKS.map((index) => (
              <Star key={index} class={`spark spark--${index}`} />
            ))}
          </p>
          <h2 id="closed">Right you are!</h2>
          <p>
            <span class="unseen">{closing.points} points. </span>“{clue.prompt}” is solved.
          </p>
        </>
      ) : (
        <>
          <h2 id="closed">{WORDS[closing.how].title}</h2>
          <p>{WORDS[closing.how].text}</p>
        </>
      )}
      <button
        class="primary primary--large"
        type="button"
        ref={next}
        aria-disabled={!reachable}
        onClick={() => reachable && void game.claim()}
      >
        Next clue
      </button>
    </section>
  );
}

const SPARKS = [1, 2, 3, 4, 5, 6];
