import type { Clock } from "../../clock.ts";
import type { ItemAmount } from "../../entities/prizes/PrizeLedger.ts";

/** How the tournament ended for a player; no rank for one without a standing. */
export interface OwnResult {
  rank: number | null;
  prizes: ItemAmount[];
}

export interface ResultsPorts {
  /** The results of these players: those that have a standing. */
  resultsOf(playerIds: readonly string[]): Promise<ReadonlyMap<string, OwnResult>>;
  notify(playerId: string, result: OwnResult): void;
  clock: Pick<Clock, "schedule">;
  log: { warn(entry: object, message: string): void };
}

/** How long after a failure the results are asked for again, in milliseconds. */
const RETRY_MS = 2000;

/** Tells the players of a room how the tournament ended for them: who comes while results are being read waits for the next reading. */
export class Results {
  readonly #ports: ResultsPorts;
  readonly #untold = new Set<string>();
  #isReading = false;
  #cancelRetry: () => void = () => {};
  #isClosed = false;

  constructor(ports: ResultsPorts) {
    this.#ports = ports;
  }

  notify(playerIds: Iterable<string>): void {
    for (const playerId of playerIds) this.#untold.add(playerId);
    void this.#read();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelRetry();
  }

  async #read(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    const { resultsOf, notify, clock, log } = this.#ports;
    try {
      while (this.#untold.size > 0 && !this.#isClosed) {
        const asked = [...this.#untold];
        const results = await resultsOf(asked);
        for (const playerId of asked) {
          this.#untold.delete(playerId);
          notify(playerId, results.get(playerId) ?? { rank: null, prizes: [] });
        }
      }
    } catch (error) {
      log.warn({ err: error }, "results could not be read; they are asked for again");
      if (!this.#isClosed) this.#cancelRetry = clock.schedule(() => void this.#read(), RETRY_MS);
    } finally {
      this.#isReading = false;
    }
  }
}
