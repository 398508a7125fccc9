import type { HuntDefinition } from "./definition.ts";

/** The hunt that a newcomer plays one command after cloning: short enough to see its chest, with answers that anybody knows. */
export const DEMO_HUNT: Omit<HuntDefinition, "startsAt"> = {
  name: "The ringmaster's lost hat",
  discoveryMs: 5000,
  solvingMs: 8 * 60_000,
  revealMs: 30_000,
  clueTtlMs: 60_000,
  attempts: 3,
  winners: 3,
  prizes: [
    { from: 1, to: 1, items: [{ item: "PRIVATE_PASS", amount: "1" }] },
    { from: 1, to: 3, items: [{ item: "TICO", amount: "100" }] },
  ],
  repeat: 200,
  clues: [
    { type: "riddle", prompt: "I have hands but cannot clap. What am I?", answers: ["clock", "a clock"], points: 10 },
    {
      type: "sum",
      prompt: "Seven acrobats, each juggling three balls. How many balls?",
      answers: ["21", "twenty-one"],
      points: 5,
    },
    {
      type: "riddle",
      prompt: "The more of them you take, the more you leave behind.",
      answers: ["footsteps", "steps"],
      points: 15,
    },
    { type: "word", prompt: "Unscramble: C R U S C I", answers: ["circus"], points: 5 },
    {
      type: "nature",
      prompt: "Which animal is said never to forget?",
      answers: ["elephant", "an elephant", "the elephant"],
      points: 10,
    },
    {
      type: "sum",
      prompt: "A tightrope of 12 metres, a step of 40 centimetres. How many steps?",
      answers: ["30", "thirty"],
      points: 10,
    },
    { type: "riddle", prompt: "What has a neck but no head?", answers: ["bottle", "a bottle"], points: 10 },
    {
      type: "word",
      prompt: "What do you call the big tent of a circus? (two words)",
      answers: ["big top", "the big top"],
      points: 5,
    },
  ],
};
