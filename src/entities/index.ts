import { Hunt } from "./hunts/Hunt.ts";
import { Player } from "./players/Player.ts";
import { Tournament } from "./tournaments/Tournament.ts";

/** Everything that TypeORM maps. The runtime's own tables are plain SQL (`actors/runtime/ActorStore.ts`). */
export const ENTITIES = [Hunt, Player, Tournament];
