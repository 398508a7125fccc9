import { DemoActor } from "../actors/hunts/DemoActor.ts";
import { DEMO_QUESTS } from "../actors/quests/demo.ts";
import type { Actors } from "../actors/runtime/Actors.ts";
import type { Log } from "../actors/runtime/ports.ts";
import { TournamentDemoActor } from "../actors/tournaments/TournamentDemoActor.ts";
import { type Clock, systemClock } from "../clock.ts";
import type { Config } from "../config.ts";
import { Hunts } from "../entities/hunts/Hunt.ts";
import { Quests } from "../entities/quests/Quest.ts";
import { Tournaments } from "../entities/tournaments/Tournament.ts";
import type { Parts } from "./Parts.ts";

export interface DemoPorts extends Pick<Parts, "database" | "lifecycle"> {
  config: Pick<Config, "demo" | "production" | "database" | "role">;
  log: Log;
  clock?: Clock;
}

/** What could not be done at the start is tried again so much later, and each time after twice as long. */
const AGAIN_MS = 1000;
const LONGEST_AGAIN_MS = 60_000;

/**
 * In development an empty embedded database gets something to play at once. No node fails for its sake: where another one dies with
 * the demo just then, it is tried again once the start is over.
 */
export async function startDemo(
  { config, database, lifecycle, log, clock = systemClock }: DemoPorts,
  actors: Actors,
): Promise<void> {
  const isOffered = !config.production && config.database.kind === "sqlite";
  const demos = [
    { actor: actors.ref(DemoActor, "demo"), isNew: () => new Hunts(database).isEmpty() },
    { actor: actors.ref(TournamentDemoActor, "demo"), isNew: () => new Tournaments(database).isEmpty() },
  ];
  const isWanted = await Promise.all(demos.map(async ({ isNew }) => config.demo ?? (isOffered && (await isNew()))));
  const isUnwanted = config.demo === false && config.role !== "web";
  let cancel = (): void => {};
  lifecycle.onStop("demo", () => cancel());

  async function attempt(againMs: number): Promise<void> {
    try {
      for (const [at, { actor }] of demos.entries()) {
        if (isWanted[at]) await actor.start();
        else if (isUnwanted) await actor.stop();
      }
      if (isWanted[0]) await new Quests(database).seed(DEMO_QUESTS, clock.now());
    } catch (error) {
      log.warn({ err: error, againMs }, "the demo cannot be started or ended now");
      cancel = clock.schedule(() => void attempt(Math.min(2 * againMs, LONGEST_AGAIN_MS)), againMs);
    }
  }
  await attempt(AGAIN_MS);
}
