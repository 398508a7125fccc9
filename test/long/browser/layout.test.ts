import { deepEqual, ok } from "node:assert/strict";
import type { BrowserContextOptions, Page } from "playwright-core";
import { fits } from "./pageChecks.ts";
import { Stage, type Visit } from "./Stage.ts";

const HOUR_MS = 3_600_000;

/** The longest name that the page takes, in its widest letter, and the longest that an operator gives to a tournament. */
const WIDEST_NAME = "W".repeat(24);
const WIDEST_TITLE = "X".repeat(80);

const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true };
const DESKTOP = { viewport: { width: 1280, height: 800 } };

describe("the player page's layout", function () {
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

  async function announce(change: object = {}): Promise<string> {
    const startsAt = Date.now();
    const terms = { name: "The parade", game: "snake", graceMs: 0, startsAt, endsAt: startsAt + HOUR_MS, ...change };
    return ((await stage.operate("/api/tournaments", terms)) as { id: string }).id;
  }

  const announceLater = (ms: number, change: object = {}): Promise<string> =>
    announce({ startsAt: Date.now() + ms, endsAt: Date.now() + ms + HOUR_MS, ...change });

  async function enter(id: string, options: BrowserContextOptions, name = "Ada"): Promise<Page> {
    visit = await stage.visit(options);
    const { page } = visit;
    await page.goto(`${stage.address}#tournament=${id}`);
    await page.getByLabel("Your name in the ring").fill(name);
    await page.keyboard.press("Enter");
    await page.locator(".phase").waitFor();
    return page;
  }

  it("fits a phone whatever names players and operators give", async () => {
    const prizes = [{ from: 1, to: 1, items: [{ item: "TICO", amount: "9".repeat(15) }] }];
    const id = await announce({ name: WIDEST_TITLE, prizes });
    const page = await enter(id, PHONE, WIDEST_NAME);
    ok(await fits(page), "before the round");
    await playIntoTheKerb(page);
    ok(await fits(page), "after it");
    await stage.operate(`/api/tournaments/${id}/end`);
    await page.locator(".winner.own").waitFor();
    await page.locator(".news li", { hasText: `${WIDEST_NAME} wins` }).waitFor();
    ok(await fits(page), "the result");
  });

  for (const [width, height] of [
    [320, 740],
    [360, 740],
    [375, 740],
    [740, 360],
  ] as const) {
    it(`keeps what lies over the ring inside of it on a phone of ${width} by ${height} pixels`, async () => {
      const page = await enter(await announceLater(HOUR_MS), {
        ...PHONE,
        viewport: { width, height },
        reducedMotion: "reduce",
      });
      await page.getByRole("button", { name: "Rehearse" }).waitFor();
      ok(await staysInTheRing(page), "the way in");
      await playIntoTheKerb(page);
      await page.getByText("That was a rehearsal").waitFor();
      ok(await staysInTheRing(page), "what came of the round");
    });
  }

  it("sets prizes beside each other without touching, however many and large they are", async () => {
    const prizes = Array.from({ length: 20 }, (_, index) => ({
      from: 10 * index + 1,
      to: 10 * index + 10,
      items: [{ item: "TICO", amount: "1000000000000" }],
    }));
    const page = await enter(await announce({ prizes }), DESKTOP);
    deepEqual(await collisions(page, ".prizes__list"), []);
  });

  it("keeps the chosen ticket in view when others come before it", async () => {
    for (const at of [5, 6, 7, 8]) await announceLater(at * HOUR_MS);
    const page = await enter(await announceLater(9 * HOUR_MS, { name: "The last" }), DESKTOP);
    await chosenInView(page);
    const tickets = page.locator(".bill__tickets li");
    const before = await tickets.count();
    for (const at of [2, 3, 4]) await announceLater(at * HOUR_MS);
    await tickets.nth(before + 2).waitFor();
    await chosenInView(page);
  });
});

async function playIntoTheKerb(page: Page): Promise<void> {
  await page.getByRole("button", { name: /^(Rehearse|Play a round)$/ }).click();
  await page.keyboard.press("ArrowUp");
  await page.getByRole("heading", { name: "Into the kerb!" }).waitFor();
}

/** Whether every word over the ring is within the ring, without scrolling. */
function staysInTheRing(page: Page): Promise<boolean> {
  return page.locator(".play__ring").evaluate((ring) => {
    const frame = ring.querySelector(".arena")!.getBoundingClientRect();
    return Array.from(ring.querySelectorAll(".curtain *")).every((element) => {
      const { top, bottom, left, right } = element.getBoundingClientRect();
      return top >= frame.top && bottom <= frame.bottom && left >= frame.left && right <= frame.right;
    });
  });
}

/** The texts in `selector` that lie over another one. */
function collisions(page: Page, selector: string): Promise<string[]> {
  return page.locator(selector).evaluate((list) => {
    const texts = Array.from(list.querySelectorAll("dt, dd"), (element) => {
      const range = document.createRange();
      range.selectNodeContents(element);
      return { text: element.textContent ?? "", box: range.getBoundingClientRect() };
    });
    const meet = (a: DOMRect, b: DOMRect): boolean =>
      a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
    return texts
      .filter((one) => texts.some((other) => other !== one && meet(one.box, other.box)))
      .map(({ text }) => text);
  });
}

/** Waits until the strip shows the whole of the chosen ticket. */
async function chosenInView(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const strip = document.querySelector(".bill__tickets")?.getBoundingClientRect();
    const ticket = document.querySelector(".bill__ticket[aria-current]")?.getBoundingClientRect();
    return strip && ticket && ticket.left >= strip.left && ticket.right <= strip.right;
  });
}
