import assert from "node:assert/strict";
import { DrawQueries } from "../../src/actors/pools/DrawQueries.ts";
import { PoolQueries } from "../../src/actors/pools/PoolQueries.ts";
import { periodAt } from "../../src/actors/pools/periods.ts";
import { RankingQueries } from "../../src/actors/pools/RankingQueries.ts";
import { RINGMASTER } from "../../src/app.config.ts";
import { systemRng } from "../../src/clock.ts";
import { AUDIT_DAYS } from "../../src/domains/admin.ts";
import { declaredBy } from "../../src/domains/runtime/declared.ts";
import { type AuditFilter, auditLines } from "../../src/entities/audit.ts";
import { eventChanges } from "../../src/entities/events/EventChange.ts";
import { HUNT_LIST, Hunts } from "../../src/entities/hunts/Hunt.ts";
import { contributionOf, itemsOf, leftBehind } from "../../src/entities/pools/Pool.ts";
import { countViews, openWindow } from "../../src/entities/popups/Popup.ts";
import { PrizeLedger } from "../../src/entities/prizes/PrizeLedger.ts";
import { Quests } from "../../src/entities/quests/Quest.ts";
import {
  dueProgress,
  pastOf,
  progressOf,
  soonestDue,
  standingOf,
  waitingOf,
} from "../../src/entities/quests/QuestProgress.ts";
import type { Database, Sql, Transaction } from "../../src/entities/sql.ts";
import { TOURNAMENT_LIST, Tournaments } from "../../src/entities/tournaments/Tournament.ts";
import { BATCH } from "../../src/schedulers/retention/purges.ts";
import { rowsRead } from "../support/rowsRead.ts";
import { faultsOf, filledDatabase, PAGE, type Plan, ROWS } from "./filledTables.ts";

/** What one thing that is asked may read, all its statements together. */
const MOST_READ = 5 * PAGE;

describe("the statements that players and strangers cause (MariaDB, 100,000 rows)", function () {
  this.timeout(180_000);
  let database: Database;
  let now: number;

  before(async () => {
    ({ database, now } = await filledDatabase());
  });

  const clock = { now: () => now };
  const common = { clock, rng: systemRng, timezone: "UTC" };
  const daily = { game: "snake", period: "daily" } as const;
  const player = { playerId: "p1", questId: "q1" };
  const page =
    (part: object, game = "snake") =>
    (within: Database) =>
      new RankingQueries({ ...common, database: within }).page(game, "all", {
        ...{ limit: 100, offset: 0, around: undefined },
        ...part,
      });

  const audit =
    (filter: AuditFilter, after?: { at(): number; id: string }, times: () => AuditFilter = () => ({})) =>
    (within: Database) =>
      auditLines(within, { ...filter, ...times() }, { after: after && { ...after, at: after.at() }, limit: 200 });
  /** Those that retention finds first, as if all but the youngest half were old. */
  const old = (name: string) => async (within: Database) => {
    const { batches } = declaredBy(RINGMASTER.domains).retention.find((purge) => purge.name === name)!;
    const then = now + AUDIT_DAYS * 86_400_000 - ROWS / 2;
    const found = await batches(within, then, new AbortController().signal).next();
    assert.equal((found.value as object[]).length, BATCH);
  };

  const asked: Record<string, (within: Database) => Promise<unknown>> = {
    "the list of hunts": (within) => new Hunts(within).list(),
    "the hunts of the lobby's board": (within) => HUNT_LIST.board(within, 200),
    "the list of tournaments": (within) => new Tournaments(within).list(),
    "the tournaments of the lobby's board": (within) => TOURNAMENT_LIST.board(within, 200),
    "the pools that are open": (within) => new PoolQueries({ ...common, database: within }).open(),
    "the pools that are over": (within) => new PoolQueries({ ...common, database: within }).finalised(daily, 100),
    "what is in a pool": (within) => itemsOf(within, { ...daily, startsAt: periodAt("daily", "UTC", now).startsAt }),
    "a contribution": (within) => contributionOf(within, daily, "c5"),
    "the pools that were left behind": (within) => leftBehind(within, daily, now, 10),
    "the top of a ranking": page({}),
    "the end of a ranking": page({ offset: ROWS - 100 }),
    "the rows around a player of a ranking": page({ around: "p777" }),
    "the middle of a ranking in which all have the same score": page({ offset: ROWS / 2 }, "tetris"),
    "the end of a ranking in which all have the same score": page({ offset: ROWS - 100 }, "tetris"),
    "the rows around a player of a ranking in which all have the same score": page({ around: "p77777" }, "tetris"),
    "the list of draws": (within) => new DrawQueries(within).list(100),
    "a draw and its candidates": (within) => new DrawQueries(within).get(604_800_000, { limit: 1000, offset: 50_000 }),
    "the list of quests": (within) => new Quests(within).list(),
    "how a player's quests stand": (within) => standingOf(within, "p1"),
    "what a quest's rounds came to": (within) => pastOf(within, [player]),
    "the rounds that are under way": (within) => progressOf(within, [player]),
    "a player's rounds that wait": (within) => waitingOf(within, "p1"),
    "the rounds that are due": (within) => dueProgress(within, "0", 500, 250),
    "when the next round is due": (within) => soonestDue(within, "0"),
    "the popup window that is open": (within) => openWindow(within, now),
    "a view of a popup window": (within) => countViews(within as unknown as Transaction, `w${ROWS}`, ["p1"], now),
    "a player's inventory": (within) => new PrizeLedger(within, systemRng).inventory("p1"),
    "what operators did last": audit({}),
    "what operators did before that": audit({}, { at: () => now - ROWS / 2, id: "a1" }),
    "what an operator did": audit({ operatorId: "op3" }),
    "when a command was given": audit({ command: "pauseHunt" }),
    "what was done to an event": audit({ subject: "hunt:h77" }),
    "what was refused": audit({ outcome: "refused" }),
    "what was refused of what an operator did": audit({ operatorId: "op0", outcome: "refused" }),
    "what operators did at a time": audit({}, undefined, () => ({ from: now - ROWS / 2, to: now - ROWS / 4 })),
    "why operators did something to an event": (within) => eventChanges(within, "hunts", "h77", 100),
    "the lines of the audit that are old": old("audit"),
    "the changes of events that are old": old("eventChanges"),
    "the awards that were refused": (within) => new PrizeLedger(within, systemRng).refused(100),
  };

  for (const [what, work] of Object.entries(asked))
    it(`read a page and no history for ${what}`, async () => {
      const statements: Array<[string, readonly unknown[]]> = [];
      const read = await rowsRead(database, (within) => {
        const query: Sql["query"] = (sql, params = []) => {
          statements.push([sql, params]);
          return within.query(sql, params);
        };
        return work({ ...within, query });
      });
      assert.ok(statements.length > 0);
      for (const [sql, params] of statements) {
        const faults = faultsOf(await database.query<Plan>(`EXPLAIN ${sql}`, params));
        assert.deepEqual(faults, [], sql);
      }
      assert.ok(read <= MOST_READ, `${read} rows`);
    });

  it("are found out by this when they read a table through, sort more than a page or join history", async () => {
    const plan = (sql: string) => database.query<Plan>(`EXPLAIN ${sql}`);
    for (const sql of [
      "SELECT name FROM hunts WHERE name = 'x'",
      "SELECT id FROM hunts WHERE phase = 'scheduled' ORDER BY name LIMIT 10",
    ])
      assert.notDeepEqual(faultsOf(await plan(sql)), [], sql);
    const joined = "SELECT COUNT(*) FROM score_entries e JOIN tournaments t ON t.id = e.tournament_id WHERE e.seq > 0";
    assert.ok((await rowsRead(database, (within) => within.query(joined))) > MOST_READ);
  });
});
