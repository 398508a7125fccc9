import assert from "node:assert/strict";
import { CHALLENGE_MS } from "../../src/actors/quests/WalletService.ts";
import { development, ed25519, verifiersFor } from "../../src/actors/quests/walletProof.ts";
import { QuestCluster, type QuestNode } from "./QuestCluster.ts";
import { developmentWallet, ed25519Wallet, type SigningWallet } from "./signing.ts";
import { insertPlayers } from "./someQuest.ts";

describe("the connection of a wallet", () => {
  let cluster: QuestCluster;
  let node: QuestNode;

  beforeEach(async () => {
    cluster = await QuestCluster.open();
    node = await cluster.join();
    await insertPlayers(cluster.database, ["ada", "bob"]);
  });
  afterEach(() => cluster.close());

  const challenge = (player: string) => cluster.within(node.wallets.challenge(player));
  const connect = (player: string, address: string, signature: string) =>
    cluster.within(node.wallets.connect(player, address, signature));
  const addressOf = async (player: string) =>
    (await cluster.within(node.wallets.links(player))).wallet?.address ?? null;

  /** Connects by the rules. */
  async function join(player: string, wallet: SigningWallet): Promise<void> {
    await connect(player, wallet.address, wallet.sign((await challenge(player)).challenge));
  }

  it("takes the signature of the player's open challenge", async () => {
    const wallet = ed25519Wallet();
    await join("ada", wallet);
    assert.equal(await addressOf("ada"), wallet.address);
    assert.equal(await addressOf("bob"), null);
  });

  it("takes a signature once", async () => {
    const wallet = ed25519Wallet();
    const signature = wallet.sign((await challenge("ada")).challenge);
    await connect("ada", wallet.address, signature);
    await assert.rejects(connect("ada", wallet.address, signature), { code: "no_challenge" });
    await cluster.within(node.wallets.disconnect("ada"));
    await assert.rejects(connect("ada", wallet.address, signature), { code: "no_challenge" });
    await challenge("ada");
    await assert.rejects(connect("ada", wallet.address, signature), { code: "bad_signature" });
    assert.equal(await addressOf("ada"), null);
  });

  it("lets one of several tries at once have the challenge", async () => {
    const wallet = ed25519Wallet();
    const signature = wallet.sign((await challenge("ada")).challenge);
    const tries = Array.from({ length: 8 }, () => node.wallets.connect("ada", wallet.address, signature));
    const outcomes = await cluster.within(Promise.allSettled(tries));
    assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
  });

  it("uses the challenge up by a try that fails", async () => {
    const wallet = ed25519Wallet();
    const { challenge: text } = await challenge("ada");
    await assert.rejects(connect("ada", wallet.address, "00".repeat(64)), { code: "bad_signature" });
    await assert.rejects(connect("ada", wallet.address, wallet.sign(text)), { code: "no_challenge" });
  });

  it("refuses another key's signature", async () => {
    const [mine, other] = [ed25519Wallet(), ed25519Wallet()];
    const { challenge: text } = await challenge("ada");
    await assert.rejects(connect("ada", mine.address, other.sign(text)), { code: "bad_signature" });
  });

  it("refuses a challenge that has run out, and one that a later one has replaced", async () => {
    const wallet = ed25519Wallet();
    const first = await challenge("ada");
    await cluster.clock.advance(CHALLENGE_MS);
    await assert.rejects(connect("ada", wallet.address, wallet.sign(first.challenge)), { code: "no_challenge" });
    const second = await challenge("ada");
    await challenge("ada");
    await assert.rejects(connect("ada", wallet.address, wallet.sign(second.challenge)), { code: "bad_signature" });
  });

  it("refuses another player's challenge, whether one's own is open or not", async () => {
    const wallet = ed25519Wallet();
    const signature = wallet.sign((await challenge("bob")).challenge);
    await assert.rejects(connect("ada", wallet.address, signature), { code: "no_challenge" });
    await challenge("ada");
    await assert.rejects(connect("ada", wallet.address, signature), { code: "bad_signature" });
    await connect("bob", wallet.address, signature);
  });

  it("gives a player one wallet, and a wallet one player for ever", async () => {
    const [first, second] = [ed25519Wallet(), ed25519Wallet()];
    await join("ada", first);
    await join("ada", first);
    await assert.rejects(join("ada", second), { code: "conflict" });
    await assert.rejects(join("bob", first), { code: "conflict" });
    await cluster.within(node.wallets.disconnect("ada"));
    await assert.rejects(join("bob", first), { code: "conflict" });
    await join("ada", second);
    assert.equal(await addressOf("ada"), second.address);
  });

  it("gives a wallet that two players connect at once to one of them", async () => {
    const wallet = ed25519Wallet();
    const texts = [await challenge("ada"), await challenge("bob")];
    const outcomes = await cluster.within(
      Promise.allSettled([
        node.wallets.connect("ada", wallet.address, wallet.sign(texts[0]!.challenge)),
        node.wallets.connect("bob", wallet.address, wallet.sign(texts[1]!.challenge)),
      ]),
    );
    assert.deepEqual(outcomes.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
    assert.equal([await addressOf("ada"), await addressOf("bob")].filter((each) => each === wallet.address).length, 1);
  });

  it("knows players only", async () => {
    await assert.rejects(join("nobody", ed25519Wallet()), { code: "not_found" });
    await assert.rejects(addressOf("nobody"), { code: "not_found" });
    await assert.rejects(cluster.within(node.wallets.chooseExchange("nobody", "kraken")), { code: "not_found" });
  });

  const forms = [
    "",
    "0x12",
    "AB".repeat(32),
    "ab".repeat(31),
    "ab".repeat(33),
    "dev-",
    "DEV-a",
    `${"ab".repeat(32)}\n`,
  ];
  for (const address of forms) {
    it(`refuses the address ${JSON.stringify(address)} and leaves the challenge open`, async () => {
      const wallet = ed25519Wallet();
      const { challenge: text } = await challenge("ada");
      await assert.rejects(connect("ada", address, wallet.sign(text)), { code: "invalid_payload" });
      await connect("ada", wallet.address, wallet.sign(text));
    });
  }
});

describe("the proof of a wallet", () => {
  const challenge = "text";

  it("is one text's and one key's", () => {
    const wallet = ed25519Wallet();
    const { address } = wallet;
    const signature = wallet.sign(challenge);
    assert.equal(ed25519.holds({ address, challenge, signature }), true);
    assert.equal(ed25519.holds({ address, challenge: "texT", signature }), false);
    assert.equal(ed25519.holds({ address: ed25519Wallet().address, challenge, signature }), false);
    const flipped = (signature.startsWith("0") ? "1" : "0") + signature.slice(1);
    assert.equal(ed25519.holds({ address, challenge, signature: flipped }), false);
  });

  it("does not hold, and throws nothing, for bytes that are no signature or no key", () => {
    const signature = ed25519Wallet().sign(challenge);
    for (const bad of ["", "zz", signature.slice(2), `${signature}00`, signature.toUpperCase()])
      assert.equal(ed25519.holds({ address: "ab".repeat(32), challenge, signature: bad }), false);
    for (const byte of ["00", "01", "ff", "7f"])
      assert.equal(ed25519.holds({ address: byte.repeat(32), challenge, signature }), false);
  });

  it("can be had without a key in development only", () => {
    const wallet = developmentWallet("ada");
    const { address } = wallet;
    const proof = { address, challenge, signature: wallet.sign(challenge) };
    assert.equal(development.holds(proof), true);
    assert.equal(development.holds({ ...proof, challenge: "other" }), false);
    assert.ok(verifiersFor(false).some((each) => each.accepts(address)));
    assert.ok(!verifiersFor(true).some((each) => each.accepts(address)));
  });
});
