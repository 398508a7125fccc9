import type { Clock } from "../../clock.ts";
import type { HuntFigures } from "../../entities/hunts/Hunt.ts";
import type { Sql } from "../../entities/sql.ts";
import { KeptReads } from "../events/KeptReads.ts";
import { assignmentCounts, standings } from "./AssignmentJournal.ts";
import { TOP } from "./LedgerRefresh.ts";

/**
 * Counts how a hunt has gone in all of its assignments, for hunts of which nothing else tells: called off, revealed by an earlier version, or
 * in solving while its ledger is away.
 */
export class FiguresReader {
  readonly #database: Pick<Sql, "query">;
  readonly #reads: KeptReads<HuntFigures>;

  constructor({ database, clock }: { database: Pick<Sql, "query">; clock: Pick<Clock, "monotonic"> }) {
    this.#database = database;
    this.#reads = new KeptReads(clock);
  }

  read(id: string, isOver: boolean): Promise<HuntFigures> {
    return this.#reads.get(id, isOver, () => this.#count(id));
  }

  async #count(id: string): Promise<HuntFigures> {
    const [top, { players, solved }] = await Promise.all([
      standings(this.#database, id, TOP),
      assignmentCounts(this.#database, id),
    ]);
    return { players, solved, standings: top };
  }
}
