import type { Clock } from "../../clock.ts";
import type { ActorAddress } from "./actorRow.ts";
import type { MessageTable } from "./MessageTable.ts";
import { type Lane, MessageTarget, TARGET_BOUND } from "./MessageTarget.ts";
import type { MessageId } from "./messages.ts";
import type { Log } from "./ports.ts";
import { actorKey } from "./protocol.ts";

/** Targets of which something is in memory; beyond it those that wait are forgotten until the table is looked through again. */
const MOST_TARGETS = 10_000;
/** Targets or senders that are read at once. */
const PAGE = 100;
const READS_AT_ONCE = 8;

const FIRST_ADDRESS: ActorAddress = { kind: "", id: "" };

export interface MessageTargetsPorts {
  messages: MessageTable;
  clock: Clock;
  log: Log;
  /** Whether a message that is in the table is settled. */
  isSettled(id: MessageId): boolean;
  /** These lanes have got messages. */
  onRead(lanes: Iterable<Lane>): void;
  /** A target could not be read: it is to wait. */
  onUnread(target: MessageTarget): void;
}

/**
 * The actors that this node has messages for, and the reading of what of those is in the table only. The table is looked through for
 * targets that are not known here by a **scan**, a page at a time; a target that is known is read on while it has room.
 */
export class MessageTargets {
  readonly #ports: MessageTargetsPorts;
  readonly #targets = new Map<string, MessageTarget>();
  /** Targets that are to be read on. */
  readonly #toRead = new Set<MessageTarget>();
  /** The table is asked for targets that this node does not know of: where that is now. */
  #scan: ActorAddress | undefined;
  #scanAgain = false;
  #scanSince = 0;
  /** There was no room for a target: those that are not in memory may have something in the table. */
  #hasOverflowed = false;
  #isScanning = false;
  #reads = 0;
  #stopped = false;

  constructor(ports: MessageTargetsPorts) {
    this.#ports = ports;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** When the oldest message in memory was committed, or the scan began; undefined when there is neither. */
  get oldest(): number | undefined {
    let oldest = this.#scan && this.#scanSince;
    for (const { lanes } of this.#targets.values())
      for (const { messages } of lanes.values()) {
        const at = messages[0]?.createdAt ?? oldest;
        if (at !== undefined) oldest = Math.min(oldest ?? at, at);
      }
    return oldest;
  }

  /** All of it is read from the table anew. What is under way comes to nothing. */
  forget(): void {
    for (const target of this.#targets.values()) target.forget();
    this.#targets.clear();
    this.#toRead.clear();
  }

  /** Undefined when there is no room, and all of it has to be looked for in the table later. */
  get(address: ActorAddress): MessageTarget | undefined {
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

  /** Forgets a target that waits: the next scan finds it again. */
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

  /** Looks through the table for messages of this node that it does not know of. */
  scan(): void {
    if (this.#scan) this.#scanAgain = true;
    else this.#beginScan();
    void this.#scanOn();
  }

  #beginScan(): void {
    this.#scan = FIRST_ADDRESS;
    this.#scanSince = this.#ports.clock.now();
    this.#scanAgain = false;
    this.#hasOverflowed = false;
  }

  async #scanOn(): Promise<void> {
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
      this.#ports.log.warn({ err: error }, "messages could not be looked for; the next look finds them");
    } finally {
      this.#isScanning = false;
    }
  }

  #lookInto(address: ActorAddress): void {
    const target = this.get(address);
    if (!target) return;
    target.lookIntoTable();
    this.readOn(target);
  }

  /** Has a target read on when there is more of it in the table, and forgets it when there is nothing of it at all. */
  readOn(target: MessageTarget): void {
    if (target.wantsMore) this.#toRead.add(target);
    if (target.isEmpty && !target.isForgotten) this.#targets.delete(actorKey(target.address));
    while (this.#reads < READS_AT_ONCE && !this.#stopped) {
      const [first] = this.#toRead;
      if (!first) return;
      this.#toRead.delete(first);
      if (!first.wantsMore) continue;
      this.#reads += 1;
      first.beginPage();
      void this.#read(first).then((lanes) => {
        this.#reads -= 1;
        first.isReading = false;
        this.readOn(first);
        this.#ports.onRead(lanes);
      });
    }
  }

  /**
   * Reads a page of what is to be sent to one actor: of each sender that has something here, all that comes before it, too. Returns the
   * lanes that have got some.
   */
  async #read(target: MessageTarget): Promise<Iterable<Lane>> {
    const { messages, log, isSettled, onUnread } = this.#ports;
    try {
      const senders = await messages.sendersTo(target.address, target.cursor, TARGET_BOUND);
      const wanted = target.toRead(senders);
      const room = TARGET_BOUND - target.size;
      const rows = wanted.length === 0 ? [] : await messages.of(target.address, wanted, room);
      if (target.isForgotten) return [];
      const lanes = target.takeRead(rows.filter((row) => !isSettled(row)));
      if (rows.length >= room) {
        // The others after the last one, and the rest of that one in the next pass.
        target.cursor = { kind: rows.at(-1)!.kind, id: rows.at(-1)!.id };
        target.isDirty = true;
      } else if (senders.length < TARGET_BOUND) target.endPass();
      else target.cursor = senders.at(-1)!;
      return lanes;
    } catch (error) {
      log.warn({ err: error, actor: actorKey(target.address) }, "messages could not be read; trying again");
      onUnread(target);
      return [];
    }
  }
}
