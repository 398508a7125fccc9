import { useLayoutEffect, useRef } from "preact/hooks";
import { focusWhenLost } from "../focus.ts";
import { useObservable } from "../observable.ts";
import { ClosedClue } from "./ClosedClue.tsx";
import { ClueCard } from "./ClueCard.tsx";
import type { HuntGame } from "./HuntGame.ts";

/** What there is to do while the hunt runs: get a clue, wait for one, answer it, go on. */
export function PlayCard({ game }: { game: HuntGame }) {
  const play = useObservable(game.play);
  const reachable = useObservable(game.link.status).at === "joined";

  const closed = play.at === "closed" ? play : play.at === "asking" ? play.after : undefined;

  if (play.at === "clue") {
    return <ClueCard key={play.clue.assignmentId} game={game} play={play} reachable={reachable} />;
  }
  if (play.at === "waiting") return <InQueue position={play.position} />;
  if (play.at === "exhausted") return <Exhausted />;
  if (closed) return <ClosedClue key={closed.clue.assignmentId} closed={closed} game={game} reachable={reachable} />;
  return (
    <Invitation
      game={game}
      asking={play.at === "asking"}
      problem={(play.at === "idle" && play.problem) || ""}
      reachable={reachable}
    />
  );
}

function Invitation(props: { game: HuntGame; asking: boolean; problem: string; reachable: boolean }) {
  const { game, asking, problem, reachable } = props;
  return (
    <section class="card card--invitation" aria-labelledby="invitation">
      <h2 id="invitation">The next clue could be yours</h2>
      <p>Each clue goes to one person at a time. Take one, and beat its clock.</p>
      <button
        class="primary primary--large"
        type="button"
        aria-disabled={asking || !reachable}
        onClick={() => reachable && void game.claim()}
      >
        {asking ? "Drawing a clue…" : "Get a clue"}
      </button>
      <p class="problem" role="alert">
        {problem}
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

function InQueue({ position }: { position: number }) {
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
    </section>
  );
}
