import { DEADLINE_MS, type Exit, type Program } from "../support/processes.ts";

/** How long a load test may take to end once it is told to: what is not answered yet is waited for. */
const ENDS_IN_MS = 30_000;

/** What a load test tells of itself now and then (`3 s: joined 8, claims 60, …`), by name. */
export function countsIn(line: string): Record<string, number> {
  return Object.fromEntries(
    [...line.matchAll(/([A-Za-z_]+) (\d+)(?=,|$)/g)].map(([, name, count]) => [name, Number(count)]),
  );
}

/** Waits until a load test tells of so many things, of each at least, and has it end, however long that takes. */
export async function endOnce(program: Program, least: Record<string, number>): Promise<Exit> {
  await program.line(
    Object.entries(least)
      .map(([name, count]) => `${name} ${count}`)
      .join(", "),
    (line) => {
      const counts = countsIn(line);
      return Object.entries(least).every(([name, count]) => (counts[name] ?? 0) >= count) || undefined;
    },
    DEADLINE_MS,
  );
  return await program.stop(ENDS_IN_MS);
}
