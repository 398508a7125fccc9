import { itemsText, rangeText } from "../prizes.ts";
import type { PrizeRange } from "../protocol.ts";

/** What there is to win, by rank. */
export function PrizeTable({ prizes }: { prizes: readonly PrizeRange[] }) {
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
