import type { Lobby } from "../lobby/Lobby.ts";
import { useObservable } from "../observable.ts";

/** The stage before there is a hunt to join. */
export function NothingOn({ lobby }: { lobby: Lobby }) {
  const known = useObservable(lobby.on) !== undefined;
  const status = useObservable(lobby.link.status);
  const refused = status.at === "refused" ? status.problem.sentence : undefined;
  return (
    <section class="card card--quiet" aria-busy={!known && !refused}>
      <h1>{refused ? "We could not let you in" : known ? "The ring is empty" : "Opening the tent…"}</h1>
      <p>
        {refused ??
          (known
            ? "Nothing is on and nothing is announced. It appears here by itself as soon as there is one."
            : "One moment.")}
      </p>
    </section>
  );
}
