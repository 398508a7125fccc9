import type { Clock } from "../../clock.ts";
import type { BoardPage, Leaderboard } from "../../stores/tournaments/Leaderboard.ts";
import { ThrottledRefresh } from "../events/ThrottledRefresh.ts";
import type { Log } from "../runtime/ports.ts";
import type { TournamentView } from "./TournamentView.ts";

/** Rows of the standings that everybody sees. */
export const TOP = 10;

export interface BoardRefreshPorts {
  leaderboard: Leaderboard;
  clock: Clock;
  log: Log;
  /** This node has read the top rows; peers should be told. */
  hasRead(table: TournamentView, view: BoardPage): void;
}

/** Shows the top rows of one tournament's board to its rooms soon after they may have changed. */
export class BoardRefresh extends ThrottledRefresh {
  constructor(table: TournamentView, { leaderboard, clock, log, hasRead }: BoardRefreshPorts) {
    super(clock, async () => {
      if (!table.isTaking) return;
      try {
        const view = await leaderboard.page(table.key, 0, TOP);
        if (!view) return;
        table.show(view);
        hasRead(table, view);
      } catch (error) {
        log.debug({ err: error, tournament: table.id }, "the board could not be read");
      }
    });
  }
}
