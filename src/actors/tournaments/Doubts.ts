import type { Clock } from "../../clock.ts";
import { toRingmasterError } from "../../errors.ts";
import type { Leaderboard } from "../../stores/tournaments/Leaderboard.ts";
import type { Log } from "../runtime/ports.ts";
import type { TournamentTable } from "./TournamentTable.ts";

export interface DoubtPorts {
  leaderboard: Leaderboard;
  clock: Clock;
  log: Log;
  /** Loads the board from what is committed; false when somebody else is doing so. */
  rebuild(table: TournamentTable): Promise<boolean>;
}

/** A doubt is cleared once nothing has added to it for this long: the cause is over, and most players have tried again. */
const QUIET_MS = 5000;
/** And at the latest after this. */
const LONGEST_MS = 60_000;

interface Doubt {
  since: number;
  /** The board that is in doubt: one of a later epoch is not. */
  epoch: number;
  cancel: () => void;
}

/**
 * Boards that may count what was never committed, since a node died or a commit failed between the two. Whoever submits again has
 * it committed; for those who do not, the board is loaded anew after a while, so that it shows nobody a score that will not be
 * in the result.
 */
export class Doubts {
  readonly #ports: DoubtPorts;
  readonly #open = new Map<TournamentTable, Doubt>();
  #isClosed = false;

  constructor(ports: DoubtPorts) {
    this.#ports = ports;
  }

  raise(table: TournamentTable): void {
    if (this.#isClosed) return;
    const { clock } = this.#ports;
    const now = clock.monotonic();
    const known = this.#open.get(table);
    known?.cancel();
    const since = known?.since ?? now;
    const waitMs = Math.max(0, Math.min(QUIET_MS, since + LONGEST_MS - now));
    const cancel = clock.schedule(() => void this.#clear(table), waitMs);
    this.#open.set(table, { since, epoch: table.boardEpoch, cancel });
  }

  /** Clears none any more: this node leaves. */
  close(): void {
    this.#isClosed = true;
    for (const { cancel } of this.#open.values()) cancel();
    this.#open.clear();
  }

  async #clear(table: TournamentTable): Promise<void> {
    const { leaderboard, log, rebuild } = this.#ports;
    const { epoch } = this.#open.get(table)!;
    this.#open.delete(table);
    if (!table.isTaking) return;
    try {
      const board = await leaderboard.page(table.key, 0, 0);
      // A board that is missing will be loaded when it is asked.
      if (board === undefined || (epoch > 0 && board.epoch > epoch)) return;
      if (!(await rebuild(table))) this.raise(table);
    } catch (error) {
      if (toRingmasterError(error).code === "wrong_phase") return;
      log.warn(
        { err: error, tournament: table.id },
        "a board that may count what is not committed could not be loaded anew yet",
      );
      this.raise(table);
    }
  }
}
