import { createHmac, timingSafeEqual } from "node:crypto";
import type { Rng } from "../../clock.ts";
import type { HuntDefinition } from "./definition.ts";

/** 22 characters of 62 are 131 bits of chance. */
const SALT_LENGTH = 22;

/** A fresh salt for one hunt, so that the same answer hashes differently in each. */
export function newSalt(rng: Rng): string {
  return rng.id(SALT_LENGTH);
}

/**
 * What two answers must share to count as equal: compatibility forms are unified (NFKC), case is folded, invisible
 * characters go, runs of white space become one space, and white space and punctuation around the answer are stripped
 * (unless nothing else is there, so that "?!" can be an answer).
 *
 * Diacritics count: å is another letter than a, and "año" is not "ano". Who wants to accept both lists both.
 */
export function normaliseAnswer(answer: string): string {
  const folded = foldCase(answer.normalize("NFKC").replace(/\p{Default_Ignorable_Code_Point}/gu, ""));
  const spaced = folded.replace(/\s+/gu, " ").trim();
  const bare = spaced.replace(/^[\p{P}\s]+|[\p{P}\s]+$/gu, "");
  return bare === "" ? spaced : bare;
}

/**
 * Going up and down again unifies what lower-casing alone keeps apart (ß, ẞ and ss); then the two small sigmas become one,
 * and the dotted capital İ the i that most keyboards have.
 */
function foldCase(text: string): string {
  return text
    .toLowerCase()
    .toUpperCase()
    .toLowerCase()
    .replaceAll("ς", "σ")
    .replace(/i\u0307+/g, "i")
    .normalize("NFKC");
}

/** HMAC-SHA256 of the normalised answer under the hunt's salt, in hex. */
export function hashAnswer(salt: string, answer: string): string {
  return createHmac("sha256", salt).update(normaliseAnswer(answer)).digest("hex");
}

/** The hashes of each clue's answers, in the order of the clues: what is stored in place of the answers. */
export function hashAnswers(definition: Pick<HuntDefinition, "clues">, salt: string): string[][] {
  return definition.clues.map((clue) => clue.answers.map((answer) => hashAnswer(salt, answer)));
}

/** Whether `answer` is one of those behind `hashes`. The time it takes tells nothing about which, or how nearly. */
export function matches(hashes: readonly string[], salt: string, answer: string): boolean {
  const given = Buffer.from(hashAnswer(salt, answer));
  let found = false;
  for (const hash of hashes) {
    const known = Buffer.from(hash);
    if (known.length === given.length && timingSafeEqual(known, given)) found = true;
  }
  return found;
}
