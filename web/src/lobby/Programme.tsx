import { useLayoutEffect, useRef } from "preact/hooks";
import { countdownText, useServerNow } from "../countdown.ts";
import { useObservable } from "../observable.ts";
import type { ServerClock } from "../serverClock.ts";
import type { Lobby } from "./Lobby.ts";
import { addressOf, type Choice, type Domain, type Entry, entries, isSame } from "./programme.ts";

const KINDS: Record<Domain, string> = { hunts: "Treasure hunt", tournaments: "Tournament" };

/** How each phase is called, and what the time left in it leads to. */
const STATES: Partial<Record<Entry["phase"], string>> = {
  scheduled: "Begins in",
  discovery: "Doors open",
  solving: "On now",
  reveal: "Chest opening",
  open: "On now",
  grace: "Last rounds",
  settling: "Counting",
};

/** What is on and what is coming, as tickets in a row: each leads to its event. */
export function Programme({ lobby, chosen }: { lobby: Lobby; chosen: Choice | undefined }) {
  const on = entries(useObservable(lobby.on) ?? []);
  const coming = entries(useObservable(lobby.coming));
  const tickets = [...on, ...coming];
  const strip = useChosenInView(tickets.findIndex((entry) => isSame(entry, chosen)));
  return (
    <nav class="bill" aria-labelledby="programme">
      <h2 id="programme" class="unseen">
        Programme
      </h2>
      {tickets.length === 0 && <p class="small">Nothing is announced yet.</p>}
      <ul ref={strip} class="bill__tickets">
        {tickets.map((entry) => (
          <li key={`${entry.domain} ${entry.id}`}>
            <BillTicket entry={entry} clock={lobby.clock} isChosen={isSame(entry, chosen)} />
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** Scrolls the strip alone, and not the page, to the chosen ticket whenever that has another place in it. */
function useChosenInView(place: number) {
  const strip = useRef<HTMLUListElement>(null);
  useLayoutEffect(() => {
    const ticket = strip.current?.children[place];
    if (!strip.current || !ticket) return;
    const [frame, box] = [strip.current.getBoundingClientRect(), ticket.getBoundingClientRect()];
    strip.current.scrollLeft += box.left + box.width / 2 - (frame.left + frame.width / 2);
  }, [place]);
  return strip;
}

function BillTicket({ entry, clock, isChosen }: { entry: Entry; clock: ServerClock; isChosen: boolean }) {
  const now = useServerNow(clock);
  const isComing = entry.phase === "scheduled";
  const ends = isComing ? entry.startsAt : entry.endsAt;

  return (
    <a
      class={isComing ? "bill__ticket" : "bill__ticket bill__ticket--on"}
      href={addressOf(entry)}
      aria-current={isChosen ? "page" : undefined}
    >
      <span class="bill__kind">{KINDS[entry.domain]}</span>
      <span class="bill__name">{entry.name}</span>
      <span class="bill__state">
        <span class={isComing ? "tag" : "tag tag--on"}>{STATES[entry.phase]}</span>
        {ends > 0 && <span class="bill__clock">{countdownText(ends - now)}</span>}
      </span>
    </a>
  );
}
