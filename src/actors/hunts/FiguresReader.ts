import type { Clock } from "../../clock.ts";
import type { HuntFigures } from "../../entities/hunts/Hunt.ts";
import type { Sql } from "../../entities/sql.ts";
import { assignmentCounts, standings } from "../../stores/hunts/AssignmentJournal.ts";
import { TOP } from "./LedgerPulse.ts";

/** Hunts whose figures are kept. */
const MOST_KEPT = 100;
/** For so long what a hunt that goes on has come to is not counted again, in milliseconds. */
const KEPT_MS = 5000;

/**
 * Counts how a hunt has gone in all of its assignments, for hunts of which nothing else tells: called off, revealed by an earlier version, or
 * in solving while its ledger is away. Each is counted once for all who ask, and not again for a while, or ever where it is over.
 */
export class FiguresReader {
  readonly #database: Pick<Sql, "query">;
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #kept = new Map<string, { figures: Promise<HuntFigures>; at: number }>();

  constructor(ports: { database: Pick<Sql, "query">; clock: Pick<Clock, "monotonic"> }) {
    this.#database = ports.database;
    this.#clock = ports.clock;
  }

  read(id: string, isOver: boolean): Promise<HuntFigures> {
    const now = this.#clock.monotonic();
    const key = `${isOver} ${id}`;
    const kept = this.#kept.get(key);
    if (kept && (isOver || now - kept.at < KEPT_MS)) return kept.figures;
    const figures = this.#count(id);
    this.#kept.delete(key);
    this.#kept.set(key, { figures, at: now });
    figures.catch(() => {
      if (this.#kept.get(key)?.figures === figures) this.#kept.delete(key);
    });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MOST_KEPT) this.#kept.delete(oldest!);
    return figures;
  }

  async #count(id: string): Promise<HuntFigures> {
    const [top, { players, solved }] = await Promise.all([
      standings(this.#database, id, TOP),
      assignmentCounts(this.#database, id),
    ]);
    return { players, solved, standings: top };
  }
}
