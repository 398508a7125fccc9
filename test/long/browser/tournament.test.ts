import { deepEqual, equal, match, ok } from "node:assert/strict";
import type { Page } from "playwright-core";
import { type Heading, SIDE, STAR_POINTS } from "../../../src/games/snake.ts";
import { collectStars, KEYS, play, playAs } from "./rounds.ts";
import { Stage, type Visit } from "./Stage.ts";

/** A tournament that lasts for as long as the test needs, with prizes for the first three. */
const CONTEST = {
  name: "The grand parade",
  game: "snake",
  graceMs: 60_000,
  maxEntries: 2,
  prizes: [
    { from: 1, to: 1, items: [{ item: "PRIVATE_PASS", amount: "1" }] },
    { from: 1, to: 3, items: [{ item: "TICO", amount: "100" }] },
  ],
};

describe("the player page's tournament", function () {
  this.timeout(120_000);

  let stage: Stage;
  const visits: Visit[] = [];
  /** A grace lasts for some seconds: it goes by during the first tests. */
  let bell: Promise<void>;

  before(async () => {
    stage = await Stage.open();
    bell = ringTheBell();
    bell.catch(() => {});
  });
  after(() => stage?.close());
  afterEach(async () => {
    for (const { leave } of visits.splice(0)) await leave();
  });

  /** Somebody of that name, on the page of the tournament, until the test ends. */
  async function enter(name: string, id: string, options: Parameters<Stage["visit"]>[0] = {}): Promise<Visit> {
    const visit = await stage.visit(options);
    visits.push(visit);
    await signIn(visit, name, id);
    return visit;
  }

  async function signIn(visit: Visit, name: string, id: string): Promise<void> {
    await visit.page.goto(`${stage.address}#tournament=${id}`);
    await visit.page.getByLabel("Your name in the ring").fill(name);
    await visit.page.keyboard.press("Enter");
    await visit.page.locator(".phase").waitFor();
  }

  async function announce(change: object = {}): Promise<string> {
    const startsAt = Date.now();
    const terms = { ...CONTEST, startsAt, endsAt: startsAt + 3_600_000, ...change };
    return ((await stage.operate("/api/tournaments", terms)) as { id: string }).id;
  }

  it("is played by keys from the first star to the prize, by somebody who only hears the ring", async () => {
    const id = await announce();
    const { page, complaints } = await enter("Ada of the Ring", id);
    await page.getByLabel("At my own pace").check();
    await play(page, "Play a round");
    const score = await runIntoTheKerb(page, await collectStars(page, 2));
    ok(score >= 2 * STAR_POINTS);

    await page.locator(".curtain__rank", { hasText: "1st place" }).waitFor();
    await page.locator(`.points[data-points="${score}"]`).waitFor();
    await page.locator(".standings .own", { hasText: "Ada of the Ring" }).waitFor();
    equal(await told(page, "Rounds"), "1 of 2");

    await stage.operate(`/api/tournaments/${id}/end`);
    await page.locator('.phase[data-phase="grace"]').waitFor();
    equal(await page.getByRole("button", { name: "Play again" }).count(), 0);
    await stage.operate(`/api/tournaments/${id}/end`);
    await page.getByRole("heading", { name: "The trophy is yours!" }).waitFor();
    equal(await page.locator(".trophy__prize").textContent(), "1 Private pass and 100 TICO");
    await page.locator(".things li", { hasText: "Private pass" }).waitFor();
    match((await page.locator(".things li", { hasText: "TICO" }).textContent()) ?? "", /100$/);
    match((await page.locator(".seal code").getAttribute("title")) ?? "", /^[0-9a-f]{64}$/);
    deepEqual(complaints, []);
  });

  it("lets the round that is being played at the bell count, and starts no other", async () => {
    const id = await announce();
    const { page } = await enter("Bo", id);
    await play(page, "Play a round");
    await page.keyboard.press("KeyP");
    await page.getByRole("heading", { name: "The band waits for you" }).waitFor();

    await stage.operate(`/api/tournaments/${id}/end`);
    await page.getByText("The bell has rung: end this round in time").waitFor();
    await page.getByRole("button", { name: "Go on" }).press("Enter");
    await page.keyboard.press("ArrowUp");
    await page.getByRole("heading", { name: "Into the kerb!" }).waitFor();
    await page.locator(".curtain__rank", { hasText: "1st place" }).waitFor();
    equal(await page.getByText("The bell has rung: end this round in time").count(), 0);
    equal(await page.getByRole("button", { name: "Play again" }).count(), 0);
  });

  it("rings the bell itself while a score can still be taken", () => bell);

  async function ringTheBell(): Promise<void> {
    const id = await announce({ graceMs: 6000 });
    const visit = await stage.visit();
    const { page } = visit;
    await signIn(visit, "Cleo", id);
    await play(page, "Play a round");
    await page.keyboard.press("KeyP");
    await stage.operate(`/api/tournaments/${id}/end`);
    await page.locator(".winner.own", { hasText: "Cleo" }).waitFor();
    await visit.leave();
  }

  it("brings a score to the judges that was made while the connection was gone", async () => {
    const id = await announce();
    const { page } = await enter("Dot", id);
    await play(page, "Play a round");
    await page.context().setOffline(true);
    stage.wire.cut();
    await page.keyboard.press("ArrowDown");
    await page.getByText("Your score is safe here.").waitFor();
    // A visit that ends here leaves the score to the next one.
    await page.context().setOffline(false);
    await page.reload();
    await page.locator(".standings .own", { hasText: "Dot" }).waitFor();
    equal(await told(page, "Rounds"), "1 of 2");
  });

  it("says so when all rounds are played", async () => {
    const id = await announce({ maxEntries: 1 });
    const { page } = await enter("Eve", id);
    await play(page, "Play a round");
    await page.keyboard.press("ArrowUp");
    await page.getByText("You have played all your rounds.").waitFor();
  });

  it("tells whoever is beyond the top ten their place and score, also after a reload", async () => {
    const id = await announce();
    for (let rival = 1; rival <= 11; rival += 1) await playAs(stage, `Rival ${rival}`, id);
    const { page } = await enter("Ivy", id);
    await play(page, "Play a round");
    await page.keyboard.press("ArrowUp");
    await page.getByText(/^You are 12th of 12, with \d+\.$/).waitFor();
    await page.reload();
    await page.getByText(/^You are 12th of 12, with \d+\.$/).waitFor();
    match((await page.locator(".standings .own").textContent()) ?? "", /^12Ivy you\d+$/);
  });

  it("rehearses before it opens, without a score, and is one of several in the programme", async () => {
    const startsAt = Date.now() + 3_000_000;
    const id = await announce({ name: "The evening parade", startsAt, endsAt: startsAt + 60_000 });
    const { page } = await enter("Fay", id);
    await page.getByRole("button", { name: "Rehearse" }).click();
    await page.keyboard.press("ArrowUp");
    await page.getByText("That was a rehearsal").waitFor();
    equal(await page.locator(".standings .own").count(), 0);

    const bill = page.getByRole("navigation", { name: "Programme" });
    match((await bill.locator("[aria-current=page]").textContent()) ?? "", /The evening parade.*Begins in.*\d+:\d\d/);
    await bill
      .getByRole("link", { name: /Treasure hunt/ })
      .first()
      .press("Enter");
    await page.getByRole("button", { name: "Get a clue" }).waitFor();
    await bill.getByRole("link", { name: /The evening parade/ }).press("Enter");
    await page.getByRole("button", { name: "Rehearse" }).waitFor();
  });

  it("pauses when the keys go elsewhere, and fits a phone of 360 pixels", async () => {
    const id = await announce();
    const { page } = await enter("Someone with a long name", id, {
      viewport: { width: 360, height: 740 },
      hasTouch: true,
    });
    ok(await fits(page), "before the round");
    await page.getByRole("button", { name: "Play a round" }).tap();
    await page.locator(".arena--playing").waitFor();
    ok(await fits(page), "the round");
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    await page.getByRole("heading", { name: "The band waits for you" }).waitFor();
  });

  it("plays as another player from the start when it opens with a token that the server takes no longer", async () => {
    const id = await announce({ maxEntries: 1 });
    const { page } = await enter("Hal", id);
    await play(page, "Play a round");
    await page.keyboard.press("ArrowUp");
    await page.getByText("You have played all your rounds.").waitFor();
    await page.evaluate(() => {
      const kept = JSON.parse(localStorage.getItem("ringmaster.session")!) as { token: string };
      localStorage.setItem("ringmaster.session", JSON.stringify({ ...kept, token: `${kept.token}x` }));
    });

    await page.reload();
    await page.getByRole("alert").filter({ hasText: "You are signed in anew." }).waitFor();
    await page.locator(".standings tr", { hasText: "Hal" }).waitFor();
    equal(await page.locator(".standings .own").count(), 0);
    await play(page, "Play a round");
    await page.keyboard.press("ArrowUp");
    await page.locator(".standings .own", { hasText: "Hal" }).waitFor();
    equal(await page.locator(".standings tbody tr:not(.own)", { hasText: "Hal" }).count(), 1);
  });

  // Last, because the server takes no token of before any more.
  it("goes on as another player, and says so, once the server takes the token no longer", async () => {
    const id = await announce();
    const { page } = await enter("Gus", id);
    await page.getByLabel("At my own pace").check();
    await play(page, "Play a round");
    await runIntoTheKerb(page, "up");
    await page.locator(".standings .own", { hasText: "Gus" }).waitFor();
    equal(await told(page, "Rounds"), "1 of 2");
    await play(page, "Play again");

    await stage.restartServer("another secret that only these tests know");
    const notice = page.getByRole("alert").filter({ hasText: "You are signed in anew." });
    await notice.waitFor();
    equal(await told(page, "Rank"), "—");
    equal(await told(page, "Rounds"), "—");
    await notice.getByRole("button", { name: "All right" }).click();
    await notice.waitFor({ state: "detached" });

    // The round was the former player's: it goes on, and does not count. The next one does.
    await page.locator(".arena").focus();
    await runIntoTheKerb(page, "up");
    await page.locator(".curtain__refusal", { hasText: "This round was begun by somebody else" }).waitFor();
    await play(page, "Play again");
    await runIntoTheKerb(page, "up");
    await page.locator(".curtain__rank").waitFor();
    await page.locator(".standings .own", { hasText: "Gus" }).waitFor();
    equal(await page.locator(".standings tbody tr:not(.own)", { hasText: "Gus" }).count(), 1);
    equal(await told(page, "Rounds"), "1 of 2");
  });
});

/** Straight on until the round is over; answers its score, for there may be another star on the way. */
async function runIntoTheKerb(page: Page, heading: Heading): Promise<number> {
  for (let steps = 0; steps < SIDE; steps += 1) await page.keyboard.press(KEYS[heading]);
  await page.getByRole("heading", { name: "Into the kerb!" }).waitFor();
  return Number(await page.locator(".curtain__score strong").textContent());
}

/** What the scores beside the ring say under `name`. */
async function told(page: Page, name: string): Promise<string | null> {
  return await page.locator(".scores__list div", { hasText: name }).locator("dd").textContent();
}

function fits(page: Page): Promise<boolean> {
  return page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth);
}
