import type { HuntDefinition } from "../../src/actors/hunts/definition.ts";

const CLUES = 10;
/** So many instances of each clue that the pool outlasts every bench. */
const REPEAT = 400_000;

/** A hunt that begins when it is told to, with clues for everybody and time for everything. */
export function theHunt(): HuntDefinition {
  return {
    ...{ name: "Bench", startsAt: Date.now() + 3_600_000, discoveryMs: 0, solvingMs: 3_600_000, revealMs: 0 },
    ...{ clueTtlMs: 3_600_000, attempts: 3, winners: 10, repeat: REPEAT },
    clues: Array.from({ length: CLUES }, (_, at) => ({
      ...{ type: "riddle", prompt: `What is the answer to riddle ${at}?`, answers: [answerTo(String(at))] },
      ...{ points: 1, repeatable: true },
    })),
  };
}

/** The right answer to a clue. */
export function answerTo(clueId: string): string {
  return `answer ${clueId}`;
}
