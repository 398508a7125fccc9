import assert from "node:assert/strict";
import { JOINERS, stopUnderStorm } from "../app/supportStops.ts";
import { muteSdk } from "../support/Visitor.ts";
import { NodeCluster } from "./supportNodes.ts";

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const STOPS = 2;

describe("a node of a cluster that stops while players join", function () {
  this.timeout(240_000);
  muteSdk();
  let cluster: NodeCluster;

  before(async () => {
    // Sooner than a seat that nobody takes runs out.
    cluster = await NodeCluster.open(2, { SHUTDOWN_TIMEOUT_MS: "8000" });
  });
  after(() => cluster.close());

  it(`sends its players to the others, which have a seat for all, and ends with exit code 0, ${STOPS} times`, async () => {
    console.log(`      seed ${SEED} (SEED=${SEED} replays the storms' pauses)`);
    const players = await cluster.signIn(JOINERS);
    for (let at = 0; at < STOPS; at++) {
      const stopped = cluster.places[at % cluster.places.length]!;
      const urls = cluster.places.map(({ url }) => url);
      const { sockets } = await stopUnderStorm({ node: stopped.node, players, urls, seed: SEED + at });
      assert.ok(sockets.some(({ joined }) => joined));
      await stopped.start();
      await cluster.meet();
    }
  });
});
