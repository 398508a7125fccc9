import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { ResultHash, type ResultHead } from "../../src/actors/tournaments/result.ts";

const HEAD: ResultHead = {
  id: "t1",
  game: "snake",
  operator: "best",
  order: "desc",
  startsAt: 1000,
  endsAt: 5000,
  prizes: [{ from: 1, to: 3, items: [{ item: "TICO", amount: "100" }] }],
  precision: 0,
};
const standing = (rank: number, score: number) => ({ rank, playerId: `p${rank}`, score, subscore: -2, entries: 4 });
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

describe("the hash of a tournament's result", () => {
  it("is SHA-256 over a line for the tournament and one for each standing", () => {
    const hash = new ResultHash(HEAD);
    hash.add([standing(1, 1e21), standing(2, 0.1 + 0.2), standing(3, -0)]);
    assert.equal(
      hash.hex,
      sha256(
        '{"id":"t1","game":"snake","operator":"best","order":"desc","startsAt":1000,"endsAt":5000,' +
          '"prizes":[{"from":1,"to":3,"items":[{"item":"TICO","amount":"100"}]}]}\n' +
          '[1,"p1",1e+21,-2,4]\n[2,"p2",0.30000000000000004,-2,4]\n[3,"p3",0,-2,4]\n',
      ),
    );
  });

  it("says scores as clients read them", () => {
    const [units, decimals] = [new ResultHash({ ...HEAD, precision: 2 }), new ResultHash(HEAD)];
    units.add([standing(1, 30), standing(2, -5)]);
    decimals.add([standing(1, 0.3), standing(2, -0.05)]);
    assert.equal(units.hex, decimals.hex);
  });

  it("is that of the first line where nobody took part, and may be asked for twice", () => {
    const hash = new ResultHash({ ...HEAD, prizes: [] });
    const expected = sha256(
      '{"id":"t1","game":"snake","operator":"best","order":"desc","startsAt":1000,"endsAt":5000,"prizes":[]}\n',
    );
    assert.deepEqual([hash.hex, hash.hex], [expected, expected]);
  });

  it("is the same in whatever order the fields of the prizes and the tournament were written", () => {
    const [{ from, to, items }] = HEAD.prizes as [(typeof HEAD.prizes)[number]];
    const shuffled = { prizes: [{ items: items.map(({ item, amount }) => ({ amount, item })), to, from }] };
    assert.equal(new ResultHash({ ...shuffled, ...HEAD, ...shuffled }).hex, new ResultHash(HEAD).hex);
  });

  it("is the same in whatever pages the standings come", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true, noDefaultInfinity: true })), fc.nat(), (scores, cut) => {
        const rows = scores.map((score, at) => standing(at + 1, score));
        const whole = new ResultHash(HEAD);
        whole.add(rows);
        const parts = new ResultHash(HEAD);
        const at = rows.length === 0 ? 0 : cut % rows.length;
        parts.add(rows.slice(0, at));
        parts.add([]);
        parts.add(rows.slice(at));
        assert.equal(parts.hex, whole.hex);
      }),
    );
  });
});
