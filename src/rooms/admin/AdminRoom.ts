import { randomUUID } from "node:crypto";
import { z } from "zod";
import { HUNT_BOUNDS, huntDefinition } from "../../actors/hunts/definition.ts";
import { LOBBY_TOPIC } from "../../actors/hunts/HuntActor.ts";
import type { HuntOffice, OperatorCall } from "../../actors/hunts/HuntOffice.ts";
import { POPUPS, PopupActor } from "../../actors/popups/PopupActor.ts";
import type { Actors } from "../../actors/runtime/Actors.ts";
import { JOBS_TOPIC, type JobRun, type JobsStatus } from "../../entities/jobs/Job.ts";
import { RingmasterError } from "../../errors.ts";
import { mayActAs } from "../../http/auth/identity.ts";
import type { Feed, FeedEvent } from "../../stores/feeds/Feed.ts";
import { validate } from "../../validate.ts";
import { admit } from "../runtime/admission.ts";
import { BaseRoom, type RoomClient, type RoomMetadata } from "../runtime/BaseRoom.ts";
import type { RoomServices } from "../runtime/services.ts";

/** Jobs as operators have them. Each call that names a job throws `not_found` when there is none of that name. */
export interface JobControl {
  status(): Promise<JobsStatus>;
  /** Newest first. */
  history(limit: number, job?: string): Promise<JobRun[]>;
  trigger(job: string, requestId?: string): Promise<{ scheduledAt: number }>;
  pause(job: string, requestId?: string): Promise<void>;
  resume(job: string, requestId?: string): Promise<void>;
  skipNext(job: string, requestId?: string): Promise<{ skipped: number | null }>;
}

export interface AdminRoomServices extends RoomServices {
  huntOffice: HuntOffice;
  actors: Actors;
  jobs: JobControl;
  feed: Feed;
}

const huntId = z.string().regex(/^[0-9A-Za-z_-]{1,32}$/, "must be a hunt's id");
const named = z.strictObject({ huntId });
const namedJob = z.strictObject({ job: z.string().min(1).max(32) });
const historyOf = z.strictObject({
  limit: z.int().min(1).max(200).default(20),
  job: z.string().min(1).max(32).optional(),
});
const asked = z.strictObject({
  name: z.string().min(1).max(64),
  args: z.unknown().optional(),
  requestId: z
    .string()
    .regex(/^[\x21-\x7e]{1,64}$/, "must have 1 to 64 printable ASCII characters")
    .optional(),
});

type Verb = (args: unknown, services: AdminRoomServices, call: OperatorCall) => Promise<unknown>;

/** The feed of what operators did. */
const AUDIT_TOPIC = "audit";

/** The feeds of the timeline, and what it calls their events. */
const TIMELINE = [
  [LOBBY_TOPIC, "event"],
  [AUDIT_TOPIC, "audit"],
  [JOBS_TOPIC, "job"],
] as const;

/** What operators may change: `room.request("command", {name, args, requestId?})`. */
const COMMANDS = new Map<string, Verb>([
  ["createHunt", (args, { huntOffice }, call) => huntOffice.create(validate(huntDefinition, args), call)],
  ["startHunt", (args, { huntOffice }, call) => huntOffice.start(validate(named, args).huntId, call)],
  [
    "extendHunt",
    (args, { huntOffice }, call) => {
      const schema = z.strictObject({ huntId, ms: z.int().min(HUNT_BOUNDS.shortestMs).max(HUNT_BOUNDS.longestMs) });
      const { huntId: id, ms } = validate(schema, args);
      return huntOffice.extend(id, ms, call);
    },
  ],
  ["openPopup", (_args, { actors }, call) => popups(actors, call).openNow()],
  ["closePopup", (_args, { actors }, call) => popups(actors, call).closeNow()],
  ["endHunt", (args, { huntOffice }, call) => huntOffice.end(validate(named, args).huntId, call)],
  ["cancelHunt", (args, { huntOffice }, call) => huntOffice.cancel(validate(named, args).huntId, call)],
  ["pauseJob", (args, { jobs }, call) => jobs.pause(validate(namedJob, args).job, call.requestId)],
  ["resumeJob", (args, { jobs }, call) => jobs.resume(validate(namedJob, args).job, call.requestId)],
  ["skipJob", (args, { jobs }, call) => jobs.skipNext(validate(namedJob, args).job, call.requestId)],
  ["triggerJob", (args, { jobs }, call) => jobs.trigger(validate(namedJob, args).job, call.requestId)],
]);

function popups(actors: Actors, { requestId }: OperatorCall) {
  return actors.ref(PopupActor, POPUPS, requestId === undefined ? {} : { requestId });
}

/** What viewers may read: `room.request("query", {name, args})`. */
const QUERIES = new Map<string, Verb>([
  ["hunts", (_args, { huntOffice }) => huntOffice.list()],
  ["hunt", (args, { huntOffice }) => huntOffice.get(validate(named, args).huntId)],
  ["nodes", async (_args, { actors }) => ({ nodes: actors.membership.live(), actorsHere: actors.residents })],
  ["jobs", (_args, { jobs }) => jobs.status()],
  [
    "jobHistory",
    (args, { jobs }) => {
      const { limit, job } = validate(historyOf, args ?? {});
      return jobs.history(limit, job);
    },
  ],
]);

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
    const show = (kind: string) => (event: FeedEvent) =>
      this.broadcast("timeline", { at: event.at, kind, type: event.type, data: event.data });
    this.#cleanUp.push(
      actors.membership.on((event) =>
        this.broadcast("timeline", { at: clock.now(), kind: "node", type: event.type, data: event }),
      ),
    );
    for (const [topic, kind] of TIMELINE) this.#cleanUp.push(await feed.follow(topic, show(kind)));
    this.request("command", asked, (client, request) => this.#command(client, request));
    this.request("query", asked, (_client, { name, args }) => this.#verb(QUERIES, name)(args, this.services, noCall));
  }

  override onDispose(): void {
    for (const end of this.#cleanUp) end();
  }

  async #command(client: RoomClient, { name, args, requestId }: z.output<typeof asked>): Promise<unknown> {
    const { playerId, role, name: operator } = client.auth!;
    if (!mayActAs(role, "operator")) throw new RingmasterError("forbidden");
    const result = await this.#verb(COMMANDS, name)(args ?? {}, this.services, { operatorId: playerId, requestId });
    this.log.info({ operatorId: playerId, command: name }, "an operator's command was carried out");
    await this.#audit(name, { operatorId: playerId, operator });
    return result;
  }

  /** The change has happened: a feed that is out of reach must not make it look as if it had not. */
  async #audit(type: string, data: object): Promise<void> {
    const event = { key: randomUUID(), topic: AUDIT_TOPIC, at: this.services.clock.now(), type, data };
    await this.services.feed
      .append([event])
      .catch((error: unknown) => this.log.warn({ err: error }, "the audit feed is out of reach"));
  }

  #verb(verbs: ReadonlyMap<string, Verb>, name: string): Verb {
    const verb = verbs.get(name);
    if (!verb)
      throw new RingmasterError("unknown_request", `There is no ${name}; there are ${[...verbs.keys()].join(", ")}.`);
    return verb;
  }
}

const noCall: OperatorCall = { operatorId: "", requestId: undefined };
