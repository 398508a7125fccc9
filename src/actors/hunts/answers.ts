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
 * characters go, typographic quotes and dashes become the plain ones of a keyboard, runs of white space become one space, and
 * white space and punctuation around the answer are stripped (unless nothing else is there, so that "?!" can be an answer).
 *
 * Diacritics count: å is another letter than a, and "año" is not "ano". Who wants to accept both lists both.
 */
export function normaliseAnswer(answer: string): string {
  return bare(withPlainPunctuation(folded(answer)));
}

function folded(answer: string): string {
  return foldCase(answer.normalize("NFKC").replace(/\p{Default_Ignorable_Code_Point}/gu, ""));
}

/** Phones and word processors put their own in place of those that were typed. */
function withPlainPunctuation(text: string): string {
  return text
    .replace(/[\u2018-\u201b\u2032\u02bc]/gu, "'")
    .replace(/[\u201c-\u201f\u2033\u00ab\u00bb]/gu, '"')
    .replace(/[\u2010-\u2015\u2212]/gu, "-");
}

function bare(text: string): string {
  const spaced = text.replace(/\s+/gu, " ").trim();
  const inner = spaced.replace(/^[\p{P}\s]+|[\p{P}\s]+$/gu, "");
  return inner === "" ? spaced : inner;
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
  return hashOf(salt, normaliseAnswer(answer));
}

function hashOf(salt: string, normalised: string): string {
  return createHmac("sha256", salt).update(normalised).digest("hex");
}

/** The hashes of each clue's answers, in the order of the clues: what is stored in place of the answers. */
export function hashAnswers(definition: Pick<HuntDefinition, "clues">, salt: string): string[][] {
  return definition.clues.map((clue) => clue.answers.map((answer) => hashAnswer(salt, answer)));
}

/** Whether `answer` is one of those behind `hashes`. The time it takes tells nothing about which, or how nearly. */
export function matches(hashes: readonly string[], salt: string, answer: string): boolean {
  // Hunts of version 0.1.0 were sealed with their typographic punctuation as it was.
  const asTyped = hashOf(salt, bare(folded(answer)));
  const given = [hashAnswer(salt, answer), asTyped].map((hash) => Buffer.from(hash));
  let found = false;
  for (const hash of hashes) {
    const known = Buffer.from(hash);
    for (const one of given) if (known.length === one.length && timingSafeEqual(known, one)) found = true;
  }
  return found;
}
