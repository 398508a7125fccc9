import fc from "fast-check";
import { EFFECTS_TABLE } from "../actors/simulation.ts";
import { openDatabase } from "../support/database.ts";
import { actorDomain } from "./actorBots.ts";
import type { Domain } from "./Domain.ts";
import { jobDomain } from "./jobBots.ts";
import { type Step, scheduleOf } from "./schedule.ts";
import { type Played, SLOTS, World } from "./World.ts";

/** What is simulated; a later domain is added here. */
const DOMAINS = [actorDomain, jobDomain] as readonly unknown[] as readonly Domain[];

export interface SeedRun extends Played {
  seed: number;
  steps: readonly Step[];
}

export interface SeedOptions {
  /** Only faults with such names come up. */
  only?: RegExp;
  /** Lines of the trace that can be read afterwards. */
  keepsLines?: number;
}

/** Plays the schedule of a seed. The same seed, with the same `only`, goes the same way. */
export async function runSeed(seed: number, options: SeedOptions = {}): Promise<SeedRun> {
  const { only } = options;
  const schedule = scheduleOf({ domains: DOMAINS, slots: SLOTS, ...(only ? { only } : {}) });
  const [steps] = fc.sample(schedule, { seed: scrambled(seed), numRuns: 1 });
  return { seed, steps: steps!, ...(await play(seed, steps!, options)) };
}

/** The command that plays this seed again, the same way. */
export function replayOf(seed: number, only?: RegExp): string {
  return `npm run simulate -- --seeds 1 --seed ${seed}${only ? ` --only '${only.source}'` : ""} --trace`;
}

/** Plays a schedule with a seed's chance. */
async function play(seed: number, steps: readonly Step[], { keepsLines = 0 }: SeedOptions): Promise<Played> {
  // Its own: a database that has been used before answers from its caches a moment sooner, and things come in another order.
  const database = await openDatabase({ kind: "sqlite", path: ":memory:" });
  await database.write(EFFECTS_TABLE);
  const world = new World(database, { seed, domains: DOMAINS, keepsLines });
  try {
    return await world.play(steps);
  } finally {
    await world.end();
    await database.close();
  }
}

/** Looks for a part of a failing run's schedule that fails too, as short as leaving out makes it in so many tries. */
export async function shrink({ seed, steps }: SeedRun, tries = 300): Promise<readonly Step[]> {
  let shortest = steps;
  for (let size = Math.ceil(steps.length / 2); size >= 1; size = size > 1 ? Math.ceil(size / 2) : 0) {
    for (let at = 0; at < shortest.length && tries > 0; ) {
      const shorter = shortest.toSpliced(at, size);
      tries -= 1;
      if ((await play(seed, shorter, {})).violations.length > 0) shortest = shorter;
      else at += size;
    }
  }
  return shortest;
}

/** Seeds beside each other begin alike; these do not (the finaliser of MurmurHash3, by Austin Appleby). */
function scrambled(seed: number): number {
  let h = seed | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
