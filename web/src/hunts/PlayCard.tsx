import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { announce } from "../announcer.ts";
import { countdownText, useServerNow } from "../countdown.ts";
import { focusWhenLost } from "../focus.ts";
import { useObservable } from "../observable.ts";
import { ClosedClue } from "./ClosedClue.tsx";
import { ClueCard } from "./ClueCard.tsx";
import type { HuntGame } from "./HuntGame.ts";
import type { Play } from "./play.ts";

/** What there is to do while the hunt runs: get a clue, wait for one, answer it, go on. */
export function PlayCard({ game }: { game: HuntGame }) {
  const play = useObservable(game.play);
  const reachable = useObservable(game.link.status).at === "joined";

  // The first card must not take the focus from whoever has just come in.
  const isBack = useRef(false);
  if (play.at === "waiting" || play.at === "clue" || play.at === "closed") isBack.current = true;
  const closed = play.at === "closed" ? play : play.at === "asking" ? play.after : undefined;

  if (play.at === "clue") {
    return <ClueCard key={play.clue.assignmentId} game={game} play={play} reachable={reachable} />;
  }
  if (play.at === "waiting") return <InQueue game={game} play={play} reachable={reachable} />;
  if (play.at === "exhausted") return <Exhausted />;
  if (closed) return <ClosedClue key={closed.clue.assignmentId} closed={closed} game={game} reachable={reachable} />;
  return (
    <Invitation
      game={game}
      asking={play.at === "asking"}
      idle={play.at === "idle" ? play : undefined}
      reachable={reachable}
      isBack={isBack.current}
    />
  );
}

interface InvitationProps {
  game: HuntGame;
  asking: boolean;
  idle: (Play & { at: "idle" }) | undefined;
  reachable: boolean;
  /** Whether another card was here before, which may have had the focus. */
  isBack: boolean;
}

function Invitation({ game, asking, idle, reachable, isBack }: InvitationProps) {
  const button = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => {
    if (isBack) focusWhenLost(button.current);
  }, [isBack]);
  const restLeft = (idle?.restUntil ?? 0) - useServerNow(game.clock);
  const isResting = restLeft > 0;
  const rested = useRef(false);
  useEffect(() => {
    if (rested.current && !isResting) announce("The next clue can be yours now.");
    rested.current = isResting;
  }, [isResting]);
  const label = isResting ? `Get a clue in ${countdownText(restLeft)}` : "Get a clue";

  return (
    <section class="card card--invitation" aria-labelledby="invitation">
      <h2 id="invitation">The next clue could be yours</h2>
      <p>Each clue goes to one person at a time. Take one, and beat its clock.</p>
      <button
        class="primary primary--large"
        type="button"
        ref={button}
        aria-disabled={asking || !reachable || isResting}
        onClick={() => reachable && !isResting && void game.claim()}
      >
        {asking ? "Drawing a clue…" : label}
      </button>
      <p class="problem" role="alert">
        {idle?.restUntil !== undefined && !isResting ? "" : idle?.problem}
      </p>
    </section>
  );
}

function Exhausted() {
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => focusWhenLost(heading.current), []);
  return (
    <section class="card card--invitation" aria-labelledby="exhausted">
      <h2 id="exhausted" ref={heading} tabIndex={-1}>
        You have had every clue
      </h2>
      <p>There is none left for you in this hunt. Stay for the standings: the chest opens at the end.</p>
    </section>
  );
}

function InQueue(props: { game: HuntGame; play: Play & { at: "waiting" }; reachable: boolean }) {
  const { game, play, reachable } = props;
  const { position, isLeaving = false, problem } = play;
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => focusWhenLost(heading.current), []);
  return (
    <section class="card card--invitation" aria-labelledby="queue">
      <div class="queue" aria-hidden="true">
        <span />
        <span />
        <span />
      </div>
      <h2 id="queue" ref={heading} tabIndex={-1}>
        You are number {position} in the queue
      </h2>
      <p>Every clue is in somebody's hands. Yours comes by itself the moment one is free.</p>
      <button
        class="quiet"
        type="button"
        aria-disabled={isLeaving || !reachable}
        onClick={() => reachable && void game.leaveQueue()}
      >
        {isLeaving ? "Leaving…" : "Leave the queue"}
      </button>
      <p class="problem" role="alert">
        {problem}
      </p>
    </section>
  );
}
