import { ok } from "node:assert/strict";
import { readFileSync } from "node:fs";

/** Text and the ground it stands on, wherever the page's sheets put one on the other. */
const TEXT: readonly [string, string][] = [
  ["ink", "ground"],
  ["ink", "card"],
  ["ink", "card-raised"],
  ["ink", "gold-wash"],
  ["ink-soft", "ground"],
  ["ink-soft", "card"],
  ["on-red", "red"],
  ["on-red", "red-deep"],
  ["gold-ink", "ground"],
  ["gold-ink", "card"],
  ["gold-ink", "gold-wash"],
  ["bad", "card"],
  ["bad", "bad-wash"],
  ["ink", "floor"],
  ["star-edge", "floor"],
];

/** Edges that tell where a control is, and what is what in the ring. */
const EDGES: readonly [string, string][] = [
  ["line-strong", "card"],
  ["line-strong", "ground"],
  ["gold-ink", "card"],
  ["gold-ink", "gold-wash"],
  ["parade", "floor"],
  ["parade", "floor-deep"],
  ["star-edge", "floor"],
  ["star-edge", "floor-deep"],
];

const sheet = readFileSync(new URL("../../web/src/styles/tokens.css", import.meta.url), "utf8");
const [day = "", night = ""] = sheet.split('[data-theme="dark"]');

describe("the player page's colours", () => {
  for (const [theme, colours] of [
    ["light", colorsOf(day)],
    ["dark", new Map([...colorsOf(day), ...colorsOf(night)])],
  ] as const) {
    it(`can be read in the ${theme} theme (WCAG AA: 4.5 for text, 3 for edges)`, () => {
      for (const [pairs, least] of [
        [TEXT, 4.5],
        [EDGES, 3],
      ] as const) {
        for (const [front, back] of pairs) {
          const ratio = contrast(colours.get(front)!, colours.get(back)!);
          ok(ratio >= least, `${front} on ${back}: ${ratio.toFixed(2)}`);
        }
      }
    });
  }
});

function colorsOf(css: string): Map<string, string> {
  return new Map([...css.matchAll(/--([\w-]+): #([0-9a-f]{6});/g)].map(([, name, hex]) => [name!, hex!]));
}

/** WCAG 2.2, "contrast ratio". */
function contrast(front: string, back: string): number {
  const [lighter, darker] = [luminance(front), luminance(back)].sort((a, b) => b - a) as [number, number];
  return (lighter + 0.05) / (darker + 0.05);
}

/** WCAG 2.2, "relative luminance". */
function luminance(hex: string): number {
  const [red, green, blue] = [0, 2, 4].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
