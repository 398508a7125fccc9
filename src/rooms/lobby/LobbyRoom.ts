import { type SchemaType, schema, t } from "@colyseus/schema";
import { z } from "zod";
import { persist } from "../../actors/events/persist.ts";
import type { PopupViews } from "../../actors/popups/PopupViews.ts";
import type { QuestService } from "../../actors/quests/QuestService.ts";
import { LOBBY_TOPIC } from "../../actors/runtime/Actor.ts";
import type { Feed, FeedEvent } from "../../stores/feeds/Feed.ts";
import { admit } from "../runtime/admission.ts";
import { BaseRoom, type RoomClient, type RoomMetadata } from "../runtime/BaseRoom.ts";
import type { RoomServices } from "../runtime/services.ts";
import type { BoardEntry, BoardReader, LobbyBoard } from "./LobbyBoard.ts";

export interface LobbyRoomServices extends RoomServices {
  feed: Feed;
  board: LobbyBoard;
  popupViews: PopupViews;
  quests: Pick<QuestService, "attend" | "onMissed">;
  nodeId: string;
}

const MOST_CLIENTS = 1000;
/** Newest events for somebody who comes without a cursor, and for everybody when some may have been lost. */
const EVENTS_ON_ARRIVAL = 20;

const joinOptions = z.looseObject({ since: z.string().min(1).max(64).optional() });

const viewing = z.strictObject({ windowId: z.string().min(1).max(32) });

const BoardRow = schema(
  {
    id: t.string(),
    domain: t.string(),
    name: t.string(),
    phase: t.string(),
    startsAt: t.float64(),
    endsAt: t.float64(),
    pausedAt: t.float64(),
    reviewSince: t.float64(),
  },
  "BoardRow",
);
const LobbyRoomState = schema({ on: t.array(BoardRow), coming: t.array(BoardRow) }, "LobbyRoomState");
type LobbyRoomState = SchemaType<typeof LobbyRoomState>;
type Rows = LobbyRoomState["on"];

interface Types {
  state: LobbyRoomState;
  metadata: RoomMetadata;
  services: LobbyRoomServices;
}

/** How far a client has come in the feed. */
interface Reader {
  cursor: string | undefined;
  /** What came by while it is brought up to date, by the latest catch-up that it is in; undefined once it is. */
  waiting: FeedEvent[] | undefined;
}

/** Clients that are brought up to date together. */
interface CatchUp {
  clients: readonly RoomClient[];
  /** What they have. */
  cursor: string | undefined;
  limit: number | undefined;
  /** Some of what they have is to be replaced in any case. */
  reset: boolean;
}

/**
 * Where players see what is on and coming, and hear the feed, each event once and in order: a client that joins anew passes its
 * last event's id, one that comes back from a drop gets what it missed.
 */
export class LobbyRoom extends BaseRoom<Types> implements BoardReader {
  static override onAuth = admit({ role: "player", options: joinOptions });

  override maxClients = MOST_CLIENTS;
  override patchRate = 250;
  override state = new LobbyRoomState();
  #leave: () => void = () => {};
  /** By session. */
  readonly #readers = new Map<string, Reader>();
  /** By session: the player hears of their quests no more. */
  readonly #leaveQuests = new Map<string, () => void>();

  override async onCreate(): Promise<void> {
    const leaveBoard = this.services.board.join(this);
    const leaveQuests = this.services.quests.onMissed(() => this.broadcast("questsMissed", {}));
    this.#leave = () => {
      leaveBoard();
      leaveQuests();
    };
    await this.setMatchmaking({ metadata: { key: `lobby@${this.services.nodeId}` } });
    this.onBoard();
    this.request("viewPopup", viewing, (client, { windowId }) =>
      this.services.popupViews.view(windowId, client.auth!.playerId),
    );
  }

  protected override async onPlayerJoin(client: RoomClient, options: unknown): Promise<void> {
    const { since } = joinOptions.parse(options ?? {});
    this.#hearOfQuests(client);
    this.#readers.set(client.sessionId, { cursor: since, waiting: undefined });
    const limit = since === undefined ? EVENTS_ON_ARRIVAL : undefined;
    await this.#catchUp({ clients: [client], cursor: since, limit, reset: false });
    const { popup } = this.services.board;
    if (popup) client.send("popup", popup);
  }

  protected override async onPlayerBack(client: RoomClient): Promise<void> {
    const reader = this.#readers.get(client.sessionId);
    if (reader) await this.#catchUp({ clients: [client], cursor: reader.cursor, limit: undefined, reset: false });
  }

  protected override onPlayerGone({ sessionId }: RoomClient): void {
    this.#readers.delete(sessionId);
    this.#leaveQuests.get(sessionId)?.();
    this.#leaveQuests.delete(sessionId);
  }

  override onDispose(): void {
    this.#leave();
  }

  /** A dropped player who comes back does so on another connection of the same session. */
  #hearOfQuests({ sessionId, auth }: RoomClient): void {
    const leave = this.services.quests.attend(auth!.playerId, (message) =>
      this.clients.getById(sessionId)?.send("quest", message),
    );
    this.#leaveQuests.set(sessionId, leave);
  }

  onBoard(): void {
    show(this.state.on, this.services.board.on);
    show(this.state.coming, this.services.board.coming);
  }

  onEvent(event: FeedEvent): void {
    const arriving: RoomClient[] = [];
    const waiting = new Set<FeedEvent[]>();
    for (const client of this.clients) {
      const reader = this.#readers.get(client.sessionId);
      if (reader?.waiting === undefined) {
        if (reader) reader.cursor = event.id;
      } else {
        waiting.add(reader.waiting);
        arriving.push(client);
      }
    }
    for (const events of waiting) events.push(event);
    this.broadcast("event", event, { except: arriving });
  }

  /** The newest events replace what anybody here knows. */
  onReset(): void {
    void persist(
      () => this.#catchUp({ clients: [...this.clients], cursor: undefined, limit: EVENTS_ON_ARRIVAL, reset: true }),
      {
        clock: this.services.clock,
        isWanted: () => this.clients.length > 0,
        failed: (error) => this.log.warn({ err: error }, "the lobby's newest events could not be read"),
      },
    );
  }

  /** Sends what the clients have not had; what comes by meanwhile follows behind it. */
  async #catchUp({ clients, cursor, limit, reset }: CatchUp): Promise<void> {
    const waiting: FeedEvent[] = [];
    for (const { sessionId } of clients) {
      const reader = this.#readers.get(sessionId);
      if (reader) reader.waiting = waiting;
    }
    const missed = await this.services.feed.read(LOBBY_TOPIC, cursor, limit);
    const read = new Set(missed.events.map(({ id }) => id));
    const events = [...missed.events, ...waiting.filter(({ id }) => !read.has(id))];
    for (const client of clients) {
      const reader = this.#readers.get(client.sessionId);
      // One that is in a later catch-up is told all of this by that.
      if (reader?.waiting !== waiting) continue;
      if (reset || missed.reset) client.send("reset", {});
      for (const event of events) client.send("event", event);
      reader.cursor = events.at(-1)?.id ?? reader.cursor;
      reader.waiting = undefined;
    }
  }
}

/** Changes only the rows that differ, so that only they are sent. */
function show(rows: Rows, entries: readonly BoardEntry[]): void {
  for (const [at, entry] of entries.entries()) {
    const row = rows[at];
    if (row) row.assign(entry);
    else rows.push(new BoardRow(entry));
  }
  if (rows.length > entries.length) rows.splice(entries.length);
}
