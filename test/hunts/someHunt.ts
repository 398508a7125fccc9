import type { HuntDefinition } from "../../src/actors/hunts/definition.ts";
import { sealHunt } from "../../src/actors/hunts/sealing.ts";
import { seededRng } from "../../src/clock.ts";
import type { SealedHunt } from "../../src/entities/hunts/Hunt.ts";

/** A hunt that is in solving as soon as it begins, of two templates; `change` makes it another one. */
export function someHunt(change: Partial<HuntDefinition> = {}): HuntDefinition {
  return {
    name: "Harbour lights",
    startsAt: Date.now(),
    discoveryMs: 0,
    solvingMs: 600_000,
    revealMs: 60_000,
    clueTtlMs: 60_000,
    attempts: 3,
    winners: 3,
    repeat: 1000,
    clues: [
      { type: "riddle", prompt: "It turns all night.", answers: ["a lighthouse", "lighthouse"], points: 10 },
      { type: "sum", prompt: "Three boats of four oars.", answers: ["twelve"], points: 5 },
    ],
    ...change,
  };
}

/** The same as it is stored. */
export function someSealedHunt(change: Partial<HuntDefinition> = {}): SealedHunt {
  return sealHunt(someHunt(change), seededRng(1));
}
