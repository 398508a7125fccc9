import { z } from "zod";
import { idOf } from "../../ids.ts";
import { admit, type OnAuth } from "./admission.ts";
import { BaseRoom, type RoomClient, type RoomMetadata } from "./BaseRoom.ts";
import { PATCH_EVERY_MS, PatchPace } from "./PatchPace.ts";
import { PlayerConnections } from "./PlayerConnections.ts";
import type { RoomServices } from "./services.ts";

/** What rooms of events need beside what every room does. */
export interface EventRoomServices extends RoomServices {
  /** The id of this node: part of the key that makes an event's open room on it the only one. */
  nodeId: string;
}

/** What the state of an event's room has: the node's clock when it went out, in epoch milliseconds. Clients count down by it. */
export interface TimedState {
  serverNow: number;
}

/** A room's hold of its event. */
export interface Joined<Event> {
  /** What this node knows of the event. */
  event: Event;
  /** From then on the room hears nothing more of it. */
  leave(): void;
}

/** Players a room; an event has as many rooms as it needs. */
const MOST_PLAYERS = 500;

/** The join option that names the event, of rooms with this name: `huntId`. */
export function eventOption(name: string): string {
  return `${name}Id`;
}

function optionsOf(name: string) {
  return z.looseObject({ [eventOption(name)]: idOf(name) });
}

/**
 * The `static onAuth` of an event's room: lets every player in, to an event that there is. `require` throws `not_found` for the id of
 * none. Throws what that and `admit` do.
 */
export function admitToEvent<Services extends EventRoomServices>(
  name: string,
  require: (services: Services, id: string) => Promise<void>,
): OnAuth {
  return admit({
    role: "player",
    options: optionsOf(name),
    check: (options, _identity, services: Services) => require(services, String(options[eventOption(name)])),
  });
}

/**
 * A room of one event. It is the only open one of the event on its node, joins what the node knows of the event when it is made, and
 * leaves that when it goes. Its state goes out at most four times a second, less often on a crowded node, with the time at which it did.
 */
export abstract class EventRoom<
  State extends TimedState,
  Services extends EventRoomServices,
  Event extends { readonly id: string },
> extends BaseRoom<{ state: State; metadata: RoomMetadata; services: Services }> {
  override maxClients = MOST_PLAYERS;
  override patchRate = PATCH_EVERY_MS;
  /** What such an event is called: `hunt` has rooms with the join option `huntId`, the key `hunt:ID@NODE` and `huntId` in their metadata. */
  protected abstract readonly eventName: string;
  #joined: Joined<Event> | undefined;
  /** Whether the state has changed since it last went out. */
  #isChanged = false;
  readonly #pace = new PatchPace();
  readonly #players = new PlayerConnections();

  /** Has the room hear of its event. Throws `not_found`. */
  protected abstract join(id: string): Promise<Joined<Event>>;
  /** The room has its event: registers requests, and shows how the event stands. */
  protected abstract onEvent(event: Event): void;

  override async onCreate(options: unknown): Promise<void> {
    const option = eventOption(this.eventName);
    const id = String(optionsOf(this.eventName).parse(options)[option]);
    this.#joined = await this.join(id);
    this.onEvent(this.#joined.event);
    const key = `${this.eventName}:${id}@${this.services.nodeId}`;
    await this.setMatchmaking({ metadata: { [option]: id, key } });
  }

  override onDispose(): void {
    this.#joined?.leave();
  }

  /** What this node knows of the event. Throws before the room has it. */
  protected get event(): Event {
    if (!this.#joined) throw new Error("the room has not joined its event yet");
    return this.#joined.event;
  }

  /** Whether the room has its event: news that overtake it are on it. */
  protected get hasEvent(): boolean {
    return this.#joined !== undefined;
  }

  protected override onPlayerJoin(client: RoomClient, _options: unknown): void | Promise<void> {
    this.#players.add(client);
  }

  override onDrop(client: RoomClient, code?: number): void {
    super.onDrop(client, code);
    this.#players.drop(client);
  }

  protected override onPlayerBack(client: RoomClient): void | Promise<void> {
    this.#players.add(client);
  }

  protected override onPlayerGone(client: RoomClient, _isForGood: boolean): void | Promise<void> {
    this.#players.remove(client);
  }

  /** Whether the player is connected to this room. */
  has(playerId: string): boolean {
    return this.#players.has(playerId);
  }

  /** How many connections to this room the player has. */
  connections(playerId: string): number {
    return this.#players.count(playerId);
  }

  /** Whether the player has a seat in this room: they are connected, or have dropped out and it is kept for them. */
  keeps(playerId: string): boolean {
    return this.#players.keeps(playerId);
  }

  /** Sends a message to every connection of the player to this room. */
  protected sendTo(playerId: string, type: string, message: object): void {
    this.#players.send(playerId, type, message);
  }

  /** The state has changed: it goes out with the time at which it does. */
  protected stateChanged(): void {
    // Who joins before that is sent the state as it is.
    this.state.serverNow = this.services.clock.now();
    this.#isChanged = true;
  }

  /** What changes often has changed: from now on the state goes out as often as this node's players can be sent it. */
  protected keepPace(): void {
    const { everyMs } = this.#pace;
    if (everyMs !== this.patchRate) this.patchRate = everyMs;
  }

  /** Clients count down by the time at which they were sent the state, not by that at which the node knew. */
  override onBeforePatch(): void {
    if (this.#isChanged) this.state.serverNow = this.services.clock.now();
    this.#isChanged = false;
  }
}
