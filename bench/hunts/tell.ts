import type { LatencySummary } from "../../loadtest/runtime/Latencies.ts";
import type { Round, TurnsResult } from "../actors/turns.ts";
import { medianOf } from "../runtime/medianOf.ts";
import type { ClaimsResult, TargetResult } from "./claims.ts";
import type { TrafficResult } from "./protocol.ts";

type Line = readonly (string | number)[];

/** Claims and solves of the hunt room beside the echo room's, as tables. */
export function describeClaims({ hunt, echo, cluesGiven, cluesStored }: ClaimsResult): string {
  const beside = (pick: (target: TargetResult) => number): Line => {
    const [ours, theirs] = [pick(hunt), pick(echo)];
    return [figure(ours), figure(theirs), theirs === 0 ? "–" : (ours / theirs).toFixed(2)];
  };
  const latencies = (name: string, pick: (target: TargetResult) => LatencySummary): Line[] =>
    pick(hunt).count === 0
      ? []
      : (["p50", "p99", "max"] as const).map((at) => [`${name} ${at}, ms`, ...beside((target) => pick(target)[at])]);
  const traffic = (title: string, pick: (target: TargetResult) => TrafficResult): Line[] => [
    [title, "hunt", "echo", "hunt ÷ echo"],
    ...latencies("  claim → answer", (target) => pick(target).claim),
    ...latencies("  claim → clue", (target) => pick(target).clue),
    ...latencies("  solve → answer", (target) => pick(target).solve),
    ["  claims/s", ...beside((target) => pick(target).claimsPerSecond)],
    ["  claims and solves/s", ...beside((target) => pick(target).requestsPerSecond)],
    ["  server's CPU a request, µs", ...beside((target) => pick(target).serverMicros)],
    ["  players' CPU a request, µs", ...beside((target) => pick(target).playersMicros)],
    ["  cores busy on the machine", ...beside((target) => pick(target).busyCores)],
    ...latencies("  players late to send", (target) => pick(target).lag),
    ...Object.keys({ ...pick(hunt).errors, ...pick(echo).errors }).map((code) => [
      `  ${code}`,
      ...beside((target) => pick(target).errors[code] ?? 0),
    ]),
  ];
  return [
    table([
      ["connected players", "hunt", "echo", "hunt ÷ echo"],
      ["  all in after, s", ...beside((target) => target.joinSeconds)],
      ["  server without players, MB", ...beside((target) => target.emptyMb)],
      ["  server with them, MB", ...beside((target) => target.joinedMb)],
      ...traffic("burst: all claim at once", (target) => target.burst),
      ...traffic("steady stream", (target) => target.steady),
      ...traffic("flood: ask again when answered", (target) => target.flood),
    ]),
    `clues that players were given: ${cluesGiven}; assignments in the database: ${cluesStored}`,
  ].join("\n");
}

/** Durable turns a second beside mysql2's, as a table. */
export function describeTurns(results: Record<string, TurnsResult>): string {
  const lines = Object.entries(results).flatMap(([name, { runtime, raw }]): Line[] => [
    [name, "actors", "mysql2", "actors ÷ mysql2"],
    ["  a second, median", ...beside(median(runtime, "perSecond"), median(raw, "perSecond"))],
    ["  CPU of this process each, µs", ...beside(median(runtime, "cpuMicros"), median(raw, "cpuMicros"))],
    [
      "  ratio of each round",
      ratios(runtime, raw)
        .map((ratio) => ratio.toFixed(2))
        .join(" "),
    ],
  ]);
  return table(lines);
}

/** The runtime's rate by mysql2's, round by round. */
export function ratios(runtime: readonly Round[], raw: readonly Round[]): number[] {
  return runtime.map(({ perSecond }, round) => perSecond / raw[round]!.perSecond);
}

function median(rounds: readonly Round[], what: keyof Round): number {
  return medianOf(rounds.map((round) => round[what]));
}

function beside(ours: number, theirs: number): Line {
  return [figure(ours), figure(theirs), (ours / theirs).toFixed(2)];
}

function figure(number: number): string {
  return number >= 100 ? number.toFixed(0) : String(Number(number.toPrecision(2)));
}

function table(lines: readonly Line[]): string {
  return lines
    .map(([name, ...cells]) =>
      [String(name).padEnd(32), ...cells.map((cell) => String(cell).padStart(10))].join(" ").trimEnd(),
    )
    .join("\n");
}
