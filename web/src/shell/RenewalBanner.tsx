import { useObservable } from "../observable.ts";
import { renewed } from "../session.ts";

/** Says that the page plays as another player than before, until the person has taken note of it. */
export function RenewalBanner() {
  const player = useObservable(renewed);
  if (!player) return null;
  return (
    <div class="banner" role="alert">
      <strong>You are signed in anew.</strong> Your former sign-in is no longer valid, so you go on as another player
      named {player.name}. What the former one has reached stays with it.
      <button class="quiet banner__noted" type="button" onClick={() => renewed.set(undefined)}>
        All right
      </button>
    </div>
  );
}
