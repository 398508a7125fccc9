import assert from "node:assert/strict";
import { AssignmentJournal } from "../../src/actors/hunts/AssignmentJournal.ts";
import type { HuntDefinition } from "../../src/actors/hunts/definition.ts";
import { LOW_WATER } from "../../src/actors/hunts/distribution.ts";
import { HuntActor, huntKind } from "../../src/actors/hunts/HuntActor.ts";
import { LOBBY_TOPIC, roomsTopic } from "../../src/actors/runtime/Actor.ts";
import type { CallOptions } from "../../src/actors/runtime/Calls.ts";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import { seededRng, systemClock } from "../../src/clock.ts";
import { type HuntRecord, Hunts } from "../../src/entities/hunts/Hunt.ts";
import { LARGEST_AWARD, PrizeLedger } from "../../src/entities/prizes/PrizeLedger.ts";
import type { Database } from "../../src/entities/sql.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";
import { type AssignmentRow, OUTCOME } from "../../src/stores/hunts/ClueLedger.ts";
import { MemoryClueLedger } from "../../src/stores/hunts/MemoryClueLedger.ts";
import { ManualClock, SimulatedNode, silentLog } from "../actors/simulation.ts";
import { openDatabase } from "../support/database.ts";
import { someSealedHunt } from "./someHunt.ts";

const LATER = 300_000;
const PRIZES = [
  {
    from: 1,
    to: 1,
    items: [
      { item: "PRIVATE_PASS", amount: "1" },
      { item: "TICO", amount: "100" },
    ],
  },
  { from: 1, to: 3, items: [{ item: "TICO", amount: "50" }] },
];
/** More clues than the low-water mark, several times over. */
const PLAN = { discoveryMs: 10_000, solvingMs: 60_000, revealMs: 20_000, repeat: 10_000 };

describe("a hunt's actor", () => {
  let database: Database;
  let clock: ManualClock;
  let feed: MemoryFeed;
  let hub: MemoryHub;
  let ledger: MemoryClueLedger;
  let node: SimulatedNode;

  beforeEach(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    clock = new ManualClock();
    feed = new MemoryFeed();
    hub = new MemoryHub();
    ledger = new MemoryClueLedger();
    node = await join("n0");
  });
  afterEach(() => database.close());

  async function join(id: string): Promise<SimulatedNode> {
    const joined = new SimulatedNode({ id, hub, database, clock, feed }, [
      huntKind({ ledger, log: silentLog, reviewOverdue: () => {} }),
    ]);
    await joined.actors.start();
    return joined;
  }

  const hunt = (id = "h", options: CallOptions = {}) => node.actors.ref(HuntActor, id, options);
  const stored = async (): Promise<HuntRecord> => (await new Hunts(database).get("h"))!;

  async function create(change: Partial<HuntDefinition> = {}): Promise<void> {
    const definition = someSealedHunt({ startsAt: clock.now() + LATER, ...PLAN, ...change });
    await within(hunt().create(definition, "op"));
  }

  /** Runs a call to its end while time stands nearly still. */
  function within<T>(call: Promise<T>): Promise<T> {
    return clock.within(100, call, 1);
  }

  async function inSolving(change: Partial<HuntDefinition> = {}): Promise<void> {
    await create({ discoveryMs: 0, ...change });
    await within(hunt().start());
  }

  /** What a topic was told, as [type, data]. */
  const told = async (topic: string) =>
    (await feed.read(topic, undefined)).events.map(({ type, data }) => [type, data]);

  describe("and its phases", () => {
    const lives: [string, Partial<HuntDefinition>, [string, number][]][] = [
      [
        "all of them",
        {},
        [
          ["discovery", 10_000],
          ["solving", 70_000],
          ["reveal", 90_000],
          ["finished", 0],
        ],
      ],
      [
        "without a discovery",
        { discoveryMs: 0 },
        [
          ["solving", 60_000],
          ["reveal", 80_000],
          ["finished", 0],
        ],
      ],
      [
        "without discovery and reveal",
        { discoveryMs: 0, revealMs: 0 },
        [
          ["solving", 60_000],
          ["finished", 0],
        ],
      ],
    ];
    for (const [name, change, phases] of lives) {
      it(`runs through them by itself, each to the millisecond: ${name}`, async () => {
        await create(change);
        const { startsAt } = await stored();
        await clock.advance(2 * LATER);
        const heard = (await told(roomsTopic(HuntActor, "h")))
          .filter(([type]) => type === "phase")
          .map(([, data]) => data);
        assert.deepEqual(
          heard,
          phases.map(([phase, ends]) => ({ phase, endsAt: ends === 0 ? 0 : startsAt + ends })),
        );
        const record = await stored();
        assert.equal(record.phase, "finished");
        assert.equal(record.phaseEndsAt, 0);
        assert.equal(record.endsAt, startsAt + (change.discoveryMs ?? 10_000) + 60_000 + (change.revealMs ?? 20_000));
      });
    }

    it("tells the lobby what comes, and of each phase", async () => {
      await create({ discoveryMs: 0, revealMs: 0 });
      const { startsAt } = await stored();
      await clock.advance(2 * LATER);
      const status = { id: "h", name: "Harbour lights", startsAt };
      assert.deepEqual(await told(LOBBY_TOPIC), [
        ["huntScheduled", { ...status, phase: "scheduled", phaseEndsAt: startsAt }],
        ["huntPhase", { ...status, phase: "solving", phaseEndsAt: startsAt + 60_000 }],
        ["huntPhase", { ...status, phase: "finished", phaseEndsAt: 0 }],
      ]);
    });

    it("starts at once when its start has passed already", async () => {
      await create({ startsAt: clock.now() - 1000, discoveryMs: 0 });
      await clock.advance(100);
      const record = await stored();
      assert.equal(record.phase, "solving");
      assert.equal(record.phaseEndsAt, record.startsAt + 60_000, "the plan's end, not one moved by the delay");
    });

    it("goes on after its node died, with each phase ending when it was to end", async () => {
      await create();
      const { startsAt } = await stored();
      await clock.advance(LATER + 15_000);
      assert.equal((await stored()).phase, "solving");
      await node.crash();
      node = await join("n1");
      await clock.advance(20_000);
      const { phase, phaseEndsAt } = await stored();
      assert.deepEqual([phase, phaseEndsAt], ["solving", startsAt + 70_000]);
      await clock.advance(35_100);
      assert.equal((await stored()).phase, "reveal");
    });

    it("passes through every phase that an outage has covered", async () => {
      await create();
      await node.crash();
      await clock.advance(3 * LATER);
      node = await join("n1");
      await clock.advance(10_000);
      const record = await stored();
      assert.equal(record.phase, "finished");
      const heard = (await told(roomsTopic(HuntActor, "h"))).map(
        ([type, data]) => (data as { phase?: string }).phase ?? type,
      );
      assert.deepEqual(heard, ["discovery", "solving", "chest", "reveal", "finished"]);
      assert.deepEqual(record.winners, []);
    });

    it("has what is left of the phase that an outage ended in", async () => {
      await create();
      const { startsAt } = await stored();
      await node.crash();
      await clock.advance(LATER + 40_000);
      node = await join("n1");
      await clock.advance(10_000);
      const { phase, phaseEndsAt } = await stored();
      assert.deepEqual([phase, phaseEndsAt], ["solving", startsAt + 70_000]);
    });

    it("does nothing when a timer of an earlier phase comes late", async () => {
      await create();
      await within(hunt().start());
      const { phaseEndsAt } = await stored();
      await clock.advance(LATER);
      assert.equal((await stored()).phase, "finished");
      const heard = (await told(roomsTopic(HuntActor, "h"))).map(
        ([type, data]) => (data as { phase?: string }).phase ?? type,
      );
      assert.deepEqual(heard, ["discovery", "solving", "chest", "reveal", "finished"], "each phase was entered once");
      assert.ok(phaseEndsAt < (await stored()).endsAt);
    });
  });

  describe("and its operators", () => {
    it("is started before its time: discovery begins now, and lasts as long as planned", async () => {
      await create();
      const status = await within(hunt().start());
      assert.equal(status.phase, "discovery");
      assert.ok(Math.abs(status.phaseEndsAt - (clock.now() + 10_000)) < 10);
      assert.deepEqual(await within(hunt().status()), status);
    });

    it("is ended phase by phase, each next one with its full length", async () => {
      await create();
      await within(hunt().start());
      for (const [phase, length] of [
        ["solving", 60_000],
        ["reveal", 20_000],
      ] as const) {
        const status = await within(hunt().end());
        assert.equal(status.phase, phase);
        assert.ok(Math.abs(status.phaseEndsAt - (clock.now() + length)) < 10);
      }
      assert.deepEqual((await within(hunt().end())).phase, "finished");
      await clock.advance(LATER);
      assert.equal((await stored()).phase, "finished", "no timer is left");
    });

    it("is extended: this phase and all that follow end later by as much", async () => {
      await inSolving();
      const before = await stored();
      const status = await within(hunt().extend(5000));
      assert.equal(status.phaseEndsAt, before.phaseEndsAt + 5000);
      assert.equal((await stored()).endsAt, before.endsAt + 5000);
      await clock.advance(62_000);
      assert.equal((await stored()).phase, "solving");
      await clock.advance(4000);
      assert.equal((await stored()).phase, "reveal");
    });

    it("is postponed before it begins: all of it comes later by as much", async () => {
      await create();
      const before = await stored();
      const status = await within(hunt().postpone(7000));
      assert.deepEqual([status.startsAt, status.phaseEndsAt], [before.startsAt + 7000, before.startsAt + 7000]);
      const after = await stored();
      assert.deepEqual([after.startsAt, after.endsAt], [before.startsAt + 7000, before.endsAt + 7000]);
      await clock.advance(before.startsAt + 6900 - clock.now());
      assert.equal((await stored()).phase, "scheduled");
      await clock.advance(200);
      assert.equal((await stored()).phase, "discovery");
    });

    it("is extended before it begins: solving lasts longer", async () => {
      await create({ discoveryMs: 0 });
      const before = await stored();
      assert.equal((await within(hunt().extend(5000))).phaseEndsAt, before.phaseEndsAt);
      assert.equal((await stored()).endsAt, before.endsAt + 5000);
      const { phaseEndsAt } = await within(hunt().start());
      assert.ok(Math.abs(phaseEndsAt - (clock.now() + PLAN.solvingMs + 5000)) < 10);
    });

    it("is called off in any phase, and then nothing more happens to it", async () => {
      await inSolving();
      assert.deepEqual((await within(hunt().cancel())).phaseEndsAt, 0);
      const record = await stored();
      assert.equal(record.phase, "cancelled");
      assert.equal(record.winners, null);
      assert.equal(record.ledgerEpoch, 1, "what the ledger decides from now on cannot be committed");
      await clock.advance(2 * LATER);
      assert.equal((await stored()).phase, "cancelled");
    });

    it("says what has become of its prizes when it is called off: before the reveal nobody has any, from then on the winners keep theirs", async () => {
      await create();
      assert.equal((await within(hunt().status())).prizes, undefined);
      assert.equal((await within(hunt().cancel())).prizes, "unpaid");
      await within(hunt("revealed").create(someSealedHunt({ startsAt: clock.now() }), "op"));
      await clock.advance(1);
      await within(hunt("revealed").end());
      assert.equal((await within(hunt("revealed").cancel())).prizes, "paid");
      assert.equal((await within(hunt("revealed").status())).prizes, "paid");
      const news = (await told(LOBBY_TOPIC)).map(([, data]) => data as { id: string; phase: string; prizes?: string });
      assert.deepEqual(
        news.filter(({ phase }) => phase === "cancelled").map(({ id, prizes }) => [id, prizes]),
        [
          ["h", "unpaid"],
          ["revealed", "paid"],
        ],
      );
    });

    it("takes back the start of a hunt that was called off before it", async () => {
      await create();
      await within(hunt().cancel());
      await clock.advance(2 * LATER);
      assert.deepEqual(
        (await told(roomsTopic(HuntActor, "h"))).map(([, data]) => (data as { phase: string }).phase),
        ["cancelled"],
      );
    });

    type Command = "start" | "end" | "extend" | "postpone" | "cancel" | "rebuild";
    const allowed: Record<Command, string[]> = {
      start: ["scheduled"],
      end: ["discovery", "solving", "reveal"],
      extend: ["scheduled", "discovery", "solving", "reveal"],
      postpone: ["scheduled"],
      cancel: ["scheduled", "discovery", "solving", "reveal"],
      rebuild: ["solving"],
    };
    const phases = ["scheduled", "discovery", "solving", "reveal", "finished", "cancelled"];
    for (const [command, inPhases] of Object.entries(allowed) as [Command, string[]][]) {
      for (const phase of phases.filter((each) => !inPhases.includes(each))) {
        it(`refuses ${command} in ${phase}, telling the phase and when it changes`, async () => {
          await create();
          const steps = phases.indexOf(phase === "cancelled" ? "scheduled" : phase);
          for (let step = 0; step < steps; step++) await within(step === 0 ? hunt().start() : hunt().end());
          if (phase === "cancelled") await within(hunt().cancel());
          const before = await stored();
          const call = command === "extend" || command === "postpone" ? hunt()[command](1000) : hunt()[command]();
          await assert.rejects(within<unknown>(call), {
            code: "wrong_phase",
            details: { phase, changesAt: before.phaseEndsAt === 0 ? null : before.phaseEndsAt },
          });
          assert.deepEqual(await stored(), before);
        });
      }
    }

    it("does not exist until it is created, and is created once", async () => {
      for (const call of [
        () => hunt().status(),
        () => hunt().start(),
        () => hunt().end(),
        () => hunt().cancel(),
        () => hunt().extend(1000),
      ])
        await assert.rejects(within<unknown>(call()), { code: "not_found" });
      await create();
      await assert.rejects(create(), { code: "conflict" });
    });

    it("carries out a repeated request once, and answers it as it did the first time", async () => {
      await create();
      await within(hunt("h", { requestId: "start-1" }).start());
      const first = await within(hunt("h", { requestId: "longer-1" }).extend(5000));
      assert.deepEqual(await within(hunt("h", { requestId: "longer-1" }).extend(5000)), first);
      assert.equal((await stored()).phaseEndsAt, first.phaseEndsAt);
      const other = await within(hunt("h", { requestId: "longer-2" }).extend(5000));
      assert.equal(other.phaseEndsAt, first.phaseEndsAt + 5000);
    });
  });

  describe("and its clues", () => {
    it("lets the low-water mark out when solving begins, and none before", async () => {
      await create();
      assert.deepEqual(await within(hunt().demand({ pool: 0, waiting: 50, issued: 0 })), { issued: 0 });
      await within(hunt().start());
      assert.deepEqual(await within(hunt().demand({ pool: 0, waiting: 50, issued: 0 })), { issued: 0 });
      await within(hunt().end());
      assert.deepEqual(await within(hunt().rebuild()), { epoch: 1, issued: LOW_WATER });
    });

    it("meets a demand once: who saw the pool before that gets what there is", async () => {
      await inSolving();
      const seen = { pool: 0, waiting: 10, issued: LOW_WATER };
      const answers = await within(Promise.all([hunt().demand(seen), hunt().demand(seen), hunt().demand(seen)]));
      assert.deepEqual(answers, [
        { issued: 2 * LOW_WATER + 10 },
        { issued: 2 * LOW_WATER + 10 },
        { issued: 2 * LOW_WATER + 10 },
      ]);
    });

    it("never lets out more than there are", async () => {
      await inSolving({ repeat: 100 });
      let issued = LOW_WATER;
      assert.equal(((await within(hunt().rebuild())) as { issued: number }).issued, 200, "two templates, 100 times");
      for (let round = 0; round < 5; round++) {
        ({ issued } = await within(hunt().demand({ pool: 0, waiting: 5000, issued })));
        assert.ok(issued <= 200);
      }
    });

    it("lets nothing more out once solving is over", async () => {
      await inSolving();
      await within(hunt().end());
      assert.deepEqual(await within(hunt().demand({ pool: 0, waiting: 10, issued: LOW_WATER })), { issued: LOW_WATER });
    });

    it("has one rebuild for all who ask at once; after a while, or on another node, the next", async () => {
      await inSolving();
      const answers = await within(Promise.all([hunt().rebuild(), hunt().rebuild(), hunt().rebuild()]));
      assert.deepEqual(answers, [{ epoch: 1, issued: LOW_WATER }, { wait: true }, { wait: true }]);
      await clock.advance(3000);
      assert.deepEqual(await within(hunt().rebuild()), { epoch: 2, issued: LOW_WATER });
      assert.deepEqual(await within(hunt().rebuild()), { wait: true });
      assert.equal((await stored()).ledgerEpoch, 2);
    });

    it("is not loaded by another while its loader says that it goes on, and the loader is told once it is", async () => {
      await inSolving();
      const granted = { epoch: 1, issued: LOW_WATER };
      assert.deepEqual(await within(hunt().rebuild()), granted);
      for (let second = 0; second < 10; second++) {
        await clock.advance(1000);
        assert.equal(await within(hunt().loading(1)), true);
      }
      assert.deepEqual(await within(hunt().rebuild()), { wait: true });
      await clock.advance(3000);
      assert.deepEqual(await within(hunt().rebuild()), { ...granted, epoch: 2 });
      assert.equal(await within(hunt().loading(1)), false);
      await within(hunt().end());
      assert.equal(await within(hunt().loading(2)), false, "nothing is decided any more");
    });

    it("is not kept from a rebuild by a clock that was set back", async () => {
      await inSolving();
      await within(hunt().rebuild());
      clock.wallOffset = -LATER;
      assert.deepEqual(await within(hunt().rebuild()), { epoch: 2, issued: LOW_WATER });
    });
  });

  describe("and its end", () => {
    let journal: AssignmentJournal;
    const row = (change: Partial<AssignmentRow>): AssignmentRow => ({
      instance: 0,
      generation: 1,
      playerId: "ann",
      playerName: "Ann",
      openedAt: clock.now(),
      expiresAt: clock.now() + 60_000,
      attemptsBefore: 0,
      requestMarks: "",
      attemptsUsed: 1,
      outcome: OUTCOME.solved,
      closedAt: clock.now(),
      points: 10,
      solveSeq: 1,
      ...change,
    });

    beforeEach(async () => {
      await inSolving();
      await within(hunt().rebuild());
      journal = new AssignmentJournal(database, systemClock);
      const rows = [
        row({ instance: 0, playerId: "ann", playerName: "Ann", solveSeq: 1 }),
        row({ instance: 1, playerId: "bob", playerName: "Bob", points: 5, solveSeq: 2 }),
        row({ instance: 3, playerId: "bob", playerName: "Bob", points: 5, solveSeq: 3 }),
        row({ instance: 2, playerId: "cid", playerName: "Cid", solveSeq: 4 }),
        row({ instance: 4, playerId: "dot", playerName: "Dot", solveSeq: 5 }),
        row({ instance: 5, playerId: "eve", playerName: "Eve", points: 0, solveSeq: 0, outcome: OUTCOME.exhausted }),
      ];
      assert.equal(await journal.commit("h", 1, rows), "committed");
    });

    const WINNERS = [
      { rank: 1, playerId: "ann", name: "Ann", points: 10, prizes: [] },
      { rank: 2, playerId: "bob", name: "Bob", points: 10, prizes: [] },
      { rank: 3, playerId: "cid", name: "Cid", points: 10, prizes: [] },
    ];

    it("stores the winners and tells them, of equal points whoever reached them first", async () => {
      await within(hunt().end());
      assert.deepEqual((await stored()).winners, WINNERS);
      assert.deepEqual(
        (await told(roomsTopic(HuntActor, "h"))).filter(([type]) => type === "chest"),
        [["chest", { winners: WINNERS }]],
      );
    });

    it("pays the winners by their rank, once", async () => {
      await within(hunt("paid").create(someSealedHunt({ startsAt: clock.now(), prizes: PRIZES }), "op"));
      await clock.advance(1);
      await within(hunt("paid").rebuild());
      const rows = ["ann", "bob"].map((playerId, at) =>
        row({ instance: at, playerId, playerName: playerId, solveSeq: at + 1 }),
      );
      assert.equal(await journal.commit("paid", 1, rows), "committed");
      await within(hunt("paid", { requestId: "end" }).end());
      await within(hunt("paid", { requestId: "end" }).end());
      const prizes = new PrizeLedger(database, seededRng(1));
      assert.deepEqual(await prizes.inventory("ann"), [
        { item: "PRIVATE_PASS", amount: "1" },
        { item: "TICO", amount: "150" },
      ]);
      assert.deepEqual(await prizes.inventory("bob"), [{ item: "TICO", amount: "50" }]);
      assert.deepEqual(await prizes.imbalances(), []);
    });

    it("is not created with prizes that could not be paid in the end", async () => {
      const most = { item: "TICO", amount: String(LARGEST_AWARD) };
      const create = (items: (typeof most)[]) =>
        within(
          hunt("dear").create(someSealedHunt({ startsAt: clock.now(), prizes: [{ from: 1, to: 2, items }] }), "op"),
        );
      await assert.rejects(create([most, { item: "TICO", amount: "1" }]), { code: "invalid_payload" });
      await assert.rejects(create([{ item: "GOLD", amount: "1" }]), { code: "not_found" });
    });

    it("takes nothing any more when it is due, though what it has to do then fails for a reason of its own", async () => {
      const began = Date.now() - LATER;
      const definition = someSealedHunt({ startsAt: began, solvingMs: 1000, prizes: PRIZES });
      const behind = new ManualClock(began);
      const alone = new SimulatedNode({ id: "behind", hub: new MemoryHub(), database, clock: behind, feed }, [
        huntKind({ ledger, log: silentLog, reviewOverdue: () => {} }),
      ]);
      await alone.actors.start();
      const failing = alone.actors.ref(HuntActor, "failing");
      await behind.within(100, failing.create(definition, "op"), 1);
      await behind.advance(1);
      await behind.within(100, failing.rebuild(), 1);
      await database.write("DROP TABLE hunt_scores");
      await behind.advance(5000);
      const record = (await new Hunts(database).get("failing"))!;
      assert.equal(record.phase, "solving");
      assert.equal(await journal.commit("failing", 1, [row({ instance: 1 })]), "over");
    });

    it("lets nothing be committed after them", async () => {
      await within(hunt().end());
      const late = [row({ instance: 6, playerId: "dot", playerName: "Dot", points: 100, solveSeq: 6 })];
      assert.equal(await journal.commit("h", 1, late), "stale");
      await clock.advance(LATER);
      const record = await stored();
      assert.deepEqual([record.phase, record.ledgerEpoch], ["finished", 2]);
      assert.deepEqual(record.winners, WINNERS);
      assert.equal((await told(roomsTopic(HuntActor, "h"))).filter(([type]) => type === "chest").length, 1);
    });

    it("counts what is committed while it ends either wholly, winners included, or not at all", async () => {
      const late = [row({ instance: 6, playerId: "dot", playerName: "Dot", points: 100, solveSeq: 6 })];
      const [ended, result] = await within(Promise.all([hunt().end(), journal.commit("h", 1, late)]));
      assert.equal(ended.phase, "reveal");
      const first = (await stored()).winners![0]!.playerId;
      assert.equal(first, result === "committed" ? "dot" : "ann");
    });
  });
});
