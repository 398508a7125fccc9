import type { Clock, Rng } from "../../clock.ts";
import { backoffMs } from "./backoff.ts";
import type { DeadLetters } from "./DeadLetters.ts";
import type { MessageTable } from "./MessageTable.ts";
import type { Lane, MessageTarget } from "./MessageTarget.ts";
import { MessageTargets } from "./MessageTargets.ts";
import { type MessageRow, messageKey } from "./messages.ts";
import type { Log } from "./ports.ts";
import { actorKey } from "./protocol.ts";
import { SettledMessages } from "./SettledMessages.ts";

/** What came of sending an actor something. */
export type DeliveryOutcome =
  | { kind: "done" }
  /** The actor's own typed refusal: it will never take it. */
  | { kind: "refused"; error: string }
  /** `isOwn`: it was in the actor's hands and failed there; else it failed on the way, or nobody knows. */
  | { kind: "failed"; isOwn: boolean; error: string };

/** Calls the receiving actor. Never rejects. */
export type Deliver = (message: MessageRow) => Promise<DeliveryOutcome>;

/** Actors called at once. */
const CALLS_AT_ONCE = 500;
/** The longest pause after a failure of the actor's own. */
const LONGEST_OWN_RETRY_MS = 600_000;
/** The longest pause while the actor cannot be reached: this, or a tenth of the message's age up to a minute. */
const LONGEST_WAY_RETRY_MS = 5000;
const LONGEST_OLD_WAY_RETRY_MS = 60_000;
/** What failed so often in the actor's hands, which takes about an hour, is a dead letter. */
export const MOST_ATTEMPTS = 18;
/** What could not reach its actor for so long, and was tried so often in vain, is a dead letter. */
export const LONGEST_UNREACHED_MS = 24 * 3_600_000;
export const LEAST_UNREACHED = 18;
/** From this pause on, failures are written down, so that they are not forgotten with their node. */
const WRITTEN_DOWN_FROM_MS = 1000;

export interface MessagePumpPorts {
  messages: MessageTable;
  letters: DeadLetters;
  clock: Clock;
  rng: Rng;
  log: Log;
  deliver: Deliver;
}

/**
 * Calls the actors that committed turns send something: what one sender sends one receiver in the order sent, and one that is
 * slow, fails or cannot be reached holds up nobody else. A message is settled, and goes out of the table, when its receiver has
 * had it, has refused it, or when it has become a dead letter.
 */
export class MessagePump {
  readonly #ports: MessagePumpPorts;
  readonly #targets: MessageTargets;
  readonly #settled: SettledMessages;
  /** Lanes whose first message may be called. */
  readonly #ready = new Set<Lane>();
  #calls = 0;
  #stopped = false;

  constructor(ports: MessagePumpPorts) {
    this.#ports = ports;
    this.#settled = new SettledMessages(ports, () => this.#next());
    this.#targets = new MessageTargets({
      ...ports,
      isSettled: (id) => this.#settled.has(id),
      onRead: (lanes) => {
        for (const lane of lanes) this.#ripen(lane);
        this.#next();
      },
      onUnread: (target) => this.#wait(target, LONGEST_WAY_RETRY_MS),
    });
  }

  /** Takes what a turn has just committed. */
  deliver(rows: readonly MessageRow[], hasBacklog: boolean): void {
    for (const row of rows) {
      const target = this.#targets.get(row.to);
      if (!target) continue;
      const lane = target.take(row, hasBacklog);
      if (lane) this.#ripen(lane);
      else this.#targets.readOn(target);
    }
    this.#next();
  }

  /** Looks for messages of this node that it does not know of. */
  lookForMore(): void {
    this.#targets.scan();
  }

  /** This node was silent for so long that its messages may be a peer's by now: only the table tells which are not. */
  forget(): void {
    this.#targets.forget();
    this.#ready.clear();
    this.#settled.forget();
    this.lookForMore();
  }

  /** How long the oldest message in memory has waited, in milliseconds; 0 when none does. */
  lag(): number {
    const { oldest } = this.#targets;
    return oldest === undefined ? 0 : Math.max(0, this.#ports.clock.now() - oldest);
  }

  /** Begins no more calls. What is under way may still come to an end; what is not stays in the table for a peer. */
  stop(): void {
    this.#stopped = true;
    this.#targets.stop();
  }

  #ripen(lane: Lane): void {
    const { target } = lane;
    if (!lane.isBusy && !lane.cancelWait && !target.cancelWait && !target.isForgotten) this.#ready.add(lane);
  }

  #next(): void {
    while (!this.#stopped && this.#calls < CALLS_AT_ONCE && !this.#settled.isFull) {
      const [lane] = this.#ready;
      if (!lane) return;
      this.#ready.delete(lane);
      if (lane.isBusy || lane.cancelWait || lane.target.cancelWait || lane.messages.length === 0) continue;
      lane.isBusy = true;
      this.#calls += 1;
      void this.#call(lane, lane.messages[0]!).finally(() => {
        this.#calls -= 1;
        lane.isBusy = false;
        if (lane.messages.length > 0) this.#ripen(lane);
        this.#targets.readOn(lane.target);
        this.#next();
      });
    }
  }

  async #call(lane: Lane, row: MessageRow): Promise<void> {
    const outcome = await this.#ports.deliver(row);
    // All of it may have been forgotten meanwhile.
    if (lane.target.isForgotten) return;
    if (outcome.kind === "failed") return this.#failed(lane, row, outcome);
    if (outcome.kind === "refused") {
      const fields = { from: messageKey(row), actor: actorKey(row.to), error: outcome.error };
      this.#ports.log.error(fields, "a receiving actor refused; the message is dropped");
    }
    lane.target.shift(lane);
    this.#settled.add(row);
  }

  async #failed(lane: Lane, row: MessageRow, { isOwn, error }: DeliveryOutcome & { kind: "failed" }): Promise<void> {
    const { clock, log, messages } = this.#ports;
    if (isOwn) row.attempts += 1;
    else row.unreached += 1;
    row.isRepeat = true;
    const age = clock.now() - row.createdAt;
    const isGivenUp = isOwn
      ? row.attempts >= MOST_ATTEMPTS
      : age >= LONGEST_UNREACHED_MS && row.unreached >= LEAST_UNREACHED;
    if (isGivenUp && (await this.#bury(lane, row, error))) return;
    const waitMs = this.#pauseOf(row, isOwn, age);
    const { attempts, unreached } = row;
    const fields = { from: messageKey(row), actor: actorKey(row.to), attempts, unreached, waitMs, error };
    log.warn(fields, "a message could not be delivered; trying again");
    if (waitMs >= WRITTEN_DOWN_FROM_MS) {
      await messages.failed(row, error).catch((cause: unknown) => {
        log.debug({ err: cause, from: messageKey(row) }, "an attempt in vain was not written down");
      });
    }
    if (lane.target.isForgotten) return;
    if (isOwn) this.#hold(lane, waitMs);
    else this.#wait(lane.target, waitMs);
  }

  /** Before the next try, in milliseconds. Each kind of failure has its own: an outage has nothing to do with a mistake. */
  #pauseOf({ attempts, unreached }: MessageRow, isOwn: boolean, age: number): number {
    const { rng } = this.#ports;
    if (isOwn) return backoffMs(attempts, LONGEST_OWN_RETRY_MS, rng);
    return backoffMs(unreached, Math.max(LONGEST_WAY_RETRY_MS, Math.min(LONGEST_OLD_WAY_RETRY_MS, age / 10)), rng);
  }

  /** Whether nothing is left to do about it: it is a dead letter, or its receiver has had it, or another node has it. */
  async #bury(lane: Lane, row: MessageRow, error: string): Promise<boolean> {
    const { letters, log } = this.#ports;
    const end = await letters.bury(row, error).catch((cause: unknown) => {
      log.warn({ err: cause, from: messageKey(row) }, "a dead letter could not be stored; trying again");
    });
    if (end === "buried" || end === "done") lane.target.shift(lane);
    // Another node has it, and knows better what has become of it, if not at once.
    else if (end === "moved") this.#dropLater(lane);
    else return false;
    return true;
  }

  /** The lane's first message is tried again after a while; the other senders' go on. */
  #hold(lane: Lane, waitMs: number): void {
    lane.target.trim(lane);
    lane.cancelWait = this.#ports.clock.schedule(() => {
      lane.cancelWait = undefined;
      this.#ripen(lane);
      this.#next();
    }, waitMs);
  }

  /** After a while the lane is read anew. */
  #dropLater(lane: Lane): void {
    lane.cancelWait = this.#ports.clock.schedule(() => {
      lane.cancelWait = undefined;
      lane.target.drop(lane);
      this.#targets.readOn(lane.target);
      this.#next();
    }, LONGEST_WAY_RETRY_MS);
  }

  /** Nobody reaches this actor now: all that it is to be sent waits. */
  #wait(target: MessageTarget, waitMs: number): void {
    target.cancelWait ??= this.#ports.clock.schedule(() => {
      target.cancelWait = undefined;
      for (const lane of target.lanes.values()) this.#ripen(lane);
      this.#targets.readOn(target);
      this.#next();
    }, waitMs);
  }
}
