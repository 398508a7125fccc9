import assert from "node:assert/strict";
import { join } from "node:path";
import { removeDirectory, temporaryDirectory } from "../../scripts/processes/guard.ts";
import type { WireError } from "../../src/errors.ts";
import { someHunt } from "../hunts/someHunt.ts";
import { PATIENCE_MS, until } from "../support/processes.ts";
import { RingmasterNode, tokenOf } from "../support/RingmasterNode.ts";
import { muteSdk, Visitor } from "../support/Visitor.ts";
import { someTournament } from "../tournaments/someTournament.ts";

interface Line {
  kind: string;
  type: string;
  data: object;
}

interface Row {
  id: string;
  name: string;
}

describe("operators intervene in events", function () {
  this.timeout(120_000);
  muteSdk();
  let directory: string;
  let node: RingmasterNode;
  let operator: Visitor;
  let token: string;

  before(async () => {
    directory = temporaryDirectory("interventions");
    node = await RingmasterNode.start({ DATABASE_URL: `sqlite:${join(directory, "ringmaster.sqlite")}` });
    token = await tokenOf("operator");
    operator = await Visitor.join(node.client(token), "admin");
  });
  after(async () => {
    await node.kill();
    removeDirectory(directory);
  });

  const command = <T>(name: string, args: object): Promise<T> => operator.request("command", { name, args });
  const query = <T>(name: string, args: object): Promise<T> => operator.request("query", { name, args });
  const audited = (type: string) =>
    operator.message<Line>("timeline", (line) => line.kind === "audit" && line.type === type);

  const post = (path: string, body: object) => node.post<{ name?: string; error?: WireError }>(path, { token, body });

  const eventually = (what: string, isSo: () => boolean) => until(isSo, { timeoutMs: PATIENCE_MS, what });

  const EVENTS = [
    {
      ...{ domain: "hunts", create: "createHunt", correct: "correctHunt", start: "startHunt", changes: "huntChanges" },
      ...{ room: "hunt", idName: "huntId", definition: someHunt },
    },
    {
      ...{ domain: "tournaments", create: "createTournament", correct: "correctTournament", start: "startTournament" },
      ...{ changes: "tournamentChanges", room: "tournament", idName: "tournamentId", definition: someTournament },
    },
  ];

  for (const { domain, create, correct, start, changes, room, idName, definition } of EVENTS) {
    const later = (name: string) => {
      const startsAt = Date.now() + 3_600_000;
      return definition({ name, startsAt, ...(domain === "tournaments" && { endsAt: startsAt + 60_000 }) });
    };

    it(`correct those of ${domain} before they begin, in the admin room and over HTTP, and everybody hears of it`, async () => {
      const { id } = await command<{ id: string }>(create, later("Tied lights"));
      const named = { [idName]: id };
      const player = await node.signIn("Ada");
      const seat = await Visitor.join(node.client(player.token), room, named);
      const lobby = await Visitor.join(node.client(player.token), "lobby");
      const shown = (): string | undefined =>
        [...(lobby.room.state as { coming: Row[] }).coming].find((row) => row.id === id)?.name;

      await command(correct, { ...named, reason: "a slip", definition: later("Tide lights") });
      await seat.message("corrected");
      const { data } = await audited(correct);
      assert.deepEqual(data, { operatorId: "operator", operator: "operator", ...named, reason: "a slip" });
      const path = `/api/${domain}/${id}`;
      const answer = await post(`${path}/correct`, { reason: "another slip", definition: later("High tide lights") });
      assert.deepEqual([answer.status, answer.body.name], [200, "High tide lights"]);
      await seat.message("corrected");
      await eventually("the room shows the new name", () => (seat.room.state as Row).name === "High tide lights");
      await eventually("the lobby shows the new name", () => shown() === "High tide lights");

      const made = await query<{ kind: string; reason: string }[]>(changes, named);
      assert.deepEqual(
        made.map(({ kind, reason }) => [kind, reason]),
        [
          ["correct", "another slip"],
          ["correct", "a slip"],
        ],
      );
      const bad = await post(`${path}/correct`, { reason: " ", definition: { ...later("x"), name: "" } });
      assert.equal(bad.status, 400);
      await command(start, named);
      const late = await post(`${path}/correct`, { reason: "too late", definition: later("Neap lights") });
      assert.deepEqual([late.status, late.body.error?.code], [409, "wrong_phase"]);
    });
  }
});
