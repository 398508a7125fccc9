import type { Database } from "../../src/entities/sql.ts";
import { TARGETS } from "./ChaosCluster.ts";
import type { History } from "./History.ts";
import type { CallRecord } from "./nodeProtocol.ts";

/** What must hold in the end, and what does not. */
export interface Finding {
  invariant: string;
  violations: string[];
}

/** What a caller may be told when something is out of reach; anything else would be a fault of ours. */
const HONEST: ReadonlySet<string> = new Set([
  "not_delivered",
  "outcome_unknown",
  "overloaded",
  "unavailable",
  "draining",
  "actor_quarantined",
]);
/** Violations of one kind that are listed. */
const LISTED = 20;

const finding = (invariant: string, violations: readonly string[]): Finding => ({
  invariant,
  violations: violations.slice(0, LISTED),
});

/** What SQL and the history say of the actors, their timers and messages, and the job. */
export async function findingsOnActors(database: Database, { calls }: History): Promise<Finding[]> {
  const rows = await database.query<{ actor: string; name: string; seq: number }>(
    "SELECT actor, name, seq FROM chaos_effects ORDER BY actor, name, nth",
  );
  const effects = Map.groupBy(rows, ({ actor, name }) => `${actor} ${name}`);
  const timesOf = ({ actor, name }: CallRecord): number => effects.get(`${actor} ${name}`)?.length ?? 0;
  const dishonest = calls.flatMap(({ name, codes }) =>
    codes.filter((code) => !HONEST.has(code)).map((code) => `${name} was told ${code}`),
  );
  return [
    finding(
      "what is acknowledged took effect once, what is refused never",
      calls.flatMap((call) => callViolations(call, timesOf(call))),
    ),
    finding("callers are told what to do next, never an internal fault", dishonest),
    finding("nothing took effect twice", await doubles(database)),
    finding("each firing of each timer took effect, and none is missing", tickViolations(effects)),
    finding("messages come once and in order", await tellViolations(database, effects)),
    finding("each due time of the job has one row, and no attempt began twice", await jobViolations(database)),
    finding("nothing is left in the outbox", await outboxViolations(database)),
  ];
}

function callViolations({ name, codes, value }: CallRecord, times: number): string[] {
  const isUnknown = codes.includes("outcome_unknown");
  const isRight = value !== undefined ? times === 1 : isUnknown ? times <= 1 : times === 0;
  return isRight ? [] : [`${name}: ${codes.join()} → ${value}, and took effect ${times} times`];
}

async function doubles(database: Database): Promise<string[]> {
  const found = await database.query<{ actor: string; name: string; seq: number; times: number }>(
    "SELECT actor, name, seq, COUNT(*) AS times FROM chaos_effects GROUP BY actor, name, seq HAVING COUNT(*) > 1",
  );
  return found.map(({ actor, name, seq, times }) => `${name} ${seq} of ${actor}: ${times} times`);
}

function tickViolations(effects: ReadonlyMap<string, readonly { seq: number }[]>): string[] {
  return TARGETS.flatMap((actor) => {
    const seqs = (effects.get(`${actor} tick`) ?? []).map(({ seq }) => Number(seq)).sort((a, b) => a - b);
    if (seqs.length === 0) return [`${actor} never fired`];
    return isWhole(seqs) ? [] : [`firings of ${actor}: ${seqs.length}, up to ${seqs.at(-1)}`];
  });
}

/** A tell is written down by who hears it, in a turn: the rows' order within one actor is that of its turns. */
async function tellViolations(
  database: Database,
  effects: ReadonlyMap<string, readonly { seq: number }[]>,
): Promise<string[]> {
  const rows = await database.query<{ id: string; state: string }>("SELECT id, state FROM actors WHERE kind = 'chaos'");
  return rows.flatMap(({ id, state }) =>
    Object.entries((JSON.parse(state) as { sent: Record<string, number> }).sent).flatMap(([to, sent]) => {
      const heard = (effects.get(`${to} heard ${id}`) ?? []).map(({ seq }) => Number(seq));
      return isWhole(heard) && heard.length === sent
        ? []
        : [`${to} was told ${sent} times by ${id}, and heard ${heard.length}, ${inOrder(heard)}`];
    }),
  );
}

async function jobViolations(database: Database): Promise<string[]> {
  const rows = await database.query<{ scheduled_at: number; outcome: string }>(
    "SELECT scheduled_at, outcome FROM job_runs WHERE job = 'chaos' AND by_hand = 0 ORDER BY scheduled_at",
  );
  const [period, times] = [2000, rows.map(({ scheduled_at }) => Number(scheduled_at))];
  const gaps = times.flatMap((at, n) =>
    n === 0 || at === times[n - 1]! + period ? [] : [`no row between ${times[n - 1]} and ${at}`],
  );
  const twice = await database.query<{ scheduled_at: number; attempt: number }>(
    "SELECT scheduled_at, attempt FROM chaos_attempts GROUP BY scheduled_at, attempt HAVING COUNT(*) > 1",
  );
  const attempted = await database.query<{ scheduled_at: number }>("SELECT DISTINCT scheduled_at FROM chaos_attempts");
  const known = new Set(attempted.map(({ scheduled_at }) => Number(scheduled_at)));
  return [
    ...(times.length === 0 ? ["the job never ran"] : gaps),
    ...twice.map(({ scheduled_at, attempt }) => `attempt ${attempt} at ${scheduled_at} began twice`),
    ...rows
      .filter(({ scheduled_at, outcome }) => outcome === "succeeded" && !known.has(Number(scheduled_at)))
      .map(({ scheduled_at }) => `the run of ${scheduled_at} succeeded and was never attempted`),
  ];
}

async function outboxViolations(database: Database): Promise<string[]> {
  const [row] = await database.query<{ n: number }>("SELECT COUNT(*) AS n FROM actor_outbox");
  return Number(row!.n) === 0 ? [] : [`${row!.n} messages`];
}

const isWhole = (numbers: readonly number[]): boolean => numbers.every((n, at) => n === at + 1);

function inOrder(numbers: readonly number[]): string {
  const at = numbers.findIndex((n, index) => n !== index + 1);
  return at < 0 ? "in order" : `number ${numbers[at]} in place ${at + 1}`;
}
