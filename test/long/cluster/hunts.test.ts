import assert from "node:assert/strict";
import { type Rng, seededRng } from "../../../src/clock.ts";
import { Hunts } from "../../../src/entities/hunts/Hunt.ts";
import { HuntBot } from "../../cluster/supportHuntBot.ts";
import { assertKept, HuntHistory, placesOf, recount } from "../../cluster/supportHuntHistory.ts";
import { HuntCluster } from "../../cluster/supportHunts.ts";
import type { Place } from "../../cluster/supportNodes.ts";
import { someHunt } from "../../hunts/someHunt.ts";
import { muteSdk } from "../../support/Visitor.ts";

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const PLAYERS = 300;
const WINNERS = 10;
/** Right answers between one blow and the next. */
const PROGRESS = 300;

const TEMPLATES = Array.from({ length: 12 }, (_, at) => ({
  type: "sum",
  prompt: `What is ${at} and ${at}?`,
  answers: [`it is ${2 * at}`],
  points: 1 + at,
  repeatable: true,
}));

describe("a hunt on a cluster whose nodes and Redis are killed", function () {
  this.timeout(240_000);
  muteSdk();
  const rng: Rng = seededRng(SEED);
  let cluster: HuntCluster;
  let bots: HuntBot[] = [];

  before(async () => {
    console.log(`      seed ${SEED} (SEED=${SEED} replays who is killed and what players do)`);
    cluster = await HuntCluster.open(3);
  });
  after(async () => {
    for (const bot of bots) bot.leave();
    await cluster.close();
  });

  async function killSomeNode(): Promise<void> {
    const victim: Place = cluster.places[Math.floor(rng.next() * cluster.places.length)]!;
    await victim.node.kill();
    await victim.start();
  }

  it(`keeps every clue and answer of ${PLAYERS} players that it has acknowledged, and gives no clue to two`, async () => {
    const huntId = await cluster.create(
      someHunt({ clueTtlMs: 4000, attempts: 2, winners: WINNERS, clues: TEMPLATES, revealMs: 600_000 }),
    );
    const history = new HuntHistory();
    const players = await cluster.signIn(PLAYERS);
    bots = players.map(
      (player, at) =>
        new HuntBot({
          player,
          huntId,
          urls: cluster.places.map(({ url }) => url),
          answers: TEMPLATES.map(({ answers }) => answers[0]!),
          history,
          rng: seededRng(SEED + at),
        }),
    );
    const seated = await cluster.seat(huntId, players);
    for (const [at, bot] of bots.entries()) bot.sit(seated[at]!);
    const game = Promise.all(bots.map((bot) => bot.play()));
    game.catch((error: unknown) => history.fault(String(error)));

    await history.progress(PROGRESS);
    await killSomeNode();
    await history.progress(PROGRESS);
    await cluster.redis.kill();
    const refusals = () => history.troubles.get("unavailable") ?? 0;
    const before = refusals();
    await history.until("players notice that Redis is gone", () => refusals() > before + PLAYERS / 3);
    await cluster.redis.restart();
    await history.progress(PROGRESS);
    await killSomeNode();
    await history.progress(PROGRESS);
    await cluster.act(huntId, "end");
    await game;

    await assertKept(
      cluster.database,
      huntId,
      history,
      bots.map(({ account }) => account),
    );
    const winners = await recount(cluster.database, huntId, WINNERS);
    assert.deepEqual(placesOf((await new Hunts(cluster.database).get(huntId))!.winners!), winners);
    for (const bot of bots) assert.deepEqual(placesOf(await bot.chest), winners);
    console.log(
      `      ${history.given.length} clues given, ${history.judged.length} answers judged, ${history.count} right; ` +
        `lived through ${JSON.stringify(Object.fromEntries(history.troubles))}`,
    );
  });
});
