import assert from "node:assert/strict";
import { CrashBlame } from "../../src/actors/runtime/CrashBlame.ts";
import { CrashTable } from "../../src/actors/runtime/CrashTable.ts";
import { seededRng } from "../../src/clock.ts";
import type { Database } from "../../src/entities/sql.ts";
import { openDatabase } from "../support/database.ts";
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
    const alsoNew = (at: number): Record<string, number> => ({ [`new ${at}`]: 0, [`other ${at}`]: 0 });
    return quarantinedAlone(deaths.map((ages, at) => ({ ...ages, ...alsoNew(at) })));
  }

  /** The same, in the hands of nobody else. Just let in is whoever was so at that moment, and each of `fresh`. */
  async function quarantinedAlone(deaths: ReadonlyArray<Record<string, number>>, fresh = [""]): Promise<string[]> {
    for (const [at, ages] of deaths.entries()) {
      const names = Object.entries(ages).map(([id, ageMs]) => {
        return { kind: "k", id, isFresh: ageMs === 0 || fresh.includes(id), ageMs };
      });
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

  it("is not one that was let in alone while another one of as many deaths stayed, but that one once it has more", async () => {
    const deaths: Record<string, number>[] = [
      { x: 20, y: 1300 },
      { x: 150, y: 4200 },
      { x: 90, y: 2800 },
      { x: 10, y: 5100 },
      { x: 170, y: 1900 },
    ];
    assert.deepEqual(await quarantinedAlone(deaths, ["x"]), []);
    assert.deepEqual(await quarantinedAlone([...deaths, { y: 3300 }], ["x"]), ["y"]);
  });

  it("is nobody of few that was the last to come at each of three deaths, as one that stays for long may be", async () => {
    assert.deepEqual(await quarantinedAlone([0, 1, 2].map((at) => ({ x: 0, y: [9000, 20_000, 4000][at]! }))), []);
  });

  it("is one of many that was the last to come at each of three deaths", async () => {
    const deaths = [0, 1, 2].map((at) => ({ ...others(at), x: 0, [`new ${at}`]: 0 }));
    assert.deepEqual(await quarantinedAlone(deaths), ["x"]);
  });

  it("is nobody of whom a node of the version before has not said for how long it had been in hand", async () => {
    await database.write("INSERT INTO actor_in_hand (node_id, life, actors, written_at) VALUES ('old', 'life', ?, 0)", [
      JSON.stringify(["x", "p", "q"].map((id) => ["k", id, 1])),
    ]);
    await peer.judge("old");
    assert.deepEqual(await quarantined([{ x: 100 }, { x: 100 }]), []);
  });
});
