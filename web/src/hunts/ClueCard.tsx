import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { announce } from "../announcer.ts";
import { useServerNow } from "../countdown.ts";
import { focusWhenLost } from "../focus.ts";
import { calm } from "../motion.ts";
import { useObservable } from "../observable.ts";
import { ExpiryRing } from "./ExpiryRing.tsx";
import type { HuntGame } from "./HuntGame.ts";
import { attemptsText, type Play } from "./play.ts";

/** A screen reader hears of the end this many milliseconds before it. */
const WARNING_MS = 10_000;

type OpenClue = Play & { at: "clue" };

/** The open clue as a ticket: its prompt and the answer on the body, its clock and points on the stub. */
export function ClueCard({ game, play, reachable }: { game: HuntGame; play: OpenClue; reachable: boolean }) {
  const { clue, lifetime } = play;
  const now = useServerNow(game.clock);
  const pausedAt = useObservable(game.pauses.pausedAt);
  const left = clue.expiresAt - (pausedAt > 0 ? pausedAt : now);
  const up = left <= 0;
  const near = left <= WARNING_MS;

  useEffect(() => {
    if (up) game.timeUp(clue.assignmentId);
    else if (near) announce("Ten seconds left for this clue.");
  }, [up, near, game, clue]);

  return (
    <section class="ticket" aria-labelledby="clue-prompt">
      <div class="ticket__stub">
        <ExpiryRing left={left} lifetime={lifetime} />
        <p class="ticket__worth">
          <strong>{clue.points}</strong> points
        </p>
      </div>
      <div class="ticket__body">
        <p class="eyebrow">{clue.type}</p>
        <h2 id="clue-prompt" class="prompt">
          {clue.prompt}
        </h2>
        <AnswerForm game={game} play={play} reachable={reachable} />
      </div>
    </section>
  );
}

function AnswerForm({ game, play, reachable }: { game: HuntGame; play: OpenClue; reachable: boolean }) {
  const [answer, setAnswer] = useState(game.draft);
  const field = useRef<HTMLInputElement>(null);
  const form = useRef<HTMLFormElement>(null);
  const sending = play.sending !== undefined;
  const isBusy = sending || play.isReturning === true;
  const { attemptsLeft } = play.clue;
  const turn = play.decision?.turn;

  useLayoutEffect(() => focusWhenLost(field.current), []);
  useLayoutEffect(() => {
    if (turn === undefined) return;
    field.current?.focus();
    field.current?.select();
    if (!calm()) form.current?.animate(SHAKE, { duration: 380, easing: "ease-in-out" });
  }, [turn]);

  const type = (typed: string): void => {
    setAnswer(typed);
    game.type(typed);
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    if (reachable && !isBusy && answer.trim() !== "") void game.solve(answer.trim());
  };

  return (
    <form class="answer" ref={form} onSubmit={submit}>
      <label for="answer">Your answer</label>
      <div class="field">
        <input
          id="answer"
          ref={field}
          value={answer}
          maxLength={200}
          autoComplete="off"
          autoCapitalize="off"
          spellcheck={false}
          enterKeyHint="send"
          aria-invalid={play.decision !== undefined}
          aria-describedby="answer-decision"
          onInput={(event) => type(event.currentTarget.value)}
        />
        <button class="primary" type="submit" aria-disabled={isBusy || !reachable || answer.trim() === ""}>
          {sending ? "Sending…" : "Answer"}
        </button>
      </div>
      <p id="answer-decision" class={play.decision ? "decision decision--wrong" : "decision"}>
        {play.decision?.text ?? (attemptsLeft !== undefined && attemptsText(attemptsLeft))}
      </p>
      <button
        class="quiet ticket__return"
        type="button"
        aria-disabled={isBusy || !reachable}
        aria-describedby="return-how"
        onClick={() => reachable && void game.giveBack()}
      >
        {play.isReturning ? "Giving it back…" : "Give this clue back"}
      </button>
      <span id="return-how" class="unseen">
        It goes to whoever waits for one.
      </span>
    </form>
  );
}

const SHAKE = [0, -9, 8, -6, 4, -2, 0].map((x) => ({ transform: `translateX(${x}px)` }));
