import { useObservable } from "../observable.ts";
import type { HuntGame } from "./HuntGame.ts";

/** Before the hunt: what will happen, so that the wait is of use. */
export function WaitingForDoors({ game }: { game: HuntGame }) {
  const hunt = useObservable(game.hunt);
  return (
    <section class="card card--quiet">
      <h2>{hunt?.phase === "discovery" ? "Take your place" : "You are early, and that is lovely"}</h2>
      <p>Stay on this page: it turns by itself when the hunt begins.</p>
      <ol class="how">
        <li>
          <strong>Get a clue.</strong> It is yours alone, for as long as its ring burns.
        </li>
        <li>
          <strong>Answer it.</strong> Spelling in capitals or small letters does not matter; your attempts do.
        </li>
        <li>
          <strong>Collect points.</strong> Whoever has the most when time is up finds a name in the chest.
        </li>
      </ol>
    </section>
  );
}
