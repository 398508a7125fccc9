import { LobbyBoard } from "../rooms/lobby/LobbyBoard.ts";
import { LobbyRoom } from "../rooms/lobby/LobbyRoom.ts";
import { popups } from "./popups.ts";
import { quests } from "./quests.ts";
import { defineDomain } from "./runtime/Domain.ts";

/** Where players see what is on and coming, of whatever domain. */
export const lobby = defineDomain({
  name: "lobby",
  needs: { popups, quests },
  open: async ({ all, clock, database, feed, log, onStop }, { popups: { popupViews }, quests: { quests } }) => {
    const board = new LobbyBoard({ feed, lists: all.lobby, database: database.of("commits"), clock, log });
    await board.start();
    onStop(() => board.stop());
    return { board, popupViews, quests };
  },
  rooms: { lobby: { room: LobbyRoom } },
});
