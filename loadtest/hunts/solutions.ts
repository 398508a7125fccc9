import { readFileSync } from "node:fs";
import { z } from "zod";
import { DEMO_HUNT } from "../../src/actors/hunts/demo.ts";

/** Right answers by the prompt of their clue. */
export type Solutions = ReadonlyMap<string, string>;

/** Those of the demo hunt, and those of `file`, a JSON object of `{prompt: answer}`. Throws an error that names the file. */
export function readSolutions(file: string | undefined): Solutions {
  const demo = DEMO_HUNT.clues.map(({ prompt, answers }) => [prompt, answers[0]!] as const);
  return new Map([...demo, ...(file === undefined ? [] : Object.entries(parse(file)))]);
}

function parse(file: string): Record<string, string> {
  try {
    return z.record(z.string(), z.string()).parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    throw new Error(`${file} is not a JSON object of {prompt: answer}: ${(error as Error).message}`);
  }
}
