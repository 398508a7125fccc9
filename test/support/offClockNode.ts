/** Ringmaster itself, whose wall clock SIGUSR2 sets half a minute ahead, and the next one right again. */
const AHEAD_MS = 30_000;

let isAhead = false;
const now = Date.now;
Date.now = () => now() + (isAhead ? AHEAD_MS : 0);
process.on("SIGUSR2", () => {
  isAhead = !isAhead;
});

await import("../../src/index.ts");
