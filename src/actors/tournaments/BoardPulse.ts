import type { Clock } from "../../clock.ts";
import type { BoardPage, Leaderboard } from "../../stores/tournaments/Leaderboard.ts";
import { Pulse } from "../events/Pulse.ts";
import type { Log } from "../runtime/ports.ts";
import type { TournamentTable } from "./TournamentTable.ts";

/** Rows of the standings that everybody sees. */
export const TOP = 10;

export interface BoardPulsePorts {
  leaderboard: Leaderboard;
  clock: Clock;
  log: Log;
  /** This node has read the top rows; peers should be told. */
  hasRead(table: TournamentTable, view: BoardPage): void;
}

/** Shows the top rows of one tournament's board to its rooms soon after they may have changed. */
export class BoardPulse extends Pulse {
  constructor(table: TournamentTable, { leaderboard, clock, log, hasRead }: BoardPulsePorts) {
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
