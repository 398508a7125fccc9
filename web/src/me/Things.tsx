import { useEffect, useState } from "preact/hooks";
import { api } from "../api.ts";
import type { HuntGame } from "../hunts/HuntGame.ts";
import type { Lobby } from "../lobby/Lobby.ts";
import { useObservable } from "../observable.ts";
import { amountText, itemName } from "../prizes.ts";
import type { ItemAmount } from "../protocol.ts";
import { TournamentGame } from "../tournaments/TournamentGame.ts";

/** What was won is in the inventory a moment after it was told: read once more after this long, in milliseconds. */
const AGAIN_MS = 3000;

/** What the player has won and still has. */
export function Things({ lobby, game }: { lobby: Lobby; game: HuntGame | TournamentGame | undefined }) {
  const items = useInventory(lobby, game);
  if (items === undefined) return null;
  return (
    <section class="panel" aria-labelledby="things">
      <h2 id="things">Your things</h2>
      {items.length === 0 ? (
        <p class="small">Nothing yet. Prizes that you win are kept here.</p>
      ) : (
        <ul class="things">
          {items.map(({ item, amount }) => (
            <li key={item}>
              <span class="things__coin" aria-hidden="true" />
              <span class="things__name">{itemName(item)}</span>
              <strong>{amountText(amount)}</strong>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** Read at first, when the lobby was joined again, and whenever a prize or a reward was told. */
function useInventory(lobby: Lobby, game: HuntGame | TournamentGame | undefined): ItemAmount[] | undefined {
  const [items, setItems] = useState<ItemAmount[]>();
  const joins = useObservable(lobby.joins);
  const reward = useObservable(lobby.quest);
  const [won, setWon] = useState(0);

  useEffect(() => {
    const told = game instanceof TournamentGame ? game.settled : game?.winners;
    return told?.subscribe(() => setWon((count) => count + 1));
  }, [game]);
  useEffect(() => {
    const read = (): void => {
      api<{ items: ItemAmount[] }>("/api/me/inventory").then(
        ({ items }) => setItems(items),
        () => undefined,
      );
    };
    read();
    const timer = joins > 1 || won > 0 || reward ? setTimeout(read, AGAIN_MS) : undefined;
    return () => clearTimeout(timer);
  }, [joins, won, reward]);
  return items;
}
