import { createConnection } from "mysql2/promise";
import { residentMbOf } from "../runtime/usage.ts";
import { PlayerFleet } from "./PlayerFleet.ts";
import type { Target, TrafficResult } from "./protocol.ts";
import { HuntNode, startEcho } from "./servers.ts";

export interface ClaimsOptions {
  redisUrl: string;
  databaseUrl: string;
  /** Players, all connected the whole time. */
  clients: number;
  /** Processes that they are spread over. */
  processes: number;
  /** Requests a second of the steady stream, of all players together. */
  rate: number;
  /** How long the steady stream and the flood last. */
  seconds: number;
  seed: number;
}

/** What the players of one room met. */
export interface TargetResult {
  joinSeconds: number;
  /** Resident memory of the server's process before the first player, and with all of them connected. */
  emptyMb: number;
  joinedMb: number;
  burst: TrafficResult;
  steady: TrafficResult;
  flood: TrafficResult;
}

export interface ClaimsResult {
  hunt: TargetResult;
  echo: TargetResult;
  /** Clues that players were given, and assignments that the database holds. */
  cluesGiven: number;
  cluesStored: number;
}

/** Claims and solves of many connected players, beside a bare Colyseus room under the same clients and traffic. */
export async function benchClaims(options: ClaimsOptions, say: (line: string) => void): Promise<ClaimsResult> {
  const node = await HuntNode.start(options.redisUrl, options.databaseUrl);
  const fleet = await PlayerFleet.start(options.processes);
  try {
    const tokens = await node.playerTokens(options.clients);
    const echoServer = await startEcho();
    const echo = await benchTarget(echoServer.target, fleet, tokens, options, say);
    await fleet.leave();
    await echoServer.stop();

    const target = await node.createHunt();
    const hunt = await benchTarget(target, fleet, tokens, options, say, async () => {
      await node.startHunt(target);
      await fleet.awaitSolving();
    });
    const cluesGiven = await fleet.leave();
    return { hunt, echo, cluesGiven, cluesStored: await assignmentsIn(options.databaseUrl) };
  } finally {
    await fleet.stop();
    await node.stop();
  }
}

async function benchTarget(
  target: Target,
  fleet: PlayerFleet,
  tokens: readonly string[],
  { rate, seconds, seed }: ClaimsOptions,
  say: (line: string) => void,
  begin: () => Promise<void> = async () => {},
): Promise<TargetResult> {
  const emptyMb = residentMbOf(target.pid);
  const joinSeconds = await fleet.join(target, tokens);
  await begin();
  const joinedMb = residentMbOf(target.pid);
  say(`${target.name}: ${tokens.length} players are in after ${joinSeconds.toFixed(1)} s`);
  const burst = await fleet.burst(target);
  say(`${target.name}: burst done`);
  const steady = await fleet.steady(target, rate, seconds, seed);
  say(`${target.name}: steady stream done`);
  const flood = await fleet.flood(target, seconds);
  say(`${target.name}: flood done`);
  return { joinSeconds, emptyMb, joinedMb, burst, steady, flood };
}

async function assignmentsIn(databaseUrl: string): Promise<number> {
  const connection = await createConnection(databaseUrl);
  try {
    const [rows] = await connection.query("SELECT COUNT(*) AS count FROM hunt_assignments");
    return Number((rows as [{ count: unknown }])[0].count);
  } finally {
    await connection.end();
  }
}
