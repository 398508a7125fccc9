import { countdownText, useServerNow } from "../countdown.ts";
import type { Lobby } from "../lobby/Lobby.ts";
import { addressOfHunt, choose } from "../lobby/programme.ts";
import { useObservable } from "../observable.ts";
import type { HuntGame } from "./HuntGame.ts";

/** The hunt has ended, one way or the other: where to go from here. */
export function HuntOver({ game, lobby }: { game: HuntGame; lobby: Lobby }) {
  const hunt = useObservable(game.hunt);
  const elsewhere = (listings: { id: string }[]) => listings.filter(({ id }) => id !== game.huntId);
  const on = useObservable(lobby.on) ?? [];
  const coming = useObservable(lobby.coming);
  const next = choose(elsewhere(on) as typeof on, elsewhere(coming) as typeof coming);
  const now = useServerNow(game.clock);
  const cancelled = hunt?.phase === "cancelled";

  return (
    <section class="card card--quiet" aria-labelledby="over">
      <h2 id="over">{cancelled ? "This hunt was cancelled" : "That was the last act"}</h2>
      <p>
        {cancelled ? "The organisers have called it off. No clue is lost on you." : "Thank you for hunting with us."}
      </p>
      {next ? (
        <p>
          <a class="primary" href={addressOfHunt(next.id)}>
            {next.phase === "scheduled"
              ? `${next.name}, in ${countdownText(next.startsAt - now)}`
              : `Join ${next.name}`}
          </a>
        </p>
      ) : (
        <p class="small">The next hunt appears in the programme as soon as it is announced.</p>
      )}
    </section>
  );
}
