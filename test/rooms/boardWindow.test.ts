import assert from "node:assert/strict";
import fc from "fast-check";
import { BoardWindow, keyOf } from "../../src/rooms/lobby/BoardWindow.ts";
import type { BoardEntry } from "../../src/rooms/lobby/LobbyBoard.ts";

const MOST = 8;
const SHOWN = 3;

const entry = (id: string, startsAt: number): BoardEntry => ({
  id,
  domain: "hunts",
  name: id,
  phase: "scheduled",
  startsAt,
  endsAt: 0,
  pausedAt: 0,
  reviewSince: 0,
});

describe("a window of the lobby's board", () => {
  for (const end of ["soonest", "latest"] as const)
    it(`shows the ${end} of everything, whatever is put and removed, once it has read what it lacks`, () => {
      const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
      console.log(`      seed ${seed} (replay: SEED=${seed})`);
      const step = fc.record({
        id: fc.integer({ min: 0, max: 40 }).map((n) => `e${n}`),
        startsAt: fc.integer({ min: 0, max: 20 }),
        isRemoved: fc.boolean(),
      });
      fc.assert(
        fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
          const all = new Map<string, BoardEntry>();
          const window = new BoardWindow({ end, most: MOST, shown: SHOWN });
          const sorted = (): BoardEntry[] =>
            [...all.values()].sort((a, b) => a.startsAt - b.startsAt || (a.id < b.id ? -1 : 1));
          for (const { id, startsAt, isRemoved } of steps) {
            const one = entry(id, startsAt);
            if (isRemoved) all.delete(keyOf(one));
            else all.set(keyOf(one), one);
            if (isRemoved) window.remove(keyOf(one));
            else window.put(one);
            if (window.lacks) {
              const read = end === "soonest" ? sorted().slice(0, MOST) : sorted().slice(-MOST);
              window.fill(read, all.size <= MOST);
            }
            const expected = end === "soonest" ? sorted().slice(0, SHOWN) : sorted().slice(-SHOWN);
            assert.deepEqual(window.shown, expected);
          }
        }),
        { seed, numRuns: 300 },
      );
    });
});
