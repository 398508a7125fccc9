import { fileURLToPath } from "node:url";
import { Latencies, type LatencySummary } from "../../loadtest/runtime/Latencies.ts";
import { Program } from "../../scripts/processes/Program.ts";
import { cpuSecondsOf, machineSeconds } from "../runtime/usage.ts";
import type { PlayersOrder, PlayersReport, Target, TrafficResult } from "./protocol.ts";

/** Connecting 14,000 players to a busy machine takes minutes. */
const LONGEST_ORDER_MS = 600_000;
/** Between the word and the burst: every process has heard it by then. */
const BURST_IN_MS = 500;

/** Processes full of players, connected to one target at a time. */
export class PlayerFleet {
  readonly #processes: Program[];
  #orders = 0;

  static async start(count: number): Promise<PlayerFleet> {
    const start = (at: number): Promise<Program> =>
      Program.start({
        name: `players ${at}`,
        command: process.execPath,
        args: [fileURLToPath(new URL("players.ts", import.meta.url))],
        ipc: true,
      });
    return new PlayerFleet(await Promise.all(Array.from({ length: count }, (_, at) => start(at))));
  }

  private constructor(processes: Program[]) {
    this.#processes = processes;
  }

  /** Connects a player a token; resolves with how long it took, in seconds. */
  async join({ name, address, joinOptions }: Target, tokens: readonly string[]): Promise<number> {
    const startedAt = performance.now();
    const share = Math.ceil(tokens.length / this.#processes.length);
    await this.#order((at) => ({
      order: "join",
      target: { name, address, joinOptions },
      tokens: tokens.slice(at * share, (at + 1) * share),
    }));
    return (performance.now() - startedAt) / 1000;
  }

  async awaitSolving(): Promise<void> {
    await this.#order(() => ({ order: "awaitSolving" }));
  }

  burst(target: Target): Promise<TrafficResult> {
    const at = Date.now() + BURST_IN_MS;
    return this.#measure(target, () => ({ order: "burst", at }));
  }

  async steady(target: Target, perSecond: number, seconds: number, seed: number): Promise<TrafficResult> {
    await this.#order(() => ({ order: "halve" }));
    const each = perSecond / this.#processes.length;
    return await this.#measure(target, (at) => ({ order: "steady", perSecond: each, seconds, seed: seed + at }));
  }

  flood(target: Target, seconds: number): Promise<TrafficResult> {
    return this.#measure(target, () => ({ order: "flood", seconds }));
  }

  /** Resolves with how many clues the players were given while they were connected. */
  async leave(): Promise<number> {
    const before = await this.#order(() => ({ order: "leave" }));
    return before.reduce((sum, { clues }) => sum + clues, 0);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#processes.map((each) => each.kill()));
  }

  async #measure(target: Target, orderOf: (at: number) => PlayersOrder): Promise<TrafficResult> {
    const before = { server: cpuSecondsOf(target.pid), machine: machineSeconds().busy, at: performance.now() };
    const reports = await this.#order(orderOf);
    const wall = (performance.now() - before.at) / 1000;
    const seconds = Math.max(...reports.map((report) => report.seconds));
    const [claim, solve] = [merged(reports, "claim"), merged(reports, "solve")];
    const requests = claim.count + solve.count;
    return {
      ...{ claim, solve, clue: merged(reports, "clue"), lag: merged(reports, "lag") },
      requestsPerSecond: requests / seconds,
      claimsPerSecond: claim.count / seconds,
      serverMicros: ((cpuSecondsOf(target.pid) - before.server) * 1e6) / requests,
      playersMicros: (reports.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0) * 1e6) / requests,
      busyCores: (machineSeconds().busy - before.machine) / wall,
      errors: reports.reduce(addErrors, {}),
    };
  }

  #order(orderOf: (at: number) => PlayersOrder): Promise<PlayersReport[]> {
    this.#orders += 1;
    const id = this.#orders;
    return Promise.all(
      this.#processes.map(async (each, at) => {
        const order = orderOf(at);
        await each.send({ id, order });
        return await each.message(
          `an answer to ${order.order}`,
          (message) => {
            const { id: to, report } = message as { id: number; report: PlayersReport };
            return to === id ? report : undefined;
          },
          LONGEST_ORDER_MS,
        );
      }),
    );
  }
}

function merged(reports: readonly PlayersReport[], part: "claim" | "solve" | "clue" | "lag"): LatencySummary {
  const latencies = new Latencies();
  for (const report of reports) for (const ms of report[part]) latencies.record(ms);
  return latencies.summary();
}

function addErrors(sum: Record<string, number>, { errors }: PlayersReport): Record<string, number> {
  for (const [code, count] of Object.entries(errors)) sum[code] = (sum[code] ?? 0) + count;
  return sum;
}
