import { useObservable } from "../observable.ts";
import { itemsText, rangeText } from "../prizes.ts";
import type { TournamentGame } from "./TournamentGame.ts";

/** What there is to win, by rank. */
export function PrizeTable({ game }: { game: TournamentGame }) {
  const prizes = useObservable(game.details)?.prizes ?? [];
  if (prizes.length === 0) return null;
  return (
    <section class="prizes" aria-labelledby="prizes">
      <h2 id="prizes">The prizes</h2>
      <dl class="prizes__list">
        {prizes.map((range, index) => (
          <div key={index} class="prize">
            <dt>{rangeText(range)}</dt>
            <dd>{itemsText(range.items)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
