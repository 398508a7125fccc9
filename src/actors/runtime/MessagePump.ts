import type { Clock, Rng } from "../../clock.ts";
import type { ActorAddress } from "./actorRow.ts";
import { backoffMs } from "./backoff.ts";
import type { DeadLetters } from "./DeadLetters.ts";
import type { MessageTable } from "./MessageTable.ts";
import { type Lane, MessageTarget, TARGET_BOUND } from "./MessageTarget.ts";
import { type MessageId, type MessageRow, messageKey } from "./messages.ts";
import type { Log } from "./ports.ts";
import { actorKey } from "./protocol.ts";

/** What came of reporting an actor something. */
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
/** Targets of which something is in memory; beyond it those that wait are forgotten until the table is looked through again. */
const MOST_TARGETS = 10_000;
/** Targets or senders that are read at once. */
const PAGE = 100;
const READS_AT_ONCE = 8;
/** Settled messages that are still in the table; with so many nobody is told anything until they can be deleted. */
const SETTLED_BOUND = 10_000;
const DELETE_AGAIN_MS = 100;
/** The longest pause after a failure of the actor's own. */
const LONGEST_OWN_RETRY_MS = 600_000;
/** The longest pause while the actor cannot be reached: this, or a tenth of the message's age up to a minute. */
const LONGEST_WAY_RETRY_MS = 5000;
const LONGEST_OLD_WAY_RETRY_MS = 60_000;
/** What failed so often in the actor's hands, which takes about an hour, is a dead letter. */
export const MOST_ATTEMPTS = 18;
/** What could not reach its actor for so long, however often it was tried, is a dead letter. */
export const LONGEST_UNREACHED_MS = 24 * 3_600_000;
/** From this pause on, attempts are written down, so that they are not forgotten with their node. */
const WRITTEN_DOWN_FROM_MS = 1000;

const FIRST_ADDRESS: ActorAddress = { kind: "", id: "" };

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
  readonly #targets = new Map<string, MessageTarget>();
  /** Lanes whose first message may be called. */
  readonly #ready = new Set<Lane>();
  /** Targets that are to be read on. */
  readonly #toRead = new Set<MessageTarget>();
  /** Settled, and still in the table. */
  readonly #settled = new Map<string, MessageId>();
  /** The table is asked for targets that this node does not know of: where that is now. */
  #scan: ActorAddress | undefined;
  #scanAgain = false;
  #scanSince = 0;
  /** There was no room for a target: those that are not in memory may have something in the table. */
  #hasOverflowed = false;
  #isScanning = false;
  #reads = 0;
  #calls = 0;
  #isDeleting = false;
  #stopped = false;

  constructor(ports: MessagePumpPorts) {
    this.#ports = ports;
  }

  /** Takes what a turn has just committed. */
  deliver(rows: readonly MessageRow[], hasBacklog: boolean): void {
    for (const row of rows) {
      const target = this.#target(row.to);
      if (!target) continue;
      const lane = target.take(row, hasBacklog);
      if (lane) this.#ripen(lane);
      else this.#readOn(target);
    }
    this.#next();
  }

  /** Looks for messages of this node that it does not know of. */
  lookForMore(): void {
    if (this.#scan) this.#scanAgain = true;
    else this.#beginScan();
    void this.#lookOn();
  }

  #beginScan(): void {
    this.#scan = FIRST_ADDRESS;
    this.#scanSince = this.#ports.clock.now();
    this.#scanAgain = false;
    this.#hasOverflowed = false;
  }

  /** This node was silent for so long that its messages may be a peer's by now: only the table tells which are not. */
  forget(): void {
    for (const target of this.#targets.values()) target.forget();
    this.#targets.clear();
    this.#toRead.clear();
    this.#ready.clear();
    this.#settled.clear();
    this.lookForMore();
  }

  /** How long the oldest message in memory has waited, in milliseconds; 0 when none does. */
  lag(): number {
    let oldest = this.#scan ? this.#scanSince : Number.POSITIVE_INFINITY;
    for (const { lanes } of this.#targets.values())
      for (const { messages } of lanes.values()) oldest = Math.min(oldest, messages[0]?.createdAt ?? oldest);
    return Math.max(0, this.#ports.clock.now() - oldest);
  }

  /** Begins no more calls. What is under way may still come to an end; what is not stays in the table for a peer. */
  stop(): void {
    this.#stopped = true;
  }

  /** Undefined when there is no room, and all of it has to be looked for in the table later. */
  #target(address: ActorAddress): MessageTarget | undefined {
    const key = actorKey(address);
    const present = this.#targets.get(key);
    if (present) return present;
    if (this.#targets.size >= MOST_TARGETS && !this.#makeRoom()) {
      this.#hasOverflowed = true;
      return undefined;
    }
    const target = new MessageTarget(address);
    // What the table has not been asked for yet may come before what is at hand.
    if (this.#scan || this.#hasOverflowed) target.lookIntoTable();
    this.#targets.set(key, target);
    return target;
  }

  /** Forgets a target that waits: the next look through the table finds it again. */
  #makeRoom(): boolean {
    for (const [key, target] of this.#targets) {
      if (!target.isAtRest) continue;
      target.forget();
      this.#targets.delete(key);
      this.#toRead.delete(target);
      this.#hasOverflowed = true;
      return true;
    }
    return false;
  }

  /** Asks the table for targets, a page at a time. */
  async #lookOn(): Promise<void> {
    if (this.#isScanning || this.#stopped) return;
    this.#isScanning = true;
    try {
      while (this.#scan) {
        const page = await this.#ports.messages.targets(this.#scan, PAGE);
        for (const address of page) this.#lookInto(address);
        if (page.length === PAGE) this.#scan = page.at(-1)!;
        else if (this.#scanAgain) this.#beginScan();
        else this.#scan = undefined;
      }
    } catch (error) {
      this.#ports.log.warn({ err: error }, "what is to be told could not be looked for; the next look finds it");
    } finally {
      this.#isScanning = false;
    }
  }

  #lookInto(address: ActorAddress): void {
    const target = this.#target(address);
    if (!target) return;
    target.lookIntoTable();
    this.#readOn(target);
  }

  #readOn(target: MessageTarget): void {
    if (target.wantsMore) this.#toRead.add(target);
    if (target.isEmpty && !target.isForgotten) this.#targets.delete(actorKey(target.address));
    while (this.#reads < READS_AT_ONCE && !this.#stopped) {
      const [first] = this.#toRead;
      if (!first) return;
      this.#toRead.delete(first);
      if (!first.wantsMore) continue;
      this.#reads += 1;
      first.beginPage();
      void this.#read(first).finally(() => {
        this.#reads -= 1;
        first.isReading = false;
        this.#readOn(first);
        this.#next();
      });
    }
  }

  /** Reads a page of what is to be told to one actor: of each sender that has something here, all that comes before it, too. */
  async #read(target: MessageTarget): Promise<void> {
    const { messages, log } = this.#ports;
    try {
      const senders = await messages.sendersTo(target.address, target.cursor, TARGET_BOUND);
      const wanted = target.toRead(senders);
      const room = TARGET_BOUND - target.size;
      const rows = wanted.length === 0 ? [] : await messages.of(target.address, wanted, room);
      if (target.isForgotten) return;
      const news = rows.filter((row) => !this.#settled.has(messageKey(row)));
      for (const lane of target.takeRead(news)) this.#ripen(lane);
      if (rows.length >= room) {
        // The others after the last one, and the rest of that one in the next pass.
        target.cursor = { kind: rows.at(-1)!.kind, id: rows.at(-1)!.id };
        target.isDirty = true;
      } else if (senders.length < TARGET_BOUND) target.endPass();
      else target.cursor = senders.at(-1)!;
    } catch (error) {
      log.warn({ err: error, actor: actorKey(target.address) }, "what is to be told could not be read; trying again");
      this.#wait(target, LONGEST_WAY_RETRY_MS);
    }
  }

  #ripen(lane: Lane): void {
    const { target } = lane;
    if (!lane.isBusy && !lane.cancelWait && !target.cancelWait && !target.isForgotten) this.#ready.add(lane);
  }

  #next(): void {
    while (!this.#stopped && this.#calls < CALLS_AT_ONCE && this.#settled.size < SETTLED_BOUND) {
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
        this.#readOn(lane.target);
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
    this.#settle(lane, row);
  }

  #settle(lane: Lane, row: MessageRow): void {
    lane.target.shift(lane);
    const { kind, id, version, index } = row;
    this.#settled.set(messageKey(row), { kind, id, version, index });
    this.#delete();
  }

  async #failed(lane: Lane, row: MessageRow, { isOwn, error }: DeliveryOutcome & { kind: "failed" }): Promise<void> {
    const { clock, rng, log, messages, letters } = this.#ports;
    row.attempts += 1;
    row.isRepeat = true;
    const age = clock.now() - row.createdAt;
    if (row.attempts >= MOST_ATTEMPTS && (isOwn || age >= LONGEST_UNREACHED_MS)) {
      const end = await letters.bury(row, error).catch((cause: unknown) => {
        log.warn({ err: cause, from: messageKey(row) }, "a dead letter could not be stored; trying again");
      });
      if (end === "buried" || end === "done") return lane.target.shift(lane);
      // Another node has it, and knows better what has become of it, if not at once.
      if (end === "moved") return this.#dropLater(lane);
    }
    const most = isOwn
      ? LONGEST_OWN_RETRY_MS
      : Math.max(LONGEST_WAY_RETRY_MS, Math.min(LONGEST_OLD_WAY_RETRY_MS, age / 10));
    const waitMs = backoffMs(row.attempts, most, rng);
    const fields = { from: messageKey(row), actor: actorKey(row.to), attempts: row.attempts, waitMs, error };
    log.warn(fields, "an actor could not be told; trying again");
    if (waitMs >= WRITTEN_DOWN_FROM_MS) {
      await messages.failed(row, row.attempts, error).catch((cause: unknown) => {
        log.debug({ err: cause, from: messageKey(row) }, "an attempt in vain was not written down");
      });
    }
    if (lane.target.isForgotten) return;
    if (isOwn) this.#hold(lane, waitMs);
    else this.#wait(lane.target, waitMs);
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
      this.#readOn(lane.target);
      this.#next();
    }, LONGEST_WAY_RETRY_MS);
  }

  /** Nobody reaches this actor now: all that it is to be told waits. */
  #wait(target: MessageTarget, waitMs: number): void {
    target.cancelWait ??= this.#ports.clock.schedule(() => {
      target.cancelWait = undefined;
      for (const lane of target.lanes.values()) this.#ripen(lane);
      this.#readOn(target);
      this.#next();
    }, waitMs);
  }

  /** Takes what is settled out of the table; a node that reads it there before tells it again, to an actor whose mark says so. */
  #delete(): void {
    if (this.#isDeleting || this.#settled.size === 0) return;
    this.#isDeleting = true;
    const { messages, clock, log } = this.#ports;
    const settled = [...this.#settled];
    messages
      .delete(settled.map(([, id]) => id))
      .then(
        () => {
          for (const [key] of settled) this.#settled.delete(key);
        },
        (error: unknown) => {
          log.warn({ err: error, settled: settled.length }, "settled messages could not be deleted; trying again");
          return new Promise<void>((resolve) => void clock.schedule(resolve, DELETE_AGAIN_MS));
        },
      )
      .then(() => {
        this.#isDeleting = false;
        this.#delete();
        this.#next();
      });
  }
}
