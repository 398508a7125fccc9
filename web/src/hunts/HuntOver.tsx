import type { Lobby } from "../lobby/Lobby.ts";
import { useObservable } from "../observable.ts";
import { WhatNext } from "../shell/WhatNext.tsx";
import type { HuntGame } from "./HuntGame.ts";

/** The hunt has ended, one way or the other: where to go from here. */
export function HuntOver({ game, lobby }: { game: HuntGame; lobby: Lobby }) {
  const hunt = useObservable(game.hunt);
  const cancelled = hunt?.phase === "cancelled";

  return (
    <section class="card card--quiet" aria-labelledby="over">
      <h2 id="over">{cancelled ? "This hunt was cancelled" : "That was the last act"}</h2>
      {hunt?.cancelReason && <p class="over__reason">{hunt.cancelReason}</p>}
      <p>
        {cancelled ? "The organisers have called it off. No clue is lost on you." : "Thank you for hunting with us."}
      </p>
      <WhatNext lobby={lobby} done={{ domain: "hunts", id: game.huntId }} />
    </section>
  );
}
