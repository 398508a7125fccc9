import { beforeRun } from "./run.ts";

let last: Promise<void> = Promise.resolve();

/**
 * A test that spends its time waiting: for leases to end, or a clock to strike. It is begun with the run and goes by while
 * those before it do, one such test at a time, in the order of their files; at its own place it tells how it went. No hook
 * but those of the run is for it: its body opens and closes what it uses.
 */
export function itMeanwhile(name: string, body: () => Promise<void>): void {
  let ended: Promise<void>;
  beforeRun(() => {
    ended = last.then(body);
    last = ended.catch(() => {});
  });
  it(name, () => ended);
}
