import assert from "node:assert/strict";
import { AssignmentJournal } from "../../src/actors/hunts/AssignmentJournal.ts";
import { FiguresReader } from "../../src/actors/hunts/FiguresReader.ts";
import { HuntActor, huntKind } from "../../src/actors/hunts/HuntActor.ts";
import { HuntService } from "../../src/actors/hunts/HuntService.ts";
import { Actors } from "../../src/actors/runtime/Actors.ts";
import { MemoryBus } from "../../src/actors/runtime/MemoryBus.ts";
import { systemClock, systemRng } from "../../src/clock.ts";
import { Hunts } from "../../src/entities/hunts/Hunt.ts";
import type { Database } from "../../src/entities/sql.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";
import { MemoryClueLedger } from "../../src/stores/hunts/MemoryClueLedger.ts";
import { noMetrics, silentLog } from "../actors/simulation.ts";
import { openDatabase } from "../support/database.ts";
import { Row } from "./ServiceCluster.ts";
import { someSealedHunt } from "./someHunt.ts";

/** More than an actor's mailbox holds. */
const PLAYERS = 3000;

describe("the rush at the start of solving", () => {
  let database: Database;
  let actors: Actors;
  let service: HuntService;

  before(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    const ledger = new MemoryClueLedger();
    const common = { database, feed: new MemoryFeed(), clock: systemClock, rng: systemRng, log: silentLog };
    actors = new Actors({
      ...common,
      ...{
        node: { id: "n0", role: "all" },
        kinds: [huntKind({ ledger, log: silentLog, reviewOverdue: () => {} })],
        bus: new MemoryBus(),
        metrics: noMetrics,
      },
    });
    await actors.start();
    service = new HuntService({
      ...common,
      ...{ actors, hunts: new Hunts(database), ledger },
      figures: new FiguresReader({ database, clock: systemClock }),
      journal: new AssignmentJournal(database, systemClock),
      setGauges: () => {},
      removeGauges: () => {},
    });
  });

  after(async () => {
    await service.flush();
    await actors.drain();
    await actors.stop();
    await database.close();
  });

  it("gives a clue or a place to everybody, however many claim before the ledger is loaded", async () => {
    const hunt = actors.ref(HuntActor, "rush");
    await hunt.create(someSealedHunt({ startsAt: systemClock.now() + 60_000, repeat: 10_000 }), "op");
    await hunt.start();
    const { event } = await service.views.join("rush", new Row());
    const answers = await Promise.all(
      Array.from({ length: PLAYERS }, (_, at) => service.claim(event, { playerId: `p${at}`, name: `Player ${at}` })),
    );
    const given = answers.flatMap((answer) => ("waiting" in answer ? [] : [answer.assignmentId]));
    assert.equal(answers.length, PLAYERS);
    assert.equal(new Set(given).size, given.length);
    assert.ok(given.length > 0);
  });
});
