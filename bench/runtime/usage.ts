import { readFileSync } from "node:fs";
import { cpus } from "node:os";

/** Of Linux's clock, in which /proc counts; the same on all machines that we know. */
const TICKS_PER_SECOND = 100;

/** Seconds of CPU that a process has used; 0 where there is no /proc. */
export function cpuSecondsOf(pid: number): number {
  const [userTicks, systemTicks] = statOf(pid).slice(11, 13).map(Number);
  return ((userTicks ?? 0) + (systemTicks ?? 0)) / TICKS_PER_SECOND;
}

/** Resident memory of a process in MB; 0 where there is no /proc. */
export function residentMbOf(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`))?.[1];
  return Math.round(Number(kilobytes ?? 0) / 1024);
}

/** Seconds that all cores together have worked, and have had. */
export function machineSeconds(): { busy: number; all: number } {
  let [busy, all] = [0, 0];
  for (const { times } of cpus()) {
    const sum = Object.values(times).reduce((total, ms) => total + ms, 0);
    all += sum / 1000;
    busy += (sum - times.idle) / 1000;
  }
  return { busy, all };
}

/** The fields after the command's name, which may hold spaces. */
function statOf(pid: number): string[] {
  const stat = read(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
