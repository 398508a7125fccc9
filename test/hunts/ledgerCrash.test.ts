import assert from "node:assert/strict";
import fc from "fast-check";
import { AssignmentJournal, standings } from "../../src/actors/hunts/AssignmentJournal.ts";
import { systemClock } from "../../src/clock.ts";
import type { Database } from "../../src/entities/sql.ts";
import { assignmentIdOf, rowsOf } from "../../src/stores/hunts/assignments.ts";
import {
  type AssignmentRow,
  type ClaimDecision,
  type ExpireDecision,
  type HuntKey,
  type IssueDecision,
  OUTCOME,
  type SolveDecision,
} from "../../src/stores/hunts/ClueLedger.ts";
import { freshHunt, LEDGERS, type OpenLedger } from "../contracts/ledgers.ts";
import { DATABASES, insertHunt, raiseEpoch, rowsIn } from "./ledgerJournals.ts";

/** `SEED=<seed> npx mocha test/hunts/ledgerCrash.test.ts` replays a run; `RUNS` sets how many histories it tries. */
const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const RUNS = process.env.RUNS === undefined ? undefined : Number(process.env.RUNS);
const TTL_MS = 1000;

/**
 * What becomes of a decision: it is committed and told; its node dies before the commit, or after it; or it is slow, and
 * commits when others have gone on.
 */
type Fate = "told" | "uncommitted" | "untold" | "slow";
type Step =
  | { do: "claim" | "right" | "wrong"; player: number; fate: Fate }
  | { do: "issue" | "expire"; player?: undefined; fate: Fate }
  | { do: "pass"; ms: number }
  | { do: "lose" };
type Decision = ClaimDecision | SolveDecision | IssueDecision | ExpireDecision;

const fate = fc.constantFrom<Fate>("told", "told", "told", "uncommitted", "untold", "slow");
const player = fc.integer({ min: 1, max: 5 });
const steps = fc.array(
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({ do: fc.constantFrom("claim" as const, "right" as const, "wrong" as const), player, fate }),
    },
    { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("issue" as const, "expire" as const), fate }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.integer({ min: 100, max: 700 }) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("lose" as const) }) },
  ),
  { minLength: 5, maxLength: 40, size: "max" },
);

/** Nodes that decide, commit and tell, and die in between; and what players were told, which must stay true. */
class Trial {
  readonly #open: OpenLedger;
  readonly #database: Database;
  readonly #journal: AssignmentJournal;
  readonly #hunt: HuntKey = freshHunt({ clueTtlMs: TTL_MS, attempts: 2, total: 30 });
  #id = "";
  #epoch = 1;
  #issued = 0;
  #now = 1_700_000_000_000;
  /** By assignment, the most that its player was told of it. */
  readonly #told = new Map<string, AssignmentRow>();
  /** By player, the assignment that it was told of last. */
  readonly #current = new Map<string, string>();
  #slow: Exclude<Decision, { kind: "missing" | "paused" | "unknown" }>[] = [];

  constructor(open: OpenLedger, database: Database) {
    this.#open = open;
    this.#database = database;
    this.#journal = new AssignmentJournal(database, systemClock);
  }

  async run(steps: readonly Step[]): Promise<void> {
    this.#id = await insertHunt(this.#database);
    await this.#load();
    for (const step of [...steps, { do: "lose" as const }]) {
      await this.#take(step);
      await this.#check();
    }
    const view = await this.#open.ledger.read(this.#hunt, 100);
    assert.deepEqual(view?.top, await standings(this.#database, this.#id, 100));
    await this.#open.ledger.drop(this.#hunt);
  }

  async #take(step: Step): Promise<void> {
    if ("fate" in step) {
      await this.#carryThrough(await this.#decide(step), step.fate);
    } else if (step.do === "pass") {
      await this.#commitSlow("committed");
      this.#now += step.ms;
    } else {
      await this.#open.wipe();
      this.#epoch += 1;
      await raiseEpoch(this.#database, this.#id, this.#epoch);
      await this.#commitSlow("stale");
      await this.#load();
    }
  }

  #decide(step: Extract<Step, { fate: Fate }>): Promise<Decision> {
    const { ledger } = this.#open;
    const now = this.#now;
    if (step.do === "expire") return ledger.expire(this.#hunt, now);
    if (step.do === "issue") {
      this.#issued += 2;
      return ledger.issue(this.#hunt, this.#issued, now);
    }
    const playerId = `player-${step.player}`;
    if (step.do === "claim") return ledger.claim(this.#hunt, { playerId, playerName: "Ann", nodeId: "n1", now });
    const assignmentId = this.#current.get(playerId) ?? "none";
    return ledger.solve(this.#hunt, { playerId, assignmentId, correct: step.do === "right", now });
  }

  async #carryThrough(decision: Decision, fate: Fate): Promise<void> {
    assert.ok(decision.kind !== "missing" && decision.kind !== "paused");
    if (decision.kind === "unknown" || fate === "uncommitted") return;
    if (fate === "slow") {
      this.#slow.push(decision);
      return;
    }
    assert.equal(await this.#journal.commit(this.#id, decision.epoch, rowsOf(decision)), "committed");
    if (fate === "told") await this.#tell(decision);
  }

  async #commitSlow(expected: "committed" | "stale"): Promise<void> {
    for (const decision of this.#slow.splice(0)) {
      const rows = rowsOf(decision);
      const result = await this.#journal.commit(this.#id, decision.epoch, rows);
      assert.equal(result, rows.length === 0 ? "committed" : expected);
      if (result === "committed") await this.#tell(decision);
    }
  }

  async #tell(decision: Exclude<Decision, { kind: "missing" | "paused" | "unknown" }>): Promise<void> {
    const rows = [
      ...("row" in decision ? [decision.row] : []),
      ...("served" in decision ? (decision.served ?? []) : []).map(({ row }) => row),
    ];
    for (const row of rows) {
      this.#told.set(assignmentIdOf(row), row);
      if (row.outcome === OUTCOME.open) this.#current.set(row.playerId, assignmentIdOf(row));
    }
    if (!("total" in decision)) return;
    const { playerId } = decision.row;
    const committed = (await rowsIn(this.#journal, this.#id)).filter((row) => row.playerId === playerId);
    const points = committed.reduce((sum, row) => sum + row.points, 0);
    assert.ok(decision.total <= points, "a player was told of points that are not committed");
  }

  async #load(): Promise<void> {
    const rows = this.#journal.readAll(this.#id);
    assert.equal(await this.#open.ledger.load(this.#hunt, { epoch: this.#epoch, issued: this.#issued, rows }), true);
  }

  async #check(): Promise<void> {
    const rows = await rowsIn(this.#journal, this.#id);
    const open = rows.filter((row) => row.outcome === OUTCOME.open);
    assert.equal(new Set(open.map((row) => row.playerId)).size, open.length, "a player with two open assignments");
    assert.equal(new Set(open.map((row) => row.instance)).size, open.length, "an instance open for two players");
    const solved = rows.filter((row) => row.outcome === OUTCOME.solved);
    assert.equal(new Set(solved.map((row) => row.instance)).size, solved.length, "an instance solved twice");
    for (const [id, told] of this.#told) {
      const row = rows.find((row) => assignmentIdOf(row) === id);
      assert.ok(row !== undefined, `${id} was told and is lost`);
      assert.equal(row.playerId, told.playerId);
      assert.ok(row.attemptsUsed >= told.attemptsUsed);
      if (told.outcome !== OUTCOME.open) assert.equal(row.outcome, told.outcome);
    }
    await this.#checkHolders(open);
  }

  /** Who holds an assignment by the database holds it by the ledger, unless its loss was decided and not committed yet. */
  async #checkHolders(open: readonly AssignmentRow[]): Promise<void> {
    const view = await this.#open.ledger.read(this.#hunt, 0);
    assert.ok(view);
    assert.equal(view.pool + view.open + view.solved, view.issued);
    if (view.version > 1) return;
    assert.equal(view.open, open.length, "a rebuilt ledger has other open assignments than the database");
  }
}

const PAIRS = LEDGERS.map(({ name, open }, index) => ({ name, open, database: DATABASES[index]! }));

for (const { name, open, database } of PAIRS) {
  describe(`${name} over ${database.name}, with nodes that die and hot state that is lost`, function () {
    this.timeout(120_000);
    let opened: OpenLedger;
    let connected: Database;

    before(async () => {
      console.log(`      seed ${SEED} (SEED=${SEED} replays)`);
      [opened, connected] = await Promise.all([open(), database.open()]);
    });
    after(async () => {
      await opened.close();
      await connected.close();
    });

    it("loses nothing that was told, and gives nothing twice", async () => {
      await fc.assert(
        fc.asyncProperty(steps, (history) => new Trial(opened, connected).run(history)),
        { seed: SEED, numRuns: RUNS ?? (database.name === "SQLite" ? 60 : 20) },
      );
    });
  });
}
