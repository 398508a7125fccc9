import assert from "node:assert/strict";
import type { HuntDefinition } from "../../src/actors/hunts/definition.ts";
import { HuntActor } from "../../src/actors/hunts/HuntActor.ts";
import { HuntView } from "../../src/actors/hunts/HuntView.ts";
import { LOBBY_TOPIC } from "../../src/actors/runtime/Actor.ts";
import { eventChanges } from "../../src/entities/events/EventChange.ts";
import { type HuntRecord, Hunts } from "../../src/entities/hunts/Hunt.ts";
import { LARGEST_AWARD } from "../../src/entities/prizes/PrizeLedger.ts";
import { type Service, ServiceCluster } from "./ServiceCluster.ts";
import { someSealedHunt } from "./someHunt.ts";

const WHY = { operatorId: "op", reason: "the second clue had two answers" };
const MINUTE = 60_000;

describe("a scheduled hunt that is corrected", () => {
  let cluster: ServiceCluster;
  let a: Service;
  let b: Service;

  beforeEach(async () => {
    cluster = await ServiceCluster.open();
    cluster.isStarted = false;
    cluster.plan = { startsAt: cluster.clock.now() + MINUTE };
    a = await cluster.join("a");
    b = await cluster.join("b");
  });
  afterEach(() => cluster.database.close());

  const hunt = (requestId?: string) => a.node.actors.ref(HuntActor, "h", requestId === undefined ? {} : { requestId });
  const stored = async (): Promise<HuntRecord> => (await new Hunts(cluster.database).get("h"))!;
  const clue = (prompt: string, points: number) => ({ type: "riddle", prompt, answers: ["tide"], points });
  const corrected = (change: Partial<HuntDefinition> = {}) =>
    someSealedHunt({
      ...{
        name: "Harbour bells",
        startsAt: cluster.clock.now() + 2 * MINUTE,
        solvingMs: MINUTE,
        revealMs: 0,
        repeat: 5,
      },
      clues: [clue("It comes twice a day.", 7)],
      ...change,
    });
  const correct = (change?: Partial<HuntDefinition>) =>
    cluster.within(hunt("once").correct(corrected(change), WHY), 100);

  it("is another one from then on: name, times, clues and prizes, in its row and on the lobby's board", async () => {
    const prizes = [{ from: 1, to: 1, items: [{ item: "TICO", amount: "5" }] }];
    const status = await correct({ prizes });
    const startsAt = cluster.clock.now() + 2 * MINUTE;
    assert.ok(Math.abs(status.startsAt - startsAt) <= 100);
    const record = await stored();
    assert.equal(record.name, "Harbour bells");
    assert.deepEqual(record.definition.prizes, prizes);
    assert.equal(record.definition.clues[0]!.prompt, "It comes twice a day.");
    assert.deepEqual(
      [record.phase, record.startsAt, record.phaseEndsAt],
      ["scheduled", status.startsAt, status.startsAt],
    );
    const { events } = await cluster.feed.read(LOBBY_TOPIC, undefined);
    assert.deepEqual((events.at(-1)!.data as { name: string }).name, "Harbour bells");
    await cluster.clock.advance(1.5 * MINUTE);
    assert.equal((await stored()).phase, "scheduled", "it does not begin at the former time");
    await cluster.clock.advance(2 * MINUTE);
    assert.equal((await stored()).phase, "finished");
  });

  it("keeps who did it and why, once however often it is asked for", async () => {
    const definition = corrected();
    for (let times = 0; times < 2; times++) await cluster.within(hunt("once").correct(definition, WHY), 100);
    assert.equal((await stored()).definition.revision, 1);
    const changes = await eventChanges(cluster.database, "hunts", "h", 10);
    assert.deepEqual(
      changes.map(({ changedAt: _, ...change }) => change),
      [{ kind: "correct", ...WHY }],
    );
  });

  it("gives no clue of the former definition on any node, and its rooms hear of it", async () => {
    await correct();
    await cluster.within(hunt().start(), 100);
    for (const [service, player] of [
      [a, "ada"],
      [b, "ben"],
    ] as const) {
      assert.equal(service.row.corrected, 1);
      const card = await service.claim(player);
      assert.equal("prompt" in card && card.prompt, "It comes twice a day.");
      const { correct: isRight, points } = await cluster.within(
        service.service.solve(
          service.hunt,
          { playerId: player, name: player },
          { assignmentId: "prompt" in card ? card.assignmentId : "", answer: "tide" },
        ),
      );
      assert.deepEqual([isRight, points], [true, 7]);
    }
  });

  it("gives nothing for the moment in which a node has heard of the correction and not read it", async () => {
    const former = await stored();
    await correct();
    const table = new HuntView(former);
    assert.equal(table.hearRevision(1), true);
    table.moveTo({ phase: "solving", endsAt: cluster.clock.now() + MINUTE });
    assert.throws(() => table.requireSolving(), { code: "unavailable" });
    table.correct(await stored());
    table.requireSolving();
    assert.equal(table.cardOf({ instance: 0, generation: 1 } as never).prompt, "It comes twice a day.");
    table.correct(former);
    assert.equal(table.definition.name, "Harbour bells", "a record that was read late changes nothing");
  });

  it("is read by a node whose feed lost the news", async () => {
    await cluster.within(hunt().correct(corrected(), WHY), 100);
    const feed = cluster.deaf();
    const c = await cluster.join("c", { feed });
    await cluster.within(hunt().correct(corrected({ name: "Harbour horns" }), WHY), 100);
    assert.equal(c.row.corrected, 0);
    c.service.refresh();
    await cluster.clock.advance(100);
    assert.equal(c.row.corrected, 1);
  });

  it("is refused once it has begun, and in a race with the begin one of the two comes first", async () => {
    const [begun, change] = await cluster.within(
      Promise.allSettled([hunt().start(), hunt().correct(corrected(), WHY)]),
      100,
    );
    assert.equal(begun.status, "fulfilled");
    assert.equal(change.status === "rejected" && change.reason.code, "wrong_phase");
    assert.equal((await stored()).definition.revision, undefined);
    assert.deepEqual(await eventChanges(cluster.database, "hunts", "h", 10), []);
  });

  it("is refused where its prizes could not be paid, and is as it was", async () => {
    const before = await stored();
    const twice = [1, 2].map(() => ({ from: 1, to: 1, items: [{ item: "TICO", amount: String(LARGEST_AWARD) }] }));
    await assert.rejects(correct({ prizes: twice }), { code: "invalid_payload" });
    assert.deepEqual(await stored(), before);
  });
});
