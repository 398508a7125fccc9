import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import type { Problem } from "../../web/src/problems.ts";
import type { SubmitAnswer } from "../../web/src/protocol.ts";
import { randomId } from "../../web/src/randomId.ts";
import { refusalText, reportText } from "../../web/src/tournaments/reports.ts";
import { type PendingScore, type Report, Submissions } from "../../web/src/tournaments/Submissions.ts";

const SCORE: PendingScore = { submissionId: "one", score: 40, subscore: 0 };
const COUNTED: SubmitAnswer = { rank: 2, best: 40, entries: 1 };
const AWAY: Problem = { code: "offline", sentence: "Away.", details: undefined };

/** A server that answers as it is told, and a browser's storage. */
class Judges {
  readonly sent: PendingScore[] = [];
  readonly waits: number[] = [];
  readonly reports: Report[] = [];
  readonly store: PendingScore[];
  readonly submissions: Submissions;
  /** Ends the wait for the next attempt. */
  wake: () => void = () => {};

  constructor(script: (SubmitAnswer | Problem)[], store: PendingScore[] = []) {
    this.store = store;
    this.submissions = new Submissions({
      send: async (pending) => {
        this.sent.push(pending);
        const answer = script.shift();
        if (answer && "rank" in answer) return answer;
        throw answer;
      },
      wait: (ms) => {
        this.waits.push(ms);
        return new Promise((resolve) => {
          this.wake = resolve;
        });
      },
      tell: (report) => this.reports.push(report),
      store: {
        list: () => [...this.store],
        put: (pending) => this.store.push(pending),
        remove: (id) =>
          this.store.splice(
            this.store.findIndex(({ submissionId }) => submissionId === id),
            1,
          ),
      },
    });
  }

  get stages(): string[] {
    return this.reports.map(({ at }) => at);
  }
}

/** Lets everything go on that needs no more than its turn. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("a score on its way to a tournament", () => {
  it("is told of once it counts, and kept no longer", async () => {
    const judges = new Judges([COUNTED]);
    judges.submissions.add(SCORE);
    await settled();
    deepEqual(judges.reports.at(-1), { at: "counted", score: 40, answer: COUNTED });
    deepEqual(judges.store, []);
  });

  it("is sent again under the same id until the room is back, and kept meanwhile", async () => {
    const judges = new Judges([AWAY, AWAY, COUNTED]);
    judges.submissions.add(SCORE);
    await settled();
    deepEqual(judges.store, [SCORE]);
    judges.wake();
    await settled();
    deepEqual(judges.stages, ["sending", "waiting", "waiting"]);
    // The room says that it is back before the wait is over.
    await judges.submissions.deliver();
    await settled();
    equal(judges.reports.at(-1)?.at, "counted");
    deepEqual(judges.sent, [SCORE, SCORE, SCORE]);
    deepEqual(judges.waits, [500, 1000]);
  });

  it("waits as long as the server says when it came too fast", async () => {
    const judges = new Judges([{ code: "rate_limited", sentence: "", details: { retryAfterMs: 12_345 } }, COUNTED]);
    judges.submissions.add(SCORE);
    await settled();
    deepEqual(judges.waits, [12_345]);
  });

  it("is kept while the tournament is paused, and sent as soon as it goes on", async () => {
    const judges = new Judges([{ code: "paused", sentence: "", details: { pausedAt: 1, resumesAt: 2 } }, COUNTED]);
    judges.submissions.add(SCORE);
    await settled();
    deepEqual(judges.stages, ["sending", "waiting"]);
    match(reportText(judges.reports.at(-1)!), /paused/);
    deepEqual(judges.store, [SCORE]);
    await judges.submissions.deliver();
    await settled();
    equal(judges.reports.at(-1)?.at, "counted");
  });

  it("is given up when it was refused, and the next one goes its way", async () => {
    const judges = new Judges([{ code: "score_refused", sentence: "No.", details: undefined }, COUNTED]);
    judges.submissions.add(SCORE);
    judges.submissions.add({ ...SCORE, submissionId: "two" });
    await settled();
    deepEqual(judges.stages, ["sending", "refused", "sending", "counted"]);
    deepEqual(judges.store, []);
  });

  it("is taken up by the next visit", async () => {
    const judges = new Judges([COUNTED], [SCORE]);
    deepEqual(judges.sent, []);
    await judges.submissions.deliver();
    deepEqual(judges.sent, [SCORE]);
    deepEqual(judges.store, []);
  });

  it("is sent no more once the page has gone elsewhere", async () => {
    const judges = new Judges([AWAY, COUNTED]);
    judges.submissions.add(SCORE);
    await settled();
    judges.submissions.close();
    await settled();
    equal(judges.sent.length, 1);
    deepEqual(judges.store, [SCORE]);
  });

  it("has an id that no other has", () => {
    match(randomId(), /^[0-9a-f]{32}$/);
    notEqual(randomId(), randomId());
  });

  it("is refused in words for each reason", () => {
    const refusals = [
      { code: "wrong_phase", details: { phase: "scheduled" } },
      { code: "wrong_phase", details: { phase: "grace" } },
      { code: "wrong_phase", details: { phase: "settled" } },
      { code: "entries_used_up", details: { of: "player" } },
      { code: "entries_used_up", details: { of: "tournament" } },
      { code: "score_refused", details: undefined },
    ].map((problem) => refusalText({ sentence: "The judges shake their heads.", ...problem }));
    equal(new Set(refusals).size, refusals.length);
  });
});
