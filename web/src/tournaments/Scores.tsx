import { begin, TUNE_STEPS } from "../../../src/games/snake.ts";
import { Observable, useObservable } from "../observable.ts";
import { pointsText } from "../points.ts";
import { ordinal } from "../prizes.ts";
import type { TournamentDetails } from "../protocol.ts";
import type { Round } from "../snake/Round.ts";
import type { TournamentGame } from "./TournamentGame.ts";

/** How the score that counts is called, by how it comes about. */
const COUNTING: Record<TournamentDetails["operator"], string> = {
  best: "Your best",
  sum: "Your total",
  last: "Your last",
  increment: "Your score",
};

const NO_ROUND = new Observable(begin(0));

/** The score of this round and how far the tune is; what counts so far, and the rank that it makes. */
export function Scores({ game, round }: { game: TournamentGame; round: Round | undefined }) {
  const snake = useObservable(round?.snake ?? NO_ROUND);
  const own = useObservable(game.own);
  const entries = useObservable(game.entries);
  const details = useObservable(game.details);
  const left = TUNE_STEPS - snake.step;

  return (
    <div class="scores">
      <dl class="scores__list">
        <div class="scores__now">
          <dt>This round</dt>
          <dd data-score={snake.score}>{snake.score}</dd>
        </div>
        <div>
          <dt>{COUNTING[details?.operator ?? "best"]}</dt>
          <dd>{own ? pointsText(own.score) : "—"}</dd>
        </div>
        <div>
          <dt>Rank</dt>
          <dd>{own ? ordinal(own.rank) : "—"}</dd>
        </div>
        <div>
          <dt>Rounds</dt>
          <dd>{entries === undefined ? "—" : roundsText(entries, details?.maxEntries)}</dd>
        </div>
      </dl>
      <label class="tune">
        <span class="tune__name">The band plays</span>
        <progress class="tune__bar" max={TUNE_STEPS} value={left} />
      </label>
    </div>
  );
}

/** A bound that nobody reaches is not worth telling. */
function roundsText(entries: number, most: number | undefined): string {
  return most === undefined || most > 999 ? `${entries}` : `${entries} of ${most}`;
}
