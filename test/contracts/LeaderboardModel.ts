import { LARGEST_SCORE } from "../../src/entities/tournaments/precision.ts";
import {
  type BoardPage,
  type BoardRules,
  type PlayerSnapshot,
  REMEMBERED,
  type ScoreEntry,
  type StandingRow,
  type Submission,
  type SubmitDecision,
} from "../../src/stores/tournaments/Leaderboard.ts";

interface Standing {
  score: number;
  subscore: number;
  reachedSeq: number;
}

/** What a leaderboard must answer: keeps every entry ever made, and sorts everybody anew for each answer. */
export class LeaderboardModel {
  readonly #rules: BoardRules;
  #epoch: number;
  #submissions = 0;
  #seq = 0;
  /** In the order of their decisions. */
  #entries: ScoreEntry[] = [];
  /** When the players' entries since the last rebuild were made. */
  #windows = new Map<string, number[]>();

  constructor(rules: BoardRules, epoch: number) {
    this.#rules = rules;
    this.#epoch = epoch;
  }

  submit(submission: Submission): SubmitDecision {
    const { playerId, submissionId, isNew } = submission;
    const entries = this.#entriesOf(playerId);
    const remembered = entries.slice(-REMEMBERED);
    const first = remembered.findIndex((entry) => entry.submissionId === submissionId);
    if (first >= 0) return this.#accepted(remembered[first]!, remembered[first - 1], true);
    if (entries.length > REMEMBERED && !isNew) return { kind: "unsure" };
    const refusal = this.#refusal(submission, entries);
    if (refusal !== undefined) return refusal;

    this.#seq += 1;
    this.#submissions += 1;
    const entry: ScoreEntry = {
      ...{ playerId, playerName: submission.playerName, submissionId, entryNo: entries.length + 1 },
      ...{ score: submission.score, subscore: submission.subscore, seq: this.#seq },
      ...{ best: 0, bestSubscore: 0, reachedSeq: 0, toldRank: 0 },
    };
    this.#entries.push(entry);
    const { score, subscore, reachedSeq } = this.#standingOf([...entries, entry])!;
    Object.assign(entry, { best: score, bestSubscore: subscore, reachedSeq });
    entry.toldRank = this.rows().find((row) => row.playerId === playerId)!.rank;
    return this.#accepted(entry, entries.at(-1), false);
  }

  page(offset: number, limit: number): BoardPage {
    const rows = this.rows();
    const page = { epoch: this.#epoch, version: this.#submissions, seq: this.#seq, total: rows.length };
    return { ...page, rows: rows.slice(offset, offset + limit) };
  }

  around(playerId: string, limit: number): BoardPage {
    const rows = this.rows();
    const at = rows.findIndex((row) => row.playerId === playerId);
    if (at < 0) return this.page(0, 0);
    let from = at - Math.floor(limit / 2);
    while (from + limit > rows.length) from -= 1;
    while (from < 0) from += 1;
    return this.page(from, limit);
  }

  /** Everybody, best first. */
  rows(): StandingRow[] {
    const sign = this.#rules.order === "desc" ? -1 : 1;
    return [...new Set(this.#entries.map(({ playerId }) => playerId))]
      .map((playerId) => ({ playerId, entries: this.#entriesOf(playerId) }))
      .map(({ playerId, entries }) => ({ playerId, entries, standing: this.#standingOf(entries)! }))
      .sort(({ standing: a }, { standing: b }) => {
        if (a.score !== b.score) return a.score < b.score ? -sign : sign;
        return sign * (a.subscore - b.subscore) || a.reachedSeq - b.reachedSeq;
      })
      .map(({ playerId, entries, standing: { score, subscore } }, index) => {
        const { playerName: name } = entries.at(-1)!;
        return { rank: index + 1, playerId, name, score, subscore, entries: entries.length };
      });
  }

  /** Rebuilds from the entries, but for the newest `lost`, which were not committed. */
  rebuild(epoch: number, lost: number): { submissions: number; players: PlayerSnapshot[] } {
    this.#epoch = epoch;
    this.#entries = this.#entries.slice(0, Math.max(0, this.#entries.length - lost));
    this.#submissions = this.#entries.length;
    this.#seq = Math.max(0, ...this.#entries.map(({ seq }) => seq));
    this.#windows = new Map();
    const players = [...new Set(this.#entries.map(({ playerId }) => playerId))].map((playerId) => {
      const entries = this.#entriesOf(playerId);
      return { latest: entries.at(-1)!, remembered: entries.slice(-REMEMBERED) };
    });
    return { submissions: this.#submissions, players };
  }

  submissionsOf(playerId: string): string[] {
    return this.#entriesOf(playerId).map(({ submissionId }) => submissionId);
  }

  #entriesOf(playerId: string): ScoreEntry[] {
    return this.#entries.filter((entry) => entry.playerId === playerId);
  }

  #standingOf(entries: readonly Pick<ScoreEntry, "score" | "subscore" | "seq">[]): Standing | undefined {
    let standing: Standing | undefined;
    for (const [index, { seq }] of entries.entries()) {
      const next = this.#resultOf(entries.slice(0, index + 1));
      const isSame = next.score === standing?.score && next.subscore === standing.subscore;
      standing = { ...next, reachedSeq: isSame ? standing!.reachedSeq : seq };
    }
    return standing;
  }

  #resultOf(entries: readonly Pick<ScoreEntry, "score" | "subscore">[]): { score: number; subscore: number } {
    const { operator, order } = this.#rules;
    if (operator === "last") return entries.at(-1)!;
    if (operator === "best") {
      const sorted = entries.toSorted((a, b) =>
        a.score === b.score ? a.subscore - b.subscore : a.score < b.score ? -1 : 1,
      );
      const { score, subscore } = order === "asc" ? sorted[0]! : sorted.at(-1)!;
      return { score, subscore };
    }
    return entries.reduce(
      (sum, { score, subscore }) => ({ score: sum.score + score, subscore: sum.subscore + subscore }),
      {
        score: 0,
        subscore: 0,
      },
    );
  }

  #refusal(submission: Submission, entries: readonly ScoreEntry[]): SubmitDecision | undefined {
    const { operator, minScore, maxScore, maxEntries, maxSubmissions } = this.#rules;
    const { score } = this.#resultOf([...entries, submission]);
    const judged = operator === "increment" ? score : submission.score;
    if (judged < minScore || judged > maxScore || Math.abs(score) > LARGEST_SCORE) return { kind: "outOfBounds" };
    if (entries.length === maxEntries) return { kind: "full", of: "player" };
    if (this.#submissions === maxSubmissions) return { kind: "full", of: "tournament" };
    return this.#tooFast(submission);
  }

  /** Entries of the current minute; the first of them began it. */
  #tooFast({ playerId, now }: Submission): SubmitDecision | undefined {
    const minute = this.#windows.get(playerId) ?? [];
    const isOver = minute.length === 0 || now < minute[0]! || now - minute[0]! >= 60_000;
    const current = isOver ? [] : minute;
    if (current.length === this.#rules.submissionsPerMinute) {
      return { kind: "tooFast", retryAfterMs: current[0]! + 60_000 - now };
    }
    this.#windows.set(playerId, [...current, now]);
    return undefined;
  }

  #accepted(entry: ScoreEntry, previous: ScoreEntry | undefined, isRepeated: boolean): SubmitDecision {
    const before = previous === undefined ? {} : { previous };
    return { kind: "accepted", epoch: this.#epoch, entry, ...before, isRepeated };
  }
}
