import type { Log } from "../actors/runtime/ports.ts";
import { type Clock, systemClock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { DomainDemo } from "../domains/runtime/Domain.ts";
import type { Parts } from "./Parts.ts";

export interface DemoPorts extends Pick<Parts, "lifecycle"> {
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
export async function startDemos(
  { config, lifecycle, log, clock = systemClock }: DemoPorts,
  demos: readonly DomainDemo[],
): Promise<void> {
  const isOffered = !config.production && config.database.kind === "sqlite";
  const isWanted = await Promise.all(demos.map(async (demo) => config.demo ?? (isOffered && (await demo.isNew()))));
  const isUnwanted = config.demo === false && config.role !== "web";
  let cancel = (): void => {};
  lifecycle.onStop("demo", () => cancel());

  async function attempt(againMs: number): Promise<void> {
    try {
      for (const [at, demo] of demos.entries()) {
        if (isWanted[at]) await demo.start();
        else if (isUnwanted) await demo.stop();
      }
    } catch (error) {
      log.warn({ err: error, againMs }, "the demo cannot be started or ended now");
      cancel = clock.schedule(() => void attempt(Math.min(2 * againMs, LONGEST_AGAIN_MS)), againMs);
    }
  }
  await attempt(AGAIN_MS);
}
