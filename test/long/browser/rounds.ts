import { ok } from "node:assert/strict";
import { Client } from "@colyseus/sdk";
import type { Page } from "playwright-core";
import { type Heading, STAR_POINTS, TUNE_STEPS } from "../../../src/games/snake.ts";
import type { BegunRun } from "../../../web/src/protocol.ts";
import { playSnake } from "../../support/snakeRound.ts";
import type { Stage } from "./Stage.ts";

/** What steers where. */
export const KEYS: Record<Heading, string> = { up: "ArrowUp", right: "KeyD", down: "ArrowDown", left: "KeyA" };

/** Begins a round, which plays once the server has begun it. */
export async function play(page: Page, button: string): Promise<void> {
  await page.getByRole("button", { name: button }).press("Enter");
  await page.locator(".arena--playing").waitFor();
}

/** Has another player, who is on no page, play a whole round at their own pace: at the band's, one takes a minute. */
export async function playAs(stage: Stage, name: string, tournamentId: string): Promise<void> {
  const response = await fetch(`${stage.address}auth/anonymous`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name }),
  });
  const client = new Client(stage.address);
  client.auth.token = ((await response.json()) as { token: string }).token;
  const room = await client.joinOrCreate("tournament", { tournamentId });
  const { run, seed } = await room.request<object, BegunRun>("begin", {});
  const { score, proof } = playSnake(seed);
  await room.request("submit", { run, score, subscore: -1, proof });
  await room.leave();
}

/** Goes by what is read out alone, to so many stars; answers the heading of the last step. */
export async function collectStars(page: Page, stars: number): Promise<Heading> {
  let heading: Heading = "right";
  for (let steps = 1; steps < TUNE_STEPS; steps += 1) {
    heading = choose(await heard(page), heading);
    await page.keyboard.press(KEYS[heading]);
    await page.locator(`.tune__bar[value="${TUNE_STEPS - steps}"]`).waitFor();
    if (Number(await page.locator("[data-score]").getAttribute("data-score")) >= stars * STAR_POINTS) return heading;
  }
  throw new Error("the stars are out of reach");
}

/** "20 points. Star 2 right, 3 up. Coin 1 up. Blocked: left." leads right or up. */
function choose(words: string, heading: Heading): Heading {
  const listed = (pattern: RegExp): Heading[] => (pattern.exec(words)?.[1]?.match(/[a-z]+/g) ?? []) as Heading[];
  const blocked = listed(/Blocked: ([^.]*)/);
  const ways = [...listed(/Star ([^.]*)/), heading, ...(Object.keys(KEYS) as Heading[])];
  const way = ways.find((candidate) => !blocked.includes(candidate));
  ok(way, `no way out: ${words}`);
  return way;
}

async function heard(page: Page): Promise<string> {
  return (await page.getByRole("status").textContent()) ?? "";
}
