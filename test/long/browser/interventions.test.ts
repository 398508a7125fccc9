import { deepEqual, equal, match, ok } from "node:assert/strict";
import type { Locator, Page } from "playwright-core";
import { someHunt } from "../../hunts/someHunt.ts";
import { fits, violations } from "./pageChecks.ts";
import { Stage, type Visit } from "./Stage.ts";

const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true };
const WHY = { reason: "to be sure" };
const HOUR_MS = 3_600_000;

describe("the player page, while operators intervene", function () {
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

  const create = async (domain: string, definition: object): Promise<string> =>
    ((await stage.operate(`/api/${domain}`, definition)) as { id: string }).id;
  const tournament = (change: object = {}): Promise<string> => {
    const startsAt = Date.now();
    const terms = { name: "The parade", game: "snake", graceMs: 0, startsAt, endsAt: startsAt + HOUR_MS };
    return create("tournaments", { ...terms, ...change });
  };

  async function enter(hash: string): Promise<Page> {
    visit = await stage.visit(PHONE);
    const { page } = visit;
    await page.goto(`${stage.address}#${hash}`);
    await page.getByLabel("Your name in the ring").fill("Ada");
    await page.keyboard.press("Enter");
    await page.locator(".phase").waitFor();
    return page;
  }

  /** What a screen reader says of it beside its name. */
  const described = (element: Locator): Promise<string | null | undefined> =>
    element.evaluate((node) => document.getElementById(node.getAttribute("aria-describedby") ?? "")?.textContent);

  async function isFine(page: Page, what: string): Promise<void> {
    ok(await fits(page), what);
    deepEqual(await violations(page, "main"), [], what);
  }

  for (const [domain, option, over, make] of [
    ["hunts", "hunt", "The hunt is over", () => create("hunts", someHunt({ review: true, revealMs: 0 }))],
    ["tournaments", "tournament", "The tournament is over", () => tournament({ review: true })],
  ] as const)
    it(`says that the result of ${domain} is under review, until it is released, in both themes on a phone of 360 pixels`, async () => {
      const id = await make();
      const page = await enter(`${option}=${id}`);
      await stage.operate(`/api/${domain}/${id}/end`);
      await page.getByRole("heading", { name: "The judges are looking twice" }).waitFor();
      await page.locator(".phase__ended", { hasText: "Under review" }).waitFor();
      await page
        .locator(".news li", { hasText: /^.*The result of “.+” is under review\.$/ })
        .first()
        .waitFor();
      await isFine(page, "under review");
      await page.reload();
      await page.getByRole("heading", { name: "The judges are looking twice" }).waitFor();
      await stage.operate(`/api/${domain}/${id}/release`, WHY);
      await page.locator(".phase__ended", { hasText: over }).waitFor();
      await isFine(page, "released");
    });

  it("says that a tournament is paused, and lets no time pass until it goes on", async () => {
    const id = await tournament();
    const page = await enter(`tournament=${id}`);
    await stage.operate(`/api/tournaments/${id}/pause`, WHY);
    await page.getByText("The tournament is paused, until").waitFor();
    const clock = page.locator(".phase__clock");
    const before = await clock.textContent();
    await isFine(page, "paused");
    await page.reload();
    await page.getByText("The tournament is paused, until").waitFor();
    deepEqual(await clock.textContent(), before);
    const play = page.getByRole("button", { name: "Play a round" });
    equal(await play.getAttribute("aria-disabled"), "true");
    match((await described(play)) ?? "", /paused, no round begins/);
    await play.click({ force: true });
    deepEqual(await page.locator(".curtain").count(), 1, "no round begins");
    await stage.operate(`/api/tournaments/${id}/resume`, WHY);
    await page.getByText("The tournament is paused, until").waitFor({ state: "detached" });
    equal(await play.getAttribute("aria-disabled"), "false");
    await play.click();
    await page.locator(".curtain").waitFor({ state: "detached" });
  });
});
