import { crc32 } from "node:zlib";
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

/** Bytes of an entry's numbers, and of those before the marks in what is remembered of a player. */
const NUMBERS_BYTES = 46;
const HEADER_BYTES = 16;
const MARK_BYTES = 4;
const PLACE_BYTES = 16;
/** In the place of a name's length: the name is the submission's. No name is as long. */
const SAME = 255;
/** Of a submission, beside its texts: its mark, the lengths and the numbers. */
const SUBMISSION_BYTES = 29;
/** Of UTF-8 for a unit of UTF-16, at most. */
const UNIT_BYTES = 3;

/** The order is that of the kinds in `submit.lua`. */
const KINDS = ["accepted", "repeated", "unsure", "outOfBounds", "full", "tooFast"] as const;

/** The last two arguments of `submit.lua`. */
export function packSubmissions(submissions: readonly Submission[]): [packed: Buffer, count: number] {
  let units = 0;
  for (const { playerId, playerName, submissionId } of submissions) {
    units += playerId.length + playerName.length + submissionId.length;
  }
  const writer = new Writer(submissions.length * SUBMISSION_BYTES + units * UNIT_BYTES);
  for (const { playerId, playerName, submissionId, score, subscore, now, isNew } of submissions) {
    writer.text(playerId);
    writer.uint32(markOf(submissionId));
    writer.text(submissionId);
    writer.packedText(playerName);
    writer.double(score);
    writer.int32(subscore);
    writer.double(now);
    writer.byte(isNew === true ? 1 : 0);
  }
  return [writer.written(), submissions.length];
}

/** The reply of `submit.lua` to these submissions. */
export function decisionsOf(reply: Buffer, submissions: readonly Submission[]): SubmitDecision[] {
  const reader = new Reader(reply);
  const epoch = reader.double();
  return submissions.map((submission) => readDecision(reader, epoch, submission));
}

function readDecision(reader: Reader, epoch: number, { playerId, playerName }: Submission): SubmitDecision {
  const kind = KINDS[reader.byte()]!;
  switch (kind) {
    case "accepted":
    case "repeated": {
      const isRepeated = kind === "repeated";
      const entry = isRepeated ? reader.namedEntry(playerId, playerName)! : reader.entry(playerId, playerName);
      const previous = reader.namedEntry(playerId, playerName);
      const before = previous === undefined ? {} : { previous };
      return { kind: "accepted", epoch, entry, ...before, isRepeated };
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
  const [epoch, version, seq] = [reader.double(), reader.double(), reader.double()];
  const [total, offset] = [reader.double(), reader.double()];
  const rows: StandingRow[] = [];
  while (!reader.isAtEnd()) {
    const { playerId, playerName, best, bestSubscore, entryNo } = reader.namedEntry(reader.text())!;
    const rank = offset + rows.length + 1;
    rows.push({ rank, playerId, name: playerName, score: best, subscore: bestSubscore, entries: entryNo });
  }
  return { epoch, version, seq, total, rows };
}

/** What `stage.lua` takes of a player. */
export function stagedPlayer(snapshot: PlayerSnapshot, order: Order): (string | Buffer)[] {
  const { playerId, best, bestSubscore, reachedSeq } = snapshot.latest;
  const sign = order === "desc" ? -1 : 1;
  const place = Buffer.alloc(PLACE_BYTES);
  place.writeBigUInt64BE(BigInt(2 ** 52 + sign * bestSubscore), 0);
  place.writeBigUInt64BE(BigInt(reachedSeq), 8);
  const packed = packPlayer(latestOf(snapshot));
  return [playerId, packed, String(sign * best), Buffer.concat([place, Buffer.from(playerId)])];
}

/** A player's newest entries, as many as are remembered, oldest first. */
export function latestOf({ latest, remembered }: PlayerSnapshot): ScoreEntry[] {
  const before = remembered.filter(({ entryNo }) => entryNo < latest.entryNo);
  return [...before.sort((a, b) => a.entryNo - b.entryNo).slice(1 - REMEMBERED), latest];
}

/** `latest`: what is remembered of a player, oldest first. */
function packPlayer(latest: readonly ScoreEntry[]): Buffer {
  const names = Buffer.concat(namesOf(latest).map(packName));
  const entries = latest.map(packEntry);
  // a window of the rate that is over, with no entries
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(latest.length, 12);
  header.writeUInt8(entries.at(-1)!.length, 13);
  header.writeUInt16BE(names.length, 14);
  const marks = Buffer.alloc(MARK_BYTES * latest.length);
  for (const [index, { submissionId }] of latest.entries())
    marks.writeUInt32BE(markOf(submissionId), index * MARK_BYTES);
  return Buffer.concat([header, marks, names, ...entries]);
}

/** The first entry under each name, newest first. */
function namesOf(latest: readonly ScoreEntry[]): ScoreEntry[] {
  return latest.filter(({ playerName }, index) => playerName !== latest[index - 1]?.playerName).reverse();
}

function packName({ entryNo, playerName }: ScoreEntry): Buffer {
  const writer = new Writer(5 + playerName.length * UNIT_BYTES);
  writer.uint32(entryNo);
  writer.text(playerName);
  return writer.written();
}

/** The MARK of a submission's id: tells it from most others. */
function markOf(submissionId: string): number {
  return crc32(submissionId);
}

function packEntry(entry: ScoreEntry): Buffer {
  const numbers = Buffer.alloc(NUMBERS_BYTES);
  numbers.writeUInt32BE(entry.entryNo, 0);
  numbers.writeDoubleBE(entry.score, 4);
  numbers.writeInt32BE(entry.subscore, 12);
  numbers.writeDoubleBE(entry.best, 16);
  numbers.writeDoubleBE(entry.bestSubscore, 24);
  numbers.writeUIntBE(entry.seq, 32, 5);
  numbers.writeUIntBE(entry.reachedSeq, 37, 5);
  numbers.writeUInt32BE(entry.toldRank, 42);
  return Buffer.concat([numbers, Buffer.from([entry.submissionId.length]), Buffer.from(entry.submissionId)]);
}

/** Writes one thing after the other. */
class Writer {
  readonly #bytes: Buffer;
  #at = 0;

  /** `size`: bytes at most. */
  constructor(size: number) {
    this.#bytes = Buffer.allocUnsafe(size);
  }

  byte(value: number): void {
    this.#at = this.#bytes.writeUInt8(value, this.#at);
  }

  uint32(value: number): void {
    this.#at = this.#bytes.writeUInt32BE(value, this.#at);
  }

  int32(value: number): void {
    this.#at = this.#bytes.writeInt32BE(value, this.#at);
  }

  double(value: number): void {
    this.#at = this.#bytes.writeDoubleBE(value, this.#at);
  }

  /** Preceded by its length as a byte. */
  text(value: string): void {
    const length = this.#bytes.write(value, this.#at + 1);
    this.byte(length);
    this.#at += length;
  }

  /** A text as `text` writes it, preceded by the length of that. */
  packedText(value: string): void {
    const at = this.#at;
    this.#at += 1;
    this.text(value);
    this.#bytes.writeUInt8(this.#at - at - 1, at);
  }

  written(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }
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
  text(length = this.byte()): string {
    const from = this.#skip(length);
    return this.#bytes.toString("utf8", from, from + length);
  }

  /** An entry behind which its name stands, or that it is `sameName`; `undefined` for none. */
  namedEntry(playerId: string, sameName = ""): ScoreEntry | undefined {
    if (this.#bytes.readUInt32BE(this.#at) === 0) {
      this.#skip(4);
      return undefined;
    }
    const entry = this.entry(playerId, sameName);
    const length = this.byte();
    if (length !== SAME) entry.playerName = this.text(length);
    return entry;
  }

  entry(playerId: string, playerName: string): ScoreEntry {
    const [bytes, from] = [this.#bytes, this.#skip(NUMBERS_BYTES)];
    const length = this.byte();
    const idFrom = this.#skip(length);
    return {
      ...{ playerId, playerName, submissionId: bytes.toString("latin1", idFrom, idFrom + length) },
      entryNo: bytes.readUInt32BE(from),
      score: bytes.readDoubleBE(from + 4),
      subscore: bytes.readInt32BE(from + 12),
      best: bytes.readDoubleBE(from + 16),
      bestSubscore: bytes.readDoubleBE(from + 24),
      seq: bytes.readUIntBE(from + 32, 5),
      reachedSeq: bytes.readUIntBE(from + 37, 5),
      toldRank: bytes.readUInt32BE(from + 42),
    };
  }

  #skip(bytes: number): number {
    this.#at += bytes;
    return this.#at - bytes;
  }
}
