import { DemoActor } from "../actors/hunts/DemoActor.ts";
import { DEMO_QUESTS } from "../actors/quests/demo.ts";
import type { Actors } from "../actors/runtime/Actors.ts";
import { systemClock } from "../clock.ts";
import { Hunts } from "../entities/hunts/Hunt.ts";
import { Quests } from "../entities/quests/Quest.ts";
import type { Parts } from "./Parts.ts";

/** In development an empty embedded database gets something to play at once. */
export async function startDemo(
  { config, database }: Pick<Parts, "config" | "database">,
  actors: Actors,
): Promise<void> {
  const demo = actors.ref(DemoActor, "demo");
  const isWanted =
    config.demo ?? (!config.production && config.database.kind === "sqlite" && (await new Hunts(database).isEmpty()));
  if (isWanted) await Promise.all([demo.start(), new Quests(database).seed(DEMO_QUESTS, systemClock.now())]);
  else if (config.demo === false && config.role !== "web") await demo.stop();
}
