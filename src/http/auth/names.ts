import type { Rng } from "../../clock.ts";
import { lineOfText } from "../../text.ts";
import { LOOK_ALIKES } from "./lookAlikes.ts";

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

/** What is read as a letter though it is drawn otherwise: digits, signs, small capitals, and what Unicode does not count as alike. */
const READ_AS: Readonly<Record<string, string>> = {
  a: "α@4ᴀ",
  b: "ь8ʙ",
  c: "ᴄ",
  d: "ɗᴅ",
  e: "єεҽ3ᴇ",
  f: "ƒꜰ",
  g: "ցɢ",
  h: "ʜ",
  i: "1!|ӏɪ",
  j: "ᴊ",
  k: "ᴋ",
  l: "ʟ",
  m: "ϻмᴍ",
  n: "ոпηɴ",
  o: "0øᴏ",
  p: "ᴘ",
  r: "ɾʀ",
  s: "ʂ5$ꜱ",
  t: "τт7ᴛ",
  u: "цᴜ",
  v: "ѵᴠ",
  w: "ᴡ",
  x: "χ",
  y: "ʏ",
  z: "ᴢ",
};

/** Where alphabets of signs begin that no decomposition makes letters: white on black, in circles and squares, and those of flags. */
const SIGNS_FROM = [0x1f150, 0x1f170, 0x1f1e6];
const LETTERS = [..."abcdefghijklmnopqrstuvwxyz"];

/** The letter that each is taken for; \`l\` for \`i\`, as most of what is drawn like one is drawn like the other. */
const LETTER_OF: ReadonlyMap<string, string> = new Map(
  [
    ...[LOOK_ALIKES, READ_AS].flatMap((table) =>
      Object.entries(table).flatMap(([letter, others]) => [...others].map((other) => [other, letter] as const)),
    ),
    ...SIGNS_FROM.flatMap((from) => LETTERS.map((letter, at) => [String.fromCodePoint(from + at), letter] as const)),
    ["l", "i"] as const,
  ].map(([other, letter]) => [other, letter === "l" ? "i" : letter] as const),
);

/** Two that are drawn like one. */
const PAIRS: ReadonlyArray<readonly [string, string]> = [
  ["rn", "m"],
  ["vv", "w"],
];

/** The text as somebody reads it who does not look closely: in small Latin letters, and what else there is. */
function reading(text: string): string {
  // Some marks are drawn like letters, too.
  const plain = text.normalize("NFKD").replace(/\p{M}/gu, (mark) => LETTER_OF.get(mark) ?? "");
  const letters = [...plain].map((each) => {
    const small = each.toLowerCase();
    return LETTER_OF.get(each) ?? LETTER_OF.get(small) ?? small;
  });
  return PAIRS.reduce((read, [pair, one]) => read.replaceAll(pair, one), letters.join(""));
}

const RESERVED_READINGS: ReadonlySet<string> = new Set([...RESERVED].map(reading));

/** Whether a word of the name, or all of it, reads as one of these. A word that only contains one (cooperator) does not. */
function isReserved(name: string): boolean {
  // Digits at an end are no letters: Operator 1, Admin99.
  const words = [...name.normalize("NFKD").split(/[\s\p{P}]+/u), name].flatMap((word) => [
    word,
    word.replace(/^\d+|\d+$/gu, ""),
  ]);
  return words.some((word) => RESERVED_READINGS.has(reading(word).replace(/[^\p{L}]/gu, "")));
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
