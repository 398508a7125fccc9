import { z } from "zod";
import { HUNT_BOUNDS } from "../../actors/hunts/definition.ts";
import type { HuntService } from "../../actors/hunts/HuntService.ts";
import type { ClueCard, HuntAudience } from "../../actors/hunts/HuntView.ts";
import type { OpenHunt } from "../../actors/hunts/OpenHunt.ts";
import { eventStatus } from "../../entities/events/EventStatus.ts";
import type { Winner } from "../../entities/hunts/Hunt.ts";
import { requestId } from "../../ids.ts";
import type { LedgerView } from "../../stores/hunts/ClueLedger.ts";
import { playerOf, type RoomClient } from "../runtime/BaseRoom.ts";
import { admitToEvent, EventRoom, type EventRoomServices, type Joined } from "../runtime/EventRoom.ts";
import { HuntRoomState, StandingRow } from "./HuntRoomState.ts";

/** What hunt rooms need beside what every room does. */
export interface HuntRoomServices extends EventRoomServices {
  huntService: HuntService;
}

const nothing = z.strictObject({}).optional();
const assignmentId = z.string().min(1).max(24);
const named = z.strictObject({ assignmentId });
const solution = z.strictObject({
  assignmentId,
  answer: z.string().min(1).max(HUNT_BOUNDS.answerUnits),
  requestId: requestId.optional(),
});

/** Where players hunt: gives and takes clues through the service, and shows how the hunt stands. */
export class HuntRoom extends EventRoom<HuntRoomState, HuntRoomServices, OpenHunt> implements HuntAudience {
  static override onAuth = admitToEvent<HuntRoomServices>("hunt", ({ huntService }, id) =>
    huntService.views.require(id),
  );

  protected override readonly eventName = "hunt";
  override state = new HuntRoomState();

  protected override join(huntId: string): Promise<Joined<OpenHunt>> {
    return this.services.huntService.views.join(huntId, this);
  }

  protected override onEvent(hunt: OpenHunt): void {
    const { huntService } = this.services;
    this.#showHunt();
    this.request("claim", nothing, (client) => huntService.claim(hunt, playerOf(client)));
    this.request("giveBack", named, (client, { assignmentId }) =>
      huntService.giveBack(hunt, client.auth!.playerId, assignmentId),
    );
    this.request("leaveQueue", nothing, (client) => huntService.queue.quit(hunt, client.auth!.playerId));
    this.request("standing", nothing, (client) => huntService.standing(hunt, client.auth!.playerId));
    this.request("solve", solution, (client, solved) => huntService.solve(hunt, playerOf(client), solved));
  }

  protected override onPlayerJoin(client: RoomClient, options: unknown): void {
    super.onPlayerJoin(client, options);
    this.#welcome(client);
  }

  override onDrop(client: RoomClient, code?: number): void {
    super.onDrop(client, code);
    this.services.huntService.queue.away(this.event, client.auth!.playerId);
  }

  protected override onPlayerBack(client: RoomClient): void {
    super.onPlayerBack(client);
    this.services.huntService.queue.back(this.event, playerOf(client));
    this.#welcome(client);
  }

  protected override async onPlayerGone(client: RoomClient, isForGood: boolean): Promise<void> {
    super.onPlayerGone(client, isForGood);
    // Everybody goes on elsewhere, and has their place there.
    if (this.services.draining()) return;
    const { queue, departures } = this.services.huntService;
    const { playerId } = client.auth!;
    // Out of the queue first: nothing is served to them that would have to be given back.
    const forgotten = queue.forget(this.event, playerId);
    // Who dropped out may come in again, on another connection too: their clue stays theirs for its time.
    if (isForGood) void departures.left(this.event, playerId);
    await forgotten;
  }

  #welcome(client: RoomClient): void {
    const { queue } = this.services.huntService;
    void queue.attend(this.event, playerOf(client));
    client.send("phase", this.#phase());
    const { winners } = this.event;
    if (winners) client.send("chest", { winners });
  }

  onClue(playerId: string, card: ClueCard): void {
    this.sendTo(playerId, "clue", card);
  }

  onRevoked(playerId: string, assignmentId: string): void {
    this.sendTo(playerId, "revoked", { assignmentId });
  }

  onPosition(playerId: string, position: number): void {
    this.sendTo(playerId, "position", { position });
  }

  onQuit(playerId: string): void {
    this.sendTo(playerId, "left", {});
  }

  onExhausted(playerId: string): void {
    this.sendTo(playerId, "exhausted", {});
  }

  onPhase(): void {
    if (!this.hasEvent) return;
    this.#showPhase();
    this.broadcast("phase", this.#phase());
  }

  /** What is said of a hunt that was never paused, is not held for review or cancelled with a reason, has no word of that. */
  #phase(): object {
    const { phase, phaseEndsAt: endsAt, pausing } = this.event;
    return { phase, endsAt, ...(pausing && { pausedMs: pausing.pausedMs }), ...eventStatus(this.event) };
  }

  onChest(winners: Winner[]): void {
    this.broadcast("chest", { winners });
  }

  onCorrected(): void {
    if (!this.hasEvent) return;
    this.#showHunt();
    this.broadcast("corrected", {});
  }

  onView(view: LedgerView): void {
    const { state } = this;
    state.players = view.players;
    state.open = view.open;
    state.solved = view.solved;
    state.waiting = view.waiting;
    this.stateChanged();
    for (const [at, row] of view.top.entries()) {
      const shown = state.top[at];
      if (shown) shown.assign(row);
      else state.top.push(new StandingRow(row));
    }
    if (state.top.length > view.top.length) state.top.splice(view.top.length);
    this.keepPace();
  }

  #showHunt(): void {
    const { definition, key, view } = this.event;
    this.state.huntId = this.event.id;
    this.state.name = definition.name;
    this.state.total = key.rules.total;
    this.#showPhase();
    if (view) this.onView(view);
  }

  #showPhase(): void {
    this.state.phase = this.event.phase;
    this.state.startsAt = this.event.startsAt;
    this.state.endsAt = this.event.phaseEndsAt;
    const { pausedAt = 0, resumesAt = 0 } = this.event.pausing ?? {};
    const { reviewSince = 0, cancelReason = "" } = this.event;
    this.state.assign({ pausedAt, resumesAt, reviewSince, cancelReason });
    this.stateChanged();
  }
}
