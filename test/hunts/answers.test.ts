import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import fc from "fast-check";
import { hashAnswer, hashAnswers, matches, newSalt, normaliseAnswer } from "../../src/actors/hunts/answers.ts";
import { seededRng } from "../../src/clock.ts";

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);

describe("A hunt's answers", () => {
  before(() => console.log(`      seed ${SEED} (SEED=${SEED} replays)`));

  const equal: [string, string, string][] = [
    ["case", "Lighthouse", "lightHOUSE"],
    ["white space around", "  lighthouse\t", "lighthouse"],
    ["white space within", "old \u00A0 mill", "old mill"],
    ["compatibility forms", "ﬁsh", "fish"],
    ["full-width letters", "ＦＩＳＨ", "fish"],
    ["composed and decomposed letters", "cafe\u0301", "café"],
    ["punctuation around", "«The Mill!»", "the mill"],
    ["a question mark and a space", "42 ?", "42"],
    ["zero-width characters", "fi\u200Bsh", "fish"],
    ["marks of direction", "\u202Efish", "fish"],
    ["ß and ss", "Straße", "STRASSE"],
    ["the sigmas", "ΣΊΣΥΦΟΣ", "σίσυφος"],
    ["the dotted capital I", "İzmir", "izmir"],
    ["typographic apostrophes", "o’clock", "o'clock"],
    ["typographic quotes", "the “old” mill", 'the "old" mill'],
    ["typographic dashes", "twenty‑one – or so", "twenty-one - or so"],
    ["the letter that holds an apostrophe", "ŉ", "'n"],
  ];
  for (const [what, left, right] of equal) {
    it(`ignore ${what}: ${JSON.stringify(left)} is ${JSON.stringify(right)}`, () => {
      assert.equal(normaliseAnswer(left), normaliseAnswer(right));
    });
  }

  const different: [string, string, string][] = [
    ["diacritics", "año", "ano"],
    ["punctuation within", "o'clock", "oclock"],
    ["white space within", "light house", "lighthouse"],
    ["symbols", "c++", "c"],
    ["an answer of punctuation alone", "?!", "??"],
  ];
  for (const [what, left, right] of different) {
    it(`tell apart ${what}: ${JSON.stringify(left)} is not ${JSON.stringify(right)}`, () => {
      assert.notEqual(normaliseAnswer(left), normaliseAnswer(right));
    });
  }

  it("are normalised once and for all, whatever the text", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string({ unit: "grapheme" }),
      fc.string({ unit: fc.constantFrom(..." .!-’‐“ŉ″ßẞςΣİıéﬁ\u0301\u0307\u200B\u202E\t") }),
    );
    fc.assert(
      fc.property(text, (answer) => {
        const once = normaliseAnswer(answer);
        assert.equal(normaliseAnswer(once), once);
      }),
      { seed: SEED, numRuns: 2000 },
    );
  });

  it("stay different when they differ in letters", () => {
    const words = fc.string({ unit: fc.constantFrom(..."abcdefghijklmnopqrstuvwxyz"), minLength: 1 });
    fc.assert(
      fc.property(words, words, (left, right) => {
        assert.equal(normaliseAnswer(left) === normaliseAnswer(right), left === right);
      }),
      { seed: SEED },
    );
  });

  it("match what was sealed with its typographic punctuation", () => {
    const salt = newSalt(seededRng(SEED));
    const asSealedOnce = createHmac("sha256", salt).update("o’clock").digest("hex");
    assert.ok(matches([asSealedOnce], salt, "O’Clock!"));
    assert.equal(matches([asSealedOnce], salt, "clock"), false);
  });

  it("match their own hashes and no others", () => {
    const rng = seededRng(SEED);
    const salt = newSalt(rng);
    const clue = { type: "riddle", prompt: "Where?", answers: ["The Mill", "old mill"], points: 1 };
    const [hashes] = hashAnswers({ clues: [clue] }, salt);
    assert.ok(matches(hashes!, salt, "old mill!"));
    assert.ok(matches(hashes!, salt, "THE MILL"));
    assert.equal(matches(hashes!, salt, "mill"), false);
    assert.equal(matches(hashes!, newSalt(rng), "old mill"), false);
    assert.equal(matches([], salt, "old mill"), false);
  });

  it("do not show in their hashes, which another hunt's salt changes", () => {
    const rng = seededRng(SEED);
    const [left, right] = [newSalt(rng), newSalt(rng)].map((salt) => hashAnswer(salt, "lighthouse"));
    assert.match(left!, /^[0-9a-f]{64}$/);
    assert.notEqual(left, right);
  });
});
