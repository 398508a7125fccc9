import assert from "node:assert/strict";
import { CrashBlame } from "../../src/actors/runtime/CrashBlame.ts";
import { CrashTable } from "../../src/actors/runtime/CrashTable.ts";
import { seededRng } from "../../src/clock.ts";
import { openDatabase } from "../../src/entities/database.ts";
import type { Database } from "../../src/entities/sql.ts";
import { ManualClock, silentLog } from "./simulation.ts";

describe("who goes into quarantine of those that nodes died in the hands of", () => {
  let database: Database;
  let peer: CrashBlame;

  beforeEach(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    peer = new CrashBlame(database, "peer", { clock: new ManualClock(), rng: seededRng(1), log: silentLog });
    for (const id of ["x", "y", "p", "q"])
      await database.write(
        `INSERT INTO actors (kind, id, owner, epoch, version, state, timers, due_at, crashes, created_at, updated_at)
         VALUES ('k', ?, NULL, 1, 0, '{}', '[]', NULL, 2, 0, 0)`,
        [id],
      );
  });

  afterEach(() => database.close());

  /** Node after node dies, in each case so long after each of these was let in; and in the hands of two that had only just been. */
  async function quarantined(deaths: ReadonlyArray<Record<string, number>>): Promise<string[]> {
    for (const [at, ages] of deaths.entries()) {
      const entries = Object.entries({ ...ages, [`new ${at}`]: 0, [`other ${at}`]: 0 });
      const names = entries.map(([id, ageMs]) => ({ kind: "k", id, isFresh: ageMs === 0, ageMs }));
      await new CrashTable(database, `n${at}`).store("life", names, 1000);
      await peer.judge(`n${at}`);
    }
    const rows = await database.query<{ id: string }>("SELECT id FROM actors WHERE crashes >= 4");
    return rows.map(({ id }) => id);
  }

  it("is the one that had been in hand for the same time at three deaths, of several that had been so for long", async () => {
    const deaths = [
      { x: 100, y: 20, p: 99 },
      { x: 101, y: 180, p: 60 },
      { x: 102, y: 90, p: 140 },
    ];
    assert.deepEqual(await quarantined(deaths.slice(0, 2)), []);
    assert.deepEqual(await quarantined(deaths), ["x"]);
  });

  /** Forty more, each of which had been in hand for another time at each death. */
  const others = (death: number): Record<string, number> =>
    Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`c${at}`, 20 + ((at * 37 + death * 61) % 170)]));

  it("is nobody of many whose times were about the same at three deaths, which may be chance, but at four", async () => {
    const deaths = [{ x: 100 }, { x: 110 }, { x: 104 }, { x: 98 }].map((one, at) => ({ ...others(at), ...one }));
    assert.deepEqual(await quarantined(deaths.slice(0, 3)), []);
    assert.deepEqual(await quarantined(deaths), ["x"]);
  });

  it("is one of many that had been let in shortly before each of three deaths, which is not", async () => {
    const deaths = [{ x: 14 }, { x: 3 }, { x: 9 }].map((one, at) => ({ ...others(at), ...one }));
    assert.deepEqual(await quarantined(deaths), ["x"]);
  });

  it("is nobody as long as another one was in hand at more deaths", async () => {
    const deaths: Record<string, number>[] = [
      { y: 30, p: 1 },
      { x: 100, y: 70, p: 2 },
      { x: 100, y: 190 },
      { x: 100, y: 10 },
    ];
    assert.deepEqual(await quarantined(deaths), []);
  });

  it("is nobody as long as there are two such ones", async () => {
    const together = { x: 100, y: 50 };
    assert.deepEqual(await quarantined([together, together, together]), []);
    assert.deepEqual(await quarantined([together, together, together, { x: 101, y: 80 }]), ["x"]);
  });

  it("is nobody of whom a node of the version before has not said for how long it had been in hand", async () => {
    await database.write("INSERT INTO actor_in_hand (node_id, life, actors, written_at) VALUES ('old', 'life', ?, 0)", [
      JSON.stringify(["x", "p", "q"].map((id) => ["k", id, 1])),
    ]);
    await peer.judge("old");
    assert.deepEqual(await quarantined([{ x: 100 }, { x: 100 }]), []);
  });
});
