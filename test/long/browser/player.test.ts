import { deepEqual, equal, match, ok } from "node:assert/strict";
import type { Page } from "playwright-core";
import { DEMO_HUNT } from "../../../src/actors/hunts/demo.ts";
import { clientOf } from "../../support/RingmasterNode.ts";
import { Hunter } from "../../support/Visitor.ts";
import { fits, listen, tabTo } from "./pageChecks.ts";
import { Stage, type Visit } from "./Stage.ts";

describe("the player page", function () {
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

  it("takes a person from a name to points and a line in the standings, by keyboard alone", async () => {
    visit = await stage.visit();
    const { page, complaints } = visit;
    await page.getByLabel("Your name in the ring").fill("Ada of the Ring");
    await page.keyboard.press("Enter");
    const getClue = page.getByRole("button", { name: "Get a clue" });
    await getClue.waitFor();
    await tabTo(page, getClue);
    await page.keyboard.press("Enter");

    await page.locator("#answer:focus").waitFor();
    await page.keyboard.type("certainly not this");
    await page.keyboard.press("Enter");
    await page.locator(".decision--wrong", { hasText: `${DEMO_HUNT.attempts - 1} attempts left.` }).waitFor();
    equal(await page.locator("#answer").getAttribute("aria-invalid"), "true");

    const { answer, points } = await openClue(page);
    // The wrong answer is selected, so that typing replaces it.
    await page.keyboard.type(answer);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Right you are!" }).waitFor();
    await page.locator(`.points[data-points="${points}"]`).waitFor();
    await page.locator(".standings .own", { hasText: "Ada of the Ring" }).waitFor();
    match((await page.locator(".standings .own").textContent()) ?? "", new RegExp(`you${points}$`));

    await page.getByRole("button", { name: "Next clue" }).and(page.locator(":focus")).waitFor();
    await page.keyboard.press("Enter");
    await page.locator("#answer:focus").waitFor();
    deepEqual(complaints, []);
  });

  it("goes on with the open clue and what is typed after a dropped connection and a reload, and claims no other", async () => {
    visit = await stage.visit();
    const { page, complaints } = visit;
    await enter(page, "Bo");
    const { prompt, answer, points } = await claim(page);
    await page.locator("#answer").pressSequentially("not yet fin");
    const sent = listenForRequests(page);

    stage.wire.cut();
    await page.locator(".banner").waitFor();
    await page.locator(".banner").waitFor({ state: "detached" });
    equal((await openClue(page)).prompt, prompt);
    equal(await page.locator("#answer").inputValue(), "not yet fin");

    await page.reload();
    equal((await openClue(page)).prompt, prompt);
    equal(await page.locator("#answer").inputValue(), "not yet fin");
    await solve(page, answer);
    await page.locator(`.points[data-points="${points}"]`).waitFor();
    deepEqual(sent.of("claim", "solve"), ["solve"]);
    deepEqual(complaints, []);
  });

  it("sends an answer again that was on its way when the page was closed", async () => {
    visit = await stage.visit();
    const { page } = visit;
    await page.addInitScript(() => {
      const { send } = WebSocket.prototype;
      WebSocket.prototype.send = function (data) {
        const isLost = document.documentElement.dataset.losing && new TextDecoder().decode(data as ArrayBuffer);
        if (!isLost?.includes("solve")) send.call(this, data);
      };
    });
    await page.reload();
    await enter(page, "Bea");
    const { answer, points } = await claim(page);
    await page.evaluate(() => {
      document.documentElement.dataset.losing = "answers";
    });
    await page.locator("#answer").fill(answer);
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Sending…" }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "Right you are!" }).waitFor();
    await page.locator(`.points[data-points="${points}"]`).waitFor();
  });

  it("moves up in the queue, keeps the place through a reload, and gets the clue that comes free", async () => {
    const terms = { ...DEMO_HUNT, startsAt: Date.now(), discoveryMs: 0, repeat: 1, clues: DEMO_HUNT.clues.slice(0, 1) };
    const { id } = (await stage.operate("/api/hunts", { ...terms, name: "One clue for all" })) as { id: string };
    const address = `${stage.address}#hunt=${id}`;
    const holder = await stage.visit();
    await holder.page.goto(address);
    await enter(holder.page, "Flo");
    await claim(holder.page);

    const { token } = (await stage.operate("/auth/anonymous")) as { token: string };
    const first = await Hunter.join(clientOf(stage.address, token), id);
    deepEqual(await first.claim(), { waiting: true, position: 1 });

    visit = await stage.visit();
    const { page } = visit;
    await page.goto(address);
    await enter(page, "Gil");
    await page.getByRole("button", { name: "Get a clue" }).click();
    await page.getByRole("heading", { name: "You are number 2 in the queue" }).waitFor();
    await first.room.leave();
    await page.getByRole("heading", { name: "You are number 1 in the queue" }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "You are number 1 in the queue" }).waitFor();

    for (let left = DEMO_HUNT.attempts; left > 0; left -= 1) {
      await holder.page.locator("#answer").fill(`wrong ${left}`);
      await holder.page.keyboard.press("Enter");
      if (left > 1) await holder.page.locator(".decision--wrong", { hasText: `wrong ${left}` }).waitFor();
    }
    await openClue(page);
    await holder.leave();
  });

  it("goes on with the open clue after its server was restarted", async () => {
    visit = await stage.visit();
    const { page } = visit;
    await enter(page, "Cleo");
    const { prompt, answer } = await claim(page);

    await stage.restartServer();
    await page.locator(".banner").waitFor({ state: "detached" });
    equal((await openClue(page)).prompt, prompt);
    await solve(page, answer);
  });

  it("says what an attempt too many costs, and offers the next clue", async () => {
    visit = await stage.visit();
    const { page, complaints } = visit;
    await enter(page, "Dot");
    await claim(page);
    for (let left = DEMO_HUNT.attempts - 1; left >= 0; left -= 1) {
      await page.locator("#answer").fill(`wrong ${left}`);
      await page.keyboard.press("Enter");
      if (left > 0) await page.locator(".decision--wrong", { hasText: `wrong ${left}` }).waitFor();
    }
    await page.getByRole("heading", { name: "Out of attempts" }).waitFor();
    await page.getByRole("button", { name: "Next clue" }).click();
    await page.locator("#answer").waitFor();
    deepEqual(complaints, []);
  });

  for (const colorScheme of ["light", "dark"] as const) {
    it(`fits a phone of 360 pixels (${colorScheme})`, async () => {
      visit = await stage.visit({ viewport: { width: 360, height: 740 }, colorScheme });
      const { page } = visit;
      ok(await fits(page), "the welcome");
      await enter(page, "Someone with a long name");
      ok(await fits(page), "the invitation");
      await claim(page);
      ok(await fits(page), "the clue");
      equal(await page.evaluate(() => document.documentElement.dataset.theme), colorScheme);
    });
  }

  // Last, because it ends the hunt that the others play.
  it("opens the chest for everybody when the hunt ends, without motion where none is wanted, and ends a quest", async () => {
    visit = await stage.visit({ reducedMotion: "reduce" });
    const { page, complaints } = visit;
    await enter(page, "Eve");
    const quest = page.locator(".quest", { hasText: "Solve a clue, then see the chest open" });
    await quest.getByRole("button", { name: /^Take it on/ }).click();
    await quest.locator(".tag", { hasText: "Under way" }).waitFor();
    const { answer } = await claim(page);
    await solve(page, answer);
    const heard = await listen(page);

    await stage.operate(`/api/hunts/${await huntOn(stage)}/end`);
    await page.getByRole("heading", { name: /The chest is open!|Your name is in the chest!/ }).waitFor();
    const winners = await page.locator(".winners .winner__name").allTextContents();
    const standings = await page.locator(".standings tbody th").allTextContents();
    deepEqual(winners, standings.slice(0, DEMO_HUNT.winners));
    equal(await page.locator(".box").evaluate((box) => box.getAnimations({ subtree: true }).length), 0);
    await heard.until("The chest is open");
    await heard.until("A quest is done. You receive 1 Private pass.");
    await quest.locator(".tag--done").waitFor();
    await page.locator(".things li", { hasText: "Private pass" }).waitFor();
    deepEqual(complaints, []);
  });
});

/** Signs in under `name` and waits until the hunt is being solved. */
async function enter(page: Page, name: string): Promise<void> {
  await page.getByLabel("Your name in the ring").fill(name);
  await page.getByRole("button", { name: "Enter the ring" }).click();
  await page.getByRole("button", { name: "Get a clue" }).waitFor();
}

interface OpenClue {
  prompt: string;
  answer: string;
  points: number;
}

async function claim(page: Page): Promise<OpenClue> {
  await page.getByRole("button", { name: "Get a clue" }).click();
  return await openClue(page);
}

async function openClue(page: Page): Promise<OpenClue> {
  const prompt = (await page.locator("#clue-prompt").textContent()) ?? "";
  const clue = DEMO_HUNT.clues.find((candidate) => candidate.prompt === prompt);
  ok(clue, `“${prompt}” is no clue of the demo`);
  return { prompt, answer: clue.answers[0]!, points: clue.points };
}

async function solve(page: Page, answer: string): Promise<void> {
  await page.locator("#answer").fill(answer);
  await page.getByRole("button", { name: "Answer", exact: true }).click();
  await page.getByRole("heading", { name: "Right you are!" }).waitFor();
}

/** Keeps the requests that the page's rooms are sent from now on. */
function listenForRequests(page: Page): { of(...types: string[]): string[] } {
  const frames: string[] = [];
  page.on("websocket", (socket) => socket.on("framesent", ({ payload }) => frames.push(payload.toString("latin1"))));
  return {
    of: (...types) => frames.flatMap((frame) => types.filter((type) => frame.includes(type))),
  };
}

/** The id of the hunt that is being solved. */
async function huntOn(stage: Stage): Promise<string> {
  const { hunts } = (await (await fetch(`${stage.address}api/hunts`)).json()) as {
    hunts: { id: string; phase: string }[];
  };
  const hunt = hunts.find(({ phase }) => phase === "solving");
  ok(hunt, "no hunt is on");
  return hunt.id;
}
