import assert from "node:assert/strict";
import fc from "fast-check";
import { AssignmentJournal } from "../../src/actors/hunts/AssignmentJournal.ts";
import { type AssignmentRow, OUTCOME } from "../../src/stores/hunts/ClueLedger.ts";
import { type Service, ServiceCluster } from "./ServiceCluster.ts";

/** `SEED=<seed> npx mocha test/hunts/serviceProperties.test.ts` replays a run; `RUNS` sets how many histories it tries. */
const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const RUNS = Number(process.env.RUNS ?? 20);

const PLAYERS = ["ann", "bob", "cid", "dot", "eve", "flo", "gil"];
const ATTEMPTS = 2;
/** Each is issued once: most players wait. */
const CLUES = ["yes", "no", "maybe"].map((answer, n) => ({
  type: "riddle",
  prompt: `${n}?`,
  answers: [answer],
  points: 10,
}));
const RIGHT = ["yes", "no", "maybe"];
/** Within this everybody who waits has asked again, and whatever was lost is rebuilt. */
const SETTLED_MS = 17_000;
/** Within this what has become free is given. */
const GIVEN_MS = 2500;

/** What somebody does on one of their connections: one to each of two rooms of node a, one to the room of node b. */
type Action = {
  player: number;
  at: 0 | 1 | 2;
  does: "claim" | "solve" | "fail" | "leave" | "go" | "hop" | "drop" | "join";
};
type Step = Action | { passes: number } | { loses: true };

const action: fc.Arbitrary<Action> = fc.record({
  player: fc.nat({ max: PLAYERS.length - 1 }),
  at: fc.constantFrom(0, 1, 2),
  does: fc.constantFrom(
    ...(["claim", "claim", "claim", "claim", "fail", "solve", "leave", "go", "hop", "drop", "join"] as const),
  ),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: action },
  { weight: 2, arbitrary: fc.record({ passes: fc.constantFrom(100, 3000, 9000) }) },
  { weight: 1, arbitrary: fc.constant({ loses: true as const }) },
);

/** Players with connections to several rooms and nodes of one hunt. */
class Trial {
  readonly #cluster: ServiceCluster;
  readonly #services: Service[];
  readonly #journal: AssignmentJournal;
  /** Who dropped out, and has left no connection for good since: a clue may be theirs until its time is over. */
  readonly #dropped = new Set<string>();

  static async open(): Promise<Trial> {
    const cluster = await ServiceCluster.open();
    cluster.plan = { clues: CLUES, repeat: 1, attempts: ATTEMPTS, clueTtlMs: 20_000, solvingMs: 3_600_000 };
    const a = await cluster.join("a");
    const b = await cluster.join("b");
    await cluster.clock.advance(1000);
    return new Trial(cluster, [a, await cluster.another(a), b]);
  }

  private constructor(cluster: ServiceCluster, services: Service[]) {
    this.#cluster = cluster;
    this.#services = services;
    this.#journal = new AssignmentJournal(cluster.database, cluster.clock);
  }

  async run(steps: readonly Step[]): Promise<void> {
    try {
      for (const step of steps) {
        if ("passes" in step) await this.#cluster.clock.advance(step.passes);
        else if ("loses" in step) await this.#cluster.lose();
        else await this.#do(step);
        await this.#checkRows();
      }
      await this.#cluster.clock.advance(SETTLED_MS);
      await this.#somebodyGoes();
      await this.#cluster.clock.advance(GIVEN_MS);
      await this.#checkWhoWaits();
      this.#checkWhoLeft(await this.#checkRows());
    } finally {
      await this.#cluster.database.close();
    }
  }

  async #do({ player, at, does }: Action): Promise<void> {
    const playerId = PLAYERS[player]!;
    const service = this.#services[at]!;
    if (does === "leave") return this.#leave(service, playerId);
    if (does === "go") {
      for (const each of this.#services) await this.#leave(each, playerId);
      return;
    }
    if (does === "hop") return this.#hop(service, playerId);
    if (does === "drop") return this.#drop(service, playerId);
    const isNew = !service.row.players.has(playerId);
    service.row.players.add(playerId);
    if (isNew) await this.#cluster.within(service.service.queue.attend(service.hunt, { playerId, name: playerId }));
    if (does === "join") return;
    const card = await service.claim(playerId);
    if (does === "claim" || !("assignmentId" in card)) return;
    const answer = does === "solve" ? RIGHT[Number(card.clueId)]! : "no idea";
    const solution = { assignmentId: card.assignmentId, answer };
    await this.#cluster.within(service.service.solve(service.hunt, { playerId, name: playerId }, solution));
  }

  async #leave({ row, service, hunt }: Service, playerId: string): Promise<void> {
    if (!row.players.delete(playerId)) return;
    if (!this.#isHere(playerId)) this.#dropped.delete(playerId);
    const forgotten = service.queue.forget(hunt, playerId);
    const left = service.departures.left(hunt, playerId);
    await this.#cluster.within(Promise.all([forgotten, left]));
  }

  /** Leaves with every connection, and comes in again while that is under way: what they hold stays theirs. */
  async #hop(to: Service, playerId: string): Promise<void> {
    const held = await this.#heldBy(playerId);
    const leaving = this.#services.map((service) => this.#leave(service, playerId));
    to.row.players.add(playerId);
    await this.#cluster.within(to.service.queue.attend(to.hunt, { playerId, name: playerId }));
    await Promise.all(leaving);
    const wasThere = held !== undefined && held.expiresAt > this.#cluster.clock.now();
    if (wasThere) assert.deepEqual(await this.#heldBy(playerId), held, `${playerId} came back, and has lost a clue`);
  }

  async #heldBy(playerId: string): Promise<AssignmentRow | undefined> {
    return (await this.#checkRows()).find((row) => row.playerId === playerId && row.outcome === OUTCOME.open);
  }

  /** Nobody comes back to the seat. */
  async #drop({ row, service, hunt }: Service, playerId: string): Promise<void> {
    if (!row.players.delete(playerId)) return;
    this.#dropped.add(playerId);
    service.queue.away(hunt, playerId);
    await this.#cluster.within(service.queue.forget(hunt, playerId));
  }

  /** Whoever is first in the queue goes for good, and whoever holds the first clue: others move up, or are served. */
  async #somebodyGoes(): Promise<void> {
    const waits = PLAYERS.find((playerId) =>
      this.#services.some(({ row }) => row.hunt!.waiting.get(playerId)?.position === 1),
    );
    const holds = (await this.#checkRows()).find(({ outcome }) => outcome === OUTCOME.open)?.playerId;
    for (const playerId of [waits, holds]) {
      for (const service of this.#services) if (playerId !== undefined) await this.#leave(service, playerId);
    }
  }

  #isHere(playerId: string): boolean {
    return this.#services.some(({ row }) => row.players.has(playerId));
  }

  /** Nobody has two, nothing is two players', and nobody got what they had lost or solved. */
  async #checkRows(): Promise<AssignmentRow[]> {
    const rows: AssignmentRow[] = [];
    for await (const row of this.#journal.readAll("h")) rows.push(row);
    const open = rows.filter(({ outcome }) => outcome === OUTCOME.open);
    assert.equal(new Set(open.map(({ playerId }) => playerId)).size, open.length, "a player with two open clues");
    assert.equal(new Set(open.map(({ instance }) => instance)).size, open.length, "an instance open for two");
    for (const [who, ofPlayer] of Map.groupBy(rows, ({ playerId }) => playerId)) {
      for (const [clue, tried] of Map.groupBy(ofPlayer, ({ instance }) => instance % CLUES.length)) {
        const solves = tried.filter(({ outcome }) => outcome === OUTCOME.solved).length;
        assert.ok(solves <= 1, `${who} solved ${clue} ${solves} times`);
        const wrong = tried.reduce((sum, row) => sum + row.attemptsUsed, 0) - solves;
        assert.ok(wrong <= ATTEMPTS, `${who} had ${wrong} attempts at ${clue}`);
        const lost = tried.filter((row) => row.attemptsUsed > 0).map(({ instance }) => instance);
        assert.equal(new Set(lost).size, lost.length, `${who} got an instance of ${clue} that they lost`);
      }
    }
    return rows;
  }

  /** Nobody waits while something they may have is free. */
  async #checkWhoWaits(): Promise<void> {
    for (const service of this.#services) {
      for (const playerId of service.row.players) {
        if (!service.row.hunt!.waiting.has(playerId)) continue;
        assert.ok("waiting" in (await service.claim(playerId)), `${playerId} waited for what was free`);
      }
    }
  }

  /** Who has left with their last connection, and has not dropped out before, holds nothing. */
  #checkWhoLeft(rows: readonly AssignmentRow[]): void {
    for (const { playerId, outcome } of rows) {
      const mayHold = outcome !== OUTCOME.open || this.#isHere(playerId) || this.#dropped.has(playerId);
      assert.ok(mayHold, `${playerId} has left, and still has a clue`);
    }
  }
}

describe("a hunt's services, whatever players do on their connections", function () {
  this.timeout(300_000);

  it("give each clue to one player at a time, nobody what they have lost or solved, and leave nobody waiting for what is free", async () => {
    console.log(`      seed ${SEED} (SEED=${SEED} replays)`);
    const histories = fc.array(step, { minLength: 5, maxLength: 30, size: "max" });
    await fc.assert(
      fc.asyncProperty(histories, async (steps) => (await Trial.open()).run(steps)),
      { seed: SEED, numRuns: RUNS },
    );
  });
});
