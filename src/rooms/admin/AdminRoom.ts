import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { OperatorCall } from "../../actors/admin/operatorCall.ts";
import { LOBBY_TOPIC } from "../../actors/hunts/HuntActor.ts";
import type { Actors } from "../../actors/runtime/Actors.ts";
import { JOBS_TOPIC } from "../../entities/jobs/Job.ts";
import { RingmasterError } from "../../errors.ts";
import { mayActAs } from "../../http/auth/identity.ts";
import { requestId } from "../../ids.ts";
import type { Feed, FeedEvent } from "../../stores/feeds/Feed.ts";
import { admit } from "../runtime/admission.ts";
import { BaseRoom, type RoomClient, type RoomMetadata } from "../runtime/BaseRoom.ts";
import type { RoomServices } from "../runtime/services.ts";

/** A command or a query with all that it needs; it validates its own arguments, which are `{}` when there are none. */
type Bound = (args: unknown, call: OperatorCall) => Promise<unknown>;

export interface AdminRoomServices extends RoomServices {
  actors: Actors;
  feed: Feed;
  /** By name: what operators may change, by `room.request("command", {name, args?, requestId?})`. */
  commands: ReadonlyMap<string, Bound>;
  /** What viewers may read, by `room.request("query", {name, args?})`. */
  queries: ReadonlyMap<string, Bound>;
}

const asked = z.strictObject({
  name: z.string().min(1).max(64),
  args: z.unknown().optional(),
  requestId: requestId.optional(),
});

/** The feed of what operators did. */
const AUDIT_TOPIC = "audit";

/** Arguments of commands that are told with them. */
const NOTED: ReadonlySet<string> = new Set(["huntId", "tournamentId", "playerId", "reason"]);

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
    this.request("command", asked, (client, request) => this.#command(client, request));
    this.request("query", asked, (client, { name, args }) => {
      const call = { operatorId: client.auth!.playerId, requestId: undefined };
      return named(this.services.queries, name)(args ?? {}, call);
    });
  }

  override onDispose(): void {
    for (const end of this.#cleanUp) end();
  }

  async #command(client: RoomClient, { name, args, requestId }: z.output<typeof asked>): Promise<unknown> {
    const { playerId, role, name: operator } = client.auth!;
    if (!mayActAs(role, "operator")) throw new RingmasterError("forbidden");
    // The id is for this command alone, as an HTTP endpoint's is.
    const call = { operatorId: playerId, requestId: requestId === undefined ? undefined : `${name}\n${requestId}` };
    const result = await named(this.services.commands, name)(args ?? {}, call);
    this.log.info({ operatorId: playerId, command: name }, "an operator's command was carried out");
    await this.#audit(name, { operatorId: playerId, operator, ...notedOf(args) });
    return result;
  }

  /** The change has happened: a feed that is out of reach must not make it look as if it had not. */
  async #audit(type: string, data: object): Promise<void> {
    const event = { key: randomUUID(), topic: AUDIT_TOPIC, at: this.services.clock.now(), type, data };
    await this.services.feed
      .append([event])
      .catch((error: unknown) => this.log.warn({ err: error }, "the audit feed is out of reach"));
  }
}

/** What the audit tells of a command's arguments: what it was done to, and why. */
function notedOf(args: unknown): Record<string, string> {
  const named = Object.entries(args ?? {}).filter(([name, value]) => NOTED.has(name) && typeof value === "string");
  return Object.fromEntries(named);
}

function named(among: ReadonlyMap<string, Bound>, name: string): Bound {
  const found = among.get(name);
  if (found) return found;
  throw new RingmasterError("unknown_request", `There is no ${name}; there are ${[...among.keys()].join(", ")}.`);
}
