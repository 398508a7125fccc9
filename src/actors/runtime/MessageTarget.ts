import type { ActorAddress } from "./actorRow.ts";
import { isAfter, type MessageRow, type Position } from "./messages.ts";
import { actorKey } from "./protocol.ts";

/** Tells to one actor that are in memory; further ones wait in the table. */
export const TARGET_BOUND = 32;
/** With so many left, the table is read on. */
const READ_ON_BELOW = TARGET_BOUND / 2;
const BEGINNING: Position = { version: -1, index: -1 };
const FIRST_ADDRESS: ActorAddress = { kind: "", id: "" };

/** What one sender sends one target: the first is under way or waits for its next try, the others wait for it. */
export interface Lane {
  readonly sender: ActorAddress;
  readonly target: MessageTarget;
  /** In the order committed. What has been told before them is settled, whoever told it. */
  messages: MessageRow[];
  /** More of it is in the table than is here. */
  isBehind: boolean;
  isBusy: boolean;
  /** Ends the wait for its next try. */
  cancelWait: (() => void) | undefined;
}

/**
 * All that this node has to tell one actor: a lane a sender, and not more than the bound over all of them. The target is
 * **behind** when it has rows of lanes that are not known here, or of lanes that have room; then nothing that is committed is
 * taken at once, for it comes after what is in the table.
 */
export class MessageTarget {
  readonly address: ActorAddress;
  readonly lanes = new Map<string, Lane>();
  /** Tells in memory. */
  size = 0;
  isBehind = false;
  /** More has been committed since the pass through the table began. */
  isDirty = false;
  isReading = false;
  /** Nothing of it counts any more: another target has taken its place, or will. */
  isForgotten = false;
  /** The sender after which the pass through the table goes on. */
  cursor: ActorAddress = FIRST_ADDRESS;
  /** Ends the wait until this actor, which cannot be reached, is tried again. */
  cancelWait: (() => void) | undefined;

  constructor(address: ActorAddress) {
    this.address = address;
  }

  get isEmpty(): boolean {
    return this.lanes.size === 0 && !this.isBehind;
  }

  get wantsMore(): boolean {
    return (
      !this.isForgotten &&
      this.isBehind &&
      !this.isReading &&
      this.cancelWait === undefined &&
      this.size < READ_ON_BELOW
    );
  }

  /** Nothing of it is under way, and it waits: it may be forgotten, since all of it is in the table. */
  get isAtRest(): boolean {
    const lanes = [...this.lanes.values()];
    const waits = this.cancelWait !== undefined || lanes.every((lane) => lane.cancelWait !== undefined);
    return waits && !this.isReading && lanes.every((lane) => !lane.isBusy);
  }

  /** Takes what was committed just now; undefined when it has to be read from the table in its time. */
  take(row: MessageRow, hasBacklog: boolean): Lane | undefined {
    const lane = this.lanes.get(actorKey(row));
    if (lane?.cancelWait) {
      lane.isBehind = true;
      return undefined;
    }
    if (hasBacklog || this.isBehind || lane?.isBehind || this.size >= TARGET_BOUND) {
      this.lookIntoTable();
      return undefined;
    }
    return this.#add(row);
  }

  lookIntoTable(): void {
    this.isBehind = true;
    this.isDirty = true;
  }

  #add(row: MessageRow): Lane {
    const key = actorKey(row);
    let lane = this.lanes.get(key);
    if (!lane) {
      const sender = { kind: row.kind, id: row.id };
      lane = { sender, target: this, messages: [], isBehind: false, isBusy: false, cancelWait: undefined };
      this.lanes.set(key, lane);
    }
    lane.messages.push(row);
    this.size += 1;
    return lane;
  }

  /** Of these senders, those whose lanes are to be read on, and from where. One that waits for its next try needs no more. */
  toRead(senders: readonly ActorAddress[]): Array<{ address: ActorAddress; after: Position }> {
    const wanted: Array<{ address: ActorAddress; after: Position }> = [];
    for (const address of senders) {
      const lane = this.lanes.get(actorKey(address));
      if (lane?.cancelWait) lane.isBehind = true;
      else wanted.push({ address, after: lane?.messages.at(-1) ?? BEGINNING });
    }
    return wanted;
  }

  /** Takes rows as the table has them, in order. Returns the lanes that have got some. */
  takeRead(rows: readonly MessageRow[]): Set<Lane> {
    const lanes = new Set<Lane>();
    for (const row of rows) {
      const latest = this.lanes.get(actorKey(row))?.messages.at(-1);
      if (!latest || isAfter(row, latest)) lanes.add(this.#add(row));
    }
    return lanes;
  }

  /** A page of senders is read, the first of a pass or a further one. */
  beginPage(): void {
    this.isReading = true;
    if (this.cursor === FIRST_ADDRESS) this.isDirty = false;
  }

  /** The pass through the table has come to its end. */
  endPass(): void {
    this.cursor = FIRST_ADDRESS;
    this.isBehind = this.isDirty;
  }

  /** The first of a lane is settled. */
  shift(lane: Lane): void {
    lane.messages.shift();
    this.size -= 1;
    if (lane.messages.length > 0) return;
    if (lane.isBehind) this.lookIntoTable();
    this.lanes.delete(actorKey(lane.sender));
  }

  /** Keeps no more of a lane than what waits for its next try, so that it takes nobody's place. */
  trim(lane: Lane): void {
    if (lane.messages.length < 2) return;
    this.size -= lane.messages.length - 1;
    lane.messages.length = 1;
    lane.isBehind = true;
  }

  /** All of it is to be read from the table anew, by another target. What is under way for this one comes to nothing. */
  forget(): void {
    this.isForgotten = true;
    this.cancelWait?.();
    for (const lane of this.lanes.values()) {
      lane.cancelWait?.();
      lane.messages = [];
    }
    this.lanes.clear();
  }

  /** All of a lane is to be read anew. */
  drop(lane: Lane): void {
    this.size -= lane.messages.length;
    lane.messages = [];
    this.lanes.delete(actorKey(lane.sender));
    this.lookIntoTable();
  }
}
