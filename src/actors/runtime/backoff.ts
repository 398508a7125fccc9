import type { Rng } from "../../clock.ts";

const FIRST_MS = 100;

/** How long to wait after so many failures (from 1), in milliseconds: 100, 200, 400 … `most`, less up to half at random. */
export function backoffMs(failures: number, most: number, rng: Rng): number {
  return Math.min(most, FIRST_MS * 2 ** Math.min(failures - 1, 30)) * (0.5 + rng.next() / 2);
}
