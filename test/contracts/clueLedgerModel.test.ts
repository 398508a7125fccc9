import assert from "node:assert/strict";
import fc from "fast-check";
import { seededRng } from "../../src/clock.ts";
import { assignmentIdOf, mergeRows, rowsOf } from "../../src/stores/hunts/assignments.ts";
import {
  type AssignmentRow,
  type HuntKey,
  type LedgerRules,
  type LedgerView,
  OUTCOME,
} from "../../src/stores/hunts/ClueLedger.ts";
import { LedgerModel } from "./LedgerModel.ts";
import { freshHunt, LEDGERS, type OpenLedger } from "./ledgers.ts";

/** `SEED=<seed> npx mocha test/contracts/clueLedgerModel.test.ts` replays a run; `RUNS` sets how many histories it tries. */
const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const RUNS = Number(process.env.RUNS ?? 100);
const TTL_MS = 1000;

/** What a node asks of the ledger. `behind` is how far its clock is behind that of the others, in milliseconds. */
type Request =
  | { ask: "claim"; player: number; node: number; behind: number }
  | {
      ask: "solve";
      player: number;
      which: "open" | "last" | "any" | "none";
      any: number;
      right: boolean;
      /** 0: none. */
      request: number;
      behind: number;
    }
  | { ask: "giveBack"; player: number; which: "open" | "last" | "any" | "none"; any: number; behind: number }
  /** `departure`: by which of a player's. */
  | { ask: "depart"; player: number; which: "open"; departure: number }
  | { ask: "giveUp"; player: number; which: "open"; departure: number; behind: number }
  | { ask: "issue"; more: number }
  | { ask: "expire"; behind: number }
  | { ask: "attend"; player: number; node: number }
  | { ask: "sweep"; live: number; drop: boolean }
  /** `live`: how many of the three nodes live, from the first. */
  | { ask: "forget"; player: number; node: number; live: number };

/** Requests that are under way together; a while that passes; or the loss of all hot state and its rebuild. */
type Step = { together: Request[] } | { pass: number } | { rebuild: { lost: boolean; order: number } };

type Rules = Partial<LedgerRules>;

/** Taken modulo the number of players of the history, so that some histories are crowded and some are not. */
const player = fc.nat({ max: 59 });
/** Round numbers meet, so that something is often asked in the very millisecond of an expiry. */
const hundreds = (most: number): fc.Arbitrary<number> => fc.integer({ min: 1, max: most }).map((n) => n * 100);
const behind = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: hundreds(15) });
const claim = fc.record({ ask: fc.constant("claim" as const), player, node: fc.integer({ min: 1, max: 3 }), behind });
const solve = fc.record({
  ask: fc.constant("solve" as const),
  player,
  which: fc.constantFrom("open", "open", "open", "last", "any", "none"),
  any: fc.nat({ max: 50 }),
  right: fc.boolean(),
  request: fc.nat({ max: 3 }),
  behind,
});
const giveBack = fc.record({
  ask: fc.constant("giveBack" as const),
  player,
  which: fc.constantFrom("open", "open", "last", "any", "none"),
  any: fc.nat({ max: 50 }),
  behind,
});
const departure = fc.integer({ min: 1, max: 2 });
const which = fc.constant("open" as const);
const depart = fc.record({ ask: fc.constant("depart" as const), player, which, departure });
const giveUp = fc.record({ ask: fc.constant("giveUp" as const), player, which, departure, behind });
const more = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 6 }) },
  { weight: 1, arbitrary: fc.constant(50) },
);
const issue = fc.record({ ask: fc.constant("issue" as const), more });
const expire = fc.record({ ask: fc.constant("expire" as const), behind });
const node = fc.integer({ min: 1, max: 3 });
const sweep = fc.record({ ask: fc.constant("sweep" as const), live: fc.nat({ max: 3 }), drop: fc.boolean() });
const attend = fc.record({ ask: fc.constant("attend" as const), player, node });
const forget = fc.record({ ask: fc.constant("forget" as const), player, node, live: fc.integer({ min: 1, max: 3 }) });
const request: fc.Arbitrary<Request> = fc.oneof(
  { weight: 8, arbitrary: claim },
  { weight: 8, arbitrary: solve },
  { weight: 2, arbitrary: giveBack },
  { weight: 2, arbitrary: depart },
  { weight: 2, arbitrary: giveUp },
  { weight: 1, arbitrary: issue },
  { weight: 2, arbitrary: expire },
  { weight: 1, arbitrary: attend },
  { weight: 1, arbitrary: sweep },
  { weight: 1, arbitrary: forget },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ together: fc.array(request, { minLength: 1, maxLength: 8 }) }) },
  { weight: 2, arbitrary: fc.record({ pass: hundreds(8) }) },
  { weight: 1, arbitrary: fc.record({ rebuild: fc.record({ lost: fc.boolean(), order: fc.nat() }) }) },
);
/** Few templates and few instances, so that players run out of what they may have; or many of them. */
const rules: fc.Arbitrary<Rules> = fc.record({
  attempts: fc.integer({ min: 1, max: 3 }),
  points: fc.constantFrom([10], [10, 20], [10, 20, 30], [1, 2, 3, 4, 5, 6, 7, 8, 9], Array<number>(70).fill(1)),
  repeatable: fc.constantFrom(undefined, [true], [false, true, false], Array(9).fill(true)),
  total: fc.constantFrom(4, 12, 40, 100),
  perPlayer: fc.constantFrom(undefined, undefined, undefined, 1, 3),
  cooldownMs: fc.constantFrom(undefined, undefined, undefined, 500),
});
const history = fc.record({
  rules,
  players: fc.integer({ min: 1, max: 20 }),
  steps: fc.array(step, { minLength: 1, maxLength: 40, size: "max" }),
});

/** Takes the same steps with the ledger and the model, and compares every answer and every view. */
class Trial {
  readonly #open: OpenLedger;
  readonly #hunt: HuntKey;
  readonly #model: LedgerModel;
  readonly #players: number;
  /** Committed rows, by assignment. */
  readonly #journal = new Map<string, AssignmentRow>();
  #now = 1_700_000_000_000;
  #epoch = 1;
  #issued = 0;
  #view: LedgerView | undefined;

  constructor(open: OpenLedger, players: number, rules: Rules) {
    this.#open = open;
    this.#players = players;
    this.#hunt = freshHunt({ clueTtlMs: TTL_MS, ...rules });
    this.#model = new LedgerModel(this.#hunt.rules, this.#epoch);
  }

  async run(steps: readonly Step[]): Promise<void> {
    const { ledger } = this.#open;
    assert.equal(await ledger.load(this.#hunt, { epoch: this.#epoch, issued: 0, rows: [] }), true);
    for (const step of steps) {
      if ("pass" in step) this.#now += step.pass;
      else if ("rebuild" in step) await this.#rebuild(step.rebuild);
      else await this.#ask(step.together);
      await this.#compareViews();
    }
    await ledger.drop(this.#hunt);
  }

  /** Requests of one turn are answered in order, so the model takes them one by one. */
  async #ask(requests: readonly Request[]): Promise<void> {
    const both = requests.map((request) => this.#bothOf(request));
    const answers = await Promise.all(both.map(({ ask }) => ask()));
    for (const [index, { expected }] of both.entries()) assert.deepEqual(answers[index], expected);
    for (const answer of answers)
      if (typeof answer === "object" && answer.kind !== "missing" && answer.kind !== "departed")
        this.#commit(rowsOf(answer));
  }

  #bothOf(request: Request) {
    const { ledger } = this.#open;
    const hunt = this.#hunt;
    const now = this.#now - ("behind" in request ? request.behind : 0);
    const playerId = "player" in request ? this.#playerOf(request) : "";
    switch (request.ask) {
      case "claim": {
        const full = { playerId, playerName: `"${playerId}" Ünal 🎪`, nodeId: nodeOf(request), now };
        return { expected: this.#model.claim(full), ask: () => ledger.claim(hunt, full) };
      }
      case "solve": {
        const requestId = request.request === 0 ? undefined : `request-${request.request}`;
        const assignmentId = this.#assignmentOf(playerId, request);
        const full = { playerId, assignmentId, correct: request.right, requestId, now };
        return { expected: this.#model.solve(full), ask: () => ledger.solve(hunt, full) };
      }
      case "giveBack": {
        const full = { playerId, assignmentId: this.#assignmentOf(playerId, request), now };
        return { expected: this.#model.giveBack(full), ask: () => ledger.giveBack(hunt, full) };
      }
      case "depart": {
        const token = `token-${request.departure}`;
        return { expected: this.#model.depart(playerId, token), ask: () => ledger.depart(hunt, playerId, token) };
      }
      case "giveUp": {
        const full = { playerId, token: `token-${request.departure}`, now };
        return { expected: this.#model.giveUp(full), ask: () => ledger.giveUp(hunt, full) };
      }
      case "issue": {
        this.#issued = Math.min(this.#issued + request.more, hunt.rules.total);
        const issued = this.#issued;
        return { expected: this.#model.issue(issued, now), ask: () => ledger.issue(hunt, issued, now) };
      }
      case "expire":
        return { expected: this.#model.expire(now), ask: () => ledger.expire(hunt, now) };
      case "sweep": {
        const live = NODES.slice(0, request.live);
        const { drop } = request;
        return { expected: this.#model.sweep(live, drop), ask: () => ledger.sweep(hunt, live, { after: 0, drop }) };
      }
      case "attend": {
        const nodeId = nodeOf(request);
        return {
          expected: this.#model.attend(playerId, nodeId),
          ask: () => ledger.attend(hunt, playerId, nodeId),
        };
      }
      case "forget": {
        const live = NODES.slice(0, request.live);
        return {
          expected: this.#model.forget(playerId, nodeOf(request), live),
          ask: () => ledger.forget(hunt, playerId, nodeOf(request), live),
        };
      }
    }
  }

  /** Who answers an open assignment is somebody who has one. */
  #playerOf(request: Extract<Request, { player: number }>): string {
    const holders = "which" in request && request.which === "open" ? this.#model.holders() : [];
    return holders[request.player % holders.length] ?? `player-${(request.player % this.#players) + 1}`;
  }

  #assignmentOf(playerId: string, { which, any }: Extract<Request, { ask: "solve" | "giveBack" }>): string {
    const given = this.#model.assignmentIds();
    const ids = {
      open: this.#model.openIdOf(playerId),
      last: this.#model.lastIdOf(playerId),
      any: given[any % given.length],
      none: ["", "7", "0.0", "01.1", "-1.0", "9999.1", "x.y", "1.1 "][any % 8],
    };
    return ids[which] ?? "nothing";
  }

  async #rebuild({ lost, order }: { lost: boolean; order: number }): Promise<void> {
    const { ledger, wipe } = this.#open;
    if (lost) {
      await wipe();
      const claim = { playerId: "player-1", playerName: "Ann", nodeId: "node-1", now: this.#now };
      assert.deepEqual(await ledger.claim(this.#hunt, claim), { kind: "missing" });
      assert.equal(await ledger.read(this.#hunt, 3), undefined);
      assert.equal(await ledger.positions(this.#hunt, ["player-1"]), undefined);
    }
    this.#epoch += 1;
    this.#view = undefined;
    const snapshot = { epoch: this.#epoch, issued: this.#issued, rows: shuffled([...this.#journal.values()], order) };
    assert.equal(await ledger.load(this.#hunt, snapshot), true);
    assert.equal(await ledger.load(this.#hunt, { ...snapshot, rows: [] }), false);
    this.#model.rebuild(this.#epoch);
  }

  #commit(rows: readonly AssignmentRow[]): void {
    for (const row of rows) {
      const known = this.#journal.get(assignmentIdOf(row));
      assert.ok(known === undefined || known.playerId === row.playerId, "an assignment changed hands");
      this.#journal.set(assignmentIdOf(row), known === undefined ? row : mergeRows(known, row));
    }
  }

  async #compareViews(): Promise<void> {
    const view = await this.#open.ledger.read(this.#hunt, 100);
    assert.ok(view);
    const { version, ...rest } = view;
    assert.deepEqual(rest, this.#model.view());
    const players = Array.from({ length: this.#players }, (_, n) => `player-${n + 1}`);
    assert.deepEqual(await this.#open.ledger.positions(this.#hunt, players), this.#model.positions(players));
    const { version: before, ...restBefore } = this.#view ?? { version: 0 };
    assert.ok(version >= before);
    if (!isSame(rest, restBefore)) assert.ok(version > before, "a change did not move the version");
    this.#view = view;
    this.#checkInvariants(view);
  }

  /** What must hold of the committed rows, whatever the model says. */
  #checkInvariants(view: LedgerView): void {
    const rows = [...this.#journal.values()];
    const open = rows.filter((row) => row.outcome === OUTCOME.open);
    assert.equal(new Set(open.map((row) => row.playerId)).size, open.length, "a player with two open assignments");
    assert.equal(new Set(open.map((row) => row.instance)).size, open.length, "an instance open for two players");
    assert.equal(view.pool + view.open + view.solved, view.issued);
    assert.deepEqual(this.#model.overlooked(), [], "somebody waits while something that they may have is free");
    this.#checkFairness(rows);
    const points = rows.reduce((sum, row) => sum + row.points, 0);
    assert.equal(
      view.top.reduce((sum, row) => sum + row.points, 0),
      points,
    );
  }

  /** Nobody gets what they lost or solved, nor more attempts at a prompt than there are. */
  #checkFairness(rows: readonly AssignmentRow[]): void {
    const { attempts, points, repeatable, perPlayer = Number.POSITIVE_INFINITY } = this.#hunt.rules;
    for (const [playerId, ofPlayer] of Map.groupBy(rows, (row) => row.playerId)) {
      const solved = ofPlayer.filter((row) => row.outcome === OUTCOME.solved);
      assert.ok(solved.length <= perPlayer, `${playerId} solved more than is theirs`);
      for (const [template, tried] of Map.groupBy(ofPlayer, (row) => row.instance % points.length)) {
        const solves = tried.filter((row) => row.outcome === OUTCOME.solved).length;
        assert.ok(solves <= 1 || repeatable?.[template], `${playerId} solved ${template} ${solves} times`);
        if (solves > 0) continue;
        const wrong = tried.reduce((sum, row) => sum + row.attemptsUsed, 0);
        assert.ok(wrong <= attempts, `${playerId} had ${wrong} attempts at ${template}`);
        const lost = tried.filter((row) => row.attemptsUsed > 0).map((row) => row.instance);
        assert.equal(new Set(lost).size, lost.length, `${playerId} got an instance of ${template} that they lost`);
      }
    }
  }
}

const NODES = ["node-1", "node-2", "node-3"];
const nodeOf = ({ node }: { node: number }): string => `node-${node}`;

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function shuffled<T>(items: T[], seed: number): T[] {
  const rng = seededRng(seed);
  return items
    .map((item) => ({ item, place: rng.next() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}

for (const { name, open } of LEDGERS) {
  describe(`${name} against a model`, function () {
    this.timeout(120_000);
    let opened: OpenLedger;
    before(async () => {
      console.log(`      seed ${SEED} (SEED=${SEED} replays)`);
      opened = await open();
    });
    after(() => opened.close());

    it("answers every history of requests, waits and rebuilds as the model does", async () => {
      await fc.assert(
        fc.asyncProperty(history, ({ players, rules, steps }) => new Trial(opened, players, rules).run(steps)),
        { seed: SEED, numRuns: RUNS },
      );
    });
  });
}
