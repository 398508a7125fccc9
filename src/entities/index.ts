import { Hunt } from "./hunts/Hunt.ts";
import { Player } from "./players/Player.ts";

/** Everything that TypeORM maps. The runtime's own tables are plain SQL (`actors/runtime/ActorStore.ts`). */
export const ENTITIES = [Hunt, Player];
