import assert from "node:assert/strict";
import { MOST_PAST } from "../../src/actors/pools/requests.ts";
import { RINGMASTER } from "../../src/app.config.ts";
import { BLAME_DAYS, MARK_DAYS, REQUEST_ID_DAYS } from "../../src/domains/actors.ts";
import { AUDIT_DAYS } from "../../src/domains/admin.ts";
import { EVENT_CHANGE_DAYS } from "../../src/domains/events.ts";
import { JOB_RUN_DAYS, TASK_DAYS } from "../../src/domains/jobs.ts";
import { POPUP_DAYS } from "../../src/domains/popups.ts";
import { CHALLENGE_DAYS, QUEST_CHANGE_DAYS } from "../../src/domains/quests.ts";
import { declaredBy } from "../../src/domains/runtime/declared.ts";
import { SESSION_DAYS } from "../../src/domains/sessions.ts";
import { type EndedSession, SessionHistory } from "../../src/entities/sessions/SessionHistory.ts";
import type { Database, Sql } from "../../src/entities/sql.ts";
import { CANDIDATE_DAYS, CONTRIBUTION_DAYS, RANKING_DAYS } from "../../src/schedulers/pools/poolPurges.ts";
import { BATCH } from "../../src/schedulers/retention/purges.ts";
import { type Removed, type RetentionJobPorts, retentionJob } from "../../src/schedulers/retention/retentionJob.ts";
import { openDatabase } from "../support/database.ts";
import { migratedDatabaseUrl } from "../support/migratedDatabase.ts";
import { rowsRead } from "../support/rowsRead.ts";
import { runJob } from "../support/runJob.ts";

const { retention: purges } = declaredBy(RINGMASTER.domains);
const NOW = 1_700_000_000_000;
const DAY_MS = 86_400_000;
/** No row of any kind that the domains list. */
const NOTHING = Object.fromEntries(purges.map(({ name }) => [name, 0]));

const DATABASES = {
  SQLite: () => openDatabase({ kind: "sqlite", path: ":memory:" }),
  MariaDB: async () => openDatabase({ kind: "mysql", url: await migratedDatabaseUrl(), pool: 32 }),
};

for (const [name, open] of Object.entries(DATABASES)) {
  describe(`the retention job (${name})`, () => {
    let database: Database;

    before(async function () {
      this.timeout(120_000);
      database = await open();
    });
    beforeEach(async () => {
      for (const table of [
        ...[
          "player_sessions",
          "jobs",
          "job_runs",
          "actor_requests",
          "actor_marks",
          "actor_tells",
          "actor_in_hand",
          "actor_blame",
          "tasks",
          "popup_windows",
          "popup_views",
        ],
        ...[
          "hunts",
          "hunt_assignments",
          "hunt_scores",
          "tournaments",
          "score_entries",
          "standings",
          "tournament_entrants",
        ],
        ...["audit", "event_changes", "wallet_challenges"],
        ...["rankings", "ranking_periods", "draws", "draw_candidates", "pools", "pool_contributions"],
      ])
        await database.write(`DELETE FROM ${table}`);
    });
    after(() => database?.close());

    const run = (ports: Partial<RetentionJobPorts> = {}, options: Parameters<typeof runJob>[1] = {}) =>
      runJob<Removed>(retentionJob({ database, purges, clock: { now: () => NOW }, ...ports }), options);

    const rowsOf = async (table: string, column: string): Promise<string[]> =>
      (await database.query<{ id: unknown }>(`SELECT ${column} AS id FROM ${table} ORDER BY ${column}`)).map(({ id }) =>
        String(id),
      );

    /** Rows that differ in what `each` gives them. */
    async function insert(table: string, rows: readonly Record<string, unknown>[]): Promise<void> {
      const columns = Object.keys(rows[0]!);
      await database.write(
        `INSERT INTO ${table} (${columns.join(", ")}) VALUES ${rows
          .map(() => `(${columns.map(() => "?").join(", ")})`)
          .join(", ")}`,
        rows.flatMap((row) => columns.map((column) => row[column])),
      );
    }

    const sessionsBefore = (days: number, count: number): EndedSession[] =>
      Array.from({ length: count }, (_, at) => ({
        playerId: `p${days}-${at}`,
        startedAt: NOW - days * DAY_MS - 2000 - at,
        seenAt: NOW - days * DAY_MS - 1000 - at,
        endedAt: NOW - days * DAY_MS - at,
        end: "timeout" as const,
      }));

    it("removes nothing where nothing is old", async () => {
      await new SessionHistory(database).keep(sessionsBefore(SESSION_DAYS, 1));
      assert.deepEqual((await run()).result, { rows: NOTHING, more: [] });
      assert.equal((await rowsOf("player_sessions", "player_id")).length, 1);
    });

    it("removes what operators did too long ago, and of the version before why", async () => {
      assert.equal(EVENT_CHANGE_DAYS, AUDIT_DAYS);
      const at = NOW - AUDIT_DAYS * DAY_MS;
      const line = (id: string, at: number) => ({
        ...{ id, at, operator_id: "op", operator: "Op", role: "operator", command: "startHunt", subject: null },
        ...{ args: "{}", node: "n", via: "room", request_id: null, outcome: "done", error: null },
      });
      const change = (id: string, changed_at: number) => ({
        ...{ domain: "hunts", event_id: "h", changed_at, id, kind: "pause", operator_id: "op", reason: "r" },
      });
      await insert("audit", [line("old", at - 1), line("young", at + 1)]);
      await insert("event_changes", [change("old", at - 1), change("young", at + 1)]);
      assert.deepEqual((await run()).result, { rows: { ...NOTHING, audit: 1, eventChanges: 1 }, more: [] });
      assert.deepEqual(await rowsOf("audit", "id"), ["young"]);
      assert.deepEqual(await rowsOf("event_changes", "id"), ["young"]);
    });

    it("removes tasks that have been over for too long, and neither those that wait nor dead letters", async () => {
      const task = (key: string, ended_at: number | null, dead_at: number | null = null) => ({
        ...{ job: "mail", task_key: key, shard: 0, args: "[]", scheduled_at: 1, attempt: 1, failures: 0, deaths: 0 },
        ...{ created_at: 1, due_at: null, ended_at, dead_at },
      });
      const old = NOW - TASK_DAYS * DAY_MS;
      await insert("tasks", [task("old", old - 1), task("young", old + 1), task("waits", null), task("dead", null, 1)]);
      assert.deepEqual((await run()).result, { rows: { ...NOTHING, tasks: 1 }, more: [] });
      assert.deepEqual(await rowsOf("tasks", "task_key"), ["dead", "waits", "young"]);
    });

    it("removes sessions that are too old, batch by batch, and shows how far it is", async () => {
      const history = new SessionHistory(database);
      for (let from = 0; from < 3; from++) await history.keep(sessionsBefore(SESSION_DAYS + 1 + from, BATCH - from));
      await history.keep(sessionsBefore(SESSION_DAYS - 1, 2));
      const { result, progress } = await run();
      assert.deepEqual(result, { rows: { ...NOTHING, sessions: 3 * BATCH - 3 }, more: [] });
      assert.deepEqual(
        progress.map((state) => (state as Removed).rows.sessions),
        [BATCH, 2 * BATCH, 3 * BATCH - 3],
      );
      assert.equal((await rowsOf("player_sessions", "player_id")).length, 2);
    });

    it("removes old runs of jobs, but none that goes on, nor a job's last", async () => {
      const at = (days: number) => NOW - days * DAY_MS;
      const old = JOB_RUN_DAYS + 1;
      const run_ = (job: string, days: number, outcome: string) => ({
        ...{ job, scheduled_at: at(days), attempt: 1, outcome, by_hand: 0 },
      });
      await insert("job_runs", [
        run_("hourly", old + 2, "succeeded"),
        run_("hourly", old + 1, "dead"),
        run_("hourly", old, "skipped"),
        run_("hourly", JOB_RUN_DAYS - 1, "succeeded"),
        run_("yearly", old + 300, "dead"),
        run_("yearly", old + 200, "succeeded"),
        run_("stuck", old + 4, "running"),
        run_("stuck", old + 3, "retrying"),
      ]);
      const jobs = [
        { name: "hourly", last_scheduled_at: at(JOB_RUN_DAYS - 1), last_dead_at: null },
        { name: "yearly", last_scheduled_at: at(old + 200), last_dead_at: at(old + 300) },
      ];
      await insert(
        "jobs",
        jobs.map((job) => ({
          ...{ schedule: "x", timezone: "UTC", enabled: 1, paused: 0, quarantined: 0 },
          ...{ runs: 0, successes: 0, failures: 0 },
          ...job,
        })),
      );
      assert.deepEqual((await run()).result.rows, { ...NOTHING, jobRuns: 3 });
      assert.deepEqual(await rowsOf("job_runs", "job"), ["hourly", "stuck", "stuck", "yearly", "yearly"]);
    });

    it("forgets old answers to request ids", async () => {
      await insert(
        "actor_requests",
        [REQUEST_ID_DAYS - 1, REQUEST_ID_DAYS + 1, REQUEST_ID_DAYS + 2].map((days) => ({
          ...{ kind: "hunt", id: "h1", request_id: `r${days}`, response: "{}", created_at: NOW - days * DAY_MS },
        })),
      );
      assert.deepEqual((await run()).result.rows, { ...NOTHING, requestIds: 2 });
      assert.deepEqual(await rowsOf("actor_requests", "request_id"), [`r${REQUEST_ID_DAYS - 1}`]);
    });

    it("forgets whom dead nodes were in the hands of, and who is blamed for that, after a day", async () => {
      const ages = [BLAME_DAYS - 0.1, BLAME_DAYS + 0.1, BLAME_DAYS + 100];
      await insert(
        "actor_in_hand",
        ages.map((days) => ({ node_id: `n${days}`, life: "l", actors: "[]", written_at: NOW - days * DAY_MS })),
      );
      await insert(
        "actor_blame",
        ages.flatMap((days) =>
          ["x", "y"].map((id) => ({
            ...{ kind: "hunt", id, node_id: `n${days}`, life: "l", fresh: 1, nth: 1, blamed_at: NOW - days * DAY_MS },
          })),
        ),
      );
      assert.deepEqual((await run()).result.rows, { ...NOTHING, actorsInHand: 2, actorBlame: 4 });
      assert.deepEqual(await rowsOf("actor_in_hand", "node_id"), [`n${BLAME_DAYS - 0.1}`]);
      assert.deepEqual(await rowsOf("actor_blame", "node_id"), Array(2).fill(`n${BLAME_DAYS - 0.1}`));
    });

    it("forgets what actors have had from each other once nothing of it is on its way", async () => {
      const from = (id: string, days: number, gaps = "[]") => ({
        ...{ kind: "pool", id: "p", from_kind: "hunt", from_id: id },
        ...{ version: 7, idx: 0, gaps, updated_at: NOW - days * DAY_MS },
      });
      const tell = (id: string, to: string) => ({
        ...{ kind: "hunt", id, version: 1, idx: 0, owner: "n", target_kind: "pool", target_id: to },
        ...{ message: "{}", created_at: 0, attempts: 0 },
      });
      const [old, young] = [MARK_DAYS + 1, MARK_DAYS - 0.5];
      await insert("actor_marks", [
        ...[from("old", old), from("young", young), from("gap", old, '[{"version":1,"index":0}]')],
        ...[from("telling", old), from("elsewhere", old)],
      ]);
      await insert("actor_tells", [tell("telling", "p"), tell("elsewhere", "q")]);
      assert.deepEqual((await run()).result.rows, { ...NOTHING, actorMarks: 2 });
      assert.deepEqual(await rowsOf("actor_marks", "from_id"), ["gap", "telling", "young"]);
    });

    it("removes old popup windows and who saw them, but not the one that is open", async () => {
      const window = (id: string, days: number, isClosed: boolean) => ({
        ...{ id, content_id: "c", title: "t", body: "b", views: 0 },
        ...{ opened_at: NOW - days * DAY_MS, closes_at: NOW, closed_at: isClosed ? NOW : null },
      });
      await insert("popup_windows", [
        window("new", POPUP_DAYS - 1, true),
        window("old", POPUP_DAYS + 1, true),
        window("open", POPUP_DAYS + 1, false),
      ]);
      await insert(
        "popup_views",
        ["new", "old", "open", "unheard-of"].flatMap((window_id) =>
          ["ada", "bob"].map((player_id) => ({ window_id, player_id, viewed_at: NOW })),
        ),
      );
      assert.deepEqual((await run()).result.rows, { ...NOTHING, popupWindows: 1, popupViews: 4 });
      assert.deepEqual(await rowsOf("popup_windows", "id"), ["new", "open"]);
      assert.deepEqual([...new Set(await rowsOf("popup_views", "window_id"))], ["new", "open"]);
    });

    it("removes the assignments of hunts that an operator removed, and no other", async () => {
      await insert("hunts", [
        {
          ...{ id: "h2", name: "h", phase: "finished", starts_at: 0, phase_ends_at: 0, ends_at: 0, ledger_epoch: 1 },
          ...{ definition: "{}", created_by: "x", created_at: 0, updated_at: 0 },
        },
      ]);
      const assignment = (hunt_id: string, instance: number) => ({
        ...{ hunt_id, instance, generation: 1, player_id: "p", player_name: "P", opened_at: 1, expires_at: 2 },
        ...{ attempts_used: 0, outcome: 1, closed_at: 2, points: 1, solve_seq: instance },
      });
      for (const id of ["h1", "h2", "h3"])
        await insert(
          "hunt_assignments",
          Array.from({ length: BATCH + 1 }, (_, instance) => assignment(id, instance)),
        );
      assert.deepEqual((await run()).result.rows, { ...NOTHING, huntAssignments: 2 * BATCH + 2 });
      assert.deepEqual([...new Set(await rowsOf("hunt_assignments", "hunt_id"))], ["h2"]);
    });

    it("removes the entries and standings of tournaments that are gone, and no other", async () => {
      await insert("tournaments", [
        {
          ...{ id: "t2", name: "t", game: "snake", phase: "settled", starts_at: 0, ends_at: 0, phase_ends_at: 0 },
          ...{ over_at: 0, board_epoch: 1, definition: "{}", prizes_distributed: 1, created_by: "x" },
          ...{ created_at: 0, updated_at: 0 },
        },
      ]);
      const entry = (tournament_id: string, at: number) => ({
        ...{ tournament_id, player_id: `p${at}`, entry_no: 1, submission_id: "s", player_name: "P", game: "snake" },
        ...{ score: 1, subscore: 0, best: 1, best_subscore: 0, seq: at, reached_seq: at, told_rank: 1, stored_at: 1 },
      });
      const standing = (tournament_id: string, at: number) => ({
        ...{ tournament_id, place: at + 1, player_id: `p${at}`, player_name: "P", score: 1, subscore: 0, entries: 1 },
      });
      const numbers = Array.from({ length: BATCH + 1 }, (_, at) => at);
      for (const id of ["t1", "t2", "t3"]) {
        await insert(
          "score_entries",
          numbers.map((at) => entry(id, at)),
        );
        await insert(
          "standings",
          numbers.map((at) => standing(id, at)),
        );
      }
      const gone = 2 * BATCH + 2;
      assert.deepEqual((await run()).result.rows, { ...NOTHING, scoreEntries: gone, standings: gone });
      for (const table of ["score_entries", "standings"])
        assert.deepEqual([...new Set(await rowsOf(table, "tournament_id"))], ["t2"]);
    });

    it("removes who joined tournaments that take nothing any more", async () => {
      const phases = ["scheduled", "open", "grace", "settling", "settled", "cancelled"];
      await insert(
        "tournaments",
        phases.map((phase) => ({
          ...{ id: phase, name: "t", game: "snake", phase, starts_at: 0, ends_at: 0, phase_ends_at: 0 },
          ...{ over_at: 0, board_epoch: 1, definition: "{}", prizes_distributed: 0, created_by: "x" },
          ...{ created_at: 0, updated_at: 0 },
        })),
      );
      const entrants = [...phases, "gone"].flatMap((tournament_id) =>
        ["ada", "bob"].map((player_id) => ({ tournament_id, player_id, joined_at: 1 })),
      );
      await insert("tournament_entrants", entrants);
      assert.deepEqual((await run()).result.rows, { ...NOTHING, tournamentEntrants: 8 });
      const left = [...new Set(await rowsOf("tournament_entrants", "tournament_id"))];
      assert.deepEqual(left.sort(), ["grace", "open", "scheduled"]);
    });

    /** When a period began that ended so many days ago, or a little less. */
    const begun = (period: "daily" | "weekly", daysAgo: number) =>
      NOW - (daysAgo + (period === "daily" ? 1 : 7)) * DAY_MS;
    const ranking = (game: string, period: string, starts_at: number) => ({ game, period, starts_at });
    const rankingPeriod = { ends_at: 0, changes: 1, ranked_changes: 1, players: 1 };
    const rankedPlayer = (at: number) => ({
      ...{
        player_id: `p${at}`,
        player_name: "P",
        score: at,
        reached_at: 1,
        reached_seq: at,
        entries: 1,
        place: at + 1,
      },
    });

    it("removes the rankings of days and weeks of long ago, of every game, and none of all time", async () => {
      const { daily, weekly } = RANKING_DAYS;
      const stay = ["pong", "snake"].flatMap((game) => [
        ranking(game, "daily", begun("daily", daily)),
        ranking(game, "weekly", begun("weekly", weekly)),
        ranking(game, "all", 0),
      ]);
      const go = ["pong", "snake"].flatMap((game) => [
        ranking(game, "daily", begun("daily", daily) - 1),
        ranking(game, "daily", begun("daily", daily + 300)),
        ranking(game, "weekly", begun("weekly", weekly) - 1),
      ]);
      await insert(
        "ranking_periods",
        [...stay, ...go].map((each) => ({ ...each, ...rankingPeriod })),
      );
      const numbers = Array.from({ length: BATCH + 1 }, (_, at) => at);
      for (const each of [...stay, ...go])
        await insert(
          "rankings",
          numbers.map((at) => ({ ...each, ...rankedPlayer(at) })),
        );
      const gone = { rankings: go.length * (BATCH + 1), rankingPeriods: go.length };
      assert.deepEqual((await run()).result.rows, { ...NOTHING, ...gone });
      const left = stay.map(({ game, period, starts_at }) => [game, period, starts_at].join(" ")).sort();
      for (const table of ["rankings", "ranking_periods"]) {
        const rows = await database.query<{ game: string; period: string; starts_at: unknown }>(
          `SELECT DISTINCT game, period, starts_at FROM ${table}`,
        );
        assert.deepEqual(rows.map(({ game, period, starts_at }) => [game, period, starts_at].join(" ")).sort(), left);
      }
      assert.deepEqual((await run()).result.rows, NOTHING);
    });

    it("forgets who took part in draws of long ago, and keeps the draws", async () => {
      const weeks = [begun("weekly", CANDIDATE_DAYS), begun("weekly", CANDIDATE_DAYS + 1)];
      await insert(
        "draws",
        weeks.map((week_starts_at) => ({
          ...{ week_starts_at, week_ends_at: 0, drawn_at: 0, seed: "s", candidates: BATCH + 1, candidates_hash: "h" },
        })),
      );
      for (const week_starts_at of weeks)
        await insert(
          "draw_candidates",
          Array.from({ length: BATCH + 1 }, (_, position) => ({ week_starts_at, position, player_id: `p${position}` })),
        );
      assert.deepEqual((await run()).result.rows, { ...NOTHING, drawCandidates: BATCH + 1 });
      assert.deepEqual([...new Set(await rowsOf("draw_candidates", "week_starts_at"))], [String(weeks[0])]);
      assert.equal((await rowsOf("draws", "seed")).length, 2);
    });

    it("forgets what went into pools of long ago, but not into one that can be read or is not finalised", async () => {
      const pools = (game: string, count: number, latest: number, finalised_at: number | null) =>
        Array.from({ length: count }, (_, each) => ({
          ...{ game, period: "daily", starts_at: latest - each * DAY_MS, ends_at: 0, finalised_at },
        }));
      const old = begun("daily", CONTRIBUTION_DAYS);
      const stored = [
        ...pools("pong", 3, old - 1, null),
        ...pools("snake", MOST_PAST + 3, old - 1, NOW),
        ...pools("tetris", MOST_PAST + 3, old + MOST_PAST * DAY_MS, NOW),
      ];
      await insert("pools", stored);
      await insert(
        "pool_contributions",
        stored.map(({ game, period, starts_at }) => ({
          ...{ game, period, starts_at, contribution_id: `c${starts_at}`, item: "TICO", amount: 1 },
          ...{ contributed_by: "op", contributed_at: starts_at },
        })),
      );
      assert.deepEqual((await run()).result.rows, { ...NOTHING, poolContributions: 5 });
      const left = await database.query<{ game: string; pools: unknown; first: unknown }>(
        "SELECT game, COUNT(*) AS pools, MIN(starts_at) AS first FROM pool_contributions GROUP BY game ORDER BY game",
      );
      assert.deepEqual(
        left.map((row) => [row.game, Number(row.pools), (Number(row.first) - old) / DAY_MS]),
        [
          ["pong", 3, (-1 - 2 * DAY_MS) / DAY_MS],
          ["snake", MOST_PAST, (-1 - (MOST_PAST - 1) * DAY_MS) / DAY_MS],
          ["tetris", MOST_PAST + 1, 0],
        ],
      );
      assert.equal((await rowsOf("pools", "starts_at")).length, stored.length);
    });

    it("removes the steps of quests' rounds of long ago, and keeps what the rounds came to", async () => {
      const old = NOW - QUEST_CHANGE_DAYS * DAY_MS - 1;
      for (const [round, at] of [
        [1, old],
        [2, old + 2],
      ] as const)
        await database.write(
          `INSERT INTO quest_changes (player_id, quest_id, round, state, at, node) VALUES ('ada', 'q', ?, 'lapsed', ?, 'n')`,
          [round, at],
        );
      await database.write(
        "INSERT INTO quest_rounds (player_id, quest_id, rounds, completions) VALUES ('ada', 'q', 2, 0)",
      );
      assert.deepEqual((await run()).result.rows, { ...NOTHING, questChanges: 1 });
      assert.deepEqual(
        (await database.query<{ round: number }>("SELECT round FROM quest_changes")).map(({ round }) => round),
        [2],
      );
      assert.equal((await database.query("SELECT 1 FROM quest_rounds")).length, 1);
      for (const table of ["quest_changes", "quest_rounds"]) await database.write(`DELETE FROM ${table}`);
    });

    it("removes challenges that ran out long ago", async () => {
      await insert(
        "wallet_challenges",
        [CHALLENGE_DAYS - 0.1, CHALLENGE_DAYS + 0.1].map((days) => ({
          ...{ player_id: `p${days}`, challenge: "c", expires_at: NOW - days * DAY_MS },
        })),
      );
      assert.deepEqual((await run()).result.rows, { ...NOTHING, walletChallenges: 1 });
      assert.deepEqual(await rowsOf("wallet_challenges", "player_id"), [`p${CHALLENGE_DAYS - 0.1}`]);
    });

    it("leaves what is beyond its bound to the next run, and says so", async () => {
      const history = new SessionHistory(database);
      for (const days of [1, 2]) await history.keep(sessionsBefore(SESSION_DAYS + days, BATCH));
      assert.deepEqual((await run({ mostARun: BATCH })).result, {
        rows: { ...NOTHING, sessions: BATCH },
        more: ["sessions"],
      });
      assert.deepEqual((await run({ mostARun: BATCH })).result, { rows: { ...NOTHING, sessions: BATCH }, more: [] });
    });

    it("removes nothing by a clock that is ahead of the database's, and fails", async () => {
      const today = Date.now();
      await new SessionHistory(database).keep([
        { playerId: "p", startedAt: today - 2000, seenAt: today - 1000, endedAt: today, end: "timeout" },
      ]);
      await insert("actor_requests", [
        { kind: "hunt", id: "h1", request_id: "r", response: "{}", created_at: today - DAY_MS },
      ]);
      for (const days of [REQUEST_ID_DAYS, SESSION_DAYS + 1]) {
        const clock = { now: () => today + days * DAY_MS };
        await assert.rejects(run({ clock }), /nothing is done: .* ahead of the database's clock/);
      }
      assert.deepEqual(await rowsOf("actor_requests", "request_id"), ["r"]);
      assert.deepEqual(await rowsOf("player_sessions", "player_id"), ["p"]);
      assert.deepEqual((await run({ clock: { now: () => today } })).result, { rows: NOTHING, more: [] });
    });

    it("stops between batches when it is told to", async () => {
      const history = new SessionHistory(database);
      for (const days of [1, 2]) await history.keep(sessionsBefore(SESSION_DAYS + days, BATCH));
      const abort = new AbortController();
      const onProgress = () => abort.abort(new Error("given up"));
      await assert.rejects(run({}, { signal: abort.signal, onProgress }), /given up/);
      assert.equal((await rowsOf("player_sessions", "player_id")).length, BATCH);
    });

    if (name === "MariaDB") {
      it("reads nothing of the rankings, candidates and contributions that stay", async () => {
        const many = Array.from({ length: 4 * BATCH }, (_, at) => at);
        const today = begun("daily", 0);
        const fill = (table: string, row: (at: number) => Record<string, unknown>) => insert(table, many.map(row));
        await fill("rankings", (at) => ({ ...ranking("snake", "daily", today), ...rankedPlayer(at) }));
        await fill("ranking_periods", (at) => ({ ...ranking("snake", "daily", today + at), ...rankingPeriod }));
        await fill("draw_candidates", (position) => ({ week_starts_at: today, position, player_id: "p" }));
        await fill("pools", (at) => ({ ...ranking("snake", "daily", today + at), ends_at: 0, finalised_at: NOW }));
        await fill("pool_contributions", (at) => ({
          ...{ ...ranking("snake", "daily", today), contribution_id: `c${at}`, item: "TICO", amount: 1 },
          ...{ contributed_by: "op", contributed_at: 0 },
        }));
        const old = BATCH + 1;
        for (let at = 0; at < old; at += BATCH)
          await insert(
            "rankings",
            many.slice(at, Math.min(at + BATCH, old)).map((each) => ({
              ...{ ...ranking("snake", "daily", begun("daily", RANKING_DAYS.daily + 1)), ...rankedPlayer(each) },
            })),
          );
        for (const table of ["rankings", "ranking_periods", "draw_candidates", "pools", "pool_contributions"])
          await database.query(`ANALYZE TABLE ${table}`);
        const read = await rowsRead(database, async (within) => {
          assert.equal((await run({ database: within })).result.rows.rankings, old);
        });
        // To find them, to delete them, and for the pools that can be read.
        assert.ok(read < 2 * old + MOST_PAST + 200, `${read} rows`);
      });
    }

    it("finds and deletes rows by their indexes", async () => {
      const history = new SessionHistory(database);
      for (let days = 1; days <= 5; days++) await history.keep(sessionsBefore(days, BATCH));
      await history.keep(sessionsBefore(SESSION_DAYS + 1, 20));
      if (database.dialect === "mysql") await database.query("ANALYZE TABLE player_sessions");
      const plans: string[] = [];
      const explained: Sql = {
        dialect: database.dialect,
        async query<T>(sql: string, params?: readonly unknown[]) {
          plans.push(...(await planOf(database, sql, params)));
          return database.query<T>(sql, params);
        },
        async write(sql, params) {
          plans.push(...(await planOf(database, sql, params)));
          return database.write(sql, params);
        },
      };
      assert.equal((await run({ database: explained })).result.rows.sessions, 20);
      const sessions = plans.filter((plan) => plan.includes("player_sessions"));
      assert.ok(sessions.length >= 3, "the plans of finding, deleting and finding nothing more");
      for (const plan of sessions)
        assert.match(plan, /"type":"range"|USING (COVERING )?INDEX|USING .*PRIMARY KEY/, plan);
    });
  });
}

/** A line for each table that the statement reads, which says how. */
async function planOf(database: Database, sql: string, params: readonly unknown[] = []): Promise<string[]> {
  const explain = database.dialect === "mysql" ? "EXPLAIN" : "EXPLAIN QUERY PLAN";
  return (await database.query(`${explain} ${sql}`, params)).map((row) => JSON.stringify(row));
}
