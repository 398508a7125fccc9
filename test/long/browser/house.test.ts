import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import type { Locator, Page } from "playwright-core";
import { DEMO_HUNT } from "../../../src/actors/hunts/demo.ts";
import { DEADLINE_MS, until } from "../../support/processes.ts";
import { fits, hasFocus, listen, tabTo, violations } from "./pageChecks.ts";
import { Stage, type Visit } from "./Stage.ts";

const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true };

/** A hunt of one clue, with prizes of which the first winner gets two. */
const ONE_CLUE = {
  ...DEMO_HUNT,
  name: "One clue for all",
  discoveryMs: 0,
  repeat: 1,
  clues: DEMO_HUNT.clues.slice(0, 1),
};

describe("the player page around the events", function () {
  this.timeout(120_000);

  let stage: Stage;
  let visit: Visit | undefined;

  before(async () => {
    stage = await Stage.open();
  });
  after(() => stage?.close());
  afterEach(async () => {
    await visit?.leave();
    visit = undefined;
  });

  async function enter(name: string, hash = "", options: Parameters<Stage["visit"]>[0] = {}): Promise<Page> {
    visit = await stage.visit(options);
    const { page } = visit;
    await page.goto(`${stage.address}${hash}`);
    await page.getByLabel("Your name in the ring").fill(name);
    await page.keyboard.press("Enter");
    await page.locator(".phase").waitFor();
    return page;
  }

  async function isGood(page: Page, within: string, what: string): Promise<void> {
    deepEqual(await violations(page, within), [], what);
    ok(await fits(page), what);
  }

  it("shows in the chest what each winner gets", async () => {
    const { id } = (await stage.operate("/api/hunts", { ...ONE_CLUE, startsAt: Date.now() })) as { id: string };
    const page = await enter("Ida", `#hunt=${id}`);
    await page.getByRole("button", { name: "Get a clue" }).click();
    await page.locator("#answer").fill(DEMO_HUNT.clues[0]!.answers[0]!);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Right you are!" }).waitFor();
    await stage.operate(`/api/hunts/${id}/end`);
    await page.locator(".winner.own", { hasText: "1 Private pass and 100 TICO" }).waitFor();
    deepEqual(visit!.complaints, []);
  });

  it("connects a wallet and chooses an exchange, so that the quests for both can be finished", async () => {
    const page = await enter("Jo");
    const quest = (title: string): Locator => page.locator(".quest", { hasText: title });
    for (const title of ["Connect a wallet", "Choose your exchange"]) {
      await quest(title).getByRole("button").click();
      await quest(title).locator(".tag", { hasText: "Under way" }).waitFor();
    }
    await page.getByRole("button", { name: "Make a key and connect it" }).press("Enter");
    const address = page.locator(".connection code");
    await address.waitFor();
    match((await address.getAttribute("title")) ?? "", /^[0-9a-f]{64}$/);
    await page.getByLabel("Your exchange").fill("My Exchange");
    await page.keyboard.press("Enter");
    await page.locator(".connection", { hasText: "Chosen: my-exchange" }).waitFor();

    await quest("Choose your exchange").locator(".tag--done").waitFor();
    await quest("Connect a wallet").locator(".tag--done").waitFor();
    await page.locator(".things li", { hasText: /TICO.*75/ }).waitFor();
    await page.reload();
    await page.locator(".connection", { hasText: "Connected:" }).waitFor();
    await page.getByRole("button", { name: "Disconnect the wallet" }).click();
    await page.getByRole("button", { name: "Make a key and connect it" }).waitFor();
    deepEqual(visit!.complaints, []);
  });

  it("shows a popup until it is closed, and has it counted once", async () => {
    const page = await enter("Kai");
    const { window } = (await stage.operate("/api/popups/global/open")) as { window: { title: string; body: string } };
    const popup = page.locator(".popup");
    await popup.getByRole("heading", { name: window.title }).waitFor();
    await popup.getByText(window.body).waitFor();
    await page.waitForFunction(() => localStorage.getItem("ringmaster.popupsViewed") !== null);
    await page.reload();
    await popup.getByRole("button", { name: "Close" }).press("Enter");
    await popup.waitFor({ state: "detached" });

    await page.reload();
    await page.locator(".quest").first().waitFor();
    equal(await popup.count(), 0);
    const { views } = (await stage.operate("/api/popups/global/close")) as { views: number };
    equal(views, 1);
    deepEqual(visit!.complaints, []);
  });

  it("shows pools, rankings and draws by game and period, by keys and on the narrowest phone", async () => {
    const startsAt = Date.now();
    const terms = { name: "The parade", game: "snake", startsAt, endsAt: startsAt + 3_600_000 };
    const { id } = (await stage.operate("/api/tournaments", terms)) as { id: string };
    await stage.operate("/api/pools/snake/daily/contribute", { item: "TICO", amount: "9".repeat(15) });
    const page = await enter("W".repeat(24), `#tournament=${id}`, { viewport: { width: 320, height: 740 } });
    await page.getByLabel("At my own pace").check();
    await page.getByRole("button", { name: "Play a round" }).press("Enter");
    for (let steps = 0; steps < 20; steps += 1) await page.keyboard.press("ArrowUp");
    await page.locator(".curtain__rank").waitFor();
    await page.locator(".standings .own", { hasText: "at own pace" }).first().waitFor();
    // A run leaves out the scores of its last seconds.
    const isRanked = async (): Promise<boolean> => {
      await stage.operate("/api/jobs/trigger/rankings");
      const answer = await fetch(`${stage.address}api/rankings/snake/all`);
      return ((await answer.json()) as { rows: { name: string }[] }).rows.some(({ name }) => name === "W".repeat(24));
    };
    await until(isRanked, { timeoutMs: DEADLINE_MS, what: "the player is ranked" });

    await page.reload();
    const panel = page.locator("section", { has: page.getByRole("heading", { name: "Pools and rankings" }) });
    await panel.locator(".pool", { hasText: "999,999,999,999,999 TICO" }).waitFor();
    await panel.locator(".standings .own", { hasText: "WWW" }).waitFor();
    await panel.getByText(/^You are \d+\w\w of \d+\.$/).waitFor();
    await panel.getByRole("heading", { name: "The weekly draw" }).waitFor();
    equal(
      await page.evaluate(() => document.documentElement.scrollWidth),
      await page.evaluate(() => document.documentElement.clientWidth),
    );

    await panel.getByLabel("Period").focus();
    await page.keyboard.press("End");
    await panel.locator(".standings .own").waitFor();
    equal(await panel.locator(".pool").count(), 0);
    await panel.getByLabel("Game").focus();
    await page.keyboard.type("Tetris");
    await panel.getByText("Nobody is ranked yet").waitFor();
    deepEqual(visit!.complaints, []);
  });

  it("welcomes by keyboard alone, says what is wrong with a name, and keeps to WCAG 2.2 AA in both themes on a phone", async () => {
    visit = await stage.visit(PHONE);
    const { page } = visit;
    const name = page.getByLabel("Your name in the ring");
    await isGood(page, "body", "the welcome");
    await tabTo(page, name);
    const suggested = await name.inputValue();
    await tabTo(page, page.getByRole("button", { name: "Another name" }));
    await page.keyboard.press("Enter");
    notEqual(await name.inputValue(), suggested);
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("ControlOrMeta+A");
    await page.keyboard.press("Delete");
    await page.keyboard.press("Enter");
    await page.getByText("Please tell us a name first.").waitFor();
    equal(await name.getAttribute("aria-invalid"), "true");
    ok(await hasFocus(name), "the field that is wrong has the focus");
    await isGood(page, "body", "the welcome without a name");
    await page.keyboard.type("Lea");
    await tabTo(page, page.getByRole("button", { name: "Enter the ring" }));
    await page.keyboard.press("Enter");
    await page.locator(".phase").waitFor();
    deepEqual(visit.complaints, []);
  });

  it("has a popup that is read out, closed by keyboard alone, and keeps to WCAG 2.2 AA in both themes on a phone", async () => {
    const page = await enter("Mo", "", PHONE);
    const heard = await listen(page);
    const { window } = (await stage.operate("/api/popups/global/open")) as { window: { title: string; body: string } };
    await heard.until(`${window.title}. ${window.body}`);
    const close = page.getByRole("button", { name: `Close “${window.title}”` });
    await close.waitFor();
    ok(await page.evaluate(() => document.activeElement === document.body), "it takes the focus from nobody");
    await isGood(page, ".popup", "the popup");
    await isGood(page, "body", "the page with it");
    await tabTo(page, close);
    await page.keyboard.press("Enter");
    await page.locator(".popup").waitFor({ state: "detached" });
    await page.locator("#act-name:focus").waitFor();
    await stage.operate("/api/popups/global/close");
    deepEqual(visit!.complaints, []);
  });

  it("takes a popup away from everybody when an operator closes its window", async () => {
    await stage.operate("/api/popups/global/open");
    const page = await enter("Lea");
    await page.locator(".popup").waitFor();
    await stage.operate("/api/popups/global/close");
    await page.locator(".popup").waitFor({ state: "detached" });
  });
});
