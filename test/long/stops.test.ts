import { join } from "node:path";
import { removeDirectory, temporaryDirectory } from "../../scripts/processes/guard.ts";
import { JOINERS, stopUnderStorm } from "../app/supportStops.ts";
import { NodeCluster } from "../cluster/supportNodes.ts";
import { RingmasterNode } from "../support/RingmasterNode.ts";

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const ALONE = Number(process.env.STOPS ?? 100);
const OF_CLUSTER = Number(process.env.STOPS ?? 100);
/** Sooner than a seat that nobody takes runs out. */
const SHUTDOWN_TIMEOUT_MS = "8000";

describe("stops under storms of joins, again and again", function () {
  this.timeout(30 * 60_000);
  before(() => console.log(`      seed ${SEED} (SEED=${SEED} replays the storms' pauses)`));

  it(`end a node alone with exit code 0, ${ALONE} times, and leave nobody in the dark`, async () => {
    const directory = temporaryDirectory("stops");
    const env = {
      DATABASE_URL: `sqlite:${join(directory, "ringmaster.sqlite")}`,
      RATE_LIMIT_PER_ADDRESS: "1000000",
      SHUTDOWN_TIMEOUT_MS,
    };
    for (let at = 0; at < ALONE; at++) {
      const node = await RingmasterNode.start(env);
      const players = await Promise.all(Array.from({ length: JOINERS }, () => node.signIn()));
      await stopUnderStorm({ node, players, urls: [node.url], seed: SEED + at });
    }
    removeDirectory(directory);
  });

  it(`end a node of a cluster with exit code 0, ${OF_CLUSTER} times, while the others have a seat for all`, async () => {
    const cluster = await NodeCluster.open(3, { SHUTDOWN_TIMEOUT_MS });
    const players = await cluster.signIn(JOINERS);
    for (let at = 0; at < OF_CLUSTER; at++) {
      const stopped = cluster.places[at % cluster.places.length]!;
      const urls = cluster.places.map(({ url }) => url);
      await stopUnderStorm({ node: stopped.node, players, urls, seed: SEED + at });
      await stopped.start();
      await cluster.meet();
    }
    await cluster.close();
  });
});
