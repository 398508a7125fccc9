import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createConnection } from "mysql2/promise";
import { Program } from "../../scripts/processes/Program.ts";
import { shares } from "../../src/entities/MysqlDatabase.ts";
import { openDatabase } from "../../test/support/database.ts";
import { Load } from "../actors/load.ts";
import { PlayerFleet } from "./PlayerFleet.ts";
import type { Target, TrafficResult } from "./protocol.ts";
import { HuntNode } from "./servers.ts";

export interface BesideLoadOptions {
  redisUrl: string;
  /** Of the node; and of the bare process, on the same server, so that the node's sweeps do not see its rows. */
  databaseUrl: string;
  bareDatabaseUrl: string;
  clients: number;
  /** Claims and solves a second, of all players together. */
  rate: number;
  /** How long the players' requests go on in each round. */
  seconds: number;
  /** Turns that fall due at once. */
  timers: number;
  rounds: number;
  seed: number;
}

/** Beside what players claim and solve: nothing; timers of as many actors of their node; the same statements of a bare process. */
export const BESIDE = ["nothing", "timers", "bare"] as const;
export type Beside = (typeof BESIDE)[number];

export interface BesideRound {
  traffic: TrafficResult;
  /** Turns that were stored until the last request was answered. */
  turns: number;
  /** The longest time that the event loop of who did them stood still, in milliseconds. */
  longestStopMs: number;
}

export type BesideLoadResult = Record<Beside, BesideRound[]>;

/** `DATABASE_POOL`, where nothing else is set. */
const CONNECTIONS = 16;
const PLAYER_PROCESSES = 1;
/** All turns must be done within this. */
const LONGEST_MS = 600_000;
/** The requests begin so long before the turns are due. */
const LEAD_MS = 500;

/** What players' claims meet while many turns fall due at once, on their node and in a bare process in turn. */
export async function besideLoad(options: BesideLoadOptions, say: (line: string) => void): Promise<BesideLoadResult> {
  const node = await HuntNode.start(options.redisUrl, options.databaseUrl, "../actors/ringNode.ts");
  const bare = await startBare(options.bareDatabaseUrl);
  const fleet = await PlayerFleet.start(PLAYER_PROCESSES);
  try {
    const target = await node.createHunt();
    await fleet.join(target, await node.playerTokens(options.clients));
    await node.startHunt(target);
    await fleet.awaitSolving();
    // The first requests of all open connections and make code fast: nobody's to bear.
    await fleet.steady(target, options.rate, Math.min(5, options.seconds), options.seed);
    const loads = { nothing: undefined, timers: new Load(node.program), bare: new Load(bare) };
    const result: BesideLoadResult = { nothing: [], timers: [], bare: [] };
    for (let round = 0; round < options.rounds; round++) {
      for (const beside of BESIDE) {
        result[beside].push(await playRound(options, fleet, target, loads[beside], options.seed + round * 100));
        say(`round ${round + 1} beside ${beside}: ${toldOf(result[beside].at(-1)!)}`);
      }
    }
    return result;
  } finally {
    await fleet.stop();
    await Promise.all([bare.kill(), node.stop()]);
  }
}

async function startBare(databaseUrl: string): Promise<Program> {
  const database = await openDatabase({ kind: "mysql", url: databaseUrl, pool: 5 });
  await database.close();
  const program = await Program.start({
    name: "the bare process",
    command: process.execPath,
    args: [
      fileURLToPath(new URL("../actors/bareTurns.ts", import.meta.url)),
      ...[databaseUrl, String(shares(CONNECTIONS).turns)],
    ],
    env: { ...process.env, NODE_ENV: "production" },
    ipc: true,
  });
  await program.message("being ready", (message) => (message as { isReady?: true }).isReady);
  return program;
}

async function playRound(
  { rate, seconds, timers, databaseUrl }: BesideLoadOptions,
  fleet: PlayerFleet,
  target: Target,
  load: Load | undefined,
  seed: number,
): Promise<BesideRound> {
  // What is prepared is not measured, and need not wait for the disk.
  await flushEachCommit(databaseUrl, false);
  const dueAt = await load?.prepare(timers, LONGEST_MS);
  await flushEachCommit(databaseUrl, true);
  if (dueAt !== undefined) await pause(Math.max(0, dueAt - LEAD_MS - Date.now()));
  const traffic = await fleet.steady(target, rate, seconds, seed);
  const { stored, longestStopMs } = (await load?.look()) ?? { stored: 0, longestStopMs: 0 };
  await load?.finish(LONGEST_MS);
  return { traffic, turns: stored, longestStopMs };
}

/** Whether each commit is on the disk before it is answered. */
async function flushEachCommit(databaseUrl: string, flushes: boolean): Promise<void> {
  const connection = await createConnection(databaseUrl);
  await connection.query(`SET GLOBAL innodb_flush_log_at_trx_commit = ${flushes ? 1 : 2}`);
  await connection.end();
}

function toldOf({ traffic, turns }: BesideRound): string {
  const { claim, solve, errors } = traffic;
  const told = `claims p50 ${claim.p50} ms, p99 ${claim.p99} ms; solves p99 ${solve.p99} ms; ${turns} turns meanwhile`;
  return Object.keys(errors).length === 0 ? told : `${told}; ${JSON.stringify(errors)}`;
}
