import assert from "node:assert/strict";
import { type Rng, seededRng } from "../../src/clock.ts";
import { JoinStorm, type SeatAsked, type SocketOpened } from "../support/JoinStorm.ts";
import { DEADLINE_MS } from "../support/processes.ts";
import type { Player, RingmasterNode } from "../support/RingmasterNode.ts";

/** Joiners at once. */
export const JOINERS = 24;
/** Asks for seats before the node is stopped: some are always under way. */
const BEFORE_STOP = 3 * JOINERS;

export interface Stop {
  node: RingmasterNode;
  players: readonly Player[];
  /** Where joiners may ask: of a cluster, also at the nodes that go on. */
  urls: readonly string[];
  seed: number;
}

/** Has players join all the time, stops a node in the middle of it, and checks how the process ended and what each joiner was told. */
export async function stopUnderStorm({ node, players, urls, seed }: Stop): Promise<JoinStorm> {
  const rng: Rng = seededRng(seed);
  const storm = new JoinStorm({ players, urls: () => urls, rng });
  await asksOf(storm, BEFORE_STOP + Math.floor(rng.next() * JOINERS));
  const exit = await node.program.stop(DEADLINE_MS);
  // Others must find a place at the nodes that go on, also now.
  if (urls.length > 1) await asksOf(storm, storm.asked.length + JOINERS);
  await storm.end();
  assert.deepEqual(exit, { code: 0, signal: null }, node.program.tail());
  const errors = node.output.filter((line) => /"level":"(error|fatal)"|Error:/.test(line));
  assert.deepEqual(errors, []);
  for (const ask of storm.asked) assert.ok(isFair(ask, ask.url === node.url), JSON.stringify(ask));
  for (const socket of storm.sockets) assert.ok(isExplained(socket), JSON.stringify(socket));
  return storm;
}

async function asksOf(storm: JoinStorm, count: number): Promise<void> {
  while (storm.asked.length < count) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** A seat, or the one code that sends a client elsewhere; the connection ends with the process. Nodes that go on have a seat for all. */
function isFair({ status, code }: SeatAsked, isOfStopped: boolean): boolean {
  if (status === 200) return true;
  return isOfStopped && (status === undefined || (status === 503 && code === "draining"));
}

/** Who was let in left by itself or was told 4001; who was not is told that too, or found that nobody listens any more. */
function isExplained({ joined, told, closed }: SocketOpened): boolean {
  if (closed === 4001) return joined || told === 503;
  if (joined) return closed === 4000;
  return told === undefined && closed === 1006;
}
