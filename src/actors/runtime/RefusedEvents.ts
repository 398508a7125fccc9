import type { Clock, Rng } from "../../clock.ts";
import { toRingmasterError } from "../../errors.ts";
import type { ActorAddress } from "./actorRow.ts";
import { backoffMs } from "./backoff.ts";
import type { DeadEvents } from "./DeadEvents.ts";
import { type EventMessage, isAfter, type MessageId, messageKey, type Position } from "./messages.ts";
import type { Log } from "./ports.ts";
import { actorKey } from "./protocol.ts";

/** An event that is refused so often, which takes two to three minutes, is a dead letter. */
export const MOST_REFUSALS = 12;
const LONGEST_PAUSE_MS = 60_000;
/** Actors whose refusals are counted at a time. Those beyond are tried again with each pass, and counted once a place is free. */
export const MOST_REFUSED = 1000;

interface Refusal {
  address: ActorAddress;
  at: Position;
  attempts: number;
  /** The event's own time, epoch milliseconds. */
  since: number;
  /** Ends the wait for the next try; undefined while that is under way. */
  cancelWait: (() => void) | undefined;
}

/**
 * Actors whose next event the feed refuses while it takes others. An actor **waits** until its event is tried again, and what it has sent
 * after it waits in the table; then the pump reads on from there. An event that is refused for good is buried, and its actor goes on.
 */
export class RefusedEvents {
  readonly #dead: DeadEvents;
  readonly #clock: Clock;
  readonly #rng: Rng;
  readonly #log: Log;
  readonly #onDue: (address: ActorAddress) => void;
  readonly #refusals = new Map<string, Refusal>();

  /** `onDue` is told whose events are to be read from the table again. */
  constructor(
    ports: { deadEvents: DeadEvents; clock: Clock; rng: Rng; log: Log },
    onDue: (address: ActorAddress) => void,
  ) {
    this.#dead = ports.deadEvents;
    this.#clock = ports.clock;
    this.#rng = ports.rng;
    this.#log = ports.log;
    this.#onDue = onDue;
  }

  /** Whether a refusal of this actor can be counted. */
  hasPlaceFor(actor: ActorAddress): boolean {
    return this.#refusals.size < MOST_REFUSED || this.#refusals.has(actorKey(actor));
  }

  /** When the oldest event that waits was published; undefined when none does. */
  get oldest(): number | undefined {
    let oldest: number | undefined;
    for (const { since } of this.#refusals.values()) oldest = Math.min(oldest ?? since, since);
    return oldest;
  }

  isWaiting(key: string): boolean {
    return this.#refusals.get(key)?.cancelWait !== undefined;
  }

  /** The feed has refused an event by itself, and has taken another one since. */
  async add(id: MessageId, message: EventMessage, error: unknown): Promise<void> {
    const key = actorKey(id);
    const before = this.#refusals.get(key);
    const isAnother = !before || isAfter(id, before.at) || isAfter(before.at, id);
    const attempts = isAnother ? 1 : before.attempts + 1;
    before?.cancelWait?.();
    const address = { kind: id.kind, id: id.id };
    const refusal: Refusal = { address, at: id, attempts, since: message.at, cancelWait: undefined };
    this.#refusals.set(key, refusal);
    const why = reasonOf(error);
    const isBuried = attempts >= MOST_REFUSALS && (await this.#bury(id, message, { attempts, error: why }));
    // All may have been forgotten meanwhile.
    if (this.#refusals.get(key) !== refusal) return;
    if (isBuried) {
      this.#refusals.delete(key);
      return this.#onDue(address);
    }
    const waitMs = backoffMs(attempts, LONGEST_PAUSE_MS, this.#rng);
    this.#log.warn({ event: messageKey(id), attempts, waitMs, error: why }, "a feed refuses an event; trying again");
    refusal.cancelWait = this.#clock.schedule(() => {
      refusal.cancelWait = undefined;
      this.#onDue(address);
    }, waitMs);
  }

  /** Whether it is a dead letter now. What is another node's by now waits for what that does with it. */
  async #bury(id: MessageId, message: EventMessage, why: { attempts: number; error: string }): Promise<boolean> {
    try {
      if ((await this.#dead.bury(id, message, why)) === "moved") return false;
      this.#log.error({ event: messageKey(id), topic: message.topic, ...why }, "an event is refused for good");
      return true;
    } catch (error) {
      this.#log.warn({ err: error, event: messageKey(id) }, "a dead letter could not be stored; trying again");
      return false;
    }
  }

  /** The feed has taken this event, and so all of its actor's before it. */
  taken(id: MessageId): void {
    if (this.#refusals.size === 0) return;
    const key = actorKey(id);
    const refusal = this.#refusals.get(key);
    if (!refusal || isAfter(refusal.at, id)) return;
    refusal.cancelWait?.();
    this.#refusals.delete(key);
  }

  /**
   * This is the actor's first event in the table. A refused one that comes before it is there no more: it has been buried though the
   * answer was lost, or is published by the node whose it is by now.
   */
  async read(key: string, first: Position | undefined): Promise<void> {
    const refusal = this.#refusals.get(key);
    if (!refusal || (first && !isAfter(first, refusal.at))) return;
    refusal.cancelWait?.();
    this.#refusals.delete(key);
    if (refusal.attempts < MOST_REFUSALS) return;
    await this.#dead.countIfDead({ ...refusal.address, ...refusal.at }).catch((error: unknown) => {
      this.#log.warn(
        { err: error, actor: key },
        "it is not known whether an event is a dead letter; operators' lists tell",
      );
    });
  }

  forget(): void {
    for (const { cancelWait } of this.#refusals.values()) cancelWait?.();
    this.#refusals.clear();
  }
}

/** The store's own words, which `unavailable` covers up. */
function reasonOf(error: unknown): string {
  const { code, message } = toRingmasterError(error);
  const cause = error instanceof Error ? error.cause : undefined;
  return `${code}: ${cause instanceof Error ? cause.message : message}`;
}
