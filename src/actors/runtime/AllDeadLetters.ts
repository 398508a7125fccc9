import type { Audited } from "../../entities/audit.ts";
import type { DeadEvent, DeadEvents } from "./DeadEvents.ts";
import type { DeadLetter, DeadLetters } from "./DeadLetters.ts";
import type { MessageId } from "./messages.ts";

/** Dead letters of both kinds. A turn counts its events and messages together, so that an id names one of either. */
export class AllDeadLetters {
  readonly #messages: DeadLetters;
  readonly #events: DeadEvents;

  constructor(messages: DeadLetters, events: DeadEvents) {
    this.#messages = messages;
    this.#events = events;
  }

  /** Newest first. */
  async list(limit: number): Promise<Array<DeadLetter | DeadEvent>> {
    const both = await Promise.all([this.#messages.list(limit), this.#events.list(limit)]);
    return both
      .flat()
      .sort((one, other) => other.diedAt - one.diedAt)
      .slice(0, limit);
  }

  /** Delivers a message again, under its old key, or publishes an event now. Throws `not_found` when there is none by this id. */
  async replay(id: MessageId, by: Audited = {}): Promise<void> {
    await ((await this.#events.has(id)) ? this.#events : this.#messages).replay(id, by);
  }

  /** It will never be delivered. Throws `not_found` when there is none by this id. */
  async discard(id: MessageId, by: Audited = {}): Promise<void> {
    await ((await this.#events.has(id)) ? this.#events : this.#messages).discard(id, by);
  }
}
