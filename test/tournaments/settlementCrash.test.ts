import assert from "node:assert/strict";
import { LOBBY_TOPIC, roomsTopic } from "../../src/actors/runtime/Actor.ts";
import { TournamentActor } from "../../src/actors/tournaments/TournamentActor.ts";
import { seededRng } from "../../src/clock.ts";
import { PrizeLedger } from "../../src/entities/prizes/PrizeLedger.ts";
import type { Database } from "../../src/entities/sql.ts";
import type { Mishap } from "../actors/ProcessLife.ts";
import type { SimulatedNode } from "../actors/simulation.ts";
import { openDatabase } from "../support/database.ts";
import { hashFromSql, outcomeOf, SOME_PRIZES, someTerms, TournamentWorld, writeEntries } from "./settlements.ts";

/** `SEED=<seed> npx mocha test/tournaments/settlementCrash.test.ts` replays a run; `RUNS` sets how many histories it tries. */
const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const RUNS = Number(process.env.RUNS ?? 25);
/** Three pages of standings and several of prizes, by `SMALL_PAGES`. */
const PLAYERS = 13;

type Strike = (node: SimulatedNode, operation: number, when: "before" | "after") => Mishap | undefined;

describe("a settlement that is interrupted", function () {
  this.timeout(120_000);
  let reference: object;
  let operations = 0;

  before(async () => {
    await settled(
      (_, operation) => {
        operations = operation;
        return undefined;
      },
      async (database) => {
        reference = await outcomeOf(database, "t");
      },
    );
    assert.ok(operations > 40, `${operations} operations`);
  });

  /**
   * Settles a tournament on a cluster of two nodes, of which each is struck at its operations from the tournament's opening on;
   * whoever dies is replaced. Then shows what came of it.
   */
  async function settled(strike: Strike, show: (database: Database, world: TournamentWorld) => Promise<void>) {
    const database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    try {
      const world = new TournamentWorld(database);
      const standby = await world.join("n0");
      const first = await world.join("n1");
      const startsAt = world.clock.now() + 1000;
      const terms = someTerms(startsAt, { graceMs: 0, endsAt: startsAt + 2000, prizes: SOME_PRIZES });
      await world.within(world.tournament().create(terms, "op", null));
      await writeEntries(database, "t", PLAYERS);
      await world.clock.advance(1500);
      const nodes = [standby, first];
      let operation = 0;
      const struck = (node: SimulatedNode): SimulatedNode => {
        node.life.onOperation = (when, statement) => {
          // Beats and sweeps of a node that has nothing to do with it would only add to the cases.
          if (
            statement.startsWith("SELECT") &&
            !statement.includes("standings") &&
            !statement.includes("score_entries")
          )
            return undefined;
          if (when === "before") operation += 1;
          return strike(node, operation, when);
        };
        return node;
      };
      nodes.forEach(struck);
      for (let second = 0, joined = 2; second < 240 && !(await isSettled(database)); second++) {
        await world.clock.advance(1000);
        // Crashes on end would have the actor in quarantine: an operator pardons it.
        await database.write("UPDATE actors SET crashes = 0");
        for (const [at, node] of nodes.entries())
          if (node.crashed) nodes[at] = struck(await world.join(`n${joined++}`));
      }
      for (const node of nodes) node.life.wake();
      await world.clock.advance(20_000);
      await show(database, world);
      for (const node of nodes) await node.crash();
    } finally {
      await database.close();
    }
  }

  async function isSettled(database: Database): Promise<boolean> {
    return (await database.query("SELECT 1 FROM tournaments WHERE phase = 'settled'")).length === 1;
  }

  async function assertWhole(database: Database, world: TournamentWorld, what: string): Promise<void> {
    assert.deepEqual(await outcomeOf(database, "t"), reference, what);
    const { tournament } = reference as { tournament: { result_hash: string } };
    assert.equal(await hashFromSql(database, "t"), tournament.result_hash, what);
    assert.deepEqual(await new PrizeLedger(database, seededRng(1)).imbalances(), [], what);
    const told = (await world.notified(roomsTopic(TournamentActor, "t"))).map(([type]) => type);
    // What a node that died had to tell is told by another, perhaps after the word of the first stored standings.
    assert.equal(told.filter((type) => type === "standings").length, 1, what);
    const others = told.filter((type) => type !== "standings");
    assert.deepEqual(others, ["phase", "phase", "phase", "settled"], what);
    const lobby = (await world.notified(LOBBY_TOPIC)).filter(([type]) => type === "tournamentSettled");
    assert.equal(lobby.length, 1, what);
  }

  it("was settled by its terms to begin with", async () => {
    const { tournament, standings, awards } = reference as {
      tournament: { phase: string; players: number; prizes_distributed: number };
      standings: { place: number }[];
      awards: unknown[];
    };
    assert.deepEqual([tournament.phase, tournament.players, tournament.prizes_distributed], ["settled", PLAYERS, 1]);
    assert.deepEqual(
      standings.map(({ place }) => place),
      Array.from({ length: PLAYERS }, (_, at) => at + 1),
    );
    assert.equal(awards.length, 1 + 3 + (PLAYERS - 5));
  });

  for (const [mishap, name] of [
    ["crash", "its node dies"],
    ["lose connection", "its node loses the connection"],
  ] as const) {
    for (const when of ["before", "after"] as const) {
      it(`goes on to the same result when ${name} right ${when} any one of its operations`, async () => {
        for (let at = 1; at <= operations; at++) {
          await settled(
            (_, operation, moment) => (operation === at && moment === when ? mishap : undefined),
            (database, world) => assertWhole(database, world, `${mishap} ${when} operation ${at} of ${operations}`),
          );
        }
      });
    }
  }

  it("goes on to the same result when its node stops, and wakes once another has gone on or finished", async () => {
    for (let at = 1; at <= operations; at += 2) {
      await settled(
        (node, operation, when) => {
          if (operation === at && when === "before" && !node.life.isStalled) void node.life.stall();
          return undefined;
        },
        (database, world) => assertWhole(database, world, `stall at operation ${at}`),
      );
    }
  });

  it(`goes on to the same result however often it is struck (seed ${SEED})`, async () => {
    for (let run = 0; run < RUNS; run++) {
      const rng = seededRng(SEED + run);
      let strikes = 12;
      const strike: Strike = () => {
        if (strikes === 0 || rng.next() > 0.06) return undefined;
        strikes -= 1;
        return rng.next() < 0.5 ? "crash" : "lose connection";
      };
      await settled(strike, (database, world) => assertWhole(database, world, `seed ${SEED + run}`));
    }
  });

  it("is that of nobody where nobody took part, and pays nothing", async () => {
    const database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    const world = new TournamentWorld(database);
    await world.join("n0");
    const terms = someTerms(world.clock.now(), { prizes: SOME_PRIZES });
    await world.within(world.tournament().create(terms, "op", null));
    await world.clock.advance(20_000);
    const { tournament, standings, awards } = (await outcomeOf(database, "t")) as Record<string, unknown>;
    const result_hash = await hashFromSql(database, "t");
    assert.deepEqual(tournament, { phase: "settled", players: 0, result_hash, prizes_distributed: 1 });
    assert.deepEqual([standings, awards], [[], []]);
    const [[, outcome]] = (await world.notified(LOBBY_TOPIC)).slice(-1) as [[string, { winners: unknown[] }]];
    assert.deepEqual(outcome.winners, []);
    await database.close();
  });
});
