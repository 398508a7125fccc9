import assert from "node:assert/strict";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import { systemClock } from "../../src/clock.ts";
import { openDatabase } from "../support/database.ts";
import { itMeanwhile } from "../support/meanwhile.ts";
import { DEADLINE_MS } from "../support/processes.ts";
import { startMariaDb } from "../support/servers.ts";
import { CounterActor, EFFECTS_TABLE, kindOf, SimulatedNode } from "./simulation.ts";

/** How long the statement of a sleeper's timer takes, in seconds: more than it may. */
let sleepS = 9;
let tries = 0;

class Sleeper extends CounterActor {
  static override readonly kind = "sleeper";
  async arm(): Promise<void> {
    this.after("sleep", 1);
  }
  override readonly timers = {
    sleep: async () => {
      tries += 1;
      await (await this.sql()).query("SELECT SLEEP(?)", [sleepS]);
    },
  };
}

/** Changes a row that somebody has locked. */
class Waiter extends CounterActor {
  static override readonly kind = "waiter";
  async arm(): Promise<void> {
    this.after("change", 1);
  }
  override readonly timers = {
    change: async () => {
      await (await this.sql()).write("UPDATE effects SET seq = seq + 1 WHERE actor = 'locked'");
      this.state.count += 1;
    },
  };
}

describe("timers whose turns MariaDB does not end in time, while it serves others", function () {
  this.timeout(180_000);

  itMeanwhile("are shown as failing until they succeed, and others go on", async () => {
    const server = await startMariaDb({ inMemory: true, flushLogAtCommit: 2 });
    const database = await openDatabase({ kind: "mysql", url: await server.createDatabase(), pool: 16 });
    await database.write(`${EFFECTS_TABLE} ENGINE=InnoDB`);
    await database.write("INSERT INTO effects (actor, name, seq) VALUES ('locked', 'row', 0)");
    const kinds = [CounterActor, Sleeper, Waiter].map((type) => kindOf(type));
    // A simulated node has one class of work: that whose statements may take 4 s.
    const parts = { id: "n", hub: new MemoryHub(), database: database.of("turns"), clock: systemClock };
    const node = new SimulatedNode(parts, kinds);
    await node.actors.start();
    const somebody = await database.begin();
    await somebody.write("UPDATE effects SET seq = 1 WHERE actor = 'locked'");
    // The server ends a transaction that is idle for 3 s.
    const keepAwake = setInterval(() => void somebody.query("SELECT 1"), 500);

    await node.actors.ref(CounterActor, "other").startTicking(100, "fire");
    await node.actors.ref(Sleeper, "s").arm();
    await node.actors.ref(Waiter, "w").arm();
    const listed = async (): Promise<Record<string, string>> => {
      const failing = await node.actors.failingTimers.list(10);
      return Object.fromEntries(failing.map(({ actor, attempts, error }) => [actor.kind, attempts >= 1 ? error : ""]));
    };
    await until("both are shown", async () => Object.keys(await listed()).length === 2);
    const { sleeper, waiter } = await listed();
    assert.match(sleeper!, /^not_delivered: .*(STATEMENT_TIMEOUT|ER_LOCK_WAIT_TIMEOUT)/);
    assert.match(waiter!, /^not_delivered: .*ER_LOCK_WAIT_TIMEOUT/);
    assert.ok(tries >= 1);

    clearInterval(keepAwake);
    await somebody.rollback();
    sleepS = 0;
    await until("both have succeeded", async () => Object.keys(await listed()).length === 0);
    assert.equal(await node.actors.ref(Waiter, "w").read(), 1);
    const before = await node.actors.ref(CounterActor, "other").read();
    await until("the other goes on", async () => (await node.actors.ref(CounterActor, "other").read()) > before);
    await node.actors.drain();
    await node.crash();
    await database.close();
    await server.stop();
  });
});

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const end = systemClock.monotonic() + DEADLINE_MS;
  while (!(await isSo())) {
    if (systemClock.monotonic() > end) assert.fail(`not in time: ${what}`);
    await new Promise((resolve) => void systemClock.schedule(() => resolve(undefined), 50));
  }
}
