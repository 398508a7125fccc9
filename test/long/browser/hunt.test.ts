import { deepEqual, equal, ok } from "node:assert/strict";
import type { BrowserContextOptions, Page } from "playwright-core";
import type { HuntDefinition } from "../../../src/actors/hunts/definition.ts";
import { someHunt } from "../../hunts/someHunt.ts";
import { clientOf } from "../../support/RingmasterNode.ts";
import { Hunter } from "../../support/Visitor.ts";
import { fits, hasFocus, listen, tabTo, violations } from "./pageChecks.ts";
import { Stage, type Visit } from "./Stage.ts";

const CLUE: HuntDefinition["clues"][number] = {
  type: "riddle",
  prompt: "It turns all night.",
  answers: ["lighthouse"],
  points: 10,
};
/** One clue for all: whoever comes second waits. */
const ONE = { clues: [CLUE], repeat: 1 };
const PHONE = { viewport: { width: 360, height: 740 } };

describe("the player page in a hunt", function () {
  this.timeout(120_000);

  let stage: Stage;
  let visit: Visit | undefined;
  const others: Hunter[] = [];

  before(async () => {
    stage = await Stage.open();
  });
  after(() => stage?.close());
  afterEach(async () => {
    await Promise.all(others.splice(0).map(({ room }) => room.leave()));
    await visit?.leave();
    visit = undefined;
  });

  async function begin(change: Partial<HuntDefinition> = {}): Promise<string> {
    return ((await stage.operate("/api/hunts", someHunt({ clues: [CLUE], ...change }))) as { id: string }).id;
  }

  async function enter(huntId: string, name: string, options: BrowserContextOptions = {}): Promise<Page> {
    visit = await stage.visit(options);
    const { page } = visit;
    await page.goto(`${stage.address}#hunt=${huntId}`);
    await page.getByLabel("Your name in the ring").fill(name);
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Get a clue" }).waitFor();
    return page;
  }

  /** Another player, who plays without a page. */
  async function other(huntId: string): Promise<Hunter> {
    const answer = await fetch(`${stage.address}auth/anonymous`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    const { token } = (await answer.json()) as { token: string };
    const hunter = await Hunter.join(clientOf(stage.address.replace(/\/$/, ""), token), huntId);
    others.push(hunter);
    return hunter;
  }

  it("gives a clue back by keyboard, to whoever waits, and goes on from there", async () => {
    const huntId = await begin(ONE);
    const page = await enter(huntId, "Ann");
    await tabTo(page, page.getByRole("button", { name: "Get a clue" }));
    await page.keyboard.press("Enter");
    await page.locator("#answer:focus").waitFor();
    const next = await other(huntId);
    deepEqual(await next.claim(), { waiting: true, position: 1 });

    const heard = await listen(page);
    await tabTo(page, page.getByRole("button", { name: "Give this clue back" }));
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Given back" }).waitFor();
    await heard.until("The clue is given back.");
    equal((await next.message<{ assignmentId: string }>("clue")).assignmentId, "0.2");
    await page.getByRole("button", { name: "Next clue" }).and(page.locator(":focus")).waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "You are number 1 in the queue" }).waitFor();
    deepEqual(visit!.complaints, []);
  });

  it("says in another tab of the same player that the clue is given back", async () => {
    const page = await enter(await begin(ONE), "Bob");
    await page.getByRole("button", { name: "Get a clue" }).click();
    const tab = await page.context().newPage();
    await tab.goto(page.url());
    await tab.getByRole("button", { name: "Give this clue back" }).click();
    await tab.getByRole("heading", { name: "Given back" }).waitFor();
    await page.getByRole("heading", { name: "Given back" }).waitFor();
  });

  it("says how many attempts are left, also after a reload, and when no clue is left for the player", async () => {
    const page = await enter(await begin({ ...ONE, attempts: 2 }), "Cid");
    await page.getByRole("button", { name: "Get a clue" }).click();
    await page.getByText("2 attempts left.").waitFor();
    await page.locator("#answer").fill("not this");
    await page.keyboard.press("Enter");
    await page.locator(".decision--wrong", { hasText: "One attempt left." }).waitFor();
    await page.reload();
    await page.locator(".decision", { hasText: "One attempt left." }).waitFor();

    await page.locator("#answer").fill("nor this");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Out of attempts" }).waitFor();
    const heard = await listen(page);
    await page.getByRole("button", { name: "Next clue" }).press("Enter");
    await page.getByRole("heading", { name: "You have had every clue" }).and(page.locator(":focus")).waitFor();
    await heard.until("You have had every clue that there is for you.");
  });

  it("leaves the queue by keyboard, and is given nothing until it asks again", async () => {
    const huntId = await begin(ONE);
    const holder = await other(huntId);
    const { assignmentId } = await holder.clue();
    const page = await enter(huntId, "Dot");
    await tabTo(page, page.getByRole("button", { name: "Get a clue" }));
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "You are number 1 in the queue" }).and(page.locator(":focus")).waitFor();

    const heard = await listen(page);
    await tabTo(page, page.getByRole("button", { name: "Leave the queue" }));
    await page.keyboard.press("Enter");
    await heard.until("You have left the queue.");
    const claim = page.getByRole("button", { name: "Get a clue" });
    await claim.and(page.locator(":focus")).waitFor();
    await page.reload();
    await claim.waitFor();
    await holder.request("giveBack", { assignmentId });
    // Had the page kept its place, it would have been given the clue by now.
    const next = await other(huntId);
    const { assignmentId: second } = await next.clue();
    equal(second, "0.2");
    ok(await claim.isVisible());
    await next.request("giveBack", { assignmentId: second });
    await claim.press("Enter");
    await page.locator("#answer:focus").waitFor();
  });

  it("shows a place in the queue as it changes, tells it, and keeps the focus where it is", async () => {
    const huntId = await begin(ONE);
    await (await other(huntId)).clue();
    const before = await other(huntId);
    await before.claim();
    const page = await enter(huntId, "Fay");
    await page.getByRole("button", { name: "Get a clue" }).click();
    await page.getByRole("heading", { name: "You are number 2 in the queue" }).waitFor();
    const leave = page.getByRole("button", { name: "Leave the queue" });
    await tabTo(page, leave);
    const heard = await listen(page);
    await before.request("leaveQueue", {});
    await page.getByRole("heading", { name: "You are number 1 in the queue" }).waitFor();
    await heard.until("You are next in the queue.");
    ok(await hasFocus(leave));
  });

  it("says how long a pause between clues lasts, and when it is over", async () => {
    const page = await enter(
      await begin({ clues: [CLUE, { ...CLUE, prompt: "It turns all day." }], cooldownMs: 3_600_000 }),
      "Eve",
    );
    await page.clock.install();
    await page.getByRole("button", { name: "Get a clue" }).click();
    await solve(page);
    await page.getByRole("button", { name: "Next clue" }).press("Enter");
    await page.getByRole("alert").getByText("the next one can be yours in 60 minutes.").waitFor();
    const claim = page.getByRole("button", { name: /^Get a clue in (1:00:00|59:\d\d)$/ });
    await claim.and(page.locator(":focus")).waitFor();
    equal(await claim.getAttribute("aria-disabled"), "true");

    const heard = await listen(page);
    await page.clock.fastForward(3_600_000);
    await heard.until("The next clue can be yours now.");
    ok(await hasFocus(page.getByRole("button", { name: "Get a clue", exact: true })));
    equal(await page.locator(".ring__stage [role=alert]").textContent(), "");
  });

  it("says that the hunt is paused and until when, refuses in the server's words, and lets no time pass until it goes on", async () => {
    const huntId = await begin(ONE);
    const page = await enter(huntId, "Gus");
    await page.clock.install();
    await page.getByRole("button", { name: "Get a clue" }).click();
    await page.locator("#answer").waitFor();
    const runsOutAt = (): Promise<number> =>
      page.evaluate(() => JSON.parse(localStorage.getItem("ringmaster.plays")!).at(-1).play.clue.expiresAt);
    const runsOutFirst = await runsOutAt();
    const heard = await listen(page);
    await stage.operate(`/api/hunts/${huntId}/pause`, { reason: "a test" });
    await heard.until("The hunt is paused.");
    const paused = page.getByText(/^The hunt is paused, until .+ at the latest\. No time is lost\.$/);
    await paused.waitFor();
    const times = page.getByRole("timer");
    const before = await times.allTextContents();
    equal(before.length, 2);
    await page.clock.fastForward(3_600_000);
    deepEqual(await times.allTextContents(), before);
    await page.locator("#answer").fill("lighthouse");
    await page.keyboard.press("Enter");
    await page
      .locator(".decision--wrong", { hasText: "The event is paused; nothing is taken before it goes on." })
      .waitFor();
    deepEqual(await violations(page, "body"), []);
    await page.reload();
    await paused.waitFor();

    await stage.operate(`/api/hunts/${huntId}/resume`, { reason: "a test" });
    await paused.waitFor({ state: "detached" });
    ok((await runsOutAt()) > runsOutFirst, "the clue runs out later");
    await page.locator("#answer").fill("lighthouse");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Right you are!" }).waitFor();
  });

  it("shows the player's own place and points below the top ten, also after a reload and once it is over", async () => {
    const huntId = await begin({ repeat: 20, revealMs: 600_000 });
    for (let count = 0; count < 11; count += 1) {
      const hunter = await other(huntId);
      await hunter.solve((await hunter.clue()).assignmentId, "lighthouse");
    }
    const page = await enter(huntId, "Flo");
    await page.getByRole("button", { name: "Get a clue" }).click();
    await solve(page);
    const own = page.locator(".standings .own", { hasText: "Flo" });
    await own.waitFor();
    equal(await own.textContent(), "12Flo you10");
    equal(await page.locator(".standings__gap").count(), 1);
    await page.getByText("You are 12th of 12, with 10 points.").waitFor();
    await page.reload();
    await own.waitFor();
    equal(await page.locator(".points").getAttribute("data-points"), "10");
    await stage.operate(`/api/hunts/${huntId}/end`);
    await page.getByText("You came in 12th of 12, with 10 points.").waitFor();
    await page.reload();
    await page.getByText("You came in 12th of 12, with 10 points.").waitFor();
  });

  it("keeps to WCAG 2.2 AA in both themes on a phone of 360 pixels, whatever there is to do", async () => {
    const huntId = await begin({ repeat: 2, revealMs: 600_000 });
    const holder = await other(huntId);
    const { assignmentId } = await holder.clue();
    const page = await enter(huntId, "Gil", PHONE);
    const isGood = async (what: string): Promise<void> => {
      deepEqual(await violations(page, ".ring__stage"), [], what);
      ok(await fits(page), what);
    };
    await isGood("the invitation");
    const keeper = await other(huntId);
    const kept = await keeper.clue();
    await page.getByRole("button", { name: "Get a clue" }).click();
    await page.getByRole("button", { name: "Leave the queue" }).waitFor();
    await isGood("the queue");
    await keeper.request("giveBack", { assignmentId: kept.assignmentId });
    await page.locator("#answer").fill("not this");
    await page.keyboard.press("Enter");
    await page.locator(".decision--wrong").waitFor();
    await isGood("a clue and a wrong answer");
    await page.getByRole("button", { name: "Give this clue back" }).click();
    await page.getByRole("heading", { name: "Given back" }).waitFor();
    await isGood("a clue that is given back");
    await holder.request("giveBack", { assignmentId });
    await page.getByRole("button", { name: "Next clue" }).click();
    await page.locator("#answer").waitFor();
    await solve(page);
    await isGood("a clue that is solved");
    await page.getByRole("button", { name: "Next clue" }).click();
    await page.getByRole("heading", { name: "You have had every clue" }).waitFor();
    await isGood("nothing left");
    await stage.operate(`/api/hunts/${huntId}/end`);
    await page.getByRole("heading", { name: "Your name is in the chest!" }).waitFor();
    await isGood("the chest");
    deepEqual(await violations(page, "body"), [], "all around it");
  });
});

async function solve(page: Page): Promise<void> {
  await page.locator("#answer").fill("lighthouse");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Right you are!" }).waitFor();
}
