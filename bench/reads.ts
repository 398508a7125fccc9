/** `npm run bench -- reads`: what reads, and turns that change nothing, cost of an actor with a large state. */
import { benchReads } from "./actors/reads.ts";

if (process.argv.includes("--help")) {
  process.stdout.write("npm run bench -- reads [flags]\n\nHas no flags of its own.\n");
  process.exit(0);
}

for (const bytes of [2_000, 200_000]) {
  const { bytes: stored, read, turn, change } = await benchReads({ bytes, count: 5000 });
  process.stdout.write(
    `a state of ${stored} bytes: a read ${read.toFixed(0)} us of CPU, a turn that changes nothing ${turn.toFixed(0)} us, ` +
      `one that does ${change.toFixed(0)} us\n`,
  );
}
process.exit();
