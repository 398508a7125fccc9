/**
 * Writes `src/http/auth/lookAlikes.ts` anew, from Unicode's confusables as the npm package `unhomoglyph` has them:
 * `npm pack unhomoglyph && tar xzf unhomoglyph-*.tgz && node scripts/lookAlikes.ts package/data.json`
 */
import { readFileSync, writeFileSync } from "node:fs";

const TARGET = new URL("../src/http/auth/lookAlikes.ts", import.meta.url);
const HEAD = `/**
 * Characters that are drawn like a Latin letter, by that letter: those of Unicode's confusables (13.0) that are one code point, and that
 * compatibility decomposition does not make this letter anyway. Written by \`scripts/lookAlikes.ts\`.
 */
export const LOOK_ALIKES: Readonly<Record<string, string>> = {
`;

const confusables = JSON.parse(readFileSync(process.argv[2]!, "utf8")) as Record<string, string>;
const alike = new Map<string, string>();
for (const [from, to] of Object.entries(confusables)) {
  const letter = to.toLowerCase();
  const isLetter = /^[a-z]$/.test(letter);
  const isPlain = from.normalize("NFKD").codePointAt(0)! < 128;
  if (isLetter && !isPlain && [...from].length === 1) alike.set(letter, (alike.get(letter) ?? "") + from);
}
const lines = [...alike].sort().map(([letter, others]) => `  ${letter}: ${JSON.stringify(sorted(others))},\n`);
writeFileSync(TARGET, `${HEAD}${lines.join("")}};\n`);

function sorted(characters: string): string {
  return [...characters].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!).join("");
}
