import type { Clock } from "../../clock.ts";
import { failureOfStore } from "../../entities/journaling.ts";
import type { Database } from "../../entities/sql.ts";
import { type Entrant, insertEntrants, joinedAtOf } from "../../entities/tournaments/Entrant.ts";
import { Coalescer } from "../../stores/runtime/Coalescer.ts";

export interface EntrantPorts {
  database: Pick<Database, "query" | "transaction">;
  clock: Clock;
  log: { warn(entry: object, message: string): void };
}

/** Entrants a transaction. */
const BATCH = 500;
/** Entrants that wait for the database. Who comes beyond is known only for as long as their connection lasts. */
const MOST_WAITING = 10_000;
/** How long who joins waits for others, in milliseconds: the embedded database, and its whole process, stands still for every commit. */
const LINGER_MS = 100;
/** After a failure, in milliseconds. */
const RETRY_MS = 1000;

/**
 * Who was in a room of a tournament, and since when: kept in MySQL, so that whoever joins again in its grace, on whichever node, is known.
 * Nobody waits for what is noted: those who join while a batch is being stored are the next batch.
 */
export class Entrants {
  readonly #ports: EntrantPorts;
  /** By tournament and player, in the order in which they came. */
  readonly #waiting = new Map<string, Entrant>();
  readonly #finds: Coalescer<string, number | undefined>;
  #storing: Promise<void> | undefined;
  #hurry = (): void => {};
  #isClosed = false;

  constructor(ports: EntrantPorts) {
    this.#ports = ports;
    this.#finds = new Coalescer({ batch: (tournamentId, playerIds) => this.#find(tournamentId, playerIds) });
  }

  /** The player is in a room of the tournament. It is stored within a tenth of a second, or as soon as the database takes it. */
  note(entrant: Entrant): void {
    const key = keyOf(entrant);
    if (this.#waiting.has(key) || this.#waiting.size >= MOST_WAITING) return;
    this.#waiting.set(key, entrant);
    this.#storing ??= this.#store();
  }

  /** When the player was in a room of the tournament for the first time. Rejects with `unavailable` when nobody can say. */
  async joinedAt(tournamentId: string, playerId: string): Promise<number | undefined> {
    const waiting = this.#waiting.get(keyOf({ tournamentId, playerId }))?.joinedAt ?? Number.POSITIVE_INFINITY;
    const stored = (await this.#finds.ask(tournamentId, playerId)) ?? Number.POSITIVE_INFINITY;
    const first = Math.min(waiting, stored);
    return first === Number.POSITIVE_INFINITY ? undefined : first;
  }

  /** Resolves once all that was noted is stored, or could not be; for a drain. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#hurry();
    await this.#storing;
  }

  async #store(): Promise<void> {
    const { database, log } = this.#ports;
    let waitMs = LINGER_MS;
    while (this.#waiting.size > 0) {
      await this.#wait(waitMs);
      const batch = [...this.#waiting.values()].slice(0, BATCH);
      try {
        // In the order of the primary key: nodes that store the same players do not wait for each other in a circle.
        await insertEntrants(database, batch.toSorted(byKey));
        for (const entrant of batch) this.#waiting.delete(keyOf(entrant));
        waitMs = LINGER_MS;
      } catch (error) {
        log.warn({ err: error }, "who joined tournaments could not be stored yet");
        if (this.#isClosed) break;
        waitMs = RETRY_MS;
      }
    }
    this.#storing = undefined;
  }

  /** Until then, or until this is closed. */
  async #wait(ms: number): Promise<void> {
    if (this.#isClosed) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#ports.clock.schedule(resolve, ms);
      this.#hurry = () => {
        cancel();
        resolve();
      };
    });
  }

  async #find(tournamentId: string, playerIds: readonly string[]): Promise<(number | undefined)[]> {
    const found = await joinedAtOf(this.#ports.database, tournamentId, playerIds).catch((error: unknown) => {
      throw failureOfStore(error);
    });
    return playerIds.map((playerId) => found.get(playerId));
  }
}

function keyOf({ tournamentId, playerId }: Pick<Entrant, "tournamentId" | "playerId">): string {
  return `${tournamentId} ${playerId}`;
}

function byKey(a: Entrant, b: Entrant): number {
  const [first, second] = [keyOf(a), keyOf(b)];
  return first === second ? 0 : first < second ? -1 : 1;
}
