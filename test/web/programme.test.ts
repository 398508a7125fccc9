import { deepEqual, equal } from "node:assert/strict";
import { newsOf } from "../../web/src/lobby/news.ts";
import { addressOf, choose, chooseAfter } from "../../web/src/lobby/programme.ts";
import { amountText, itemName, itemsText, ordinal, rangeText } from "../../web/src/prizes.ts";
import type { Listing } from "../../web/src/protocol.ts";

const entry = (domain: string, id: string, phase: Listing["phase"], startsAt = 0): Listing => ({
  id,
  domain,
  name: id,
  phase,
  startsAt,
  endsAt: 0,
});

describe("the player page's programme", () => {
  it("shows first what can be played, then what is on, then what comes next", () => {
    const contest = entry("tournaments", "contest", "open");
    const closing = entry("tournaments", "closing", "grace");
    const hunt = entry("hunts", "hunt", "discovery");
    const later = entry("hunts", "later", "scheduled", 200);
    const next = entry("tournaments", "next", "scheduled", 100);
    equal(choose([closing, hunt, contest], [next])?.id, "contest");
    equal(choose([closing, hunt], [next])?.id, "hunt");
    equal(choose([], [later, next])?.id, "next");
    equal(choose([], []), undefined);
  });

  it("passes over what it cannot show, and what is done", () => {
    const race = entry("races", "race", "open");
    const hunt = entry("hunts", "hunt", "reveal");
    const next = entry("hunts", "next", "scheduled", 100);
    equal(choose([race], []), undefined);
    equal(chooseAfter({ domain: "hunts", id: "hunt" }, [race, hunt], [next])?.id, "next");
    // Another domain may have the same id.
    equal(chooseAfter({ domain: "tournaments", id: "hunt" }, [hunt], [next])?.id, "hunt");
  });

  it("has an address for each event", () => {
    equal(addressOf({ domain: "hunts", id: "a" }), "#hunt=a");
    equal(addressOf({ domain: "tournaments", id: "a b" }), "#tournament=a+b");
  });

  it("tells the news of both, the newest first, and who has won", () => {
    const told = (id: string, type: string, data: object) => ({ id, topic: "lobby", at: 0, type, data });
    const events = [
      told("4", "popupOpened", { id: "p" }),
      told("3", "tournamentSettled", { id: "t", name: "T", winners: [{ name: "Ada", score: 1200 }] }),
      told("2", "tournamentPhase", { id: "t", name: "T", phase: "open" }),
      told("1", "tournamentPhase", { id: "t", name: "T", phase: "open" }),
      told("0", "huntPhase", { id: "h", name: "H", phase: "solving" }),
      told("-1", "tournamentScheduled", { id: "same", name: "T", phase: "scheduled" }),
      told("-2", "huntScheduled", { id: "same", name: "H", phase: "scheduled" }),
    ];
    deepEqual(
      newsOf(events).map(({ text }) => text),
      [
        "Ada wins “T” with 1,200.",
        "“T” has been given more time.",
        "“T” is open: play for the prizes.",
        "“H” has begun.",
        "“T” is announced.",
        "“H” is announced.",
      ],
    );
  });
});

describe("news of what is paused", () => {
  it("say that it is, and that it goes on; what is told once more after that has been given more time", () => {
    const event = (id: number, more: object) => {
      const data = { id: "h", name: "H", phase: "solving", ...more };
      return { id: String(id), topic: "lobby", at: id, type: "huntPhase", data };
    };
    const events = [event(1, {}), event(2, { pausedAt: 5, resumesAt: 9 }), event(3, {}), event(4, {})];
    deepEqual(
      newsOf(events.toReversed()).map(({ text }) => text),
      ["“H” has been given more time.", "“H” goes on.", "“H” is paused.", "“H” has begun."],
    );
  });
});

describe("news of what is cancelled", () => {
  it("say why, where that was said", () => {
    const data = { id: "h", name: "H", phase: "cancelled" };
    const event = { id: "1", topic: "lobby", at: 1, type: "huntPhase", data };
    const texts = (more: object): string[] =>
      newsOf([{ ...event, data: { ...data, ...more } }]).map(({ text }) => text);
    deepEqual(texts({}), ["“H” is cancelled."]);
    deepEqual(texts({ cancelReason: "the harbour is closed" }), ["“H” is cancelled: the harbour is closed"]);
  });
});

describe("prizes in words", () => {
  it("name amounts that no number holds, and items as a person would", () => {
    equal(amountText("9007199254740993"), "9,007,199,254,740,993");
    equal(itemName("PRIVATE_PASS"), "Private pass");
    equal(itemName("TICO"), "TICO");
    const items = [
      { item: "PRIVATE_PASS", amount: "1" },
      { item: "TICO", amount: "100" },
    ];
    equal(itemsText(items), "1 Private pass and 100 TICO");
  });

  it("name ranks", () => {
    deepEqual([1, 2, 3, 4, 11, 12, 13, 21, 102, 1003].map(ordinal), [
      "1st",
      "2nd",
      "3rd",
      "4th",
      "11th",
      "12th",
      "13th",
      "21st",
      "102nd",
      "1,003rd",
    ]);
    equal(rangeText({ from: 2, to: 10, items: [] }), "2nd to 10th");
    equal(rangeText({ from: 1, to: 1, items: [] }), "1st");
  });
});
