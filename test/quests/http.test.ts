import assert from "node:assert/strict";
import { join } from "node:path";
import { removeDirectory, temporaryDirectory } from "../../scripts/processes/guard.ts";
import type { QuestDefinition } from "../../src/actors/quests/definition.ts";
import type { MyQuest, QuestMessage } from "../../src/actors/quests/QuestService.ts";
import type { PlayerLinks, WalletChallenge } from "../../src/entities/players/Wallet.ts";
import type { ItemAmount } from "../../src/entities/prizes/PrizeLedger.ts";
import { someHunt } from "../hunts/someHunt.ts";
import { migratedDatabaseUrl } from "../support/migratedDatabase.ts";
import { type Answer, type Player, RingmasterNode, tokenOf } from "../support/RingmasterNode.ts";
import { freshRedisUrl } from "../support/servers.ts";
import { Hunter, Visitor } from "../support/Visitor.ts";
import { developmentWallet, ed25519Wallet, type SigningWallet } from "./signing.ts";
import { someQuest } from "./someQuest.ts";

const NODES: Record<string, (folder: string) => Promise<NodeJS.ProcessEnv>> = {
  "embedded, in development": async (folder) => ({
    DATABASE_URL: `sqlite:${join(folder, "ringmaster.sqlite")}`,
    NODE_ENV: "development",
  }),
  "of a cluster, in production": async () => ({
    REDIS_URL: await freshRedisUrl(),
    DATABASE_URL: await migratedDatabaseUrl(),
  }),
};

for (const [kind, environment] of Object.entries(NODES)) {
  describe(`quests on a node ${kind}`, function () {
    this.timeout(120_000);
    const isProduction = kind.includes("production");
    let folder: string;
    let node: RingmasterNode;
    let operator: string;
    let ada: Player;
    let bob: Player;

    before(async () => {
      folder = temporaryDirectory("quests");
      node = await RingmasterNode.start(await environment(folder));
      operator = await tokenOf("operator");
    });

    beforeEach(async () => {
      ada = await node.signIn("Ada");
      bob = await node.signIn("Bob");
    });

    after(async () => {
      await node.kill();
      removeDirectory(folder);
    });

    let quests = 0;

    async function define(change: Partial<QuestDefinition> = {}): Promise<string> {
      const id = `quest-${++quests}`;
      const { status, body } = await node.post("/api/quests", { token: operator, body: someQuest({ ...change, id }) });
      assert.equal(status, 201, JSON.stringify(body));
      return id;
    }

    async function mine({ token }: Player, id: string): Promise<MyQuest | undefined> {
      const { status, body } = await node.get<{ quests: MyQuest[] }>("/api/me/quests", { token });
      assert.equal(status, 200);
      return body.quests.find((quest) => quest.id === id);
    }

    const start = ({ token }: Player, id: string): Promise<Answer<MyQuest>> =>
      node.post(`/api/me/quests/${id}/start`, { token });

    async function connect({ token }: Player, wallet: SigningWallet): Promise<Answer<PlayerLinks>> {
      const { body } = await node.post<WalletChallenge>("/api/me/wallet/challenge", { token });
      const { address } = wallet;
      return node.post("/api/me/wallet", { token, body: { address, signature: wallet.sign(body.challenge) } });
    }

    it("goes from its definition to its reward, and only its player is told", async () => {
      const id = await define({ delayMs: 300 });
      const [hers, his] = await Promise.all([ada, bob].map(({ token }) => Visitor.join(node.client(token), "lobby")));
      assert.deepEqual((await mine(ada, id))!.state, "open");
      const begun = await start(ada, id);
      assert.equal(begun.status, 200);
      assert.deepEqual(begun.body, { id, state: "active", round: 1, dueAt: null, endedAt: null });

      const { body, status } = await connect(ada, ed25519Wallet());
      assert.equal(status, 200);
      assert.ok(body.wallet);
      const scheduled = await hers!.message<QuestMessage>("quest");
      assert.equal(scheduled.state, "scheduled");
      const completed = await hers!.message<QuestMessage>("quest");
      const { dueAt } = scheduled;
      assert.deepEqual(completed, { id, state: "completed", round: 1, dueAt, rewards: someQuest().rewards });

      const quest = await mine(ada, id);
      assert.deepEqual([quest!.state, quest!.round], ["completed", 1]);
      assert.ok(quest!.endedAt! >= dueAt);
      const { body: inventory } = await node.get<{ items: ItemAmount[] }>("/api/me/inventory", { token: ada.token });
      assert.deepEqual(inventory.items, someQuest().rewards);
      const again = await start(ada, id);
      assert.deepEqual([again.status, again.body.error!.code], [409, "conflict"]);
      assert.deepEqual(his!.unread("quest"), []);
      await Promise.all([hers!.room.leave(), his!.room.leave()]);
    });

    it("is told to a player who has come back from a dropped connection", async () => {
      const id = await define({ condition: { check: "exchangeChosen", args: {} }, delayMs: 500 });
      const visitor = await Visitor.join(node.client(ada.token), "lobby");
      visitor.room.reconnection.enabled = true;
      const back = new Promise<void>((resolve) => visitor.room.onReconnect(() => resolve()));
      await start(ada, id);
      visitor.room.connection.close();
      await back;
      await node.post("/api/me/exchange", { token: ada.token, body: { exchange: "kraken" } });
      await visitor.message<QuestMessage>("quest", ({ state }) => state === "completed");
      await visitor.room.leave();
    });

    it("is completed by a hunt at its reveal", async () => {
      const id = await define({ condition: { check: "huntsSolved", args: { atLeast: 1 } }, delayMs: 0 });
      await start(ada, id);
      await start(bob, id);
      const clues = [{ type: "riddle", prompt: "It turns all night.", answers: ["lighthouse"], points: 10 }];
      const { body } = await node.post<{ id: string }>("/api/hunts", {
        token: operator,
        body: someHunt({ clues, discoveryMs: 0, startsAt: Date.now() + 60_000 }),
      });
      await node.post(`/api/hunts/${body.id}/start`, { token: operator, body: {} });
      const hunter = await Hunter.join(node.client(ada.token), body.id);
      const lobby = await Visitor.join(node.client(ada.token), "lobby");
      await hunter.message<{ phase: string }>("phase", ({ phase }) => phase === "solving");
      const { correct } = await hunter.solve((await hunter.clue()).assignmentId, "lighthouse");
      assert.ok(correct);
      assert.equal((await mine(ada, id))!.state, "active");
      await node.post(`/api/hunts/${body.id}/end`, { token: operator, body: {} });
      await lobby.message<QuestMessage>("quest", ({ state }) => state === "completed");
      assert.equal((await mine(bob, id))!.state, "active");
      await Promise.all([hunter.room.leave(), lobby.room.leave()]);
    });

    it("takes each signature once, and of its own player", async () => {
      const wallet = ed25519Wallet();
      const { address } = wallet;
      const { body } = await node.post<WalletChallenge>("/api/me/wallet/challenge", { token: bob.token });
      assert.ok(body.expiresAt > Date.now());
      const proof = { address, signature: wallet.sign(body.challenge) };
      await node.post("/api/me/wallet/challenge", { token: ada.token });
      const stolen = await node.post("/api/me/wallet", { token: ada.token, body: proof });
      assert.deepEqual([stolen.status, stolen.body.error!.code], [403, "bad_signature"]);
      assert.equal((await node.post("/api/me/wallet", { token: bob.token, body: proof })).status, 200);
      const replayed = await node.post("/api/me/wallet", { token: bob.token, body: proof });
      assert.deepEqual([replayed.status, replayed.body.error!.code], [409, "no_challenge"]);
      const taken = await connect(ada, wallet);
      assert.deepEqual([taken.status, taken.body.error!.code], [409, "conflict"]);
      const gone = await node.post<PlayerLinks>("/api/me/wallet/disconnect", { token: bob.token });
      assert.deepEqual(gone.body, { wallet: null, exchange: null });
    });

    it(`${isProduction ? "refuses" : "takes"} wallets without a key`, async () => {
      const { status } = await connect(ada, developmentWallet(ada.id.toLowerCase()));
      assert.equal(status, isProduction ? 400 : 200);
    });

    it("is defined by operators, field by field", async () => {
      const definition = someQuest({ id: "by-hand" });
      const post = (body: unknown, token = operator) => node.post("/api/quests", { token, body });
      assert.equal((await post(definition, ada.token)).status, 403);
      const bad = await post({ ...definition, condition: { check: "huntsSolved", args: { atLeast: 0 } } });
      assert.match(bad.body.error!.message, /^condition\.args\.atLeast: /);
      const noItem = await post({ ...definition, rewards: [{ item: "GOLD", amount: "1" }] });
      assert.deepEqual([noItem.status, noItem.body.error!.code], [404, "not_found"]);
      assert.equal((await post(definition)).status, 201);
      assert.equal((await post(definition)).status, 409);
      const { body } = await node.get<{ quests: MyQuest[] }>("/api/quests");
      assert.deepEqual(
        body.quests.find(({ id }) => id === "by-hand"),
        definition,
      );
      assert.equal((await node.post("/api/quests/by-hand/retire", { token: ada.token })).status, 403);
      assert.equal((await node.post("/api/quests/by-hand/retire", { token: operator })).status, 200);
      assert.equal((await start(ada, "by-hand")).status, 404);
      assert.equal((await node.post("/api/quests/none/retire", { token: operator })).status, 404);
    });

    it("answers what is not of the protocol with a typed error", async () => {
      const { token } = ada;
      assert.equal((await node.get("/api/me/quests")).status, 401);
      assert.equal((await node.post("/api/me/quests/x/start")).status, 401);
      for (const id of ["none", "NONE", "a%2Fb", "__proto__", "x".repeat(33)])
        assert.equal((await node.post(`/api/me/quests/${id}/start`, { token })).status, 404, id);
      for (const body of [{}, { address: 5 }, { address: "a b", signature: "x" }, { address: "ab", signature: "" }, []])
        assert.equal((await node.post("/api/me/wallet", { token, body })).status, 400, JSON.stringify(body));
      for (const body of [{}, { exchange: "" }, { exchange: "No Exchange" }, { exchange: "x", more: 1 }])
        assert.equal((await node.post("/api/me/exchange", { token, body })).status, 400, JSON.stringify(body));
      const nobody = await node.get("/api/me/wallet", { token: operator });
      assert.deepEqual([nobody.status, nobody.body.error!.code], [404, "not_found"]);
    });
  });
}
