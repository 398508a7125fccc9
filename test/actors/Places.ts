import { edgeError } from "../../src/entities/failures.ts";
import { shares } from "../../src/entities/MysqlDatabase.ts";
import { WORK, type Work } from "../../src/entities/sql.ts";
import type { ProcessLife } from "./ProcessLife.ts";

/** As on MySQL: how long anybody waits for a connection, in milliseconds. */
const WAIT_MS = 4000;
const REPORTS_WAIT_MS = 60_000;
/** What a node has unless it is told otherwise. */
const CONNECTIONS = 16;

/**
 * The connections of a simulated node, some for each class of work as on MySQL. Who finds none of their class free waits, first come, first
 * served, and is turned away in the end. (The lines in which callers and timers wait for those of turns are one here.)
 */
export class Places {
  /** Somebody has waited in vain for a place of this class. */
  onTurnedAway: (work: Work) => void = () => {};
  readonly #life: ProcessLife;
  readonly #free: Record<Work, number> = shares(CONNECTIONS);
  readonly #waiting = new Map<Work, Set<() => void>>(WORK.map((work) => [work, new Set()]));

  constructor(life: ProcessLife) {
    this.#life = life;
  }

  /** Resolves to what gives the place back, once or more often. Rejects with POOL_TIMEOUT. */
  async take(work: Work): Promise<() => void> {
    if (this.#free[work] > 0) this.#free[work] -= 1;
    else await this.#wait(work);
    let isGiven = false;
    return () => {
      if (!isGiven) this.#giveOn(work);
      isGiven = true;
    };
  }

  #wait(work: Work): Promise<void> {
    const waiting = this.#waiting.get(work)!;
    return new Promise((resolve, reject) => {
      waiting.add(resolve);
      const late = (): void => {
        if (!waiting.delete(resolve)) return;
        this.onTurnedAway(work);
        reject(edgeError("POOL_TIMEOUT", "no connection was free in time"));
      };
      void this.#life.pass(work === "reports" ? REPORTS_WAIT_MS : WAIT_MS).then(late);
    });
  }

  #giveOn(work: Work): void {
    const waiting = this.#waiting.get(work)!;
    const [next] = waiting;
    if (!next) {
      this.#free[work] += 1;
      return;
    }
    waiting.delete(next);
    next();
  }
}
