import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Database } from "../../src/entities/sql.ts";
import type { Finding } from "./checks.ts";
import type { History, Struck } from "./History.ts";
import type { CallRecord } from "./nodeProtocol.ts";

/** Quantiles, in milliseconds. */
export interface Spread {
  count: number;
  p50: number;
  p99: number;
  max: number;
}

export interface FaultReport extends Struck {
  /** Calls that began while it lasted or all was not yet well, and the lateness of timers that were due then. */
  calls: Spread;
  lateness: Spread;
}

export interface Report {
  seed: number;
  command: string;
  seconds: number;
  findings: Finding[];
  faults: FaultReport[];
  /** The same of the time in which all was well. */
  calm: { calls: Spread; lateness: Spread };
  /** What players lived through, by game. */
  players: Record<string, { count: number; troubles: Record<string, number> }>;
}

interface Late {
  due: number;
  ms: number;
}

/** Sums up the times of a run: what they were while something was wrong, and else. */
export async function timesOf(database: Database, history: History): Promise<Pick<Report, "faults" | "calm">> {
  const ticks = await database.query<{ at: number; due: number }>(
    "SELECT at, due FROM chaos_effects WHERE name = 'tick' ORDER BY due",
  );
  const late = ticks.map(({ at, due }) => ({ due: Number(due), ms: Math.max(0, Number(at) - Number(due)) }));
  const windows = history.struck.map((struck) => [struck.beganAt, struck.endedAt + (struck.recoveredMs ?? 0)] as const);
  const isIn = (time: number, [from, to]: readonly [number, number]): boolean => time >= from && time <= to;
  const faults = history.struck.map((struck, at) => ({
    ...struck,
    calls: callSpread(history.calls.filter(({ startedAt }) => isIn(startedAt, windows[at]!))),
    lateness: lateSpread(late.filter(({ due }) => isIn(due, windows[at]!))),
  }));
  const isCalm = (time: number): boolean => windows.every((window) => !isIn(time, window));
  return {
    faults,
    calm: {
      calls: callSpread(history.calls.filter(({ startedAt }) => isCalm(startedAt))),
      lateness: lateSpread(late.filter(({ due }) => isCalm(due))),
    },
  };
}

const callSpread = (calls: readonly CallRecord[]): Spread => spread(calls.map(({ tookMs }) => tookMs));
const lateSpread = (late: readonly Late[]): Spread => spread(late.map(({ ms }) => ms));

function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number): number =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0);
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}

/** Writes `report.json`, and `report.md` for people. */
export function writeReport(directory: string, report: Report): void {
  writeFileSync(join(directory, "report.json"), `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(join(directory, "report.md"), markdownOf(report));
}

const cell = ({ count, p50, p99, max }: Spread): string => (count === 0 ? "–" : `${p50} / ${p99} / ${max} (${count})`);

function markdownOf({ seed, command, seconds, findings, faults, calm, players }: Report): string {
  const rows = faults.map(({ fault, detail, beganAt, endedAt, readyMs, recoveredMs, troubles, calls, lateness }) => {
    const recovered = recoveredMs === undefined ? `never: ${troubles.join("; ")}` : String(recoveredMs);
    return `| ${fault} | ${detail} | ${endedAt - beganAt} | ${readyMs ?? "never"} | ${recovered} | ${cell(calls)} | ${cell(lateness)} |`;
  });
  return [
    `# Chaos, seed ${seed}`,
    "",
    `${Math.round(seconds)} s; \`${command}\``,
    "",
    "| must hold | |",
    "| --- | --- |",
    ...findings.map(
      ({ invariant, violations }) =>
        `| ${invariant} | ${violations.length === 0 ? "held" : `**violated**: ${violations.join("<br>")}`} |`,
    ),
    "",
    "Times in ms; of calls and of timers' lateness: median / 99 % / longest (count).",
    "",
    "| fault | | lasted | until all were ready | until all was well | calls | timers late by |",
    "| --- | --- | --- | --- | --- | --- | --- |",
    ...rows,
    `| none | | | | | ${cell(calm.calls)} | ${cell(calm.lateness)} |`,
    "",
    "| game | answers | players lived through |",
    "| --- | --- | --- |",
    ...Object.entries(players).map(
      ([name, { count, troubles }]) => `| ${name} | ${count} | ${JSON.stringify(troubles)} |`,
    ),
    "",
  ].join("\n");
}
