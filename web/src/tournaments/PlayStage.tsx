import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { describe } from "../../../src/games/snake.ts";
import { announce } from "../announcer.ts";
import { calm } from "../motion.ts";
import { useObservable } from "../observable.ts";
import type { TournamentPhase } from "../protocol.ts";
import { Arena } from "../snake/Arena.tsx";
import { Pad } from "../snake/Pad.tsx";
import type { Round } from "../snake/Round.ts";
import { headingOfKey } from "../snake/steering.ts";
import { Curtain } from "./Curtain.tsx";
import { Scores } from "./Scores.tsx";
import type { TournamentGame } from "./TournamentGame.ts";

/** The ring to play in, with the scores and the buttons beside it. */
export function PlayStage({ game, phase }: { game: TournamentGame; phase: TournamentPhase }) {
  const round = useObservable(game.round);
  const stage = useRef<HTMLElement>(null);
  const arena = useRef<HTMLDivElement>(null);
  useReadOut(round);
  usePause(round);
  useLayoutEffect(() => {
    if (!round) return;
    arena.current?.focus({ preventScroll: true });
    stage.current?.scrollIntoView({ block: "nearest", behavior: calm() ? "auto" : "smooth" });
  }, [round]);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (round?.status.value !== "playing") return;
    const heading = headingOfKey(event);
    if (heading) {
      // The arrows would scroll the page.
      event.preventDefault();
      round.steer(heading);
    } else if (event.code === "KeyP" || event.code === "Escape") {
      round.pause();
    }
  };
  const onFocusOut = (): void => {
    // The focus is on its way: where it goes is known a moment later.
    setTimeout(() => {
      const isHere = document.hasFocus() && stage.current?.contains(document.activeElement);
      // Keys would not be heard any more.
      if (!isHere && !round?.isStepwise) round?.pause();
    });
  };
  const resume = (): void => {
    arena.current?.focus({ preventScroll: true });
    round?.resume();
  };

  return (
    <section ref={stage} class="play" aria-labelledby="play-title" onKeyDown={onKeyDown} onFocusOut={onFocusOut}>
      <h2 id="play-title" class="unseen">
        The ring
      </h2>
      <Scores game={game} round={round} />
      <div class="play__ring">
        <Arena round={round} arena={arena} />
        <Curtain game={game} round={round} phase={phase} resume={resume} />
      </div>
      <div class="play__controls">
        {phase === "grace" && round && <Bell round={round} />}
        <Pad round={round} />
        <p id="play-keys" class="small play__keys">
          <span class="by-keys">
            Arrow keys or <kbd>W</kbd> <kbd>A</kbd> <kbd>S</kbd> <kbd>D</kbd> steer, <kbd>P</kbd> pauses.
          </span>
          <span class="by-touch">Swipe across the ring, or use the buttons.</span>
        </p>
      </div>
    </section>
  );
}

/** Said for as long as there is a round to end. */
function Bell({ round }: { round: Round }) {
  if (useObservable(round.status) === "over") return null;
  return <p class="bell">The bell has rung: end this round in time, and it counts.</p>;
}

/** Whoever does not see the ring hears the score as it grows; at their own pace, also what is around after each step. */
function useReadOut(round: Round | undefined): void {
  useEffect(() => {
    let { score } = round?.snake.value ?? { score: 0 };
    if (round?.isStepwise) announce(describe(round.snake.value));
    return round?.snake.subscribe((snake) => {
      const words = snake.score === score ? [] : [`${snake.score} points.`];
      score = snake.score;
      if (round.isStepwise && !snake.end) words.push(describe(snake));
      if (words.length > 0) announce(words.join(" "));
    });
  }, [round]);
}

/** Nobody plays a page that is out of sight. */
function usePause(round: Round | undefined): void {
  useEffect(() => {
    const pause = (): void => {
      if (document.hidden && !round?.isStepwise) round?.pause();
    };
    document.addEventListener("visibilitychange", pause);
    return () => document.removeEventListener("visibilitychange", pause);
  }, [round]);
}
