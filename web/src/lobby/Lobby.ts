import { RoomLink } from "../connection.ts";
import { Observable } from "../observable.ts";
import type { FeedEvent, Listing, LobbyState } from "../protocol.ts";
import type { Session } from "../session.ts";

/** Events shown; the feed behind them goes on. */
const KEPT_EVENTS = 30;

/** What is on, what is coming, and the news, kept up to date through the lobby's room. */
export class Lobby {
  readonly on = new Observable<Listing[] | undefined>(undefined);
  readonly coming = new Observable<Listing[]>([]);
  /** Newest first. */
  readonly events = new Observable<FeedEvent[]>([]);
  readonly link: RoomLink<LobbyState>;
  #since: string | undefined;

  constructor(owner: Session) {
    this.link = new RoomLink<LobbyState>(owner, "lobby", () => (this.#since ? { since: this.#since } : {}), {
      joined: (room) => {
        room.onMessage("event", (event: FeedEvent) => this.#hear(event));
        room.onMessage("reset", () => this.events.set([]));
      },
      state: (state) => {
        this.on.set([...state.on].map(plain));
        this.coming.set([...state.coming].map(plain));
      },
    });
  }

  close(): void {
    this.link.close();
  }

  #hear(event: FeedEvent): void {
    this.#since = event.id;
    const events = this.events.value;
    if (events.some(({ id }) => id === event.id)) return;
    this.events.set([event, ...events].slice(0, KEPT_EVENTS));
  }
}

function plain({ id, domain, name, phase, startsAt, endsAt }: Listing): Listing {
  return { id, domain, name, phase, startsAt, endsAt };
}
