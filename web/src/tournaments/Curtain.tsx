import type { ComponentChildren, Ref } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { End } from "../../../src/games/snake.ts";
import { Star } from "../art/Star.tsx";
import { Observable, useObservable } from "../observable.ts";
import { pointsText } from "../points.ts";
import { ordinal } from "../prizes.ts";
import type { TournamentPhase } from "../protocol.ts";
import type { Round, RoundStatus } from "../snake/Round.ts";
import { recall, remember } from "../storage.ts";
import { reportText } from "./reports.ts";
import type { Report } from "./Submissions.ts";
import type { TournamentGame } from "./TournamentGame.ts";

const PACE_KEY = "ringmaster.stepwise";

const ENDINGS: Record<End, string> = {
  kerb: "Into the kerb!",
  tail: "A knot in the parade!",
  tune: "The band takes a bow!",
  bell: "The bell ends the round!",
};

const IDLE = new Observable<RoundStatus>("over");

interface CurtainProps {
  game: TournamentGame;
  round: Round | undefined;
  phase: TournamentPhase;
  resume: () => void;
}

/** What lies over the ring while nobody plays in it: the way in, a pause, or what came of the round. */
export function Curtain({ game, round, phase, resume }: CurtainProps) {
  const status = useObservable(round?.status ?? IDLE);
  if (round && status === "playing") return null;
  if (round && status === "paused") return <Paused resume={resume} />;
  return (
    <div class="curtain">
      {round?.snake.value.end ? (
        <Ending game={game} round={round} end={round.snake.value.end} />
      ) : (
        <Intro phase={phase} />
      )}
      <WayIn key={round ? "again" : "first"} game={game} phase={phase} isAgain={round !== undefined} />
    </div>
  );
}

function Paused({ resume }: { resume: () => void }) {
  return (
    <div class="curtain">
      <h3>The band waits for you</h3>
      <FocusedButton onClick={resume}>Go on</FocusedButton>
    </div>
  );
}

function Intro({ phase }: { phase: TournamentPhase }) {
  if (phase === "grace") {
    return (
      <>
        <h3>The bell has rung</h3>
        <p>Rounds that were being played may still come in. Then the judges count.</p>
      </>
    );
  }
  return (
    <>
      <h3>{phase === "open" ? "Lead the parade" : "Rehearse while you wait"}</h3>
      <p>
        Collect the stars while the band plays, about a minute. Mind the kerb, and your own tail.
        {phase === "scheduled" && " Rounds count once the tournament is open."}
      </p>
    </>
  );
}

function Ending({ game, round, end }: { game: TournamentGame; round: Round; end: End }) {
  const report = useObservable(game.report);
  const { score } = round.snake.value;
  return (
    <>
      <h3>{ENDINGS[end]}</h3>
      <p class="curtain__score">
        <strong>{score}</strong> points
      </p>
      {!round.counts && <p>That was a rehearsal: it does not count.</p>}
      {report && <Decision report={report} />}
    </>
  );
}

function Decision({ report }: { report: Report }) {
  if (report.at !== "counted") {
    return <p class={report.at === "refused" ? "curtain__refusal" : "curtain__waiting"}>{reportText(report)}</p>;
  }
  const { rank, best } = report.answer;
  const isBest = best === report.score;
  return (
    <p class="curtain__rank">
      {isBest && <Star class="curtain__star" />}
      {ordinal(rank)} place{isBest ? "" : ` with ${pointsText(best)}`}
      {isBest && <Star class="curtain__star" />}
    </p>
  );
}

/** The button to play, and the choice of a pace; where no round can be counted any more, why that is. */
function WayIn({ game, phase, isAgain }: { game: TournamentGame; phase: TournamentPhase; isAgain: boolean }) {
  const [isStepwise, setStepwise] = useState(() => recall(PACE_KEY) === true);
  const entries = useObservable(game.entries);
  const most = useObservable(game.details)?.maxEntries;
  const trouble = useObservable(game.trouble);
  const isPaused = (useObservable(game.tournament)?.pausedAt ?? 0) > 0;
  if (phase === "grace") return null;
  if (phase === "open" && entries !== undefined && most !== undefined && entries >= most) {
    return <p>You have played all your rounds. What you have reached stands.</p>;
  }

  const choose = (chosen: boolean): void => {
    setStepwise(chosen);
    remember(PACE_KEY, chosen);
  };
  const Button = isAgain ? FocusedButton : PlainButton;
  return (
    <>
      <Button onClick={() => void game.play(isStepwise)} waitsFor={isPaused ? "paused-why" : undefined}>
        {phase === "scheduled" ? "Rehearse" : isAgain ? "Play again" : "Play a round"}
      </Button>
      {isPaused && (
        <p id="paused-why" class="curtain__waiting">
          While the tournament is paused, no round begins.
        </p>
      )}
      {trouble && (
        <p class="curtain__refusal" role="alert">
          {trouble}
        </p>
      )}
      <label class="pace">
        <input type="checkbox" checked={isStepwise} onChange={(event) => choose(event.currentTarget.checked)} />
        <span>
          At my own pace
          <small>one step with each key; you hear what is around</small>
        </span>
      </label>
    </>
  );
}

interface ButtonProps {
  onClick: () => void;
  /** What says why it does nothing now, if so. */
  waitsFor?: string | undefined;
  children: ComponentChildren;
}

function PlainButton({ button, ...props }: ButtonProps & { button?: Ref<HTMLButtonElement> }) {
  const { onClick, waitsFor, children } = props;
  return (
    <button
      {...(button && { ref: button })}
      class="primary primary--large"
      type="button"
      aria-disabled={waitsFor !== undefined}
      aria-describedby={waitsFor}
      onClick={() => waitsFor === undefined && onClick()}
    >
      {children}
    </button>
  );
}

/** Takes the focus as it appears: it follows on what had it. */
function FocusedButton(props: ButtonProps) {
  const button = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => button.current?.focus({ preventScroll: true }), []);
  return <PlainButton {...props} button={button} />;
}
