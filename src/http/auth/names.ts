import type { Rng } from "../../clock.ts";
import { lineOfText } from "../../text.ts";

/** Characters as a person counts them. */
const LONGEST_NAME = 24;

/** UTF-16 units, as `players.name` holds them. */
const NAME_UNITS = 64;

/** A player's name: 1 to 24 visible characters, trimmed. Names need not be unique. */
export const playerName = lineOfText(LONGEST_NAME, NAME_UNITS);

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
