import type { Clock } from "../../clock.ts";
import type { ActorAddress } from "./actorRow.ts";
import type { CrashTable } from "./CrashTable.ts";
import type { Log } from "./ports.ts";
import { actorKey } from "./protocol.ts";

/**
 * A record that names somebody who has left is written anew after this, unless somebody enters before: for how long the others have been
 * in hand must not be told too late, as long as any come and go.
 */
const CLEAR_AFTER_MS = 5;
const WRITE_AGAIN_MS = 1000;

interface Name {
  address: ActorAddress;
  times: number;
  isFresh: () => boolean;
  /** Monotonic: when it was let in, which is once it is stored that it is. */
  since?: number;
}

/**
 * The actors that this process is in the hands of right now, as a row of the table tells those that outlive it. An actor is
 * stored there before it is let in; one that has left is taken out by the next write. One write is under way at a time, and all
 * that enter meanwhile share the next.
 */
export class InHand {
  readonly #table: CrashTable;
  readonly #clock: Clock;
  readonly #log: Log;
  /** By key; an actor may be in hand twice, when a turn that hangs outlives its activation. */
  readonly #names = new Map<string, Name>();
  readonly #waiting: PromiseWithResolvers<void>[] = [];
  /** How this process signs its record: anew after each time that it may have been taken for dead. */
  readonly #newLife: () => string;
  /** None as long as nothing was written under it. */
  #life: string | undefined;
  /** Lives that have ended without a crash, and whose record and blame are still to be removed. */
  readonly #pastLives: string[] = [];
  #written: Promise<void> | undefined;
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(ports: { table: CrashTable; clock: Clock; log: Log }, newLife: () => string) {
    this.#table = ports.table;
    this.#clock = ports.clock;
    this.#log = ports.log;
    this.#newLife = newLife;
  }

  /**
   * Resolves when the record names the actor, with what is to be called when it has left; rejects when that cannot be stored.
   * `isFresh` is asked with each write.
   */
  async add({ kind, id }: ActorAddress, isFresh: () => boolean): Promise<() => void> {
    const key = actorKey({ kind, id });
    const name: Name = this.#names.get(key) ?? { address: { kind, id }, times: 0, isFresh };
    name.times += 1;
    name.isFresh = isFresh;
    this.#names.set(key, name);
    const remove = (): void => {
      name.times -= 1;
      if (name.times > 0) return;
      this.#names.delete(key);
      this.#writeAfter(CLEAR_AFTER_MS);
    };
    const stored = Promise.withResolvers<void>();
    this.#waiting.push(stored);
    this.#write();
    try {
      await stored.promise;
    } catch (error) {
      remove();
      throw error;
    }
    name.since = this.#clock.monotonic();
    return remove;
  }

  /** Peers may have taken this process for dead: nothing of what they say of its life so far is true. */
  renew(): void {
    if (this.#life === undefined) return;
    this.#pastLives.push(this.#life);
    this.#life = undefined;
    this.#write();
  }

  /** Leaves no record behind. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    this.renew();
    await this.#written;
  }

  #writeAfter(ms: number): void {
    if (this.#stopped) return;
    this.#cancel ??= this.#clock.schedule(() => {
      this.#cancel = undefined;
      this.#write();
    }, ms);
  }

  #write(): void {
    this.#written ??= this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    // Whoever enters in the same moment goes along.
    await Promise.resolve();
    do await this.#writeOnce();
    while (this.#waiting.length > 0);
    this.#written = undefined;
  }

  async #writeOnce(): Promise<void> {
    const waiting = this.#waiting.splice(0);
    this.#cancel?.();
    this.#cancel = undefined;
    try {
      for (const life of [...this.#pastLives]) {
        await this.#table.forgive(life);
        this.#pastLives.splice(this.#pastLives.indexOf(life), 1);
      }
      const now = this.#clock.monotonic();
      const names = [...this.#names.values()].map(({ address, isFresh, since = now }) => ({
        ...address,
        isFresh: isFresh(),
        ageMs: Math.trunc(now - since),
      }));
      if (names.length > 0 || this.#life !== undefined) {
        this.#life ??= this.#newLife();
        await this.#table.store(this.#life, names, Math.trunc(this.#clock.now()));
      }
      for (const { resolve } of waiting) resolve();
    } catch (error) {
      this.#log.warn({ err: error }, "it could not be stored which actors are in hand; the next write tries again");
      for (const { reject } of waiting) reject(error);
      this.#writeAfter(WRITE_AGAIN_MS);
    }
  }
}
