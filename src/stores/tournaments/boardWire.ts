import { Packr } from "msgpackr";
import type { BoardPage, PlayerSnapshot, ScoreEntry, StandingRow, Submission, SubmitDecision } from "./Leaderboard.ts";
import { REMEMBERED } from "./Leaderboard.ts";

// The msgpack that `submit.lua`, `rows.lua` and `stage.lua` speak: it keeps doubles exact, and positions instead of names
// because the board's cost is mostly that of encoding and decoding.

const packr = new Packr({ useRecords: false, int64AsType: "number" });

/** An entry without the id of its player. */
type WireEntry = [
  submissionId: string,
  name: string,
  entryNo: number,
  score: number,
  subscore: number,
  best: number,
  bestSubscore: number,
  seq: number,
  reachedSeq: number,
  toldRank: number,
];

type WireAnswer =
  | [kind: "accepted" | "repeated", entry: WireEntry, previous: WireEntry | false]
  | [kind: "unsure" | "outOfBounds", false, false]
  | [kind: "full", of: "player" | "tournament", false]
  | [kind: "tooFast", retryAfterMs: number, false];

/** The last argument of `submit.lua`. */
export function packSubmissions(submissions: readonly Submission[]): Buffer {
  return packr.pack(
    submissions.map(({ playerId, playerName, submissionId, score, subscore, now, isNew }) => [
      ...[playerId, playerName, submissionId, score, subscore, now, isNew === true],
    ]),
  );
}

/** The reply of `submit.lua` to these submissions. */
export function decisionsOf(reply: Buffer, submissions: readonly Submission[]): SubmitDecision[] {
  const values = packr.unpackMultiple(reply) as unknown[];
  const epoch = values[0] as number;
  return submissions.map(({ playerId }, index) => {
    const from = 1 + 3 * index;
    return decisionOf(epoch, playerId, values.slice(from, from + 3) as WireAnswer);
  });
}

function decisionOf(epoch: number, playerId: string, answer: WireAnswer): SubmitDecision {
  switch (answer[0]) {
    case "accepted":
    case "repeated": {
      const [kind, entry, previous] = answer;
      return {
        kind: "accepted",
        epoch,
        entry: entryOf(playerId, entry),
        ...(previous !== false && { previous: entryOf(playerId, previous) }),
        isRepeated: kind === "repeated",
      };
    }
    case "full":
      return { kind: "full", of: answer[1] };
    case "tooFast":
      return { kind: "tooFast", retryAfterMs: answer[1] };
    default:
      return { kind: answer[0] };
  }
}

/** The reply of `rows.lua`. */
export function pageOf(reply: Buffer): BoardPage {
  const values = packr.unpackMultiple(reply) as unknown[];
  const [epoch, version, total, offset] = values as [number, number, number, number];
  const rows: StandingRow[] = [];
  for (let at = 4; at < values.length; at += 2) {
    const { playerId, playerName, best, bestSubscore, entryNo } = entryOf(
      values[at] as string,
      values[at + 1] as WireEntry,
    );
    const rank = offset + rows.length + 1;
    rows.push({ rank, playerId, name: playerName, score: best, subscore: bestSubscore, entries: entryNo });
  }
  return { epoch, version, total, rows };
}

/** The last argument of `stage.lua`. */
export function packPlayers(players: readonly PlayerSnapshot[]): Buffer {
  return packr.pack(players.map((player) => [player.latest.playerId, latestOf(player).map(wireEntry)]));
}

/** A player's newest entries, as many as are remembered, oldest first. */
export function latestOf({ latest, remembered }: PlayerSnapshot): ScoreEntry[] {
  const before = remembered.filter(({ entryNo }) => entryNo < latest.entryNo);
  return [...before.sort((a, b) => a.entryNo - b.entryNo).slice(1 - REMEMBERED), latest];
}

function wireEntry(entry: ScoreEntry): WireEntry {
  const { submissionId, playerName, entryNo, score, subscore, best, bestSubscore, seq, reachedSeq, toldRank } = entry;
  return [submissionId, playerName, entryNo, score, subscore, best, bestSubscore, seq, reachedSeq, toldRank];
}

function entryOf(playerId: string, entry: WireEntry): ScoreEntry {
  const [submissionId, playerName, entryNo, score, subscore, best, bestSubscore, seq, reachedSeq, toldRank] = entry;
  return {
    ...{ playerId, playerName, submissionId, entryNo, score, subscore },
    ...{ best, bestSubscore, seq, reachedSeq, toldRank },
  };
}
