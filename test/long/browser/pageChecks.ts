import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Locator, Page } from "playwright-core";

/** axe-core's own source, which leaves `axe` behind in the page that runs it. */
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** WCAG 2.2 up to AA, and what axe-core's authors hold to be good besides. */
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

interface Axe {
  run(
    context: string,
    options: object,
  ): Promise<{ violations: { id: string; nodes: { target: unknown[]; failureSummary: string }[] }[] }>;
}

/**
 * What axe-core finds wrong with what `within` selects, in the light and in the dark theme, a line for each element; animations
 * are brought to their end first.
 */
export async function violations(page: Page, within: string): Promise<string[]> {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(AXE);
  return page.evaluate(
    async ({ within, tags }) => {
      const { axe } = globalThis as unknown as { axe: Axe };
      const root = document.documentElement;
      const own = root.dataset.theme;
      const found: string[] = [];
      for (const theme of [own, own === "dark" ? "light" : "dark"]) {
        root.dataset.theme = theme;
        // Half-transparent text is judged as it is in the end. What goes on for ever has no end.
        for (const animation of document.getAnimations()) {
          if (animation.effect?.getComputedTiming().endTime !== Number.POSITIVE_INFINITY) animation.finish();
        }
        // Only colours differ between themes. An address of an event (`#hunt=…`) is no link within the page.
        const options =
          theme === own
            ? { runOnly: { type: "tag", values: tags }, rules: { "skip-link": { enabled: false } } }
            : { runOnly: { type: "rule", values: ["color-contrast"] } };
        const { violations } = await axe.run(within, options);
        for (const { id, nodes } of violations)
          found.push(...nodes.map((node) => `${id} (${theme}): ${node.target}: ${node.failureSummary}`));
      }
      root.dataset.theme = own;
      return found;
    },
    { within, tags: RULES },
  );
}

/** Whether nothing is cut off, and nothing makes the page scroll sideways. */
export function fits(page: Page): Promise<boolean> {
  return page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth);
}

/** Presses Tab until `target` has the focus, as somebody without a mouse does. */
export async function tabTo(page: Page, target: Locator): Promise<void> {
  for (let presses = 0; presses < 60; presses += 1) {
    if (await hasFocus(target)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error("no number of tabs leads there");
}

export function hasFocus(target: Locator): Promise<boolean> {
  return target.evaluate((element) => element === document.activeElement);
}

/** Keeps all that a screen reader is told from now on. */
export async function listen(page: Page): Promise<{ until(beginning: string): Promise<void> }> {
  const told = await page.getByRole("status").evaluateHandle((status) => {
    const texts: string[] = [];
    new MutationObserver(() => texts.push(status.textContent ?? "")).observe(status, {
      ...{ childList: true, characterData: true, subtree: true },
    });
    return texts;
  });
  return {
    async until(beginning) {
      await page.waitForFunction(([texts, start]) => texts.some((text) => text.startsWith(start)), [
        told,
        beginning,
      ] as const);
    },
  };
}
