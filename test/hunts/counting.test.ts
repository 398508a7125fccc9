import assert from "node:assert/strict";
import { assignmentCounts, standings } from "../../src/actors/hunts/AssignmentJournal.ts";
import { HuntActor, huntKind } from "../../src/actors/hunts/HuntActor.ts";
import { roomsTopic } from "../../src/actors/runtime/Actor.ts";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import { type Rng, seededRng } from "../../src/clock.ts";
import { Hunts } from "../../src/entities/hunts/Hunt.ts";
import { PrizeLedger } from "../../src/entities/prizes/PrizeLedger.ts";
import type { Database } from "../../src/entities/sql.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";
import { OUTCOME } from "../../src/stores/hunts/ClueLedger.ts";
import { MemoryClueLedger } from "../../src/stores/hunts/MemoryClueLedger.ts";
import { ManualClock, SimulatedNode, silentLog } from "../actors/simulation.ts";
import { openDatabase } from "../support/database.ts";
import { migratedDatabaseUrl } from "../support/migratedDatabase.ts";
import { someSealedHunt } from "./someHunt.ts";

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const ASSIGNMENTS = 400;
const PLAYERS = 45;
/** A hunt of so many assignments is counted in many turns, and so are its results stored. */
const PAGES = { assignments: 23, players: 11, results: 7 };
const PRIZES = [{ from: 1, to: 3, items: [{ item: "TICO", amount: "50" }] }];
const OUTCOMES = [OUTCOME.solved, OUTCOME.solved, OUTCOME.exhausted, OUTCOME.expired];

const DATABASES = {
  SQLite: () => openDatabase({ kind: "sqlite", path: ":memory:" }),
  MariaDB: async () => openDatabase({ kind: "mysql", url: await migratedDatabaseUrl(), pool: 8 }),
};

for (const [name, open] of Object.entries(DATABASES)) {
  describe(`the counting of a hunt that is too large for one turn (${name})`, function () {
    this.timeout(120_000);
    let database: Database;
    let clock: ManualClock;
    let hub: MemoryHub;
    let feed: MemoryFeed;
    let node: SimulatedNode;
    let nodes = 0;

    before(() => console.log(`      seed ${SEED} (SEED=${SEED} replays it)`));

    beforeEach(async () => {
      database = await open();
      clock = new ManualClock();
      clock.isBusy = () => !node.crashed && node.life.underWay > 0;
      hub = new MemoryHub();
      feed = new MemoryFeed();
      node = await join();
      const definition = { ...someSealedHunt({ startsAt: clock.now() + 1000, prizes: PRIZES }), discoveryMs: 0 };
      await within(hunt().create({ ...definition, solvingMs: 60_000, revealMs: 20_000, winners: 5 }, "op"));
      await clock.advance(1100);
      await insertAssignments(seededRng(SEED));
    });
    afterEach(async () => {
      await node.crash();
      await database.close();
    });

    async function join(): Promise<SimulatedNode> {
      const ports = { ledger: new MemoryClueLedger(), log: silentLog, reviewOverdue: () => {}, pages: PAGES };
      const joined = new SimulatedNode({ id: `n${nodes++}`, hub, database, clock, feed }, [huntKind(ports)]);
      await joined.actors.start();
      return joined;
    }

    const hunt = () => node.actors.ref(HuntActor, "h");
    const within = <T>(call: Promise<T>): Promise<T> => clock.within(2000, call, 1);
    const record = async () => (await new Hunts(database).get("h"))!;

    async function insertAssignments(rng: Rng): Promise<void> {
      const rows = Array.from({ length: ASSIGNMENTS }, (_, at) => {
        const player = Math.floor(rng.next() * PLAYERS);
        const outcome = OUTCOMES[Math.floor(rng.next() * OUTCOMES.length)]!;
        const points = outcome === OUTCOME.solved ? 1 + Math.floor(rng.next() * 3) : 0;
        return [Math.floor(at / 3), 1 + (at % 3), `p${player}`, `Player ${player}`, outcome, points, points && at];
      });
      await database.write(
        `INSERT INTO hunt_assignments (hunt_id, instance, generation, player_id, player_name, opened_at, expires_at, attempts_used, outcome,
         closed_at, points, solve_seq) VALUES ${rows.map(() => "('h', ?, ?, ?, ?, 1, 2, 1, ?, 2, ?, ?)").join(", ")}`,
        rows.flat(),
      );
    }

    async function untilFinished(): Promise<void> {
      for (let at = 0; (await record()).phase !== "finished"; at += 1) {
        assert.ok(at < 300, "the hunt does not end");
        await clock.advance(1000);
      }
    }

    async function untilFigures(): Promise<void> {
      for (let at = 0; (await record()).figures === null; at += 1) {
        assert.ok(at < 300, "nobody counts it");
        await clock.advance(1000);
      }
    }

    /** From all assignments. */
    async function counted() {
      const { players, solved } = await assignmentCounts(database, "h");
      return { players, solved, standings: await standings(database, "h", 10) };
    }

    async function assertCounted(): Promise<void> {
      const { winners, figures, phase } = await record();
      assert.equal(phase, "finished");
      const { standings: best } = await counted();
      assert.deepEqual(figures, await counted());
      const first = best.slice(0, 5).map((each) => ({ ...each, prizes: each.rank <= 3 ? PRIZES[0]!.items : [] }));
      assert.deepEqual(winners, first);
      const results = await database.query<{ player_id: string; points: unknown; solved: unknown }>(
        "SELECT player_id, points, solved FROM hunt_results WHERE hunt_id = 'h' ORDER BY player_id",
      );
      const ranked = (await standings(database, "h", PLAYERS)).map(({ playerId, rank }) => [playerId, rank]);
      const places = await database.query<{ player_id: string; place: unknown }>(
        "SELECT player_id, place FROM hunt_results WHERE hunt_id = 'h' ORDER BY place",
      );
      assert.deepEqual(
        places.map(({ player_id, place }) => [player_id, Number(place)]),
        ranked,
      );
      const expected = await database.query<{ player_id: string; points: unknown; solved: unknown }>(
        `SELECT player_id, SUM(points) AS points, COUNT(*) AS solved FROM hunt_assignments
         WHERE hunt_id = 'h' AND outcome = ${OUTCOME.solved} GROUP BY player_id ORDER BY player_id`,
      );
      const numbers = (rows: typeof results) =>
        rows.map((row) => [row.player_id, Number(row.points), Number(row.solved)]);
      assert.deepEqual(numbers(results), numbers(expected));
      const prizes = new PrizeLedger(database, seededRng(1));
      for (const { playerId } of first.slice(0, 3))
        assert.deepEqual(await prizes.inventory(playerId), [{ item: "TICO", amount: "50" }]);
      const told = (await feed.read(roomsTopic(HuntActor, "h"), undefined)).events.map(({ type }) => type);
      assert.equal(told.filter((type) => type === "chest").length, 1);
    }

    it("comes to what its assignments say", async () => {
      await untilFinished();
      await assertCounted();
    });

    // Only here does a crash come between two turns for sure.
    if (name === "SQLite")
      it("goes on where it was after its node has died between any two of its statements, however often", async () => {
        const rng = seededRng(SEED);
        await clock.advance(58_000);
        for (let death = 0; death < 8; death += 1) {
          let left = 1 + Math.floor(rng.next() * 40);
          node.life.onOperation = () => (--left === 0 ? "crash" : undefined);
          await clock.advance(4000);
          await node.crash();
          node = await join();
          await clock.advance(1000);
        }
        await untilFinished();
        await assertCounted();
      });

    it("is begun as soon as all clues are solved, where it is to be, by a look at a part of them a turn", async () => {
      const { definition } = await record();
      const total = definition.clues.length * 30;
      await within(hunt().cancel());
      await database.write("DELETE FROM hunt_assignments");
      const other = () => node.actors.ref(HuntActor, "all");
      const startsAt = clock.now() + 1000;
      const solvingMs = 600_000;
      await within(other().create({ ...definition, startsAt, solvingMs, repeat: 30, endWhenExhausted: true }, "op"));
      await clock.advance(1100);
      // Each was given back twice before it was solved; the answer to the last but one is on its way yet.
      const rows = Array.from({ length: 3 * total }, (_, at) => [Math.floor(at / 3), 1 + (at % 3)] as const);
      const late = total - 2;
      const insert = (solved: (instance: number) => boolean) =>
        rows.map(([instance, generation]) => {
          const outcome = generation < 3 ? OUTCOME.returned : solved(instance) ? OUTCOME.solved : OUTCOME.open;
          return ["all", instance, generation, `p${instance % 5}`, "P", 1, 2, 1, outcome, 2, 1, instance + 1];
        });
      const values = insert((instance) => instance !== late);
      await database.write(
        `INSERT INTO hunt_assignments (hunt_id, instance, generation, player_id, player_name, opened_at, expires_at, attempts_used, outcome,
         closed_at, points, solve_seq) VALUES ${values.map(() => "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)").join(", ")}`,
        values.flat(),
      );
      let looks = 0;
      node.life.onOperation = (when, statement) => {
        if (when === "before" && statement.includes("AS solved FROM hunt_assignments")) looks += 1;
        return undefined;
      };
      const quiet = async (): Promise<void> => {
        for (let at = 0; ; at += 1) {
          assert.ok(at < 300, "it looks on and on");
          await clock.advance(100);
          const [row] = await database.query<{ timers: string }>("SELECT timers FROM actors WHERE id = 'all'");
          if (!row!.timers.includes("exhausted")) return;
        }
      };
      const phase = async () => (await new Hunts(database).get("all"))!.phase;
      await within(other().endIfExhausted());
      await quiet();
      assert.equal(await phase(), "solving", "an answer that was given would not count");
      const pages = Math.ceil((3 * total) / PAGES.assignments);
      assert.ok(looks >= pages - 1 && looks <= pages + 2, `${looks} looks at ${pages} pages`);
      looks = 0;
      await database.write(
        `UPDATE hunt_assignments SET outcome = ${OUTCOME.solved} WHERE hunt_id = 'all' AND instance = ? AND generation = 3`,
        [late],
      );
      await within(other().endIfExhausted());
      await quiet();
      for (let at = 0; (await phase()) === "solving"; at += 1) {
        assert.ok(at < 300, "solving does not end");
        await clock.advance(1000);
      }
      assert.ok(looks <= 3, `${looks} looks at what was seen before`);
    });

    it("stores all results once more where a version before had come to some of them by player", async () => {
      await untilFinished();
      await node.crash();
      await database.write("UPDATE hunt_results SET place = NULL");
      const [row] = await database.query<{ state: string; timers: string }>(
        "SELECT state, timers FROM actors WHERE kind = 'hunt'",
      );
      const state = { ...JSON.parse(row!.state), resultsTo: "p3" };
      const timers = [...JSON.parse(row!.timers), { name: "results", due: clock.now(), seq: 1 }];
      await database.write("UPDATE actors SET state = ?, timers = ?, due_at = ? WHERE kind = 'hunt'", [
        ...[JSON.stringify(state), JSON.stringify(timers), clock.now()],
      ]);
      node = await join();
      const left = async () => (await database.query("SELECT 1 FROM hunt_results WHERE place IS NULL")).length;
      for (let at = 0; (await left()) > 0; at += 1) {
        assert.ok(at < 300, "the results are not stored anew");
        await clock.advance(1000);
      }
      await assertCounted();
    });

    it("refuses operators meanwhile but for calling it off, of which nothing is paid", async () => {
      // All of these are in its mailbox before the second part of the counting is.
      const ended = hunt().end();
      const refused = [() => hunt().end(), () => hunt().extend(1000), () => hunt().rebuild()].map((call) =>
        assert.rejects(call() as Promise<unknown>, { code: "wrong_phase" }),
      );
      const cancelled = hunt().cancel();
      const [{ phase, phaseEndsAt }] = await within(Promise.all([ended, ...refused]));
      assert.equal(phase, "solving");
      assert.ok(phaseEndsAt <= clock.now(), "what is committed from now on is over");
      assert.equal((await within(cancelled)).prizes, "unpaid");
      await untilFigures();
      const after = await record();
      assert.deepEqual([after.phase, after.winners], ["cancelled", null]);
      assert.deepEqual(await database.query("SELECT * FROM hunt_results"), []);
      assert.deepEqual(after.figures, await counted());
    });

    it("takes place also where it is called off before its end, so that nobody who reads of it counts it; nothing is paid", async () => {
      await within(hunt().cancel());
      await untilFigures();
      const { phase, winners, figures } = await record();
      assert.deepEqual([phase, winners, figures], ["cancelled", null, await counted()]);
      assert.deepEqual(
        await database.query("SELECT player_id FROM hunt_results UNION SELECT player_id FROM awards"),
        [],
      );
      await assert.rejects(within(hunt().end()), {
        code: "wrong_phase",
        details: { phase: "cancelled", changesAt: null },
      });
      const [row] = await database.query<{ timers: string }>("SELECT timers FROM actors WHERE kind = 'hunt'");
      assert.deepEqual(JSON.parse(row!.timers), []);
    });
  });
}
