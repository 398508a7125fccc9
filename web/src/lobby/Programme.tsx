import { useObservable } from "../observable.ts";
import type { Listing } from "../protocol.ts";
import type { Lobby } from "./Lobby.ts";
import { addressOfHunt, hunts } from "./programme.ts";

const STATES: Record<Listing["phase"], string> = {
  scheduled: "Coming",
  discovery: "Doors open",
  solving: "On now",
  reveal: "Chest opening",
  finished: "Over",
  cancelled: "Cancelled",
};

/** What is on and what is coming; each line leads to its hunt. */
export function Programme({ lobby, huntId }: { lobby: Lobby; huntId: string | undefined }) {
  const on = hunts(useObservable(lobby.on) ?? []);
  const coming = hunts(useObservable(lobby.coming));
  const lines = [...on, ...coming];
  return (
    <section class="panel" aria-labelledby="programme">
      <h2 id="programme">Programme</h2>
      {lines.length === 0 && <p class="small">Nothing is announced yet.</p>}
      <ul class="programme">
        {lines.map((listing) => (
          <li key={listing.id}>
            <a href={addressOfHunt(listing.id)} aria-current={listing.id === huntId ? "true" : undefined}>
              <span class="programme__name">{listing.name}</span>
              <span class={listing.phase === "scheduled" ? "tag" : "tag tag--on"}>
                {listing.phase === "scheduled" ? startText(listing.startsAt) : STATES[listing.phase]}
              </span>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** "today 20:15" in the reader's own time and manner, or with its date when it is another day. */
function startText(startsAt: number): string {
  const start = new Date(startsAt);
  const time = start.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
  if (start.toDateString() === new Date().toDateString()) return `today ${time}`;
  return `${start.toLocaleDateString(undefined, { day: "numeric", month: "short" })} ${time}`;
}
