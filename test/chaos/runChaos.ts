import { setTimeout as sleep } from "node:timers/promises";
import { type Rng, seededRng } from "../../src/clock.ts";
import { SmallDisk } from "../support/SmallDisk.ts";
import { ChaosCluster } from "./ChaosCluster.ts";
import { type Finding, findingsOnActors } from "./checks.ts";
import { FAULTS, type Fault } from "./faults.ts";
import { GAMES, type Game } from "./games.ts";
import { History } from "./History.ts";
import { type Report, timesOf, writeReport } from "./report.ts";

export interface ChaosOptions {
  minutes: number;
  seed: number;
  /** Only faults whose names match. */
  only?: RegExp;
  /** Where the history and the report are written. */
  directory: string;
  /** Hears of what happens, a line each. */
  say(line: string): void;
}

/** Peace before the first fault and between two, in milliseconds. */
const CALM_MS = [1500, 4000] as const;
/** All must be well again so long after a fault, in milliseconds; the report says how long it took. */
const RECOVERY_MS = 90_000;
const LOOK_AGAIN_MS = 250;
const LOOK_WHETHER_READY_MS = 50;

/** One run: a cluster with players and callers, fault after fault until the time is over, then the reckoning. */
export async function runChaos(options: ChaosOptions): Promise<Report> {
  const { minutes, seed, only, directory, say } = options;
  const faults = FAULTS.filter(
    ({ name, needsDisk }) => (only?.test(name) ?? true) && (!needsDisk || SmallDisk.isPossible()),
  );
  if (faults.length === 0)
    throw new Error(`no fault has a name like ${only}; there are ${FAULTS.map(({ name }) => name)}`);
  const startedAt = performance.now();
  const history = new History(directory);
  const rng = seededRng(seed);
  say(`seed ${seed}: ${faults.map(({ name }) => name).join(", ")}`);
  const cluster = await ChaosCluster.start(history);
  const games: Game[] = [];
  try {
    for (const begin of GAMES) games.push(await begin(cluster, seed));
    const until = performance.now() + minutes * 60_000;
    for (const fault of endlessly(faults, rng)) {
      await sleep(CALM_MS[0] + rng.next() * (CALM_MS[1] - CALM_MS[0]));
      if (performance.now() >= until) break;
      await strike(fault, { cluster, history, rng, say });
    }
    say("the time is over; the games end, and everything is counted");
    const ended = await Promise.all(games.map((game) => game.end()));
    await untilWell(cluster);
    await cluster.endCalls();
    const findings = [
      recovery(history),
      ...games.map(
        ({ name }, at): Finding => ({ invariant: `the ${name} is as players were told`, violations: ended[at]! }),
      ),
      ...(await findingsOnActors(cluster.database, history)),
    ];
    const report: Report = {
      seed,
      command: `npm run chaos -- --minutes ${minutes} --seed ${seed}${only ? ` --only '${only.source}'` : ""}`,
      seconds: (performance.now() - startedAt) / 1000,
      findings,
      ...(await timesOf(cluster.database, history)),
      players: Object.fromEntries(
        games.map(({ name, count, troubles }) => [name, { count, troubles: Object.fromEntries(troubles) }]),
      ),
    };
    writeReport(directory, report);
    return report;
  } finally {
    for (const game of games) game.leave();
    await cluster.close();
  }
}

/** Each fault once, in an order of chance, then each once more, … */
function* endlessly(faults: readonly Fault[], rng: Rng): Generator<Fault> {
  for (;;)
    yield* faults
      .map((fault) => ({ fault, at: rng.next() }))
      .sort((a, b) => a.at - b.at)
      .map(({ fault }) => fault);
}

async function strike(
  fault: Fault,
  { cluster, history, rng, say }: { cluster: ChaosCluster; history: History; rng: Rng; say: (line: string) => void },
): Promise<void> {
  // What one fault draws must not shift what the next one does.
  const own = seededRng(Math.floor(rng.next() * 2 ** 32));
  history.note(`begins: ${fault.name}`);
  const beganAt = Date.now();
  let detail: string;
  try {
    detail = await fault.strike(cluster, own);
  } catch (error) {
    detail = `it could not be done: ${(error as Error).message}`;
  }
  const endedAt = Date.now();
  const [troubles, readyMs] = await Promise.all([untilWell(cluster), untilReady(cluster)]);
  const recoveredMs = troubles.length === 0 ? Date.now() - endedAt : undefined;
  history.strike({ fault: fault.name, detail, beganAt, endedAt, readyMs, recoveredMs, troubles });
  const after =
    recoveredMs === undefined ? `not well ${RECOVERY_MS} ms later: ${troubles}` : `well ${recoveredMs} ms later`;
  say(`${fault.name} (${detail}): ${after}`);
}

/** How long it takes until every node says that it is ready, in milliseconds. */
async function untilReady(cluster: ChaosCluster): Promise<number | undefined> {
  const beganAt = performance.now();
  while (performance.now() - beganAt < RECOVERY_MS) {
    if (await cluster.isReady()) return Math.round(performance.now() - beganAt);
    await sleep(LOOK_WHETHER_READY_MS);
  }
  return undefined;
}

/** What is still not well when it takes too long; nothing else. Whoever has died meanwhile is started again. */
async function untilWell(cluster: ChaosCluster): Promise<string[]> {
  const giveUpAt = performance.now() + RECOVERY_MS;
  for (;;) {
    for (const [at, place] of cluster.places.entries()) if (!place.isUp) await cluster.startNode(at).catch(() => {});
    const troubles = await cluster.troubles();
    if (troubles.length === 0 || performance.now() > giveUpAt) return troubles;
    await sleep(LOOK_AGAIN_MS);
  }
}

function recovery({ struck }: History): Finding {
  const failed = struck.filter(({ recoveredMs }) => recoveredMs === undefined);
  return {
    invariant: `all is well ${RECOVERY_MS / 1000} s after each fault at the latest`,
    violations: failed.map(({ fault, detail, troubles }) => `${fault} (${detail}): ${troubles.join("; ")}`),
  };
}
