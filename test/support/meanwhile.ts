import { setTimeout } from "node:timers/promises";
import { beforeRun } from "./run.ts";

/** One that has not ended by then fails at its own place, and those after it wait no longer. */
const LONGEST_MS = 180_000;

let last: Promise<unknown> = Promise.resolve();

/**
 * A test that spends its time waiting: for leases to end, or a clock to strike. It is begun with the run and goes by while
 * those before it do, one such test at a time, in the order of their files; at its own place it tells how it went. No hook
 * but those of the run is for it: its body opens and closes what it uses.
 */
export function itMeanwhile(name: string, body: () => Promise<void>): void {
  let ended: Promise<void>;
  beforeRun(() => {
    const turn = last;
    ended = turn.then(body);
    const over = ended.catch(() => {});
    last = turn.then(() => Promise.race([over, setTimeout(LONGEST_MS, undefined, { ref: false })]));
  });
  it(name, () => ended);
}
