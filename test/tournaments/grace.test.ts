import assert from "node:assert/strict";
import { join } from "node:path";
import Database from "better-sqlite3";
import { removeDirectory, temporaryDirectory } from "../../scripts/processes/guard.ts";
import type { TournamentSummary } from "../../src/actors/tournaments/TournamentOperations.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { type Player, RingmasterNode, tokenOf } from "../support/RingmasterNode.ts";
import { muteSdk, Visitor } from "../support/Visitor.ts";
import { someTournament } from "./someTournament.ts";

describe("a tournament's grace", function () {
  this.timeout(120_000);
  muteSdk();
  let directory: string;
  let path: string;
  let node: RingmasterNode;
  let operator: string;

  beforeEach(async () => {
    directory = temporaryDirectory("grace");
    path = join(directory, "ringmaster.sqlite");
    operator = await tokenOf("operator");
    node = await RingmasterNode.start({ DATABASE_URL: `sqlite:${path}` });
  });
  afterEach(async () => {
    await node.kill();
    removeDirectory(directory);
  });

  const made = async (change: object = {}): Promise<string> =>
    (await node.post<{ id: string }>("/api/tournaments", { token: operator, body: { ...someTournament(), ...change } }))
      .body.id;
  const end = (id: string) => node.post<TournamentSummary>(`/api/tournaments/${id}/end`, { token: operator });
  const enter = (player: Player, tournamentId: string) =>
    Visitor.join(node.client(player.token), "tournament", { tournamentId });
  const submit = (visitor: Visitor) => visitor.request<{ rank: number }>("submit", { submissionId: "s", score: 5 });

  /** How many are known to have joined, to whoever comes after this node. */
  function stored(): number {
    const database = new Database(path, { readonly: true });
    try {
      const row = database.prepare("SELECT COUNT(*) AS entrants FROM tournament_entrants").get();
      return (row as { entrants: number }).entrants;
    } finally {
      database.close();
    }
  }

  it("takes the scores of who was in the room before the end, also when that node has died, and of nobody else", async () => {
    const id = await made();
    const [ann, bob] = [await node.signIn("Ann"), await node.signIn("Bob")];
    await enter(ann, id);
    // Bob plays elsewhere meanwhile: in a session, and not in the tournament.
    await Visitor.join(node.client(bob.token), "lobby");
    await until(() => stored() === 1, { what: "it is stored who was there", timeoutMs: DEADLINE_MS });
    await node.kill();
    node = await RingmasterNode.start({ DATABASE_URL: `sqlite:${path}` });
    assert.equal((await end(id)).body.phase, "grace");
    const [annAgain, bobLate] = [await enter(ann, id), await enter(bob, id)];
    await assert.rejects(submit(bobLate), (error: { code: string; details: { phase: string } }) => {
      assert.deepEqual([error.code, error.details.phase], ["wrong_phase", "grace"]);
      return true;
    });
    assert.equal((await submit(annAgain)).rank, 1);
  });

  it("takes anybody's where the definition says so", async () => {
    const id = await made({ graceFor: "anyone" });
    assert.equal((await end(id)).body.phase, "grace");
    assert.equal((await submit(await enter(await node.signIn("Bob"), id))).rank, 1);
  });
});
