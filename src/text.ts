import { z } from "zod";

/** Control, unassigned and private characters, lone surrogates, separators of lines and paragraphs; and the blank braille cell. */
const REFUSED = /[\p{C}\p{Zl}\p{Zp}\u2800]/u;

/** Characters that draw nothing, among them the fillers and the marks that reverse the direction of what follows. */
const IGNORABLE = /\p{Default_Ignorable_Code_Point}/u;

/** Joiners and the emoji presentation mark draw nothing either, but scripts and emoji need them between their characters. */
const JOINERS = /\u200C|\u200D|\uFE0F/gu;

/** Marks are drawn on what stands before them; they are lone after nothing, a space or punctuation, and no script piles up so many. */
const LONE_MARK = /(?:^|[\p{Z}\p{P}])\p{M}/u;
const PILED_MARKS = /\p{M}{5}/u;
/** What makes an emoji of a sign, and of a digit a key; marks by name only. */
const EMOJI_MARKS = /\uFE0F\u20E3?/gu;

/** Joiners mean something between emoji and between letters of these scripts; elsewhere they only make equal names differ. */
const SCRIPTS =
  "Arabic Syriac Mongolian Devanagari Bengali Gurmukhi Gujarati Oriya Tamil Telugu Kannada Malayalam Sinhala Khmer";
const JOINED = `\\p{Extended_Pictographic}\\p{Emoji_Modifier}${SCRIPTS.replace(/(\w+) ?/g, "\\p{Script=$1}")}`;
const LONE_JOINER = new RegExp(
  `(?<![${JOINED}])(?<!\\uFE0F)[\\u200C\\u200D]|[\\u200C\\u200D](?![${JOINED}])|(?<!\\p{Emoji})\\uFE0F`,
  "u",
);

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Whether a person sees every character of `text`: nothing in it is invisible, a control, or changes the direction of text. */
function isVisible(text: string): boolean {
  const drawn = text.replace(JOINERS, "");
  return drawn.trim() !== "" && !REFUSED.test(drawn) && !IGNORABLE.test(drawn);
}

/** How many characters a person counts: an emoji of five code points is one. */
function visibleLength(text: string): number {
  let count = 0;
  for (const _ of graphemes.segment(text)) count++;
  return count;
}

/**
 * One line that people will read: composed (NFC), trimmed, runs of spaces made one, and all of it visible. `most` counts
 * characters as a person does; `mostUnits` bounds what is stored (UTF-16 units), for a character may carry many marks.
 */
export function lineOfText(most: number, mostUnits: number): z.ZodType<string, string> {
  return z
    .string()
    .max(mostUnits * 4, "is too long")
    .transform((text) =>
      text
        .normalize("NFC")
        .replace(/\p{Zs}+/gu, " ")
        .trim(),
    )
    .refine((text) => text !== "", { error: "must not be empty", abort: true })
    .refine(isVisible, { error: "must hold visible characters only", abort: true })
    .refine((text) => !LONE_JOINER.test(text), { error: "must hold visible characters only", abort: true })
    .refine((text) => !LONE_MARK.test(text.replace(EMOJI_MARKS, "")), {
      error: "must not hold marks without a letter",
      abort: true,
    })
    .refine((text) => !PILED_MARKS.test(text), { error: "must have at most 4 marks on a letter", abort: true })
    .refine((text) => visibleLength(text) <= most, { error: `must have at most ${most} characters`, abort: true })
    .refine((text) => text.length <= mostUnits, {
      error: `is too long: it takes more than ${mostUnits} UTF-16 units, of which an emoji may take a dozen`,
    });
}
