import type { Clock, Rng } from "../../clock.ts";
import type { Database } from "../../entities/sql.ts";
import type { Feed } from "../../stores/feeds/Feed.ts";
import { AllDeadLetters } from "./AllDeadLetters.ts";
import { DeadEvents } from "./DeadEvents.ts";
import { DeadLetters } from "./DeadLetters.ts";
import { EventPump } from "./EventPump.ts";
import { type Deliver, MessagePump } from "./MessagePump.ts";
import { MessageTable } from "./MessageTable.ts";
import type { Adopted } from "./messageSql.ts";
import type { Stored } from "./messages.ts";
import { OldOutbox, type OldSend } from "./OldOutbox.ts";
import { OutboxEvents } from "./OutboxEvents.ts";
import type { Log, RuntimeMetrics } from "./ports.ts";

export interface OutboxPorts {
  nodeId: string;
  database: Database;
  feed: Feed;
  clock: Clock;
  rng: Rng;
  log: Log;
  metrics: RuntimeMetrics;
  deliver: Deliver;
  /** Rejects when it is to be tried again. */
  deliverOld(message: OldSend, requestId: string): Promise<void>;
}

/**
 * Carries committed messages to where they go: events into feeds, messages to their actors. At least once from the tables, and each
 * takes effect once: a feed leaves out a key that it has, an actor what its mark of the sender says that it has had.
 */
export class Outbox {
  readonly letters: AllDeadLetters;
  readonly #eventTable: OutboxEvents;
  readonly #messageTable: MessageTable;
  readonly #events: EventPump;
  readonly #messages: MessagePump;
  readonly #old: OldOutbox;
  readonly #nodeId: string;

  constructor(ports: OutboxPorts) {
    const { nodeId, clock, metrics } = ports;
    const database = ports.database.of("control");
    this.#nodeId = nodeId;
    this.#eventTable = new OutboxEvents(database, nodeId);
    this.#messageTable = new MessageTable(database, nodeId);
    const letters = new DeadLetters({ database, nodeId, clock, onBuried: (kind) => metrics.deadLetter(kind) });
    letters.onReplay(() => this.resume());
    const deadEvents = new DeadEvents({ ...ports, onBuried: () => metrics.deadLetter("event") });
    this.letters = new AllDeadLetters(letters, deadEvents);
    this.#events = new EventPump({ ...ports, events: this.#eventTable, deadEvents });
    this.#messages = new MessagePump({ ...ports, messages: this.#messageTable, letters });
    this.#old = new OldOutbox({ ...ports, database, deliver: ports.deliverOld });
    metrics.outboxLag(() => ({ events: this.#events.lag(), messages: this.#messages.lag() }));
  }

  /** Takes what a turn has just committed. */
  deliver({ events, messages, hasBacklog }: Stored): void {
    this.#events.deliver(events, hasBacklog);
    this.#messages.deliver(messages, hasBacklog);
  }

  /** Takes over what a node that is gone has not delivered. */
  async adopt(nodeId: string): Promise<void> {
    this.#old.deliver(nodeId);
    if (await adoptAll(() => this.#eventTable.adopt(nodeId))) this.#events.lookForMore();
    if (await adoptAll(() => this.#messageTable.adopt(nodeId))) this.#messages.lookForMore();
  }

  /** Reads the tables for what this node does not know: an earlier run's, or that of a commit that seemed to fail. */
  resume(): void {
    this.#events.lookForMore();
    this.#messages.lookForMore();
  }

  /** The same for what nodes of the version before have left under this node's id. */
  resumeOld(): void {
    this.#old.deliver(this.#nodeId);
  }

  /** This node was silent for so long that peers may deliver its messages by now: what is in memory counts no more. */
  forget(): void {
    this.#events.forget();
    this.#messages.forget();
  }

  /** Delivers the events that are there, then stops; what cannot be delivered now stays in the tables for a peer. */
  async stop(): Promise<void> {
    this.#messages.stop();
    await this.#events.stop();
  }
}

/** Returns whether there was anything. */
async function adoptAll(adoptPage: () => Promise<Adopted>): Promise<boolean> {
  for (let adopted = false; ; adopted = true) {
    const page = await adoptPage();
    if (page !== "more") return adopted || page === "some";
  }
}
