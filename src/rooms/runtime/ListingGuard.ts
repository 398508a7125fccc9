import { matchMaker } from "@colyseus/core";
import type { Redis } from "ioredis";
import type { Clock } from "../../clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { GuardedPresence } from "./GuardedPresence.ts";
import type { RoomDirectory } from "./RoomDirectory.ts";

/** How often the guard looks, in milliseconds: after a wipe under a living connection, players find their rooms again this much later. */
const BEAT_MS = 1000;
/** Colyseus's hash of the processes that serve rooms. */
const PROCESSES_KEY = "roomcount";
/** A hash with a field for each process whose rooms are listed. Colyseus does not know it, so it says more than Colyseus's own. */
const LISTED_KEY = "ringmaster:listed";

export interface ListingGuardParts {
  /** The directory's: when it is back, so is what restores. */
  client: Redis;
  directory: RoomDirectory;
  presence: GuardedPresence;
  clock: Clock;
  logger: Pick<Logger, "info" | "warn"> | undefined;
}

/**
 * Keeps Redis's idea of who serves which rooms true: lists this process and its rooms again when Redis comes back, when
 * it lost its data under a living connection, and when peers took this process for dead. (Colyseus writes its process
 * only each minute, and its rooms only when a peer left a note.)
 */
export class ListingGuard {
  readonly #parts: ListingGuardParts;
  /** Processes that are gone and may still be listed. */
  readonly #gone = new Set<string>();
  #checking: Promise<void> | undefined;
  #isSuspect = false;
  #cancel: (() => void) | undefined;

  constructor(parts: ListingGuardParts) {
    this.#parts = parts;
    parts.client.on("ready", this.#onReady);
    this.#next();
  }

  /**
   * Takes away the listings of a process that is dead, so that nobody is sent to them. Every node that comes to this decision
   * may call it. Never rejects: what Redis could not be told is told once it is back.
   */
  async forgetProcess(processId: string): Promise<void> {
    this.#gone.add(processId);
    await this.#forget(processId).catch((error: Error) => {
      this.#parts.logger?.warn({ processId, reason: error.message }, "A dead process is still listed");
    });
  }

  /** Ends the guard. A process that leaves in order is no longer listed. */
  async close(): Promise<void> {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#parts.client.off("ready", this.#onReady);
    await this.#checking;
    await this.#parts.client.hdel(LISTED_KEY, matchMaker.processId).catch(() => {});
  }

  readonly #onReady = (): void => {
    this.#isSuspect = true;
    void this.#check();
  };

  #next(): void {
    this.#cancel = this.#parts.clock.schedule(() => {
      this.#parts.presence.pingSubscriber().catch(() => {});
      this.#check().finally(() => {
        if (this.#cancel !== undefined) this.#next();
      });
    }, BEAT_MS);
  }

  /** One look at a time. Never rejects. */
  #check(): Promise<void> {
    this.#checking ??= this.#look()
      .catch(() => {
        // Redis is away; its return, or the next beat, comes here again
      })
      .finally(() => {
        this.#checking = undefined;
      });
    return this.#checking;
  }

  async #look(): Promise<void> {
    if (matchMaker.state !== matchMaker.MatchMakerState.READY) return;
    if (!(await this.#isListed())) this.#isSuspect = true;
    while (this.#isSuspect) {
      this.#isSuspect = false;
      await this.#restore().catch((error: unknown) => {
        this.#isSuspect = true;
        throw error;
      });
    }
    for (const processId of this.#gone) await this.#forget(processId);
  }

  async #isListed(): Promise<boolean> {
    const { client } = this.#parts;
    const { processId } = matchMaker;
    const [listed, known] = await Promise.all([
      client.hexists(LISTED_KEY, processId),
      client.hexists(PROCESSES_KEY, processId),
    ]);
    return listed === 1 && known === 1;
  }

  async #restore(): Promise<void> {
    const { client, directory, logger } = this.#parts;
    const { processId } = matchMaker;
    const { roomCount, ccu } = matchMaker.stats.local;
    await client.hset(PROCESSES_KEY, processId, `${roomCount},${ccu}`);
    await directory.relist();
    await client.hset(LISTED_KEY, processId, "1");
    logger?.info("This process and its rooms are listed");
  }

  async #forget(processId: string): Promise<void> {
    const { client, directory } = this.#parts;
    await Promise.all([
      directory.forget(processId),
      client.hdel(PROCESSES_KEY, processId),
      client.hdel(LISTED_KEY, processId),
    ]);
    this.#gone.delete(processId);
  }
}
