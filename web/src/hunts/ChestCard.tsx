import { useEffect, useState } from "preact/hooks";
import { Chest } from "../art/Chest.tsx";
import { useObservable } from "../observable.ts";
import type { Standing } from "../protocol.ts";
import { session } from "../session.ts";
import type { HuntGame } from "./HuntGame.ts";

/** The chest stays shut this long for a player who comes after it was opened: nobody sends its winners again. */
const PATIENCE_MS = 3000;

/** The reveal: a chest that shakes, opens, and shows who won. */
export function ChestCard({ game }: { game: HuntGame }) {
  const told = useObservable(game.winners);
  const hunt = useObservable(game.hunt);
  const own = useObservable(session)?.player.id;
  const [late, setLate] = useState(hunt?.phase === "finished");
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, []);
  const winners = told ?? (late ? hunt?.top.slice(0, 3) : undefined);
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
