import type { Clock } from "../../clock.ts";
import type { OutboxTable } from "./OutboxTable.ts";
import type { Log } from "./ports.ts";
import { actorKey } from "./protocol.ts";

/** A call that a turn has committed for another actor. */
export interface Tell {
  type: "tell";
  kind: string;
  id: string;
  method: string;
  args: unknown[];
}

/** Calls the told actor; rejects only when it is worth trying again. */
export type Teller = (tell: Tell, requestId: string) => Promise<void>;

interface Lane {
  /** Oldest first; the first one is under way, or waits for its next try. */
  tells: Array<{ seq: number; tell: Tell }>;
  failures: number;
}

/** Actors called at once. */
const CALLS_AT_ONCE = 500;
/** Tells kept in memory; beyond it they stay in the table until there is room. */
const MEMORY_BOUND = 10_000;
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 5000;

/**
 * Calls the actors that committed turns tell something: each actor in the order told, and one that cannot be reached or is in
 * quarantine holds up nobody else.
 */
export class Tells {
  readonly #table: OutboxTable;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #teller: Teller;
  readonly #onRoom: () => void;
  readonly #lanes = new Map<string, Lane>();
  /** Lanes whose first tell may be called. */
  readonly #ready: string[] = [];
  /** Ids of all tells here, those included that are told but still in the table. */
  readonly #known = new Set<number>();
  #told: number[] = [];
  #deleting = false;
  #calls = 0;
  #stopped = false;

  /** `onRoom` is called when there is room again after there was none. */
  constructor(ports: { table: OutboxTable; clock: Clock; log: Log; tell: Teller }, onRoom: () => void) {
    this.#table = ports.table;
    this.#clock = ports.clock;
    this.#log = ports.log;
    this.#teller = ports.tell;
    this.#onRoom = onRoom;
  }

  get hasRoom(): boolean {
    return this.#known.size < MEMORY_BOUND;
  }

  has(seq: number): boolean {
    return this.#known.has(seq);
  }

  add(seq: number, tell: Tell): void {
    if (this.#known.has(seq)) return;
    this.#known.add(seq);
    const key = actorKey(tell);
    const lane = this.#lanes.get(key);
    if (lane) {
      lane.tells.push({ seq, tell });
      return;
    }
    this.#lanes.set(key, { tells: [{ seq, tell }], failures: 0 });
    this.#ready.push(key);
    this.#next();
  }

  /** Begins no more calls. What is under way may still come to an end; what is not stays in the table for a peer. */
  stop(): void {
    this.#stopped = true;
  }

  #next(): void {
    while (!this.#stopped && this.#calls < CALLS_AT_ONCE) {
      const key = this.#ready.shift();
      if (key === undefined) return;
      this.#calls += 1;
      void this.#call(key, this.#lanes.get(key)!).finally(() => {
        this.#calls -= 1;
        this.#next();
      });
    }
  }

  async #call(key: string, lane: Lane): Promise<void> {
    const { seq, tell } = lane.tells[0]!;
    try {
      await this.#teller(tell, `o${seq}`);
    } catch (error) {
      const waitMs = Math.min(FIRST_RETRY_MS * 2 ** Math.min(lane.failures, 10), LONGEST_RETRY_MS);
      lane.failures += 1;
      this.#log.warn({ err: error, actor: key, waiting: lane.tells.length, waitMs }, "an actor could not be told");
      this.#clock.schedule(() => {
        this.#ready.push(key);
        this.#next();
      }, waitMs);
      return;
    }
    lane.failures = 0;
    lane.tells.shift();
    if (lane.tells.length > 0) this.#ready.push(key);
    else this.#lanes.delete(key);
    this.#told.push(seq);
    this.#delete();
  }

  /** Takes what is told out of the table; a node that reads it there before tells it again, to an actor that knows the request id. */
  #delete(): void {
    if (this.#deleting || this.#told.length === 0) return;
    this.#deleting = true;
    const told = this.#told.splice(0, CALLS_AT_ONCE);
    this.#table
      .delete(told)
      .then(
        () => this.#forget(told),
        (error: unknown) => {
          this.#log.warn({ err: error, told: told.length }, "told messages could not be deleted; trying again");
          this.#told.push(...told);
          return new Promise<void>((resolve) => void this.#clock.schedule(resolve, FIRST_RETRY_MS));
        },
      )
      .then(() => {
        this.#deleting = false;
        this.#delete();
      });
  }

  #forget(seqs: readonly number[]): void {
    const hadRoom = this.hasRoom;
    for (const seq of seqs) this.#known.delete(seq);
    if (!hadRoom && this.hasRoom) this.#onRoom();
  }
}
