import type { Rng } from "../../clock.ts";
import { lineOfText } from "../../text.ts";

/** Characters as a person counts them. */
const LONGEST_NAME = 24;

/** UTF-16 units, as `players.name` holds them. */
const NAME_UNITS = 64;

/** A player's name: 1 to 24 visible characters, trimmed. Names need not be unique. */
export const playerName = lineOfText(LONGEST_NAME, NAME_UNITS).refine((name) => !isReserved(name), {
  error: "must not be that of an operator",
});

/** What a player may not be taken for. */
const RESERVED: ReadonlySet<string> = new Set(
  "operator admin administrator moderator mod sysop system server staff support official ringmaster".split(" "),
);

/** Letters and digits that look like a Latin one, beside those that compatibility decomposition knows. */
const LOOKS_LIKE = new Map(
  Object.entries({
    a: "аαɑ@4",
    b: "ь8",
    c: "сϲ",
    d: "ԁɗ",
    e: "еєεҽ3",
    f: "ƒ",
    g: "ɡց",
    i: "іιıɩ1!|lӏ",
    m: "мϻ",
    n: "ոпη",
    o: "оοօσ0øᴏ",
    p: "рρ",
    r: "гʀɾ",
    s: "ѕʂ5$",
    t: "тτ7",
    u: "υսц",
    v: "νѵ",
    w: "ԝш",
    x: "хχ",
    y: "уγү",
  }).flatMap(([letter, alike]) => [...alike].map((other) => [other, letter] as const)),
);

/** Whether a word of the name, or all of it, reads as one of these. A word that only contains one (cooperator) does not. */
function isReserved(name: string): boolean {
  const plain = name.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const read = (text: string): string => [...text].map((each) => LOOKS_LIKE.get(each) ?? each).join("");
  const lettersOf = (text: string): string => read(text).replace(/[^\p{L}]/gu, "");
  const reserved = new Set([...RESERVED].map(read));
  // Digits at an end are no letters: Operator 1, Admin99.
  const words = [...plain.split(/[\s\p{P}]+/u), plain].flatMap((word) => [word, word.replace(/^\d+|\d+$/gu, "")]);
  return words.some((word) => reserved.has(lettersOf(word)));
}

const MANNERS =
  "Amber Bold Brave Calm Clever Copper Daring Eager Gentle Golden Jolly Keen Lucky Merry Misty Noble".split(" ");
const CREATURES = "Badger Crane Falcon Fox Hare Heron Ibex Lynx Marten Otter Owl Puffin Raven Seal Stoat Wren".split(
  " ",
);

/** A name for somebody who gave none, such as "Brave Otter 42". */
export function friendlyName(rng: Rng): string {
  const pick = (words: readonly string[]): string => words[Math.floor(rng.next() * words.length)]!;
  return `${pick(MANNERS)} ${pick(CREATURES)} ${1 + Math.floor(rng.next() * 99)}`;
}
