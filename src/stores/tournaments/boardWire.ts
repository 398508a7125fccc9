import { Packr } from "msgpackr";
import type { Order } from "../../entities/tournaments/Tournament.ts";
import {
  type BoardPage,
  type PlayerSnapshot,
  REMEMBERED,
  type ScoreEntry,
  type StandingRow,
  type Submission,
  type SubmitDecision,
} from "./Leaderboard.ts";

// What `submit.lua`, `rows.lua` and `stage.lua` take and answer; `submit.lua` describes the layouts. They are binary so that
// doubles stay exact, and because the board's cost is mostly that of packing and unpacking.

const packr = new Packr({ useRecords: false });

/** Bytes of an entry's numbers, and of those before the ids in what is remembered of a player. */
const NUMBERS_BYTES = 48;
const HEADER_BYTES = 17;
const PLACE_BYTES = 16;

/** The order is that of the kinds in `submit.lua`. */
const KINDS = ["accepted", "repeated", "unsure", "outOfBounds", "full", "tooFast"] as const;

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
  const reader = new Reader(reply);
  const epoch = reader.double();
  return submissions.map(({ playerId }) => readDecision(reader, epoch, playerId));
}

function readDecision(reader: Reader, epoch: number, playerId: string): SubmitDecision {
  const kind = KINDS[reader.byte()]!;
  switch (kind) {
    case "accepted":
    case "repeated": {
      const entry = reader.entry(playerId)!;
      const previous = reader.entry(playerId);
      const before = previous === undefined ? {} : { previous };
      return { kind: "accepted", epoch, entry, ...before, isRepeated: kind === "repeated" };
    }
    case "full":
      return { kind, of: reader.byte() === 0 ? "player" : "tournament" };
    case "tooFast":
      return { kind, retryAfterMs: reader.uint16() };
    default:
      return { kind };
  }
}

/** The reply of `rows.lua`. */
export function pageOf(reply: Buffer): BoardPage {
  const reader = new Reader(reply);
  const [epoch, version, total, offset] = [reader.double(), reader.double(), reader.double(), reader.double()];
  const rows: StandingRow[] = [];
  while (!reader.isAtEnd()) {
    const { playerId, playerName, best, bestSubscore, entryNo } = reader.entry(reader.text())!;
    const rank = offset + rows.length + 1;
    rows.push({ rank, playerId, name: playerName, score: best, subscore: bestSubscore, entries: entryNo });
  }
  return { epoch, version, total, rows };
}

/** What `stage.lua` takes of a player. */
export function stagedPlayer(snapshot: PlayerSnapshot, order: Order): (string | Buffer)[] {
  const { playerId, best, bestSubscore, reachedSeq } = snapshot.latest;
  const sign = order === "desc" ? -1 : 1;
  const place = Buffer.alloc(PLACE_BYTES);
  place.writeBigUInt64BE(BigInt(2 ** 52 + sign * bestSubscore), 0);
  place.writeBigUInt64BE(BigInt(reachedSeq), 8);
  return [playerId, packPlayer(snapshot), String(sign * best), Buffer.concat([place, Buffer.from(playerId)])];
}

function packPlayer(snapshot: PlayerSnapshot): Buffer {
  const latest = latestOf(snapshot);
  const ids = Buffer.from(`\n${latest.map(({ submissionId }) => `${submissionId}\n`).join("")}`);
  const entries = latest.map(packEntry);
  // a window of the rate that is over, with no entries
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(ids.length, 12);
  header.writeUInt16BE(entries.at(-1)!.length, 14);
  header.writeUInt8(latest.length, 16);
  return Buffer.concat([header, ids, ...entries]);
}

/** A player's newest entries, as many as are remembered, oldest first. */
export function latestOf({ latest, remembered }: PlayerSnapshot): ScoreEntry[] {
  const before = remembered.filter(({ entryNo }) => entryNo < latest.entryNo);
  return [...before.sort((a, b) => a.entryNo - b.entryNo).slice(1 - REMEMBERED), latest];
}

function packEntry(entry: ScoreEntry): Buffer {
  const [id, name] = [Buffer.from(entry.submissionId), Buffer.from(entry.playerName)];
  const bytes = Buffer.alloc(NUMBERS_BYTES);
  bytes.writeUInt16BE(NUMBERS_BYTES + id.length + name.length, 0);
  bytes.writeUInt32BE(entry.entryNo, 2);
  bytes.writeDoubleBE(entry.score, 6);
  bytes.writeInt32BE(entry.subscore, 14);
  bytes.writeDoubleBE(entry.best, 18);
  bytes.writeDoubleBE(entry.bestSubscore, 26);
  bytes.writeUIntBE(entry.seq, 34, 5);
  bytes.writeUIntBE(entry.reachedSeq, 39, 5);
  bytes.writeUInt32BE(entry.toldRank, 44);
  return Buffer.concat([bytes, Buffer.from([id.length]), id, Buffer.from([name.length]), name]);
}

/** Reads a reply from its beginning to its end. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  byte(): number {
    return this.#bytes.readUInt8(this.#skip(1));
  }

  uint16(): number {
    return this.#bytes.readUInt16BE(this.#skip(2));
  }

  double(): number {
    return this.#bytes.readDoubleBE(this.#skip(8));
  }

  /** Preceded by its length as a byte. */
  text(): string {
    const length = this.byte();
    const from = this.#skip(length);
    return this.#bytes.toString("utf8", from, from + length);
  }

  entry(playerId: string): ScoreEntry | undefined {
    const from = this.#at;
    if (this.uint16() === 0) return undefined;
    const bytes = this.#bytes;
    this.#at = from + NUMBERS_BYTES;
    const [submissionId, playerName] = [this.text(), this.text()];
    return {
      ...{ playerId, playerName, submissionId },
      entryNo: bytes.readUInt32BE(from + 2),
      score: bytes.readDoubleBE(from + 6),
      subscore: bytes.readInt32BE(from + 14),
      best: bytes.readDoubleBE(from + 18),
      bestSubscore: bytes.readDoubleBE(from + 26),
      seq: bytes.readUIntBE(from + 34, 5),
      reachedSeq: bytes.readUIntBE(from + 39, 5),
      toldRank: bytes.readUInt32BE(from + 44),
    };
  }

  #skip(bytes: number): number {
    this.#at += bytes;
    return this.#at - bytes;
  }
}
