import { DemoActor } from "../actors/hunts/DemoActor.ts";
import { DEMO_QUESTS } from "../actors/quests/demo.ts";
import type { Actors } from "../actors/runtime/Actors.ts";
import { TournamentDemoActor } from "../actors/tournaments/TournamentDemoActor.ts";
import { systemClock } from "../clock.ts";
import { Hunts } from "../entities/hunts/Hunt.ts";
import { Quests } from "../entities/quests/Quest.ts";
import { Tournaments } from "../entities/tournaments/Tournament.ts";
import type { Parts } from "./Parts.ts";

/** In development an empty embedded database gets something to play at once. */
export async function startDemo(
  { config, database }: Pick<Parts, "config" | "database">,
  actors: Actors,
): Promise<void> {
  const isOffered = !config.production && config.database.kind === "sqlite";
  const demos = [
    { actor: actors.ref(DemoActor, "demo"), isNew: () => new Hunts(database).isEmpty() },
    { actor: actors.ref(TournamentDemoActor, "demo"), isNew: () => new Tournaments(database).isEmpty() },
  ];
  const isWanted = await Promise.all(demos.map(async ({ isNew }) => config.demo ?? (isOffered && (await isNew()))));
  for (const [at, { actor }] of demos.entries()) {
    if (isWanted[at]) await actor.start();
    else if (config.demo === false && config.role !== "web") await actor.stop();
  }
  if (isWanted[0]) await new Quests(database).seed(DEMO_QUESTS, systemClock.now());
}
