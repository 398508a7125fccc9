import { POPUPS, PopupActor } from "../actors/popups/PopupActor.ts";
import { PopupViews } from "../actors/popups/PopupViews.ts";
import { Popups20261121000600 } from "../entities/migrations/20261121000600-popups.ts";
import { OpenPopups20261130050610 } from "../entities/migrations/20261130050610-open-popups.ts";
import { popupRoutes } from "../http/popups.ts";
import { POPUP_COMMANDS } from "../operations/popups.ts";
import { byAge, orphans } from "../schedulers/retention/purges.ts";
import { defineDomain } from "./runtime/Domain.ts";

/** How long popup windows stay, and with them who saw them, in days. */
export const POPUP_DAYS = 90;

/** Windows that open for everybody at once. */
export const popups = defineDomain({
  name: "popups",
  migrations: [Popups20261121000600, OpenPopups20261130050610],
  retention: [
    byAge({
      name: "popupWindows",
      table: "popup_windows",
      key: ["id"],
      age: "opened_at",
      days: POPUP_DAYS,
      only: "closed_at IS NOT NULL",
    }),
    orphans({ name: "popupViews", table: "popup_views", key: ["window_id", "player_id"], parents: "popup_windows" }),
  ],
  actors: () => [PopupActor],
  open: async ({ actors, clock, config, database, onStop }) => {
    const popup = actors.ref(PopupActor, POPUPS);
    if (config.role !== "web") await popup.arm();
    const popupViews = new PopupViews(database.of("commits"), clock);
    onStop(() => popupViews.flush());
    return { actors, popup, popupViews };
  },
  routes: ({ popup }) => ({ "/popups": popupRoutes(popup) }),
  commands: POPUP_COMMANDS,
});
