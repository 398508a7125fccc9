import assert from "node:assert/strict";
import { BoardReconciliation } from "../../src/actors/tournaments/BoardReconciliation.ts";
import { TournamentView } from "../../src/actors/tournaments/TournamentView.ts";
import type { TournamentRecord } from "../../src/entities/tournaments/Tournament.ts";
import { type ErrorCode, RingmasterError } from "../../src/errors.ts";
import { MemoryLeaderboard } from "../../src/stores/tournaments/MemoryLeaderboard.ts";
import { ManualClock, silentLog } from "../actors/simulation.ts";
import { someTerms } from "./TournamentCluster.ts";

/** Longer than it takes to check a board that is raised once. */
const A_WHILE_MS = 10_500;
/** What a board has taken, of which all may be committed. */
const TAKEN = 7;
/** Tournaments of which a node knows that they were judged. */
const MOST_JUDGED = 10_000;

describe("the reconciliation of a node", () => {
  let clock: ManualClock;
  let leaderboard: MemoryLeaderboard;
  let reconciliation: BoardReconciliation;
  /** The tournaments that were counted. */
  let counted: string[];
  /** How often a board was read. */
  let reads: number;
  let countTo: (tournamentId: string) => Promise<number>;
  let rebuild: () => Promise<boolean>;

  beforeEach(() => {
    clock = new ManualClock();
    leaderboard = new MemoryLeaderboard();
    [counted, reads] = [[], 0];
    countTo = async () => TAKEN;
    rebuild = async () => assert.fail("none is wrong");
    reconciliation = new BoardReconciliation({
      leaderboard: {
        page: (...args) => {
          reads += 1;
          return leaderboard.page(...args);
        },
      },
      journal: {
        countTo: (id) => {
          counted.push(id);
          return countTo(id);
        },
      },
      ...{ clock, log: silentLog, rebuild: () => rebuild() },
    });
  });

  const table = (id: string, phase = "open"): TournamentView => {
    const definition = someTerms(clock.now());
    return new TournamentView({ id, definition, phase } as TournamentRecord);
  };
  const played = async (id: string): Promise<TournamentView> => {
    const seat = table(id);
    await leaderboard.load(seat.key, { epoch: 1, submissions: TAKEN, players: [] });
    return seat;
  };

  it("have one tournament's entries counted at a time", async () => {
    let [counting, most] = [0, 0];
    countTo = async () => {
      counting += 1;
      most = Math.max(most, counting);
      await new Promise<void>((resolve) => void clock.schedule(resolve, 1000));
      counting -= 1;
      return TAKEN;
    };
    for (const id of ["t", "u", "v"]) reconciliation.raise(await played(id));
    await clock.advance(A_WHILE_MS);
    assert.deepEqual([counted.sort(), most], [["t", "u", "v"], 1]);
  });

  it("go on where a peer is lost while a board is judged", async () => {
    countTo = async () => {
      if (counted.length === 1) reconciliation.forget();
      return TAKEN;
    };
    reconciliation.raise(await played("t"));
    await clock.advance(2 * A_WHILE_MS);
    assert.deepEqual(counted, ["t", "t"]);
  });

  for (const code of ["wrong_phase", "not_found"] as ErrorCode[])
    it(`end with the tournament: ${code}`, async () => {
      countTo = async () => TAKEN - 1;
      rebuild = async () => {
        throw new RingmasterError(code);
      };
      reconciliation.raise(await played("t"));
      await clock.advance(A_WHILE_MS);
      const before = reads;
      assert.ok(before > 0);
      await clock.advance(5 * A_WHILE_MS);
      assert.equal(reads, before);
    });

  it("remember a bounded number of tournaments that were judged", async () => {
    const first = await played("t0");
    reconciliation.opened(first);
    await clock.advance(A_WHILE_MS);
    const before = reads;
    reconciliation.opened(first);
    await clock.advance(A_WHILE_MS);
    assert.equal(reads, before);
    for (let n = 1; n <= MOST_JUDGED; n += 1) reconciliation.opened(table(`t${n}`, "settled"));
    await clock.advance(A_WHILE_MS);
    const after = reads;
    reconciliation.opened(first);
    await clock.advance(A_WHILE_MS);
    assert.notEqual(reads, after);
  });
});
