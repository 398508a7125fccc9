import { z } from "zod";
import { HUNT_BOUNDS } from "../../actors/hunts/definition.ts";
import type { HuntService } from "../../actors/hunts/HuntService.ts";
import type { ClueCard, HuntAudience, HuntView } from "../../actors/hunts/HuntView.ts";
import { pausedStatus } from "../../entities/events/Pausing.ts";
import type { Winner } from "../../entities/hunts/Hunt.ts";
import { idOf, requestId } from "../../ids.ts";
import type { LedgerView } from "../../stores/hunts/ClueLedger.ts";
import { admit } from "../runtime/admission.ts";
import { BaseRoom, playerOf, type RoomClient, type RoomMetadata } from "../runtime/BaseRoom.ts";
import { PATCH_EVERY_MS, PatchPace } from "../runtime/PatchPace.ts";
import type { RoomServices } from "../runtime/services.ts";
import { HuntRoomState, StandingRow } from "./HuntRoomState.ts";

/** What hunt rooms need beside what every room does. */
export interface HuntRoomServices extends RoomServices {
  huntService: HuntService;
  /** The id of this node: part of the key that makes a hunt's open room on it the only one. */
  nodeId: string;
}

/** Players a room; a hunt has as many rooms as it needs. */
const MOST_PLAYERS = 500;
const joinOptions = z.looseObject({ huntId: idOf("hunt") });
const nothing = z.strictObject({}).optional();
const assignmentId = z.string().min(1).max(24);
const named = z.strictObject({ assignmentId });
const solution = z.strictObject({
  assignmentId,
  answer: z.string().min(1).max(HUNT_BOUNDS.answerUnits),
  requestId: requestId.optional(),
});

interface Types {
  state: HuntRoomState;
  metadata: RoomMetadata & { huntId: string };
  services: HuntRoomServices;
}

/** Where players hunt: gives and takes clues through the service, and shows how the hunt stands. */
export class HuntRoom extends BaseRoom<Types> implements HuntAudience {
  static override onAuth = admit({
    role: "player",
    options: joinOptions,
    check: ({ huntId }, _identity, { huntService }: HuntRoomServices) => huntService.requireHunt(huntId),
  });

  override maxClients = MOST_PLAYERS;
  override patchRate = PATCH_EVERY_MS;
  override state = new HuntRoomState();
  #table!: HuntView;
  /** Whether the room has its table: news that overtake it are on it. */
  #isSeated = false;
  #leaveTable: () => void = () => {};
  /** Whether the state has changed since it last went out. */
  #isNews = false;
  readonly #pace = new PatchPace();
  /** The connections of each player: all of them hear what is for the player. */
  readonly #clients = new Map<string, Set<RoomClient>>();
  /** The sessions of each player that have a seat, also while dropped. */
  readonly #seats = new Map<string, Set<string>>();

  override async onCreate(options: unknown): Promise<void> {
    const { huntId } = joinOptions.parse(options);
    const { table, leave } = await this.services.huntService.join(huntId, this);
    this.#table = table;
    this.#leaveTable = leave;
    this.#isSeated = true;
    await this.setMatchmaking({ metadata: { huntId, key: `hunt:${huntId}@${this.services.nodeId}` } });
    this.#showHunt();
    this.request("claim", nothing, (client) => this.services.huntService.claim(huntId, playerOf(client)));
    this.request("giveBack", named, (client, { assignmentId }) =>
      this.services.huntService.giveBack(huntId, client.auth!.playerId, assignmentId),
    );
    this.request("leaveQueue", nothing, (client) =>
      this.services.huntService.queue.quit(huntId, client.auth!.playerId),
    );
    this.request("standing", nothing, (client) => this.services.huntService.standing(huntId, client.auth!.playerId));
    this.request("solve", solution, (client, solved) =>
      this.services.huntService.solve(huntId, playerOf(client), solved),
    );
  }

  protected override onPlayerJoin(client: RoomClient): void {
    const { playerId } = client.auth!;
    const known = this.#clients.get(playerId);
    if (known) known.add(client);
    else this.#clients.set(playerId, new Set([client]));
    const seats = this.#seats.get(playerId);
    if (seats) seats.add(client.sessionId);
    else this.#seats.set(playerId, new Set([client.sessionId]));
    const { queue, departures } = this.services.huntService;
    departures.cameIn(this.#table.id, playerId);
    void queue.attend(this.#table.id, playerOf(client));
    client.send("phase", this.#phase());
    if (this.#table.winners) client.send("chest", { winners: this.#table.winners });
  }

  override onDrop(client: RoomClient, code?: number): void {
    super.onDrop(client, code);
    this.#unseat(client);
    this.services.huntService.queue.away(this.#table.id, client.auth!.playerId);
  }

  protected override onPlayerBack(client: RoomClient): void {
    this.onPlayerJoin(client);
    this.services.huntService.queue.back(this.#table.id, playerOf(client));
  }

  protected override async onPlayerGone(client: RoomClient, isForGood: boolean): Promise<void> {
    this.#unseat(client);
    this.#giveUpSeat(client);
    // Everybody goes on elsewhere, and has their place there.
    if (this.services.draining()) return;
    const { queue, departures } = this.services.huntService;
    const { playerId } = client.auth!;
    // Who dropped out may come in again, on another connection too: their clue stays theirs for its time.
    if (isForGood) void departures.left(this.#table.id, playerId);
    await queue.forget(this.#table.id, playerId);
  }

  /** Hears the player on this connection no more. Who comes back has another one of the same session. */
  #unseat({ auth, sessionId }: RoomClient): void {
    const clients = this.#clients.get(auth!.playerId);
    for (const client of clients ?? []) if (client.sessionId === sessionId) clients!.delete(client);
    if (clients?.size === 0) this.#clients.delete(auth!.playerId);
  }

  /** Nobody comes back to this seat. */
  #giveUpSeat({ auth, sessionId }: RoomClient): void {
    const seats = this.#seats.get(auth!.playerId);
    seats?.delete(sessionId);
    if (seats?.size === 0) this.#seats.delete(auth!.playerId);
  }

  #notify(playerId: string, type: string, message: object): void {
    for (const client of this.#clients.get(playerId) ?? []) client.send(type, message);
  }

  has(playerId: string): boolean {
    return this.#clients.has(playerId);
  }

  keeps(playerId: string): boolean {
    return this.#seats.has(playerId);
  }

  override onDispose(): void {
    this.#leaveTable();
  }

  onClue(playerId: string, card: ClueCard): void {
    this.#notify(playerId, "clue", card);
  }

  onRevoked(playerId: string, assignmentId: string): void {
    this.#notify(playerId, "revoked", { assignmentId });
  }

  onPosition(playerId: string, position: number): void {
    this.#notify(playerId, "position", { position });
  }

  onQuit(playerId: string): void {
    this.#notify(playerId, "left", {});
  }

  onExhausted(playerId: string): void {
    this.#notify(playerId, "exhausted", {});
  }

  onPhase(): void {
    if (!this.#isSeated) return;
    this.#showPhase();
    this.broadcast("phase", this.#phase());
  }

  /** What is said of a hunt that was never paused has no word of that. */
  #phase(): object {
    const { phase, phaseEndsAt: endsAt, pausing } = this.#table;
    return { phase, endsAt, ...(pausing && { pausedMs: pausing.pausedMs }), ...pausedStatus(pausing) };
  }

  onChest(winners: Winner[]): void {
    this.broadcast("chest", { winners });
  }

  onCorrected(): void {
    if (!this.#isSeated) return;
    this.#showHunt();
    this.broadcast("corrected", {});
  }

  onView(view: LedgerView): void {
    const { state } = this;
    state.players = view.players;
    state.open = view.open;
    state.solved = view.solved;
    state.waiting = view.waiting;
    this.#stamp();
    for (const [at, row] of view.top.entries()) {
      const shown = state.top[at];
      if (shown) shown.assign(row);
      else state.top.push(new StandingRow(row));
    }
    if (state.top.length > view.top.length) state.top.splice(view.top.length);
    const { everyMs } = this.#pace;
    if (everyMs !== this.patchRate) this.patchRate = everyMs;
  }

  /** Clients count down by the time at which they were told, not by that at which the node knew. */
  override onBeforePatch(): void {
    if (this.#isNews) this.state.serverNow = this.services.clock.now();
    this.#isNews = false;
  }

  #stamp(): void {
    this.state.serverNow = this.services.clock.now();
    this.#isNews = true;
  }

  #showHunt(): void {
    const { definition, key, view } = this.#table;
    this.state.huntId = this.#table.id;
    this.state.name = definition.name;
    this.state.total = key.rules.total;
    this.#showPhase();
    if (view) this.onView(view);
  }

  #showPhase(): void {
    this.state.phase = this.#table.phase;
    this.state.startsAt = this.#table.startsAt;
    this.state.endsAt = this.#table.phaseEndsAt;
    const { pausedAt = 0, resumesAt = 0 } = this.#table.pausing ?? {};
    this.state.assign({ pausedAt, resumesAt });
    this.#stamp();
  }
}
