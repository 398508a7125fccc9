import type { ActorStore } from "./ActorStore.ts";
import type { ClaimedRow } from "./actorRow.ts";
import { actorKey } from "./protocol.ts";

/** Rows released in one transaction. */
const BATCH = 500;

/** Rows that this node gives up: each is kept until the table says that it is nobody's, or another owner's. */
export class Releases {
  readonly #store: ActorStore;
  readonly #onAdded: () => void;
  readonly #rows = new Set<ClaimedRow>();
  /** Of them, by actor, those of claims that may not have happened. */
  readonly #doubtful = new Map<string, Set<ClaimedRow>>();
  #flushing: Promise<void> = Promise.resolve();

  /** `onAdded` is told that there is something to flush. */
  constructor(store: ActorStore, onAdded: () => void) {
    this.#store = store;
    this.#onAdded = onAdded;
  }

  get size(): number {
    return this.#rows.size;
  }

  add(rows: readonly ClaimedRow[]): void {
    for (const row of rows) this.#rows.add(row);
    if (rows.length > 0) this.#onAdded();
  }

  /** The same for the row of a claim that failed, and may have happened or not. */
  addDoubtful(row: ClaimedRow): void {
    const key = actorKey(row);
    const rows = this.#doubtful.get(key) ?? new Set();
    this.#doubtful.set(key, rows.add(row));
    this.add([row]);
  }

  /**
   * Whether a claim of this actor that failed has not been released yet. Until it has, the actor must not be claimed here: where
   * that claim never happened, the next one has the same epoch, and would be released in its place.
   */
  isDoubtful(key: string): boolean {
    return this.#doubtful.has(key);
  }

  /**
   * Releases all that wait, in batches. A batch that fails keeps no other from being released; it waits for the next time, and so
   * does a row that somebody else has locked. Throws what failed.
   */
  flush(): Promise<void> {
    const flushed = this.#flushing.then(() => this.#flushAll());
    this.#flushing = flushed.catch(() => {});
    return flushed;
  }

  async #flushAll(): Promise<void> {
    const rows = [...this.#rows];
    const failures: unknown[] = [];
    for (let at = 0; at < rows.length; at += BATCH) {
      const batch = rows.slice(at, at + BATCH);
      try {
        const left = new Set(await this.#store.release(batch));
        for (const row of batch) if (!left.has(row)) this.#done(row);
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  #done(row: ClaimedRow): void {
    this.#rows.delete(row);
    const key = actorKey(row);
    const doubtful = this.#doubtful.get(key);
    if (doubtful?.delete(row) && doubtful.size === 0) this.#doubtful.delete(key);
  }
}
