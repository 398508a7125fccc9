import { RoomLink } from "../connection.ts";
import { Observable } from "../observable.ts";
import type { FeedEvent, Listing, LobbyState, PopupWindow, QuestNews } from "../protocol.ts";
import { ServerClock } from "../serverClock.ts";
import type { Session } from "../session.ts";
import { recall, remember } from "../storage.ts";

/** Events shown; the feed behind them goes on. */
const KEPT_EVENTS = 30;
/** Everybody hears at the same moment that something was missed, and is not to ask at the same moment. */
const SPREAD_MS = 5000;

/** The latest popup windows that were viewed or closed here are remembered, so many of each. */
const MOST_POPUPS = 20;
const VIEWED_KEY = "ringmaster.popupsViewed";
const CLOSED_KEY = "ringmaster.popupsClosed";

/** What is on, what is coming, and the news, kept up to date through the lobby's room. */
export class Lobby {
  readonly on = new Observable<Listing[] | undefined>(undefined);
  readonly coming = new Observable<Listing[]>([]);
  /** Newest first. */
  readonly events = new Observable<FeedEvent[]>([]);
  /** The latest word of one of the player's quests. */
  readonly quest = new Observable<QuestNews | undefined>(undefined);
  /** The popup window to show. */
  readonly popup = new Observable<PopupWindow | undefined>(undefined);
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
        room.onMessage("popup", (window: PopupWindow) => this.#openPopup(window));
        room.onMessage("quest", (news: QuestNews) => this.quest.set(news));
        room.onMessage("questsMissed", () => setTimeout(() => this.#countJoin(), Math.random() * SPREAD_MS));
      },
      ready: () => {
        void this.clock.observeHttp();
        this.#countJoin();
        if (this.popup.value) this.viewPopup(this.popup.value.id);
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

  /** Has the window counted as viewed, once in this browser; what fails is tried again when the room is back. */
  viewPopup(windowId: string): void {
    if (popups(VIEWED_KEY).includes(windowId)) return;
    this.link.request("viewPopup", { windowId }).then(
      () => note(VIEWED_KEY, windowId),
      () => undefined,
    );
  }

  /** Shows the window no more, also after a reload. */
  closePopup(windowId: string): void {
    note(CLOSED_KEY, windowId);
    this.#endPopup(windowId);
  }

  #openPopup(window: PopupWindow): void {
    const isKnown = this.popup.value?.id === window.id || popups(CLOSED_KEY).includes(window.id);
    if (!isKnown) this.popup.set(window);
  }

  #endPopup(windowId: string): void {
    if (this.popup.value?.id === windowId) this.popup.set(undefined);
  }

  #countJoin(): void {
    this.joins.set(this.joins.value + 1);
  }

  #hear(event: FeedEvent): void {
    this.#since = event.id;
    this.clock.observe(event.at);
    if (event.type === "popupOpened") this.#openPopup(event.data as PopupWindow);
    if (event.type === "popupClosed") this.#endPopup((event.data as { id: string }).id);
    const events = this.events.value;
    if (events.some(({ id }) => id === event.id)) return;
    this.events.set([event, ...events].slice(0, KEPT_EVENTS));
  }
}

function popups(key: string): string[] {
  const found = recall(key);
  return Array.isArray(found) ? found : [];
}

function note(key: string, windowId: string): void {
  remember(key, [...popups(key).filter((id) => id !== windowId), windowId].slice(-MOST_POPUPS));
}

function plain({ id, domain, name, phase, startsAt, endsAt }: Listing): Listing {
  return { id, domain, name, phase, startsAt, endsAt };
}
