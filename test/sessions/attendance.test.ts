import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import type { Clock } from "../../src/clock.ts";
import { SessionHistory } from "../../src/entities/sessions/SessionHistory.ts";
import type { Database } from "../../src/entities/sql.ts";
import { RingmasterError } from "../../src/errors.ts";
import { REPORT_EVERY_MS } from "../../src/stores/sessions/Attendance.ts";
import { MemorySessionStore } from "../../src/stores/sessions/MemorySessionStore.ts";
import { SessionService } from "../../src/stores/sessions/SessionService.ts";
import { type AttendanceReport, LEAVING_MS, MOST_REPORTED } from "../../src/stores/sessions/SessionStore.ts";
import { openDatabase } from "../support/database.ts";

const START = 1_700_000_000_000;
const TIMEOUT_MS = 1_800_000;

/** Time that a test moves; what falls due is called in order. */
class HandClock implements Clock {
  #now = START;
  #due: { at: number; callback: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  schedule(callback: () => void, ms: number): () => void {
    const entry = { at: this.#now + ms, callback };
    this.#due.push(entry);
    return () => {
      this.#due = this.#due.filter((each) => each !== entry);
    };
  }

  /** What a callback sets off has happened when the next one is called. */
  async pass(ms: number): Promise<void> {
    const until = this.#now + ms;
    for (;;) {
      const next = this.#due.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#due = this.#due.filter((each) => each !== next);
      this.#now = next.at;
      next.callback();
      await setImmediate();
    }
    this.#now = until;
  }
}

/** The real store, with a switch that takes it out of reach and a record of what it was told. */
class ObservedStore extends MemorySessionStore {
  readonly reports: AttendanceReport[] = [];
  isAway = false;

  override async report(report: AttendanceReport): Promise<number> {
    if (this.isAway) throw new RingmasterError("unavailable");
    this.reports.push(report);
    return super.report(report);
  }
}

describe("attendance", () => {
  let clock: HandClock;
  let store: ObservedStore;
  let service: SessionService;
  let database: Database;

  before(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
  });
  after(() => database.close());
  beforeEach(() => {
    clock = new HandClock();
    store = new ObservedStore({ timeoutMs: TIMEOUT_MS });
    service = new SessionService({
      store,
      history: new SessionHistory(database),
      clock,
      nodeId: "n1",
      liveNodes: () => ["n1"],
      log: { warn: () => {} },
    });
  });

  const player = (playerId: string) => ({ playerId, role: "player" });

  it("reports all of a room's activity in one call an interval, however many messages there were", async () => {
    const room = service.attend();
    for (let second = 0; second < (3 * REPORT_EVERY_MS) / 1000; second++) {
      for (let at = 0; at < 20; at++) room.seen(player(`p${at}`), `s${at}`);
      await clock.pass(1000);
    }
    await service.flush();
    assert.equal(store.reports.length, 3);
    assert.deepEqual(store.reports[1]!.seen[0], {
      playerId: "p0",
      seat: "s0",
      from: START + REPORT_EVERY_MS,
      at: START + 2 * REPORT_EVERY_MS - 1000,
    });
    assert.ok(store.reports.every(({ seen }) => seen.length === 20));
  });

  it("asks nothing of the store while nobody does anything", async () => {
    service.attend().seen(player("ada"), "s1");
    await clock.pass(TIMEOUT_MS);
    await service.flush();
    assert.equal(store.reports.length, 1);
  });

  it("begins the session when the player came, not when it was reported", async () => {
    service.noteCaller(player("ada"));
    await clock.pass(700);
    const { current } = await service.sessionsOf("ada");
    assert.deepEqual(current, { startedAt: START, seenAt: START, endsAt: START + TIMEOUT_MS });
  });

  it("tells of leaving with the next report, also when the room is gone by then", async () => {
    const room = service.attend();
    room.seen(player("ada"), "s1");
    await clock.pass(2000);
    room.left(player("ada"), "s1");
    await clock.pass(REPORT_EVERY_MS);
    await service.flush();
    assert.equal((await store.current("ada", clock.now()))?.endsAt, START + 2000 + LEAVING_MS);
  });

  it("counts players only, and no id that the history could not hold", async () => {
    for (const role of ["viewer", "operator"]) service.noteCaller({ playerId: role, role });
    service.noteCaller(player("x".repeat(33)));
    service.noteCaller(player("\ud800"));
    await service.flush();
    assert.deepEqual(store.reports, []);
  });

  it("tells later what it could not tell, with its own times", async () => {
    const room = service.attend();
    store.isAway = true;
    room.seen(player("ada"), "s1");
    room.seen(player("bob"), "s2");
    await clock.pass(REPORT_EVERY_MS);
    await service.flush();
    room.seen(player("ada"), "s1");
    room.left(player("bob"), "s2");
    store.isAway = false;
    await clock.pass(REPORT_EVERY_MS);
    await service.flush();
    assert.deepEqual(
      store.reports.map(({ seen, left }) => ({
        seen: seen.map(({ playerId, from, at }) => [playerId, from, at]),
        left,
      })),
      [
        {
          seen: [
            ["ada", START, START + REPORT_EVERY_MS],
            ["bob", START, START],
          ],
          left: [{ playerId: "bob", seat: "s2", at: START + REPORT_EVERY_MS }],
        },
      ],
    );
  });

  it("reports a crowd in calls of a bounded size, its leaving last", async () => {
    const room = service.attend();
    for (let at = 0; at < MOST_REPORTED + 10; at++) room.seen(player(`p${at}`), `s${at}`);
    await clock.pass(1);
    for (let at = 0; at < MOST_REPORTED; at++) room.left(player(`p${at}`), `s${at}`);
    await service.flush();
    assert.deepEqual(
      store.reports.map(({ seen, left }) => [seen.length, left.length]),
      [
        [MOST_REPORTED, 0],
        [10, MOST_REPORTED - 10],
        [0, 10],
      ],
    );
    const ended = await store.ended(clock.now() + LEAVING_MS, 10_000);
    assert.equal(ended.length, MOST_REPORTED);
  });
});
