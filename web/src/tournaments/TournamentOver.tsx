import type { Lobby } from "../lobby/Lobby.ts";
import { useObservable } from "../observable.ts";
import type { TournamentPhase } from "../protocol.ts";
import { WhatNext } from "../shell/WhatNext.tsx";
import type { TournamentGame } from "./TournamentGame.ts";

/** The tournament has ended, one way or the other: where to go from here. */
export function TournamentOver(props: { game: TournamentGame; lobby: Lobby; phase: TournamentPhase }) {
  const { game, lobby, phase } = props;
  const isCancelled = phase === "cancelled";
  const reason = useObservable(game.tournament)?.cancelReason;
  return (
    <section class="card card--quiet" aria-labelledby="over">
      <h2 id="over">{isCancelled ? "This tournament was cancelled" : "The ring is swept for the next act"}</h2>
      {reason && <p class="over__reason">{reason}</p>}
      <p>
        {isCancelled ? "The organisers have called it off. Thank you for playing." : "Thank you for playing with us."}
      </p>
      <WhatNext lobby={lobby} done={{ domain: "tournaments", id: game.tournamentId }} />
    </section>
  );
}

/** Nothing is taken any more, and nothing is settled yet. */
export function Counting() {
  return (
    <section class="card card--invitation" aria-labelledby="counting">
      <div class="queue" aria-hidden="true">
        <span />
        <span />
        <span />
      </div>
      <h2 id="counting">The judges are counting</h2>
      <p>Every round is in. The result and the prizes appear here by themselves.</p>
    </section>
  );
}
