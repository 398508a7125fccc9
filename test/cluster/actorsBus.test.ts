import assert from "node:assert/strict";
import { RedisBus } from "../../src/actors/runtime/RedisBus.ts";
import { connectRedis, whenReady } from "../../src/stores/runtime/redis.ts";
import { silentLog } from "../actors/simulation.ts";
import { itMeanwhile } from "../support/meanwhile.ts";
import { sharedRedis } from "../support/servers.ts";
import { sooner } from "./support.ts";
import { SilentProxy } from "./supportProxy.ts";

describe("the bus between nodes, over Redis", function () {
  this.timeout(120_000);

  itMeanwhile("hears again after the connection on which it listens has died without a word", async () => {
    const redis = await sharedRedis();
    const proxy = await SilentProxy.to(redis.port);
    const [deaf, speaker] = [
      connectRedis(`redis://127.0.0.1:${proxy.port}`, "deaf"),
      connectRedis(redis.url, "speaker"),
    ];
    await Promise.all([whenReady(deaf), whenReady(speaker)]);
    const [hearing, speaking] = [new RedisBus(deaf, silentLog), new RedisBus(speaker, silentLog)];
    const heard: string[] = [];
    await hearing.listen("bus-test-deaf", (message) => heard.push(message));
    assert.equal(await speaking.send("bus-test-deaf", "first"), true);
    await sooner("the first message is heard", () => heard.includes("first"));
    assert.equal(proxy.connections, 2);
    proxy.silence(1);
    await speaking.send("bus-test-deaf", "into the void");
    const asked = { isNews: false, known: undefined, quietMs: 750 };
    const beat = async (): Promise<void> => void (await hearing.beat({ id: "bus-test-deaf", role: "all" }, 1, asked));
    await sooner("it hears again", async () => {
      await beat();
      await speaking.send("bus-test-deaf", "again");
      return heard.includes("again");
    });
    assert.ok(!heard.includes("into the void"));
    await hearing.remove(["bus-test-deaf"]);
    await Promise.all([hearing.close(), speaking.close()]);
    for (const client of [deaf, speaker]) client.disconnect();
    proxy.close();
  });
});
