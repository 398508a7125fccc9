import assert from "node:assert/strict";
import { join } from "node:path";
import { removeDirectory, temporaryDirectory } from "../../scripts/processes/guard.ts";
import type { JobRun } from "../../src/entities/jobs/Job.ts";
import type { DeadTask } from "../../src/entities/jobs/TaskBook.ts";
import type { WireError } from "../../src/errors.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { RingmasterNode, tokenOf } from "../support/RingmasterNode.ts";
import { muteSdk, Visitor } from "../support/Visitor.ts";
import type { TaskOrder } from "./nodeWithTasks.ts";

describe("dead tasks, as operators have them", function () {
  this.timeout(120_000);
  muteSdk();
  let directory: string;
  let node: RingmasterNode;
  let operator: string;
  let viewer: string;

  beforeEach(async () => {
    directory = temporaryDirectory("dead-tasks");
    [operator, viewer] = await Promise.all([tokenOf("operator"), tokenOf("viewer")]);
    const env = { DATABASE_URL: `sqlite:${join(directory, "ringmaster.sqlite")}` };
    node = await RingmasterNode.start(env, "test/http/nodeWithTasks.ts");
  });
  afterEach(async () => {
    await node.kill();
    removeDirectory(directory);
  });

  const tell = (order: TaskOrder): void => void node.program.send(order);
  const post = (verb: string, body: unknown, token: string | undefined = operator) =>
    node.post<{ name?: string; key?: string; error?: WireError }>(`/api/dead-letters/${verb}`, {
      ...(token === undefined ? {} : { token }),
      body,
    });
  const dead = async (): Promise<string[]> =>
    (await node.get<{ tasks: DeadTask[] }>("/api/dead-letters", { token: viewer })).body.tasks.map(({ key }) => key);
  const runs = async (): Promise<JobRun[]> =>
    (await node.get<{ runs: JobRun[] }>("/api/jobs/history?job=courier", { token: operator })).body.runs;
  const succeeded = async (): Promise<unknown[]> =>
    (await runs()).filter(({ outcome }) => outcome === "succeeded").map(({ result }) => result);

  /** Tasks that fail for good, one after the other. */
  async function die(...keys: string[]): Promise<void> {
    for (const [at, key] of keys.entries()) {
      tell({ enqueue: key });
      await until(async () => (await dead()).length === at + 1, { what: `${key} is dead`, timeoutMs: DEADLINE_MS });
    }
  }

  it("are replayed and discarded over HTTP by operators alone, by a name that is one", async () => {
    await die("parcel", "letter");
    const parcel = { name: "courier", key: "parcel" };
    const { token: player } = await node.signIn();
    for (const verb of ["replay-task", "discard-task"]) {
      assert.equal((await post(verb, parcel, viewer)).body.error?.code, "forbidden");
      assert.equal((await post(verb, parcel, player)).status, 403);
      assert.equal((await node.post(`/api/dead-letters/${verb}`, { body: parcel })).status, 401);
      for (const body of [{}, { name: "courier" }, { ...parcel, more: 1 }, { name: "courier", key: "x".repeat(65) }])
        assert.equal((await post(verb, body)).body.error?.code, "invalid_payload", JSON.stringify(body));
      for (const body of [
        { name: "courier", key: "none" },
        { name: "none", key: "parcel" },
      ])
        assert.equal((await post(verb, body)).body.error?.code, "not_found", JSON.stringify(body));
    }
    assert.deepEqual((await dead()).sort(), ["letter", "parcel"], "none of that changed anything");

    tell({ mended: true });
    assert.deepEqual(await post("replay-task", parcel).then(({ status, body }) => [status, body]), [200, parcel]);
    await until(async () => (await succeeded()).length === 1, { what: "it has run again", timeoutMs: DEADLINE_MS });
    assert.deepEqual(await succeeded(), [{ brought: "parcel" }]);
    assert.equal((await post("replay-task", parcel)).status, 404, "once");

    const letter = { name: "courier", key: "letter" };
    assert.deepEqual(await post("discard-task", letter).then(({ status, body }) => [status, body]), [200, letter]);
    for (const verb of ["replay-task", "discard-task"]) assert.equal((await post(verb, letter)).status, 404);
    assert.deepEqual(await dead(), []);
    assert.equal((await succeeded()).length, 1, "what was discarded has not run");
  });

  it("are replayed and discarded in the room admin by operators alone, who stand in the timeline", async () => {
    await die("parcel", "letter");
    const acting = await Visitor.join(node.client(operator), "admin");
    const watching = await Visitor.join(node.client(viewer), "admin");
    const command = (visitor: Visitor, name: string, key: string, task = "courier"): Promise<unknown> =>
      visitor.request("command", { name, args: { name: task, key } });
    for (const name of ["replayTask", "discardTask"]) {
      await assert.rejects(command(watching, name, "parcel"), { code: "forbidden" });
      await assert.rejects(command(acting, name, "none"), { code: "not_found" });
      await assert.rejects(command(acting, name, "parcel", "none"), { code: "not_found" });
      await assert.rejects(command(acting, name, ""), { code: "invalid_payload" });
    }
    const heard = () =>
      watching.heard
        .filter(({ type, payload }) => type === "timeline" && (payload as { kind: string }).kind === "audit")
        .map(({ payload }) => payload as { type: string; data: object });
    assert.deepEqual(heard(), [], "what was refused is not told as done");

    tell({ mended: true });
    await command(acting, "replayTask", "parcel");
    await command(acting, "discardTask", "letter");
    await until(() => heard().length === 2, { what: "both are told", timeoutMs: DEADLINE_MS });
    const data = { operatorId: "operator", operator: "operator" };
    assert.deepEqual(
      heard().map(({ type, data }) => ({ type, data })),
      ["replayTask", "discardTask"].map((type) => ({ type, data })),
    );
    await until(async () => (await succeeded()).length === 1, { what: "it has run again", timeoutMs: DEADLINE_MS });
    assert.deepEqual(await succeeded(), [{ brought: "parcel" }]);
    const { tasks } = await watching.request<{ tasks: DeadTask[] }>("query", { name: "deadLetters" });
    assert.deepEqual(tasks, []);
  });
});
