import assert from "node:assert/strict";
import { join } from "node:path";
import { removeDirectory, temporaryDirectory } from "../../scripts/processes/guard.ts";
import { DEADLINE_MS } from "../support/processes.ts";
import { RingmasterNode } from "../support/RingmasterNode.ts";
import { muteSdk } from "../support/Visitor.ts";
import { JOINERS, stopUnderStorm } from "./supportStops.ts";

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const STOPS = 3;

describe("a node that stops while players join", function () {
  this.timeout(120_000);
  muteSdk();
  let directory: string;
  let env: NodeJS.ProcessEnv;

  before(() => {
    directory = temporaryDirectory("stops");
    // Sooner than a seat that nobody takes runs out.
    env = { DATABASE_URL: `sqlite:${join(directory, "ringmaster.sqlite")}`, SHUTDOWN_TIMEOUT_MS: "8000" };
  });
  after(() => removeDirectory(directory));

  it("is not held by a seat whose socket never comes, also beside players who are in", async () => {
    const node = await RingmasterNode.start(env);
    const [present, absent] = [await node.signIn(), await node.signIn()];
    const room = await node.client(present.token).joinOrCreate("lobby");
    const left = new Promise<number>((resolve) => room.onLeave(resolve));
    const seat = await node.post("/matchmake/joinOrCreate/lobby", { token: absent.token, body: {} });
    assert.equal(seat.status, 200);
    assert.deepEqual(await node.program.stop(DEADLINE_MS), { code: 0, signal: null });
    assert.equal(await left, 4001);
  });

  it("is not held by a seat alone, in a room that nobody ever came into", async () => {
    const node = await RingmasterNode.start(env);
    const { token } = await node.signIn();
    assert.equal((await node.post("/matchmake/joinOrCreate/lobby", { token, body: {} })).status, 200);
    assert.deepEqual(await node.program.stop(DEADLINE_MS), { code: 0, signal: null });
  });

  it(`ends with exit code 0 in the middle of a storm of joins, and leaves nobody in the dark, ${STOPS} times`, async () => {
    console.log(`      seed ${SEED} (SEED=${SEED} replays the storms' pauses)`);
    for (let at = 0; at < STOPS; at++) {
      const node = await RingmasterNode.start({ ...env, RATE_LIMIT_PER_ADDRESS: "1000000" });
      const players = await Promise.all(Array.from({ length: JOINERS }, () => node.signIn()));
      const { sockets } = await stopUnderStorm({ node, players, urls: [node.url], seed: SEED + at });
      assert.ok(sockets.some(({ joined }) => joined));
    }
  });
});
