/** `npm run pictures`: takes the pictures of the player page that the documents show, of a hunt and a tournament with a dozen players. */
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { DEMO_HUNT } from "../src/actors/hunts/demo.ts";
import { play as begin, collectStars, playAs } from "../test/long/browser/rounds.ts";
import { Stage } from "../test/long/browser/Stage.ts";
import { clientOf } from "../test/support/RingmasterNode.ts";
import { Hunter } from "../test/support/Visitor.ts";

const DOCS = fileURLToPath(new URL("../docs/", import.meta.url));
const SIZE = { viewport: { width: 1280, height: 940 }, deviceScaleFactor: 1.5 };
const ME = "Curious Sparrow";
/** As long as the parade is to be. */
const STARS = 8;
/** The others, and how many clues each of them solves. */
const OTHERS: readonly [name: string, clues: number][] = [
  ["Velvet Heron", 8],
  ["Marvellous Otter", 7],
  ["Juno", 7],
  ["Brass Badger", 6],
  ["Silver Fox", 6],
  ["Quiet Magpie", 5],
  ["Tumbling Lynx", 5],
  ["Clever Newt", 4],
  ["Bo", 4],
  ["Old Pelican", 3],
  ["Dancing Bear", 2],
];

const answerTo = (prompt: string): string => DEMO_HUNT.clues.find((clue) => clue.prompt === prompt)!.answers[0]!;

const stage = await Stage.open();
try {
  for (const [name, clues] of OTHERS) await play(name, clues);
  await takeHunt();
  await takeTournament();
} finally {
  await stage.close();
}

async function play(name: string, clues: number): Promise<void> {
  const { token } = (await stage.operate("/auth/anonymous", { name })) as { token: string };
  const huntId = await huntOn();
  const hunter = await Hunter.join(clientOf(stage.address, token), huntId);
  for (let solved = 0; solved < clues; solved += 1) {
    const { assignmentId, prompt } = await hunter.clue();
    await hunter.solve(assignmentId, answerTo(prompt));
  }
}

async function huntOn(): Promise<string> {
  const answer = await fetch(`${stage.address}api/hunts`);
  const { hunts } = (await answer.json()) as { hunts: { id: string; phase: string }[] };
  return hunts.find(({ phase }) => phase === "solving")!.id;
}

async function takeHunt(): Promise<void> {
  const { page, leave } = await stage.visit({ ...SIZE, reducedMotion: "reduce", locale: "en-GB" });
  await page.getByLabel("Your name in the ring").fill(ME);
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Get a clue" }).click();
  await solve(page);
  await page.getByRole("button", { name: "Next clue" }).click();
  await page.locator("#answer").pressSequentially("ste");
  await page.locator(".standings .own").waitFor();
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: `${DOCS}player-page.png` });
  await leave();
}

async function takeTournament(): Promise<void> {
  const startsAt = Date.now();
  const terms = { name: "The grand parade", game: "snake", startsAt, endsAt: startsAt + 600_000 };
  const { id } = (await stage.operate("/api/tournaments", terms)) as { id: string };
  for (const [name] of OTHERS) await playAs(stage, name, id);
  const { page, leave } = await stage.visit({ ...SIZE, reducedMotion: "reduce", locale: "en-GB" });
  await page.goto(`${stage.address}#tournament=${id}`);
  await page.getByLabel("Your name in the ring").fill(ME);
  await page.keyboard.press("Enter");
  await page.getByLabel("At my own pace").check();
  await begin(page, "Play a round");
  await collectStars(page, STARS);
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: `${DOCS}player-page-tournament.png` });
  await leave();
}

async function solve(page: Page): Promise<void> {
  await page.locator("#answer").fill(answerTo((await page.locator("#clue-prompt").textContent())!));
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Right you are!" }).waitFor();
}
