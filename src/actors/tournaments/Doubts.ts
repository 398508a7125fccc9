import type { Clock } from "../../clock.ts";
import { toRingmasterError } from "../../errors.ts";
import type { BoardPage, Leaderboard } from "../../stores/tournaments/Leaderboard.ts";
import type { ScoreJournal } from "../../stores/tournaments/ScoreJournal.ts";
import type { Log } from "../runtime/ports.ts";
import type { TournamentTable } from "./TournamentTable.ts";

export interface DoubtPorts {
  leaderboard: Pick<Leaderboard, "page">;
  journal: Pick<ScoreJournal, "countTo">;
  clock: Clock;
  log: Log;
  /** Loads the board from what is committed; false when somebody else is doing so. */
  rebuild(table: TournamentTable): Promise<boolean>;
}

/** How far the board has come is read once nothing has added to the doubt for this long. */
const LOOK_AFTER_MS = 500;
/** Most players who were not answered have tried again by then. */
const JUDGE_AFTER_MS = 4500;
/** A doubt that is added to again and again is judged after this all the same. */
const LONGEST_MS = 60_000;

interface Doubt {
  /** How often it was added to. */
  raises: number;
}

/**
 * Boards that may count what was never committed, since a node died or a commit failed between the two. Whoever submits again has
 * it committed; when something is left after a while, the board is loaded anew, so that it shows nobody a score that will not be
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
    const known = this.#open.get(table);
    if (known) known.raises += 1;
    else void this.#begin(table);
  }

  /** Clears none any more: this node leaves. */
  close(): void {
    this.#isClosed = true;
  }

  async #begin(table: TournamentTable): Promise<void> {
    const doubt: Doubt = { raises: 0 };
    this.#open.set(table, doubt);
    let isCleared = false;
    while (!isCleared) isCleared = await this.#isCleared(table, doubt);
    this.#open.delete(table);
  }

  /** Whether nothing is left of the doubt; to be asked again until that is so. */
  async #isCleared(table: TournamentTable, doubt: Doubt): Promise<boolean> {
    const { log, rebuild } = this.#ports;
    try {
      const { seen, raises } = await this.#look(table, doubt);
      if (!(await this.#isWrong(table, seen))) return doubt.raises === raises;
      await rebuild(table);
    } catch (error) {
      if (toRingmasterError(error).code === "wrong_phase") return true;
      log.warn(
        { err: error, tournament: table.id },
        "a board that may count what is not committed could not be checked yet",
      );
      await this.#pause(JUDGE_AFTER_MS);
    }
    return false;
  }

  /** What the board had decided some while ago, if it was there, with all that was in doubt when so much had been added to the doubt. */
  async #look(table: TournamentTable, doubt: Doubt): Promise<{ seen: BoardPage | undefined; raises: number }> {
    const { clock } = this.#ports;
    const lookBy = clock.monotonic() + LONGEST_MS;
    for (;;) {
      const { raises } = doubt;
      await this.#pause(LOOK_AFTER_MS);
      const isOverdue = clock.monotonic() >= lookBy;
      if (doubt.raises !== raises && !isOverdue) continue;
      const seen = await this.#board(table);
      if (seen !== undefined) await this.#pause(JUDGE_AFTER_MS);
      if (doubt.raises === raises || isOverdue) return { seen, raises };
    }
  }

  /** Whether the board still counts what it had decided, and not all of that is committed. */
  async #isWrong(table: TournamentTable, seen: BoardPage | undefined): Promise<boolean> {
    const board = seen && (await this.#board(table));
    // One that was loaded since then holds nothing but what is committed.
    if (board === undefined || board.epoch > seen!.epoch) return false;
    return (await this.#ports.journal.countTo(table.id, seen!.seq)) !== seen!.version;
  }

  /** The board without rows; `undefined` where nothing is taken, and where it is missing: it will be loaded when it is asked. */
  async #board({ key, isTaking }: TournamentTable): Promise<BoardPage | undefined> {
    return isTaking ? await this.#ports.leaderboard.page(key, 0, 0) : undefined;
  }

  /** Is never over once this node leaves. */
  #pause(ms: number): Promise<void> {
    const { clock } = this.#ports;
    return new Promise((resolve) => {
      clock.schedule(() => {
        if (!this.#isClosed) resolve();
      }, ms);
    });
  }
}
