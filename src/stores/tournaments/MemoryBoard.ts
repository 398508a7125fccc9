import type { Order } from "../../entities/tournaments/Tournament.ts";
import { Ranks } from "../runtime/Ranks.ts";
import { latestOf } from "./boardWire.ts";
import {
  type BoardPage,
  type BoardRules,
  type BoardSnapshot,
  type PlayerSnapshot,
  REMEMBERED,
  type ScoreEntry,
  type StandingRow,
  type Submission,
  type SubmitDecision,
} from "./Leaderboard.ts";
import { combine, isBetter, isWithinBounds, type Result } from "./scoring.ts";

const MINUTE_MS = 60_000;

interface Player extends Result {
  id: string;
  name: string;
  reachedSeq: number;
  entries: number;
  /** Of the rate. */
  window: { begin: number; entries: number };
  /** The latest entries, oldest first. */
  latest: ScoreEntry[];
}

/** One tournament's board; decides as `submit.lua` does. */
export class MemoryBoard {
  readonly epoch: number;
  readonly #players = new Map<string, Player>();
  readonly #ranks: Ranks<Player>;
  #submissions: number;
  #seq = 0;

  constructor({ epoch, submissions }: Pick<BoardSnapshot, "epoch" | "submissions">, order: Order) {
    this.epoch = epoch;
    this.#submissions = submissions;
    this.#ranks = new Ranks((a, b) => {
      if (isBetter(a, b, order)) return -1;
      return isBetter(b, a, order) ? 1 : a.reachedSeq - b.reachedSeq;
    });
  }

  add(snapshot: PlayerSnapshot): void {
    const { latest } = snapshot;
    const player: Player = {
      ...{ id: latest.playerId, name: latest.playerName, score: latest.best, subscore: latest.bestSubscore },
      ...{ reachedSeq: latest.reachedSeq, entries: latest.entryNo, latest: latestOf(snapshot) },
      window: { begin: 0, entries: 0 },
    };
    this.#players.set(player.id, player);
    this.#ranks.add(player);
    this.#seq = Math.max(this.#seq, latest.seq);
  }

  submit(rules: BoardRules, submission: Submission): SubmitDecision {
    const player = this.#players.get(submission.playerId);
    if (player !== undefined) {
      const index = player.latest.findIndex(({ submissionId }) => submissionId === submission.submissionId);
      if (index >= 0) return this.#accepted(player.latest[index]!, player.latest[index - 1], true);
      if (!submission.isNew && player.entries > player.latest.length) return { kind: "unsure" };
    }
    const entry = { score: submission.score, subscore: submission.subscore };
    const after = combine(rules.operator, rules.order, player, entry);
    if (!isWithinBounds(rules, entry, after)) return { kind: "outOfBounds" };
    if ((player?.entries ?? 0) >= rules.maxEntries) return { kind: "full", of: "player" };
    if (this.#submissions >= rules.maxSubmissions) return { kind: "full", of: "tournament" };
    const window = windowAt(submission.now, player?.window);
    if (window.entries >= rules.submissionsPerMinute) {
      return { kind: "tooFast", retryAfterMs: window.begin + MINUTE_MS - submission.now };
    }
    window.entries += 1;
    return this.#take(player ?? this.#begin(submission), window, submission, after);
  }

  page(offset: number, limit: number): BoardPage {
    const rows = this.#ranks.slice(offset, limit).map(({ id, name, score, subscore, entries }, index): StandingRow => {
      return { rank: offset + index + 1, playerId: id, name, score, subscore, entries };
    });
    return { epoch: this.epoch, version: this.#submissions, seq: this.#seq, total: this.#ranks.size, rows };
  }

  around(playerId: string, limit: number): BoardPage {
    const player = this.#players.get(playerId);
    if (player === undefined) return this.page(0, 0);
    const middle = this.#ranks.placeOf(player) - Math.floor(limit / 2);
    return this.page(Math.max(0, Math.min(middle, this.#ranks.size - limit)), limit);
  }

  #begin({ playerId: id, playerName: name, now }: Submission): Player {
    const window = { begin: now, entries: 0 };
    return { id, name, score: 0, subscore: 0, reachedSeq: 0, entries: 0, window, latest: [] };
  }

  #take(player: Player, window: Player["window"], submission: Submission, after: Result): SubmitDecision {
    const { playerId, playerName, submissionId, score, subscore } = submission;
    this.#seq += 1;
    this.#submissions += 1;
    this.#stand(player, after);
    Object.assign(player, { name: playerName, entries: player.entries + 1, window });
    const entry: ScoreEntry = {
      ...{ playerId, playerName, submissionId, entryNo: player.entries, score, subscore },
      ...{ best: after.score, bestSubscore: after.subscore, seq: this.#seq, reachedSeq: player.reachedSeq },
      toldRank: this.#ranks.placeOf(player) + 1,
    };
    const previous = player.latest.at(-1);
    player.latest = [...player.latest, entry].slice(-REMEMBERED);
    return this.#accepted(entry, previous, false);
  }

  #stand(player: Player, { score, subscore }: Result): void {
    const isFirst = player.entries === 0;
    if (!isFirst && player.score === score && player.subscore === subscore) return;
    if (isFirst) this.#players.set(player.id, player);
    else this.#ranks.remove(player);
    Object.assign(player, { score, subscore, reachedSeq: this.#seq });
    this.#ranks.add(player);
  }

  #accepted(entry: ScoreEntry, previous: ScoreEntry | undefined, isRepeated: boolean): SubmitDecision {
    const before = previous === undefined ? {} : { previous: { ...previous } };
    return { kind: "accepted", epoch: this.epoch, entry: { ...entry }, ...before, isRepeated };
  }
}

/** A clock behind the window's begin has jumped: it begins a new one, for else it could lock the player out for as long as the jump. */
function windowAt(now: number, window: Player["window"] | undefined): Player["window"] {
  const isOver = window === undefined || now < window.begin || now >= window.begin + MINUTE_MS;
  return isOver ? { begin: now, entries: 0 } : window;
}
