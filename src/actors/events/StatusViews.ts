import type { Clock } from "../../clock.ts";
import type { Database } from "../../entities/sql.ts";
import type { Feed, FeedEvent } from "../../stores/feeds/Feed.ts";
import type { Actors } from "../runtime/Actors.ts";
import type { Log } from "../runtime/ports.ts";
import { EventViews, type OpenEvent } from "./EventViews.ts";

/** What rooms hear of an event that they show as it stands. */
export interface StatusAudience<Status> {
  onStatus(status: Status): void;
}

/**
 * An event that has rooms on this node, of which they show how it stands, and nothing that needs a history. Its actor tells all of that with
 * each change (`PhasedActor.news`).
 */
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
    if (type === "phase") this.catchUp(data as Status);
  }

  catchUp(status: Status): void {
    this.status = status;
    for (const room of this.audience) room.onStatus(status);
  }
}

/** The events of one kind that have rooms on a node, each as it stands. */
export type StatusViews<Status extends { id: string }> = EventViews<StatusAudience<Status>, OpenStatus<Status>, Status>;

/** What a node has of such events for rooms, operations and endpoints. */
export interface StatusServices<Status extends { id: string }> {
  actors: Actors;
  /** For reads that players wait for. */
  database: Database;
  views: StatusViews<Status>;
}

/** What opens them: as much as this needs of a node. */
export interface StatusNode extends Pick<StatusServices<never>, "actors" | "database"> {
  feed: Feed;
  clock: Clock;
  log: Log;
  onBack(listener: () => void): void;
}

/** Opens those that `table` has, each kept up to date by what its actor tells. */
export function statusServices<Status extends { id: string }>(
  actor: { readonly kind: string },
  table: { has(sql: Database, id: string): Promise<boolean>; get(sql: Database, id: string): Promise<Status | null> },
  node: StatusNode,
): StatusServices<Status> {
  const database = node.database.of("commits");
  const [has, get] = [(id: string) => table.has(database, id), (id: string) => table.get(database, id)];
  const views = new EventViews({ actor, has, get, open: (status: Status) => new OpenStatus(status) }, node);
  node.onBack(() => views.refresh());
  return { actors: node.actors, database, views };
}
