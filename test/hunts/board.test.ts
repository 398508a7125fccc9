import assert from "node:assert/strict";
import { LOBBY_TOPIC } from "../../src/actors/hunts/HuntActor.ts";
import { systemClock } from "../../src/clock.ts";
import { openDatabase } from "../../src/entities/database.ts";
import { type HuntListing, type HuntPhase, Hunts, insertHunt } from "../../src/entities/hunts/Hunt.ts";
import type { Database } from "../../src/entities/sql.ts";
import { Tournaments } from "../../src/entities/tournaments/Tournament.ts";
import { LobbyBoard } from "../../src/rooms/lobby/LobbyBoard.ts";
import { silentLog } from "../actors/simulation.ts";
import { LossyFeed } from "../support/LossyFeed.ts";
import { someSealedHunt } from "./someHunt.ts";

/** Reads as slowly as a test wants. */
class SlowHunts extends Hunts {
  /** What the next read does after it has read. */
  afterwards: () => Promise<void> = async () => {};

  override async list(): Promise<HuntListing[]> {
    const listings = await super.list();
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
    hunts = new SlowHunts(database);
    const tournaments = new Tournaments(database);
    board = new LobbyBoard({ feed, hunts, tournaments, database, clock, log: silentLog });
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
        definition,
        winners: null,
        figures: null,
        createdBy: "op",
        ...times,
      }),
    );
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
