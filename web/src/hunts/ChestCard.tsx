import { useEffect, useState } from "preact/hooks";
import { Chest } from "../art/Chest.tsx";
import { calm } from "../motion.ts";
import { useObservable } from "../observable.ts";
import { itemsText } from "../prizes.ts";
import type { Standing, Winner } from "../protocol.ts";
import { session } from "../session.ts";
import type { HuntGame } from "./HuntGame.ts";

/** The chest rattles this long before it opens, in milliseconds: its winners are known before it is seen. */
const SUSPENSE_MS = 1600;

/** Without word of the winners after this long, in milliseconds, the top three stand for them. */
const DEADLINE_MS = 5000;

/** The reveal: a chest that shakes, opens, and shows who won. */
export function ChestCard({ game }: { game: HuntGame }) {
  const told = useObservable(game.winners);
  const hunt = useObservable(game.hunt);
  const own = useObservable(session)?.player.id;
  const isOver = hunt?.phase === "finished";
  const hasRattled = useAfter(SUSPENSE_MS) || isOver || calm();
  const hasWaited = useAfter(DEADLINE_MS) || isOver;
  const winners: readonly (Standing & Partial<Winner>)[] | undefined = hasRattled
    ? (told ?? (hasWaited ? hunt?.top.slice(0, 3) : undefined))
    : undefined;
  const won = winners?.find(({ playerId }) => playerId === own);

  return (
    <section class={winners ? "card chest chest--open" : "card chest"} aria-labelledby="chest">
      <Chest open={winners !== undefined} />
      <h2 id="chest">{title(winners, won)}</h2>
      {winners && (
        <ol class="winners">
          {winners.map((winner) => (
            <li key={winner.playerId} class={winner.playerId === own ? "winner own" : "winner"}>
              <span class={`rank rank--${winner.rank}`}>{winner.rank}</span>
              <span class="winner__name">
                {winner.name}
                {winner.playerId === own && <span class="you"> you</span>}
              </span>
              {winner.prizes && winner.prizes.length > 0 && (
                <span class="winner__prize">{itemsText(winner.prizes)}</span>
              )}
              <span class="winner__points">{winner.points} points</span>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

function title(winners: readonly Standing[] | undefined, won: Standing | undefined): string {
  if (!winners) return "The chest is about to open…";
  if (winners.length === 0) return "The chest is open, and nobody had the key this time";
  return won ? "Your name is in the chest!" : "The chest is open!";
}

/** Whether the component has been on the page for `ms` milliseconds. */
function useAfter(ms: number): boolean {
  const [passed, setPassed] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setPassed(true), ms);
    return () => clearTimeout(timer);
  }, [ms]);
  return passed;
}
