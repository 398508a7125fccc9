import assert from "node:assert/strict";
import { LOBBY_TOPIC } from "../../src/actors/runtime/Actor.ts";
import { systemClock } from "../../src/clock.ts";
import { hunts as huntDomain } from "../../src/domains/hunts.ts";
import { tournaments as tournamentDomain } from "../../src/domains/tournaments.ts";
import { HUNT_LIST, type HuntListing, type HuntPhase, insertHunt } from "../../src/entities/hunts/Hunt.ts";
import type { BoardList } from "../../src/entities/phaseLists.ts";
import type { Database } from "../../src/entities/sql.ts";
import { LobbyBoard } from "../../src/rooms/lobby/LobbyBoard.ts";
import { silentLog } from "../actors/simulation.ts";
import { openDatabase } from "../support/database.ts";
import { LossyFeed } from "../support/LossyFeed.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { someSealedHunt } from "./someHunt.ts";

/** Reads hunts as slowly as a test wants. */
class SlowHunts {
  /** What the next read does after it has read. */
  afterwards: () => Promise<void> = async () => {};

  async board(database: Database, most: number): Promise<BoardList<HuntListing>> {
    const listings = await HUNT_LIST.board(database, most);
    const { afterwards } = this;
    this.afterwards = async () => {};
    await afterwards();
    return listings;
  }
}

describe("the lobby's board", () => {
  let database: Database;
  let feed: LossyFeed;
  let hunts: SlowHunts;
  let board: LobbyBoard;
  let keys = 0;
  let now = 0;
  const clock = { now: () => now, schedule: systemClock.schedule.bind(systemClock) };

  beforeEach(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    feed = new LossyFeed();
    hunts = new SlowHunts();
    const lists = new Map([
      ["hunts", { ...huntDomain.definition.lobby!, board: (sql: Database, most: number) => hunts.board(sql, most) }],
      ["tournaments", tournamentDomain.definition.lobby!],
    ]);
    board = new LobbyBoard({ feed, lists, database, clock, log: silentLog });
  });
  afterEach(async () => {
    board.stop();
    await database.close();
  });

  async function store(id: string, phase: HuntPhase): Promise<void> {
    await database.write("DELETE FROM hunts WHERE id = ?", [id]);
    const definition = someSealedHunt();
    const times = { startsAt: 1, phaseEndsAt: 2, endsAt: 3, createdAt: 0, updatedAt: 0 };
    await database.transaction((tx) =>
      insertHunt(tx, {
        id,
        name: id,
        phase,
        ledgerEpoch: 0,
        pauses: 0,
        pausing: null,
        reviewSince: null,
        cancelReason: null,
        definition,
        winners: null,
        figures: null,
        createdBy: "op",
        ...times,
      }),
    );
  }

  const nth = (phase: HuntPhase, at: number): string => `${phase}${String(at).padStart(3, "0")}`;

  /** So many hunts, one beginning after the other. */
  async function storeMany(phase: HuntPhase, count: number): Promise<void> {
    await store("one", phase);
    const columns = "name, phase, phase_ends_at, ends_at, ledger_epoch, definition, created_by, created_at, updated_at";
    for (let at = 0; at < count; at++)
      await database.write(
        `INSERT INTO hunts (id, starts_at, ${columns}) SELECT ?, ?, ${columns} FROM hunts WHERE id = 'one'`,
        [nth(phase, at), 10 + at],
      );
    await database.write("DELETE FROM hunts WHERE id = 'one'");
  }

  async function tell(id: string, phase: HuntPhase): Promise<void> {
    const data = { id, name: id, phase, startsAt: 1, phaseEndsAt: 2 };
    await feed.append([{ key: `k${++keys}`, topic: LOBBY_TOPIC, at: 0, type: "huntPhase", data }]);
  }

  const shown = (): string[] => [...board.coming, ...board.on].map(({ id, phase }) => `${id} ${phase}`);

  it("shows what is coming and what is on, and follows the news", async () => {
    await store("a", "scheduled");
    await store("b", "solving");
    await store("c", "finished");
    await board.start();
    assert.deepEqual(shown(), ["a scheduled", "b solving"]);
    await tell("a", "solving");
    await tell("b", "finished");
    assert.deepEqual(shown(), ["a solving"]);
  });

  it("is not set back by news of a phase that is over, also of what has ended", async () => {
    await store("a", "solving");
    await store("b", "solving");
    await board.start();
    await tell("a", "reveal");
    await tell("a", "solving");
    await tell("b", "finished");
    await tell("b", "reveal");
    assert.deepEqual(shown(), ["a reveal"]);
  });

  it("shows a popup window until its end, though nobody says that it has ended", async () => {
    const closesAt = now + 1000;
    const data = { id: "w1", contentId: "c", title: "T", body: "B", openedAt: now, closesAt };
    await board.start();
    await feed.append([{ key: "w1", topic: LOBBY_TOPIC, at: 0, type: "popupOpened", data }]);
    assert.deepEqual(board.popup, data);
    now = closesAt - 1;
    assert.deepEqual(board.popup, data);
    now = closesAt;
    assert.equal(board.popup, undefined);
  });

  it("does not fall behind news that come while it reads", async () => {
    await store("a", "solving");
    hunts.afterwards = async () => {
      await store("a", "finished");
      await tell("a", "finished");
    };
    await board.start();
    assert.deepEqual(shown(), []);
  });

  it("goes on to what comes next when what it knew is over, however much there is", async () => {
    await storeMany("scheduled", 300);
    await board.start();
    const ids = (from: number): string[] => Array.from({ length: 50 }, (_, at) => nth("scheduled", from + at));
    assert.deepEqual(
      board.coming.map(({ id }) => id),
      ids(0),
    );
    for (let over = 0; over < 220; over++) {
      await database.write("UPDATE hunts SET phase = 'cancelled' WHERE id = ?", [nth("scheduled", over)]);
      await tell(nth("scheduled", over), "cancelled");
    }
    await until(() => board.coming.length === 50, { timeoutMs: DEADLINE_MS, what: "the next ones are read" });
    assert.deepEqual(
      board.coming.map(({ id }) => id),
      ids(220),
    );
  });

  it("shows the latest of what is on, and what begins now, where more is on than it shows", async () => {
    await storeMany("solving", 300);
    await board.start();
    const latest = Array.from({ length: 50 }, (_, at) => nth("solving", 250 + at));
    assert.deepEqual(
      board.on.map(({ id }) => id),
      latest,
    );
    const data = { id: "new", name: "new", phase: "discovery", startsAt: 1000, phaseEndsAt: 2000 };
    await feed.append([{ key: "new", topic: LOBBY_TOPIC, at: 0, type: "huntPhase", data }]);
    assert.deepEqual(
      board.on.map(({ id }) => id),
      [...latest.slice(1), "new"],
    );
  });

  it("reads anew when news may have been lost, and tells its readers", async () => {
    await store("a", "solving");
    await board.start();
    const readAnew = Promise.withResolvers<void>();
    const told: string[] = [];
    board.join({
      onBoard: () => readAnew.resolve(void told.push("board")),
      onEvent: () => assert.fail("there is no event"),
      onReset: () => told.push("reset"),
    });
    await store("a", "finished");
    await store("b", "scheduled");
    feed.lose();
    await readAnew.promise;
    assert.deepEqual(shown(), ["b scheduled"]);
    assert.deepEqual(told, ["reset", "board"]);
  });
});
