import type { Clock } from "../../clock.ts";
import type { Feed, FeedEvent } from "../../stores/feeds/Feed.ts";
import { roomsTopic } from "../runtime/Actor.ts";
import type { Log } from "../runtime/ports.ts";
import { EventViews, type OpenEvent } from "./EventViews.ts";

/** The type of an event's news that say how it stands now: all that rooms show of such an event. */
export const STATUS = "status";

/** What rooms hear of an event that they show as it stands. */
export interface StatusAudience<Status> {
  onStatus(status: Status): void;
}

/** An event that has rooms on this node, of which they show how it stands, and nothing that needs a history. */
export class OpenStatus<Status extends { id: string }> implements OpenEvent<StatusAudience<Status>, Status> {
  readonly audience = new Set<StatusAudience<Status>>();
  status: Status;

  constructor(status: Status) {
    this.status = status;
  }

  get id(): string {
    return this.status.id;
  }

  opened(): void {}

  closed(): void {}

  onEvent({ type, data }: FeedEvent): void {
    if (type === STATUS) this.catchUp(data as Status);
  }

  catchUp(status: Status): void {
    this.status = status;
    for (const room of this.audience) room.onStatus(status);
  }
}

/** The events of one kind that have rooms on a node, each as it stands. */
export type StatusViews<Status extends { id: string }> = EventViews<StatusAudience<Status>, OpenStatus<Status>, Status>;

/** The feed of one event of a kind, to which its actor's `notifyRooms(STATUS, …)` publishes: `raffle:ID`. */
export function statusTopic(name: string, id: string): string {
  return roomsTopic({ kind: name }, id);
}

/** Keeps them up to date by their feeds (`statusTopic`); `get` reads how one stands, or null. */
export function statusViews<Status extends { id: string }>(
  name: string,
  get: (id: string) => Promise<Status | null>,
  node: { feed: Feed; clock: Clock; log: Log },
): StatusViews<Status> {
  return new EventViews(
    {
      actor: { kind: name },
      has: async (id) => (await get(id)) !== null,
      get,
      open: (status) => new OpenStatus(status),
    },
    node,
  );
}
