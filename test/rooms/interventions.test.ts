import assert from "node:assert/strict";
import type { WireError } from "../../src/errors.ts";
import { someHunt } from "../hunts/someHunt.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
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
  let node: RingmasterNode;
  let operator: Visitor;
  let token: string;

  before(async () => {
    node = await RingmasterNode.alone();
    token = await tokenOf("operator");
    operator = await Visitor.join(node.client(token), "admin");
  });
  after(async () => {
    await node.close();
  });

  const command = <T>(name: string, args: object): Promise<T> => operator.request("command", { name, args });
  const query = <T>(name: string, args: object): Promise<T> => operator.request("query", { name, args });
  const audited = (type: string) =>
    operator.message<Line>("timeline", (line) => line.kind === "audit" && line.type === type);

  const post = (path: string, body: object) => node.post<{ name?: string; error?: WireError }>(path, { token, body });

  const eventually = (what: string, isSo: () => boolean) => until(isSo, { timeoutMs: DEADLINE_MS, what });

  const EVENTS = [
    {
      ...{ domain: "hunts", create: "createHunt", correct: "correctHunt", start: "startHunt", changes: "huntChanges" },
      ...{ pause: "pauseHunt", resume: "resumeHunt", room: "hunt", idName: "huntId", definition: someHunt },
    },
    {
      ...{ domain: "tournaments", create: "createTournament", correct: "correctTournament", start: "startTournament" },
      ...{
        pause: "pauseTournament",
        resume: "resumeTournament",
        changes: "tournamentChanges",
        room: "tournament",
        idName: "tournamentId",
        definition: someTournament,
      },
    },
  ];

  for (const event of EVENTS) {
    const { domain, create, correct, start, pause, resume, changes, room, idName, definition } = event;
    const later = (name: string) => {
      const startsAt = Date.now() + 3_600_000;
      return definition({ name, startsAt, ...(domain === "tournaments" && { endsAt: startsAt + 60_000 }) });
    };

    it(`cancel those of ${domain} with a reason, which everybody is told, or without one`, async () => {
      const told = domain === "hunts" ? "phase" : "closed";
      const cancelled = async (body: object) => {
        const { id } = await command<{ id: string }>(create, definition({ name: "Tied lights" }));
        await command(start, { [idName]: id }).catch(() => undefined);
        const player = await node.signIn("Ada");
        const seat = await Visitor.join(node.client(player.token), room, { [idName]: id });
        const lobby = await Visitor.join(node.client(player.token), "lobby");
        const path = `/api/${domain}/${id}`;
        assert.equal((await post(`${path}/cancel`, { reason: " " })).status, 400);
        const { status, body: summary } = await post(`${path}/cancel`, body);
        assert.equal(status, 200);
        type Told = { phase: string; cancelReason?: string };
        const isOver = ({ phase }: Told): boolean => phase === "cancelled";
        const now = await seat.message<Told>(told, isOver);
        const late = await Visitor.join(node.client(player.token), room, { [idName]: id });
        const afterwards = await late.message<Told>(told, isOver);
        const { data } = await lobby.message<{ data: Told & Row }>(
          "event",
          ({ data }) => data.id === id && isOver(data),
        );
        await eventually("the state says so", () => isOver(seat.room.state as Told));
        const details = await node.get<Told>(path);
        const list = await node.get<Record<string, (Told & Row)[]>>(`/api/${domain}`);
        const listed = list.body[domain]!.find((each) => each.id === id)!;
        const made = await query<{ kind: string; reason: string }[]>(changes, { [idName]: id });
        return {
          reasons: [summary as Told, now, afterwards, data, details.body, listed].map(
            ({ cancelReason }) => cancelReason,
          ),
          states: [seat, late].map(({ room }) => (room.state as Told).cancelReason),
          made: made.map(({ kind, reason }) => [kind, reason]),
        };
      };
      const why = "the harbour is closed";
      assert.deepEqual(await cancelled({ reason: why }), {
        ...{ reasons: Array(6).fill(why), states: [why, why], made: [["cancel", why]] },
      });
      assert.deepEqual(await cancelled({}), { reasons: Array(6).fill(undefined), states: ["", ""], made: [] });
    });

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

    it(`pause those of ${domain} and go on with them, in the admin room and over HTTP, and everybody sees it`, async () => {
      const { id } = await command<{ id: string }>(create, definition({ name: "Ebb lights" }));
      const named = { [idName]: id };
      const path = `/api/${domain}/${id}`;
      const seat = await Visitor.join(node.client((await node.signIn("Bob")).token), room, named);
      const lobby = await Visitor.join(node.client((await node.signIn("Cid")).token), "lobby");
      const shown = (): number | undefined =>
        [...(lobby.room.state as { on: (Row & { pausedAt: number })[] }).on].find((row) => row.id === id)?.pausedAt;
      const state = seat.room.state as { phase: string; pausedAt: number; resumesAt: number };
      await eventually("it runs", () => state.phase !== "scheduled");

      const { pausedAt, resumesAt } = await command<{ pausedAt: number; resumesAt: number }>(pause, {
        ...named,
        reason: "a fire alarm",
        ms: 60_000,
      });
      assert.equal(resumesAt, pausedAt + 60_000);
      await audited(pause);
      await eventually("the room shows it", () => state.pausedAt === pausedAt && state.resumesAt === resumesAt);
      await eventually("the lobby shows it", () => shown() === pausedAt);
      const asked =
        room === "hunt" ? seat.request("claim", {}) : seat.request("submit", { submissionId: "s", score: 1 });
      await assert.rejects(asked, { code: "paused", details: { pausedAt, resumesAt } });
      const details = await node.get<{ pausedAt?: number }>(path);
      assert.equal(details.body.pausedAt, pausedAt);

      assert.equal((await post(`${path}/resume`, { reason: "it was toast" })).status, 200);
      await eventually("the room goes on", () => state.pausedAt === 0);
      await eventually("the lobby shows that", () => shown() === 0);
      assert.equal((await post(`${path}/resume`, { reason: "again" })).body.error?.code, "conflict");
      assert.equal((await post(`${path}/pause`, { reason: "a drill", ms: 999 })).status, 400);
      assert.equal((await post(`${path}/pause`, { reason: "a drill" })).status, 200);
      await command(resume, { ...named, reason: "done" });
      const made = await query<{ kind: string; reason: string }[]>(changes, named);
      assert.deepEqual(
        made.map(({ kind, reason }) => [kind, reason]),
        [
          ["resume", "done"],
          ["pause", "a drill"],
          ["resume", "it was toast"],
          ["pause", "a fire alarm"],
        ],
      );
    });
  }
});
