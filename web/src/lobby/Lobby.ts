import { RoomLink } from "../connection.ts";
import { Observable } from "../observable.ts";
import type { FeedEvent, Listing, LobbyState, QuestNews } from "../protocol.ts";
import { ServerClock } from "../serverClock.ts";
import type { Session } from "../session.ts";

/** Events shown; the feed behind them goes on. */
const KEPT_EVENTS = 30;
/** Everybody hears at the same moment that something was missed, and is not to ask at the same moment. */
const SPREAD_MS = 5000;

/** What is on, what is coming, and the news, kept up to date through the lobby's room. */
export class Lobby {
  readonly on = new Observable<Listing[] | undefined>(undefined);
  readonly coming = new Observable<Listing[]>([]);
  /** Newest first. */
  readonly events = new Observable<FeedEvent[]>([]);
  /** The latest word of one of the player's quests. */
  readonly quest = new Observable<QuestNews | undefined>(undefined);
  /** How often what is told by the lobby's messages may have been missed before: when it was (re)joined, or says so. */
  readonly joins = new Observable(0);
  readonly clock = new ServerClock();
  readonly link: RoomLink<LobbyState>;
  #since: string | undefined;

  constructor(owner: Session) {
    this.link = new RoomLink<LobbyState>(owner, "lobby", () => (this.#since ? { since: this.#since } : {}), {
      joined: (room) => {
        room.onMessage("event", (event: FeedEvent) => this.#hear(event));
        room.onMessage("reset", () => this.events.set([]));
        room.onMessage("quest", (news: QuestNews) => this.quest.set(news));
        room.onMessage("questsMissed", () => setTimeout(() => this.#countJoin(), Math.random() * SPREAD_MS));
      },
      ready: () => {
        void this.clock.observeHttp();
        this.#countJoin();
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

  #countJoin(): void {
    this.joins.set(this.joins.value + 1);
  }

  #hear(event: FeedEvent): void {
    this.#since = event.id;
    this.clock.observe(event.at);
    const events = this.events.value;
    if (events.some(({ id }) => id === event.id)) return;
    this.events.set([event, ...events].slice(0, KEPT_EVENTS));
  }
}

function plain({ id, domain, name, phase, startsAt, endsAt }: Listing): Listing {
  return { id, domain, name, phase, startsAt, endsAt };
}
