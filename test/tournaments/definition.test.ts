import assert from "node:assert/strict";
import { termsOf, tournamentDefinition } from "../../src/actors/tournaments/definition.ts";
import type { Game } from "../../src/entities/tournaments/Game.ts";
import type { RingmasterError } from "../../src/errors.ts";
import { validate } from "../../src/validate.ts";
import { someTournament } from "./someTournament.ts";

describe("the prizes of a tournament, as it is defined,", () => {
  it("are of ranks that somebody can have", () => {
    const items = [{ item: "TICO", amount: "1" }];
    const define = (to: number) =>
      validate(tournamentDefinition, { ...someTournament(), maxSubmissions: 3, prizes: [{ from: 1, to, items }] });
    assert.equal(define(3).prizes[0]!.to, 3);
    assert.throws(
      () => define(4),
      ({ details }: RingmasterError) => {
        const message = "must be at most 3, for no more players than submissions have a standing";
        assert.deepEqual(details, [{ path: "prizes.0.to", message }]);
        return true;
      },
    );
  });
});

describe("what is stored of a tournament's definition", () => {
  const game = (change: Partial<Game> = {}): Game => ({
    ...{ id: "snake", name: "Snake", precision: 0, order: "desc", minScore: 0, maxScore: 100 },
    submissionsPerMinute: 60,
    runs: "optional",
    ...change,
  });
  const terms = (change: object, of: Game) =>
    termsOf(validate(tournamentDefinition, { ...someTournament(), ...change }), of);

  it("has the order of its game unless it says another", () => {
    assert.equal(terms({}, game()).order, "desc");
    assert.equal(terms({}, game({ order: "asc" })).order, "asc");
    assert.equal(terms({ order: "desc" }, game({ order: "asc" })).order, "desc");
  });

  it("needs runs where it says so, and always where its game does", () => {
    for (const [said, ofGame, stored] of [
      [undefined, "optional", "optional"],
      ["required", "optional", "required"],
      [undefined, "required", "required"],
      ["optional", "required", "required"],
    ] as const)
      assert.equal(terms({ runs: said }, game({ runs: ofGame })).runs, stored);
  });

  it("bounds the steps of an increment: by what it says, and by the best score of its game", () => {
    const steps = (maxStep: number | undefined, of: Game) => {
      const { minStep, maxStep: most } = terms({ operator: "increment", maxStep }, of);
      return [minStep, most];
    };
    assert.deepEqual(steps(undefined, game()), [-100, 100]);
    assert.deepEqual(steps(7, game()), [-7, 7]);
    assert.deepEqual(steps(undefined, game({ minScore: -50, maxScore: 50 })), [-100, 50]);
    assert.deepEqual(steps(undefined, game({ order: "asc" })), [0, 100]);
    assert.deepEqual(steps(7, game({ order: "asc", minScore: -50 })), [-7, 7]);
    assert.equal("minStep" in terms({}, game()), false);
    assert.throws(() => terms({ maxStep: 7 }, game()), { code: "invalid_payload" });
  });
});

describe("a series of tournaments, as it is defined,", () => {
  const define = (cron: string, timezone = "UTC") =>
    validate(tournamentDefinition, { ...someTournament(), series: { cron, timezone } }).series;

  it("begins once a minute at most", () => {
    for (const cron of ["* * * * *", "30 * * * * *", "0 12 * * *", "30 2 L 3 *", "0 0 29 2 *", "@hourly"])
      assert.deepEqual(define(cron, "Europe/Berlin"), { cron, timezone: "Europe/Berlin" });
    for (const cron of ["* * * * * *", "*/30 * * * * *", "0,59 * * * * *", "10,11 0 12 * * *", "1,2 30 2 29 2 *"]) {
      assert.throws(
        () => define(cron),
        ({ code, details }: RingmasterError) => {
          assert.equal(code, "invalid_payload");
          const message = "tournaments of a series begin at least 60 seconds apart";
          assert.deepEqual(details, [{ path: "series.cron", message }]);
          return true;
        },
        cron,
      );
    }
  });

  it("names the pattern or zone that is none", () => {
    for (const [cron, zone] of [
      ["61 * * * *", "UTC"],
      ["0 12 * * *", "Mars/Olympus"],
    ] as const)
      assert.throws(() => define(cron, zone), { code: "invalid_payload" });
  });
});
