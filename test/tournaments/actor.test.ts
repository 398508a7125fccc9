import assert from "node:assert/strict";
import { LOBBY_TOPIC, roomsTopic } from "../../src/actors/runtime/Actor.ts";
import { TournamentActor } from "../../src/actors/tournaments/TournamentActor.ts";
import type { Database } from "../../src/entities/sql.ts";
import { type TournamentRecord, Tournaments, type TournamentTerms } from "../../src/entities/tournaments/Tournament.ts";
import { openDatabase } from "../support/database.ts";
import { SOME_PRIZES, someTerms, TournamentWorld, writeEntries } from "./settlements.ts";

const LATER = 300_000;

describe("a tournament's actor", () => {
  let database: Database;
  let world: TournamentWorld;

  beforeEach(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    world = new TournamentWorld(database);
    await world.join("n0");
  });
  afterEach(() => database.close());

  const stored = async (id = "t"): Promise<TournamentRecord> => (await new Tournaments(database).get(id))!;
  const create = (change: Partial<TournamentTerms> = {}, id = "t") => {
    const terms = someTerms(change.startsAt ?? world.clock.now() + LATER, change);
    return world.within(world.tournament(id).create(terms, "op", null));
  };
  const phases = async (): Promise<unknown[]> =>
    (await world.notified(roomsTopic(TournamentActor, "t"))).map(
      ([type, data]) => (data as { phase?: string }).phase ?? type,
    );

  /** As rows of every table, but for those that the database keeps for itself. */
  async function everything(): Promise<Map<string, unknown[]>> {
    const tables = await database.query<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'");
    const rows = new Map<string, unknown[]>();
    for (const { name } of tables) rows.set(name, await database.query(`SELECT * FROM "${name}"`));
    return rows;
  }

  describe("and its phases", () => {
    const LIVES: [string, Partial<TournamentTerms>, [string, number][]][] = [
      [
        "with a grace",
        {},
        [
          ["open", 10_000],
          ["grace", 15_000],
          ["settling", 0],
          ["settled", 0],
        ],
      ],
      [
        "without one",
        { graceMs: 0 },
        [
          ["open", 10_000],
          ["settling", 0],
          ["settled", 0],
        ],
      ],
    ];
    for (const [name, change, expected] of LIVES) {
      it(`runs through them by itself, each to the millisecond: ${name}`, async () => {
        const { startsAt } = await create(change);
        await world.clock.advance(2 * LATER);
        const heard = (await world.notified(roomsTopic(TournamentActor, "t"))).filter(([type]) => type === "phase");
        assert.deepEqual(
          heard.map(([, data]) => data),
          expected.map(([phase, ends]) => ({
            phase,
            endsAt: startsAt + 10_000,
            phaseEndsAt: ends === 0 ? 0 : startsAt + ends,
          })),
        );
        const record = await stored();
        assert.equal(record.phase, "settled");
        assert.deepEqual([record.startsAt, record.endsAt, record.phaseEndsAt], [startsAt, startsAt + 10_000, 0]);
        assert.equal(record.overAt, startsAt + (change.graceMs === 0 ? 10_000 : 15_000));
      });
    }

    it("tells the lobby what comes, of each phase, and of the outcome", async () => {
      const { startsAt } = await create({ graceMs: 0, prizes: SOME_PRIZES });
      await writeEntries(database, "t", 4);
      await world.clock.advance(2 * LATER);
      const status = { id: "t", name: "Harbour cup", game: "snake", startsAt, endsAt: startsAt + 10_000 };
      const told = await world.notified(LOBBY_TOPIC);
      assert.deepEqual(told.slice(0, 4), [
        ["tournamentScheduled", { ...status, phase: "scheduled", phaseEndsAt: startsAt }],
        ["tournamentPhase", { ...status, phase: "open", phaseEndsAt: startsAt + 10_000 }],
        ["tournamentPhase", { ...status, phase: "settling", phaseEndsAt: 0 }],
        ["tournamentPhase", { ...status, phase: "settled", phaseEndsAt: 0 }],
      ]);
      const { resultHash, players } = await stored();
      const [[type, outcome]] = told.slice(4) as [[string, { winners: { rank: number; prizes: unknown }[] }]];
      assert.equal(type, "tournamentSettled");
      const { winners, ...rest } = outcome;
      assert.deepEqual(rest, { id: "t", name: "Harbour cup", game: "snake", players: 4, resultHash });
      assert.equal(players, 4);
      assert.deepEqual(
        winners.map(({ rank, prizes }) => [rank, prizes]),
        [
          [
            1,
            [
              { item: "PRIVATE_PASS", amount: "1" },
              { item: "TICO", amount: "150" },
            ],
          ],
          [2, [{ item: "TICO", amount: "50" }]],
          [3, [{ item: "TICO", amount: "50" }]],
        ],
      );
      assert.deepEqual((await world.notified(roomsTopic(TournamentActor, "t"))).at(-1), [
        "settled",
        { resultHash, players: 4 },
      ]);
    });

    it("opens at once when its start has passed already, and keeps its end", async () => {
      const startsAt = world.clock.now() - 1000;
      await create({ startsAt });
      await world.clock.advance(100);
      const record = await stored();
      assert.deepEqual([record.phase, record.startsAt, record.phaseEndsAt], ["open", startsAt, startsAt + 10_000]);
    });

    it("goes on after its node died, with each phase ending when it was to end", async () => {
      const { startsAt } = await create({ endsAt: world.clock.now() + LATER + 60_000 });
      await world.clock.advance(LATER + 15_000);
      await world.node.crash();
      await world.join("n1");
      await world.clock.advance(48_000);
      const { phase, phaseEndsAt } = await stored();
      assert.deepEqual([phase, phaseEndsAt], ["grace", startsAt + 65_000]);
    });

    it("passes through every phase that an outage has covered", async () => {
      const { startsAt } = await create();
      await world.node.crash();
      await world.clock.advance(3 * LATER);
      await world.join("n1");
      await world.clock.advance(10_000);
      assert.deepEqual(await phases(), ["open", "grace", "settling", "settled", "settled"]);
      const { endsAt, startsAt: began } = await stored();
      assert.deepEqual([began, endsAt], [startsAt, startsAt + 10_000]);
    });

    it("has what is left of the phase that an outage ended in", async () => {
      const { startsAt } = await create({ endsAt: world.clock.now() + 2 * LATER });
      await world.node.crash();
      await world.clock.advance(LATER + 40_000);
      await world.join("n1");
      await world.clock.advance(10_000);
      const { phase, phaseEndsAt } = await stored();
      assert.deepEqual([phase, phaseEndsAt], ["open", startsAt + LATER]);
    });
  });

  describe("and its operators", () => {
    it("is started before its time, and ends when it was to end", async () => {
      const { endsAt } = await create();
      const now = world.clock.now();
      const status = await world.within(world.tournament().start());
      assert.deepEqual([status.phase, status.endsAt, status.phaseEndsAt], ["open", endsAt, endsAt]);
      assert.ok(status.startsAt >= now && status.startsAt < now + 10, "it began now");
      assert.deepEqual(await world.within(world.tournament().status()), status);
      await world.clock.advance(LATER);
      assert.equal((await stored()).phase, "open", "the timer of the start is gone");
    });

    it("is ended early: the grace begins now, with its full length, and may be ended as well", async () => {
      await create();
      await world.within(world.tournament().start());
      const now = world.clock.now();
      const grace = await world.within(world.tournament().end());
      assert.equal(grace.phase, "grace");
      assert.ok(grace.endsAt >= now && grace.endsAt < now + 10, "the time to play ended now");
      assert.equal(grace.phaseEndsAt, grace.endsAt + 5000);
      const settling = await world.within(world.tournament().end());
      assert.deepEqual([settling.phase, settling.endsAt, settling.phaseEndsAt], ["settling", grace.endsAt, 0]);
      await world.clock.advance(2 * LATER);
      assert.deepEqual(await phases(), ["open", "grace", "settling", "settled", "settled"], "no timer is left");
    });

    it("is postponed before it opens: its start and its end come later by as much", async () => {
      const { startsAt, endsAt } = await create();
      const later = await world.within(world.tournament().postpone(7000));
      assert.deepEqual(
        [later.startsAt, later.endsAt, later.phaseEndsAt],
        [startsAt + 7000, endsAt + 7000, startsAt + 7000],
      );
      await world.clock.advance(startsAt + 6900 - world.clock.now());
      assert.equal((await stored()).phase, "scheduled");
      await world.clock.advance(200);
      const { phase, ...times } = await stored();
      assert.deepEqual([phase, times.startsAt, times.endsAt], ["open", startsAt + 7000, endsAt + 7000]);
    });

    it("is extended before it opens: only its end moves", async () => {
      const { startsAt, endsAt } = await create();
      const longer = await world.within(world.tournament().extend(5000));
      assert.deepEqual([longer.startsAt, longer.endsAt, longer.phaseEndsAt], [startsAt, endsAt + 5000, startsAt]);
      await world.clock.advance(startsAt + 100 - world.clock.now());
      const { phase, phaseEndsAt } = await stored();
      assert.deepEqual([phase, phaseEndsAt], ["open", endsAt + 5000]);
    });

    it("is extended: while it is open its end moves, and in grace only that of the grace", async () => {
      const { endsAt } = await create();
      await world.within(world.tournament().start());
      const longer = await world.within(world.tournament().extend(5000));
      assert.deepEqual([longer.endsAt, longer.phaseEndsAt], [endsAt + 5000, endsAt + 5000]);
      await world.clock.advance(endsAt + 4900 - world.clock.now());
      assert.equal((await stored()).phase, "open");
      await world.clock.advance(200);
      assert.equal((await stored()).phase, "grace");
      const grace = await world.within(world.tournament().extend(60_000));
      assert.deepEqual([grace.endsAt, grace.phaseEndsAt], [endsAt + 5000, endsAt + 5000 + 5000 + 60_000]);
      await world.clock.advance(64_000);
      assert.equal((await stored()).phase, "grace");
      await world.clock.advance(2000);
      assert.equal((await stored()).phase, "settled");
    });

    for (const [phase, steps] of [
      ["scheduled", 0],
      ["open", 1],
      ["grace", 2],
    ] as const) {
      it(`is called off while it is ${phase}, and then nothing more happens to it`, async () => {
        await create({ prizes: SOME_PRIZES });
        await writeEntries(database, "t", 4);
        for (let step = 0; step < steps; step++)
          await world.within(step === 0 ? world.tournament().start() : world.tournament().end());
        const status = await world.within(world.tournament().cancel());
        assert.deepEqual([status.phase, status.phaseEndsAt], ["cancelled", 0]);
        const record = await stored();
        assert.equal(record.boardEpoch, 1, "what the board decides from now on cannot be committed");
        assert.ok(record.overAt > 0);
        assert.deepEqual([record.players, record.resultHash, record.prizesDistributed], [null, null, false]);
        await world.clock.advance(2 * LATER);
        assert.deepEqual(await stored(), record);
        assert.deepEqual(await database.query("SELECT 1 FROM standings UNION SELECT 1 FROM awards"), []);
      });
    }

    type Command = "start" | "end" | "extend" | "postpone" | "cancel" | "rebuild";
    const ALLOWED: Record<Command, string[]> = {
      start: ["scheduled"],
      end: ["open", "grace"],
      extend: ["scheduled", "open", "grace"],
      postpone: ["scheduled"],
      cancel: ["scheduled", "open", "grace"],
      rebuild: ["open", "grace"],
    };
    const PHASES = ["scheduled", "open", "grace", "settled", "cancelled"];
    for (const [command, inPhases] of Object.entries(ALLOWED) as [Command, string[]][]) {
      for (const phase of PHASES.filter((each) => !inPhases.includes(each))) {
        it(`refuses ${command} once it is ${phase}, telling the phase and when it changes`, async () => {
          await create();
          const steps = phase === "cancelled" ? 0 : PHASES.indexOf(phase);
          for (let step = 0; step < steps; step++)
            await world.within(step === 0 ? world.tournament().start() : world.tournament().end());
          if (phase === "cancelled") await world.within(world.tournament().cancel());
          await world.clock.advance(100);
          const before = await stored();
          const call =
            command === "extend" || command === "postpone"
              ? world.tournament()[command](1000)
              : world.tournament()[command]();
          await assert.rejects(world.within<unknown>(call), {
            code: "wrong_phase",
            details: { phase, changesAt: before.phaseEndsAt === 0 ? null : before.phaseEndsAt },
          });
          assert.deepEqual(await stored(), before);
        });
      }
    }

    it("refuses every change while it settles", async () => {
      await create({ graceMs: 0 });
      await world.within(world.tournament().start());
      const [ended, ...refused] = await world.within(
        Promise.allSettled([
          world.tournament().end(),
          world.tournament().end(),
          world.tournament().extend(1),
          world.tournament().cancel(),
          world.tournament().rebuild(),
        ]),
      );
      assert.equal(ended.status, "fulfilled");
      for (const each of refused) {
        assert.equal(each.status, "rejected");
        assert.deepEqual(
          [each.reason.code, each.reason.details],
          ["wrong_phase", { phase: "settling", changesAt: null }],
        );
      }
    });

    it("does not exist until it is created, and is created once", async () => {
      for (const call of [
        () => world.tournament().status(),
        () => world.tournament().start(),
        () => world.tournament().end(),
        () => world.tournament().extend(1000),
        () => world.tournament().cancel(),
        () => world.tournament().rebuild(),
        () => world.operations.preview("t"),
        () => world.series().endSeries(),
      ])
        await assert.rejects(world.within<unknown>(call()), { code: "not_found" });
      await create();
      await assert.rejects(create(), { code: "conflict" });
    });

    it("is not created with prizes that could not be paid", async () => {
      const unknown = [{ from: 1, to: 1, items: [{ item: "GOLD", amount: "1" }] }];
      await assert.rejects(create({ prizes: unknown }), { code: "not_found", message: /GOLD/ });
      const most = { item: "TICO", amount: String(10n ** 15n) };
      await assert.rejects(create({ prizes: [{ from: 1, to: 1, items: [most, most] }] }), { code: "invalid_payload" });
      assert.deepEqual(await database.query("SELECT 1 FROM tournaments"), []);
      assert.deepEqual(await world.notified(LOBBY_TOPIC), []);
      await create();
    });

    it("carries out a repeated request once, and answers it as it did the first time", async () => {
      await create();
      await world.within(world.tournament("t", "start-1").start());
      const first = await world.within(world.tournament("t", "longer-1").extend(5000));
      assert.deepEqual(await world.within(world.tournament("t", "longer-1").extend(5000)), first);
      assert.equal((await stored()).endsAt, first.endsAt);
    });
  });

  describe("and its board", () => {
    const inOpen = async (): Promise<void> => {
      await create();
      await world.within(world.tournament().start());
    };

    it("has one rebuild for all who ask at once; after a while, or on another node, the next", async () => {
      await inOpen();
      const ask = () => world.tournament().rebuild();
      assert.deepEqual(await world.within(Promise.all([ask(), ask(), ask()])), [
        { epoch: 1 },
        { wait: true },
        { wait: true },
      ]);
      await world.clock.advance(3000);
      assert.deepEqual(await world.within(ask()), { epoch: 2 });
      await world.node.crash();
      await world.join("n1");
      await world.clock.advance(4000);
      assert.deepEqual(await world.within(ask()), { epoch: 3 });
      assert.equal((await stored()).boardEpoch, 3);
    });

    it("is not kept from a rebuild by a clock that was set back", async () => {
      await inOpen();
      await world.within(world.tournament().rebuild());
      world.clock.wallOffset = -LATER;
      assert.deepEqual(await world.within(world.tournament().rebuild()), { epoch: 2 });
    });

    it("is not loaded by another while its loader says that it goes on, also where the actor has moved meanwhile", async () => {
      await inOpen();
      const ask = () => world.within(world.tournament().rebuild());
      const goesOn = (epoch: number) => world.within(world.tournament().loading(epoch));
      assert.deepEqual(await ask(), { epoch: 1 });
      for (let second = 0; second < 10; second += 1) {
        await world.clock.advance(1000);
        assert.equal(await goesOn(1), true);
      }
      assert.deepEqual(await ask(), { wait: true });
      await world.node.crash();
      await world.join("n1");
      await world.clock.advance(4000);
      assert.equal(await goesOn(1), true);
      assert.deepEqual(await ask(), { wait: true });
      await world.clock.advance(3000);
      assert.deepEqual(await ask(), { epoch: 2 });
      assert.equal(await goesOn(1), false, "and the loader of before hears of it");
      await world.clock.advance(3000);
      assert.deepEqual(await ask(), { epoch: 3 }, "which does not count for the one after it");
    });

    it("is loaded for nothing once nothing is taken, which its loader is told", async () => {
      await inOpen();
      await world.within(world.tournament().rebuild());
      await world.within(world.tournament().end());
      assert.equal(await world.within(world.tournament().loading(1)), true);
      await world.within(world.tournament().end());
      assert.equal(await world.within(world.tournament().loading(1)), false);
    });

    it("is frozen by a later epoch as soon as it settles", async () => {
      await inOpen();
      await world.within(world.tournament().rebuild());
      await world.within(world.tournament().end());
      assert.equal((await stored()).boardEpoch, 1, "in grace scores are still taken");
      await world.within(world.tournament().end());
      assert.equal((await stored()).boardEpoch, 2);
    });
  });

  describe("and the preview of its prizes", () => {
    const preview = () => world.within(world.operations.preview("t"));

    it("says who would get what, and what that comes to, and changes not a row in any phase", async () => {
      await create({ graceMs: 5000, prizes: SOME_PRIZES });
      await writeEntries(database, "t", 12);
      const seen: unknown[] = [];
      for (const step of [undefined, "start", "end", "settle"] as const) {
        if (step === "settle") {
          await world.within(world.tournament().end());
          await world.clock.advance(1000);
        } else if (step) await world.within(world.tournament()[step]());
        await world.clock.advance(1000);
        const before = await everything();
        seen.push(await preview());
        await world.clock.advance(10);
        assert.deepEqual(await everything(), before, `${step ?? "before the start"}: not a row differs`);
      }
      assert.equal((await stored()).phase, "settled");
      for (const other of seen) assert.deepEqual(other, seen[0], "what was foreseen was paid");
      const { players, prizes, totals } = seen[0] as Awaited<ReturnType<typeof preview>>;
      assert.equal(players, 12);
      assert.deepEqual(
        prizes.map(({ rank }) => rank),
        Array.from({ length: 12 }, (_, at) => at + 1),
      );
      assert.deepEqual(totals, [
        { item: "PRIVATE_PASS", amount: "1" },
        { item: "TICO", amount: String(100 + 3 * 50 + 7 * 7) },
      ]);
      const inventories = await database.query<{ player_id: string; item: string; amount: number }>(
        "SELECT * FROM inventories",
      );
      const promised = prizes.flatMap(({ playerId, prizes: items }) =>
        items.map(({ item, amount }) => [playerId, item, Number(amount)]),
      );
      assert.deepEqual(
        new Set(inventories.map(({ player_id, item, amount }) => `${player_id} ${item} ${amount}`)),
        new Set(promised.map((each) => each.join(" "))),
      );
    });

    it("shows the first hundred, and counts them all", async () => {
      await create({ prizes: [{ from: 1, to: 1_000_000, items: [{ item: "TICO", amount: "2" }] }] });
      await writeEntries(database, "t", 130);
      const { players, prizes, totals } = await preview();
      assert.deepEqual([players, prizes.length, totals], [130, 100, [{ item: "TICO", amount: "260" }]]);
    });

    it("takes no turn of the actor, which may be busy or away", async () => {
      await create({ prizes: SOME_PRIZES });
      await writeEntries(database, "t", 12);
      await world.node.crash();
      assert.equal((await preview()).players, 12);
    });

    it("is empty once it is cancelled: nothing is paid", async () => {
      await create({ prizes: SOME_PRIZES });
      await writeEntries(database, "t", 12);
      assert.equal((await preview()).players, 12);
      await world.within(world.tournament().cancel());
      assert.deepEqual(await preview(), { players: 0, prizes: [], totals: [] });
    });

    it("is empty where nobody has taken part", async () => {
      await create({ prizes: SOME_PRIZES });
      assert.deepEqual(await preview(), { players: 0, prizes: [], totals: [] });
    });
  });
});
