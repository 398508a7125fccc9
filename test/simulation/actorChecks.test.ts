import assert from "node:assert/strict";
import type { Call } from "./actorBots.ts";
import { actorViolations, type Stored } from "./actorChecks.ts";
import type { News, TallyState } from "./TallyActor.ts";

interface History {
  stored: Stored;
  calls: Call[];
  news: News[];
}

const call = (name: string, method: Call["method"], outcome: Call["outcome"]): Call =>
  ({ name, actor: "w", method, outcome, requestId: undefined, knownBefore: 0 }) as unknown as Call;

/** One call of each kind with each outcome that it may have, all of it kept. */
function someHistory(): History {
  return {
    calls: [
      call("c0", "note", "answered"),
      call("c1", "note", "nothing happened"),
      call("c2", "write", "answered"),
      call("c3", "pass", "answered"),
      call("c4", "pass", "unknown"),
      call("c5", "announce", "answered"),
      call("c6", "announce", undefined),
    ],
    stored: {
      states: new Map<string, TallyState>([
        ["w", { done: ["c0", "c2", "c3", "c4", "c5", "c6"], sent: { x: 2 }, heard: {}, said: 2 }],
        ["x", { done: ["heard c3", "heard c4"], sent: {}, heard: { w: [1, 2] }, said: 0 }],
      ]),
      effects: new Map([
        ["w c2", [0]],
        ["w tick", [1, 2, 3]],
      ]),
      nextSeq: new Map([["w tick", 4]]),
    },
    news: [
      { from: "w", n: 1, name: "c5" },
      { from: "w", n: 2, name: "c6" },
    ],
  };
}

/** What each of these does to a history must be noticed. */
const FORGERIES: [string, (history: History) => unknown, RegExp][] = [
  [
    "what was acknowledged and is gone",
    ({ stored }) => stored.states.get("w")!.done.shift(),
    /c0 .* took effect 0 times/,
  ],
  ["what took effect twice", ({ stored }) => stored.states.get("w")!.done.push("c4"), /c4 .* took effect 2 times/],
  [
    "what was refused and took effect",
    ({ stored }) => stored.states.get("w")!.done.push("c1"),
    /c1 .* took effect 1 times/,
  ],
  ["a row that is missing", ({ stored }) => stored.effects.delete("w c2"), /c2 .* wrote its row 0 times/],
  ["a row that is there twice", ({ stored }) => stored.effects.set("w c2", [0, 0]), /c2 .* wrote its row 2 times/],
  ["a tell that is lost", ({ stored }) => stored.states.get("x")!.done.pop(), /c4 .* was heard 0 times/],
  [
    "messages out of order",
    ({ stored }) => stored.states.get("x")!.heard.w!.reverse(),
    /messages of w to x: .* as 2,1/,
  ],
  ["an event that is lost", ({ news }) => news.pop(), /events of w: 2 were sent, and came as 1/],
  ["events out of order", ({ news }) => news.reverse(), /events of w: 2 were sent, and came as 2,1/],
  ["an event that came twice", ({ news }) => news.push(news[0]!), /c5 .* was announced 2 times/],
  ["a firing that is missing", ({ stored }) => stored.effects.set("w tick", [1, 3]), /firings of w tick/],
  ["a firing that took effect twice", ({ stored }) => stored.effects.set("w tick", [1, 2, 2, 3]), /firings of w tick/],
];

describe("what is checked of simulated actors", () => {
  const violations = ({ stored, calls, news }: History): string[] => actorViolations(stored, calls, news);

  it("finds nothing wrong with a true history", () => assert.deepEqual(violations(someHistory()), []));

  for (const [what, forge, violation] of FORGERIES) {
    it(`finds ${what}`, () => {
      const history = someHistory();
      forge(history);
      assert.match(violations(history).join("\n"), violation);
    });
  }
});
