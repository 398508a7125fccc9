import { z } from "zod";
import { LOBBY_TOPIC } from "../../actors/runtime/Actor.ts";
import type { Actors } from "../../actors/runtime/Actors.ts";
import { JOBS_TOPIC } from "../../entities/jobs/Job.ts";
import { requestId } from "../../ids.ts";
import { description } from "../../operations/describe.ts";
import { AUDIT_TOPIC, type Operations } from "../../operations/Operations.ts";
import type { Feed, FeedEvent } from "../../stores/feeds/Feed.ts";
import { admit } from "../runtime/admission.ts";
import { BaseRoom, type RoomClient, type RoomMetadata } from "../runtime/BaseRoom.ts";
import type { RoomServices } from "../runtime/services.ts";

export interface AdminRoomServices extends RoomServices {
  operations: Operations;
  actors: Actors;
  feed: Feed;
}

/** `room.request("command", {name, args?, requestId?})`, and `"query"` alike. */
const asked = z.strictObject({
  name: z.string().min(1).max(64),
  args: z.unknown().optional(),
  requestId: requestId.optional(),
});

/** The feeds of the timeline, and what it calls their events. */
const TIMELINE = [
  [LOBBY_TOPIC, "event"],
  [AUDIT_TOPIC, "audit"],
  [JOBS_TOPIC, "job"],
] as const;

interface Types {
  metadata: RoomMetadata;
  services: AdminRoomServices;
}

/** Where operators run events and viewers watch them; every change comes by as a `timeline` message. */
export class AdminRoom extends BaseRoom<Types> {
  static override onAuth = admit({ role: "viewer" });

  override maxClients = 100;
  readonly #cleanUp: Array<() => void> = [];

  override async onCreate(): Promise<void> {
    const { actors, feed, clock } = this.services;
    const show = (kind: string) => ({
      onEvent: (event: FeedEvent) =>
        this.broadcast("timeline", { at: event.at, kind, type: event.type, data: event.data }),
      onReset: () => this.broadcast("timeline", { at: clock.now(), kind, type: "reset", data: null }),
    });
    this.#cleanUp.push(
      actors.membership.on((event) =>
        this.broadcast("timeline", { at: clock.now(), kind: "node", type: event.type, data: event }),
      ),
    );
    for (const [topic, kind] of TIMELINE) this.#cleanUp.push(await feed.follow(topic, show(kind)));
    this.request("command", asked, (client, request) => this.#run("command", client, request));
    this.request("query", asked, (client, request) => this.#run("query", client, request));
    this.request("describe", z.strictObject({}), async () => description(this.services.operations.all));
  }

  async #run(kind: "command" | "query", client: RoomClient, { name, args = {}, requestId }: z.output<typeof asked>) {
    const { operations } = this.services;
    // The id is for this command alone, as an HTTP endpoint's is.
    const how = { via: "room", scope: name, requestId } as const;
    return await operations.run(operations.find(kind, name), args, client.auth!, how);
  }

  override onDispose(): void {
    for (const end of this.#cleanUp) end();
  }
}
