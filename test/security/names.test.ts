import assert from "node:assert/strict";
import { LOOK_ALIKES } from "../../src/http/auth/lookAlikes.ts";
import { playerName } from "../../src/http/auth/names.ts";

function complaint(name: string): string | undefined {
  return playerName.safeParse(name).error?.issues[0]?.message;
}

describe("A player's name", () => {
  it("may be of any script, with what that needs, and of emoji", () => {
    const names = [
      "Ada",
      "Zoë",
      "Nguyễn Thị",
      "می‌خواهم",
      "क्‍षमा",
      "สวัสดี",
      "שָׁלוֹם",
      "👩‍❤️‍👨 & 🧑🏽‍🚀",
      "#️⃣1️⃣",
      "Cooperator",
      "Modesty",
      "Brave Otter 42",
    ];
    for (const name of names) assert.equal(complaint(name), undefined, name);
  });

  it("holds nothing that is not seen, or not where it stands", () => {
    for (const name of ["A\u200Db", "\u200Dab", "a\u200C", "a\uFE0Fb", "a\u2060b", "\u3164", "a\u202Eb"]) {
      assert.equal(complaint(name), "must hold visible characters only", JSON.stringify(name));
    }
    for (const name of ["\u0301", "\u0301abc", "a \u0301"]) {
      assert.equal(complaint(name), "must not hold marks without a letter", JSON.stringify(name));
    }
    assert.equal(complaint(`a${"\u0316".repeat(5)}`), "must have at most 4 marks on a letter");
  });

  it("is told which bound it meets", () => {
    assert.equal(complaint("x".repeat(25)), "must have at most 24 characters");
    assert.match(complaint("👩‍👩‍👧‍👦".repeat(6))!, /64 UTF-16 units/);
    assert.equal(complaint(" "), "must not be empty");
  });

  it("does not read as an operator's", () => {
    const names = [
      "Operator",
      "OPERATOR 1",
      "0perat0r",
      "Орerаtоr",
      "Ｏｐｅｒａｔｏｒ",
      "O p e r a t o r",
      "xX Admin Xx",
      "αdmιn",
      "Mod",
      "admin99",
      "Ópérátòr",
    ];
    for (const name of names) assert.equal(complaint(name), "must not be that of an operator", name);
  });

  it("does not read as an operator's in letters that only look Latin, whatever alphabet or sign they are of", () => {
    const names = [
      "Ꭺdmin",
      "ᎪᎠᎷІΝ",
      "ꮪtaff",
      "ꓮdmin",
      "ᴀᴅᴍɪɴ",
      "ᴍᴏᴅᴇʀᴀᴛᴏʀ",
      "🅰🅳🅼🅸🅽",
      "🅐🅓🅜🅘🅝",
      "🇦 🇩 🇲 🇮 🇳",
      "adrnin",
      "Adмin",
      "ⲞperatⲞr",
      "sүstem",
      "𝓪𝓭𝓶𝓲𝓷",
      "𐐬perat𐐬r",
    ];
    for (const name of names) assert.equal(complaint(name), "must not be that of an operator", name);
  });

  it("takes each letter of Unicode's confusables for the one that it looks like", () => {
    const word = "administrator";
    for (const [letter, others] of Object.entries(LOOK_ALIKES)) {
      if (!word.includes(letter)) continue;
      for (const other of others) {
        const name = word.replace(letter, other);
        assert.notEqual(complaint(name), undefined, `${name} (U+${other.codePointAt(0)!.toString(16)})`);
      }
    }
  });

  it("may be a word of another alphabet that looks like nothing of an operator's", () => {
    const names = ["Αθηνά", "Ольга", "Модест", "Ноmer", "ᏣᎳᎩ", "Ⲁⲛⲧⲱⲛⲓ", "🇩🇪 Eva", "Adam", "Marnie", "Savvy", "Bill"];
    for (const name of names) assert.equal(complaint(name), undefined, name);
  });
});
