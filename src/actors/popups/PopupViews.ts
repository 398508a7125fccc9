import type { Clock } from "../../clock.ts";
import { GroupCommit } from "../../entities/GroupCommit.ts";
import { countViews } from "../../entities/popups/Popup.ts";
import type { Database } from "../../entities/sql.ts";
import { RingmasterError } from "../../errors.ts";

/** Counts views of popup windows, those of a few milliseconds in one transaction; a player's once a window. */
export class PopupViews {
  readonly #group: GroupCommit<string, number | undefined>;

  constructor(database: Pick<Database, "transaction">, clock: Clock) {
    this.#group = new GroupCommit({
      clock,
      flush: (windowId, playerIds) => database.transaction((tx) => countViews(tx, windowId, playerIds, clock.now())),
    });
  }

  /** Counted when it resolves. Throws `conflict` for a window that is not open, and `unavailable` when it may have been counted: repeating it is safe. */
  async view(windowId: string, playerId: string): Promise<{ views: number }> {
    const views = await this.#group.commit(windowId, [playerId]);
    if (views === undefined) throw new RingmasterError("conflict", "This popup window is not open.");
    return { views };
  }

  flush(): Promise<void> {
    return this.#group.flush();
  }
}
