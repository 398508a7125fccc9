import { setTimeout as sleep } from "node:timers/promises";
import { Latencies, type LatencySummary } from "../../loadtest/runtime/Latencies.ts";
import { someHunt } from "../../test/hunts/someHunt.ts";
import { openDatabase } from "../../test/support/database.ts";
import { until } from "../../test/support/processes.ts";
import { RingmasterNode, tokenOf } from "../../test/support/RingmasterNode.ts";
import { Visitor } from "../../test/support/Visitor.ts";
import { someTournament } from "../../test/tournaments/someTournament.ts";

export interface HuntPageOptions {
  assignments: number;
  events: number;
  redisUrl: string;
  databaseUrl: string;
}

type Tell = (name: string, summary: LatencySummary) => void;

const READS = 300;
const AT_ONCE = 32;
const ROUNDS = 20;
/** A player submits a score so often while the page is read by many. */
const SUBMIT_EVERY_MS = 55;
const REVEALED_MS = 300_000;

/** What a page of a hunt that is over, and lists of many events, cost who reads them from a real node, and who submits scores meanwhile. */
export async function benchHuntPage(options: HuntPageOptions, tell: Tell): Promise<void> {
  const { assignments, events, redisUrl, databaseUrl } = options;
  const env = { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl, RATE_LIMIT_PER_ADDRESS: "1000000", LOG_LEVEL: "warn" };
  const node = await RingmasterNode.start(env);
  const database = await openDatabase({ kind: "mysql", url: databaseUrl, pool: 2 });
  try {
    const token = await tokenOf("operator");
    const post = async <T>(path: string, body: object = {}): Promise<T> =>
      (await node.post<T>(`/api/${path}`, { token, body })).body;
    const { id } = await post<{ id: string }>("hunts", someHunt({ startsAt: Date.now() + 3_600_000 }));
    await post(`hunts/${id}/start`);
    await database.write(
      `INSERT INTO hunt_assignments (hunt_id, instance, generation, player_id, player_name, opened_at, expires_at, attempts_used, outcome,
         closed_at, points, solve_seq)
       SELECT ?, seq, 1, CONCAT('p', seq % ${Math.ceil(assignments / 5)}), 'n', 1, 2, 1, 1, 2, 1, seq FROM seq_1_to_${assignments}`,
      [id],
    );
    await post(`hunts/${id}/end`);
    const page = (): Promise<{ body: { phase: string } }> => node.get(`/api/hunts/${id}`);
    await until(async () => (await page()).body.phase === "reveal", { timeoutMs: REVEALED_MS, what: "it is revealed" });
    tell("the page of a hunt that is over, one at a time", await oneByOne(page, READS));
    await readByMany(node, page, tell);
    await fillLists(database, events);
    for (const domain of ["hunts", "tournaments"])
      tell(`the list of ${domain}`, await oneByOne(() => node.get(`/api/${domain}`), READS));
  } finally {
    await database.close();
    await node.kill();
  }
}

async function readByMany(node: RingmasterNode, page: () => Promise<unknown>, tell: Tell): Promise<void> {
  const token = await tokenOf("operator");
  const bounds = { precision: 0, minScore: 0, maxScore: 1e9, submissionsPerMinute: 1200 };
  await node.post("/api/games", { token, body: { id: "bench", name: "Bench", order: "desc", ...bounds } });
  const tournament = someTournament({ game: "bench", maxEntries: 10_000 });
  const { body } = await node.post<{ id: string }>("/api/tournaments", { token, body: tournament });
  const { token: own } = await node.signIn();
  const visitor = await Visitor.join(node.client(own), "tournament", { tournamentId: body.id });
  const [reads, submits] = [new Latencies(), new Latencies()];
  let isOver = false;
  const submitting = (async () => {
    for (let at = 0; !isOver; at += 1) {
      await timed(submits, () => visitor.request("submit", { submissionId: `s${at}`, score: at }));
      await sleep(SUBMIT_EVERY_MS);
    }
  })();
  for (let round = 0; round < ROUNDS; round += 1)
    await Promise.all(Array.from({ length: AT_ONCE }, () => timed(reads, page)));
  isOver = true;
  await submitting;
  tell(`the same, ${AT_ONCE} at once`, reads.summary());
  tell("a score's way to its answer meanwhile", submits.summary());
}

async function fillLists(database: { write(sql: string): Promise<unknown> }, events: number): Promise<void> {
  const each = `FROM seq_1_to_${events}`;
  await database.write(
    `INSERT INTO hunts (id, name, phase, starts_at, phase_ends_at, ends_at, ledger_epoch, definition, created_by, created_at, updated_at)
     SELECT CONCAT('h', seq), 'n', IF(seq % 10 = 0, 'scheduled', 'finished'), seq, 0, seq, 0, '{"clues":[],"repeat":1}', 'op', 0, 0 ${each}`,
  );
  await database.write(
    `INSERT INTO tournaments (id, name, game, phase, starts_at, ends_at, phase_ends_at, over_at, board_epoch, definition,
       prizes_distributed, created_by, created_at, updated_at)
     SELECT CONCAT('t', seq), 'T', 'snake', IF(seq % 10 = 0, 'scheduled', 'settled'), seq, seq, 0, seq, 1, '{"prizes":[]}', 1, 'op', 0, 0 ${each}`,
  );
}

/** How long each of `count` takes, one after the other. */
export async function oneByOne(work: () => Promise<unknown>, count: number): Promise<LatencySummary> {
  const latencies = new Latencies();
  for (let at = 0; at < count; at += 1) await timed(latencies, work);
  return latencies.summary();
}

async function timed(latencies: Latencies, work: () => Promise<unknown>): Promise<void> {
  const startedAt = performance.now();
  await work();
  latencies.record(performance.now() - startedAt);
}
