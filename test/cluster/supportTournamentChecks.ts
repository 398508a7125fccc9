import { createHash } from "node:crypto";
import type { ItemAmount, PrizeRange } from "../../src/entities/prizes/PrizeLedger.ts";
import type { Order, ScoreOperator } from "../../src/entities/tournaments/Tournament.ts";

/*
 * What must hold between what the players of a tournament were told and what the database holds. Every rule is written down here
 * a second time, and none of it is the server's own code. Each check answers with what is wrong, in words: nothing, or faults.
 */

/** What a player sent, and what became of it. Times are on the clock of the test. */
export interface Submission {
  player: string;
  submissionId: string;
  score: number;
  subscore: number;
  /** When it was sent for the first time. */
  sentAt: number;
  answer?: Answer;
  answeredAt?: number;
  /** The code of a refusal that ends it: it was not taken before, unheard, and never will be. */
  refusal?: string;
}

export interface Answer {
  rank: number;
  best: number;
  entries: number;
}

/** A row of `score_entries`. */
export interface Entry {
  player: string;
  name: string;
  entryNo: number;
  submissionId: string;
  score: number;
  subscore: number;
  best: number;
  bestSubscore: number;
  seq: number;
  reachedSeq: number;
  toldRank: number;
}

export interface Standing {
  rank: number;
  playerId: string;
  name: string;
  score: number;
  subscore: number;
  entries: number;
}

export interface Rules {
  operator: ScoreOperator;
  order: Order;
}

export interface Payment {
  player: string;
  item: string;
  amount: bigint;
}

interface Held {
  score: number;
  subscore: number;
  reachedSeq: number;
}

/** Each answer is one entry as it was sent, and no entry is of nobody's making. */
export function answerFaults(submissions: readonly Submission[], entries: readonly Entry[]): string[] {
  const faults: string[] = [];
  const stored = Map.groupBy(entries, keyOf);
  const sent = new Map(submissions.map((each) => [keyOf(each), each]));
  for (const [key, same] of stored) {
    const submission = sent.get(key);
    if (same.length > 1) faults.push(`${key} is ${same.length} entries`);
    if (!submission) faults.push(`${key} was never sent`);
    else if (submission.refusal !== undefined)
      faults.push(`${key} is stored, and was refused as ${submission.refusal}`);
    else if (!isSame([submission.score, submission.subscore], [same[0]!.score, same[0]!.subscore]))
      faults.push(`${key} was sent with ${submission.score}, and is stored with ${same[0]!.score}`);
  }
  for (const [key, { answer }] of sent) {
    const entry = stored.get(key)?.[0];
    if (!answer) continue;
    if (!entry) faults.push(`${key} was answered and is not stored`);
    else if (!isSame([answer.rank, answer.best, answer.entries], [entry.toldRank, entry.best, entry.entryNo]))
      faults.push(`${key} was answered with ${JSON.stringify(answer)}, and is stored as ${JSON.stringify(entry)}`);
  }
  return faults;
}

/** Entries count without a gap, in the order of `seq`; and each says how its player stands after it. */
export function entryFaults(entries: readonly Entry[], rules: Rules): string[] {
  const faults: string[] = [];
  for (const [seq, same] of Map.groupBy(entries, (entry) => entry.seq))
    if (same.length > 1) faults.push(`${same.map(keyOf).join(" and ")} share seq ${seq}`);
  for (const [player, own] of byPlayer(entries)) {
    let held: Held | undefined;
    for (const [at, entry] of own.entries()) {
      if (entry.entryNo !== at + 1) faults.push(`${player}'s entry ${at + 1} is numbered ${entry.entryNo}`);
      held = added(rules, held, entry);
      const { best, bestSubscore, reachedSeq } = entry;
      if (!isSame([best, bestSubscore, reachedSeq], [held.score, held.subscore, held.reachedSeq]))
        faults.push(
          `${player} stands at ${JSON.stringify(held)} after entry ${at + 1}, not as ${JSON.stringify(entry)}`,
        );
    }
  }
  return faults;
}

/** What was answered before another was sent was decided before it: who came first is told by `seq`. */
export function orderFaults(submissions: readonly Submission[], entries: readonly Entry[]): string[] {
  const sent = new Map(submissions.map((each) => [keyOf(each), each]));
  const faults: string[] = [];
  let latest: Submission | undefined;
  for (const entry of entries.toSorted((a, b) => a.seq - b.seq)) {
    const submission = sent.get(keyOf(entry));
    if (!submission) continue;
    if (latest && submission.answeredAt !== undefined && submission.answeredAt < latest.sentAt)
      faults.push(`${keyOf(entry)} was answered before ${keyOf(latest)} was sent, and is numbered after it`);
    if (!latest || submission.sentAt > latest.sentAt) latest = submission;
  }
  return faults;
}

/** The rank told with each entry was its player's among all entries up to it: true wherever no decision was lost. */
export function rankFaults(entries: readonly Entry[], rules: Rules): string[] {
  const faults: string[] = [];
  const held = new Map<string, Held>();
  for (const entry of entries.toSorted((a, b) => a.seq - b.seq)) {
    const own = added(rules, held.get(entry.player), entry);
    held.set(entry.player, own);
    const rank = 1 + [...held.values()].filter((other) => comparing(rules.order)(other, own) < 0).length;
    if (rank !== entry.toldRank) faults.push(`${keyOf(entry)} was rank ${rank}, and is told ${entry.toldRank}`);
  }
  return faults;
}

/** What the standings must be. */
export function standingsOf(entries: readonly Entry[], rules: Rules): Standing[] {
  const held = [...byPlayer(entries)].map(([player, own]) => ({
    ...own.reduce<Held | undefined>((before, entry) => added(rules, before, entry), undefined)!,
    playerId: player,
    name: own.at(-1)!.name,
    entries: own.length,
  }));
  return held.sort(comparing(rules.order)).map(({ playerId, name, score, subscore, entries: count }, at) => ({
    ...{ rank: at + 1, playerId, name, score, subscore, entries: count },
  }));
}

/** The hash of the canonical result (docs/protocol.md). */
export function hashOf(
  head: Rules & { id: string; game: string; startsAt: number; endsAt: number; prizes: readonly PrizeRange[] },
  standings: readonly Standing[],
): string {
  const { id, game, operator, order, startsAt, endsAt, prizes } = head;
  const lines = [
    JSON.stringify({ id, game, operator, order, startsAt, endsAt, prizes }),
    ...standings.map(({ rank, playerId, score, subscore, entries }) =>
      JSON.stringify([rank, playerId, score, subscore, entries]),
    ),
  ];
  return createHash("sha256")
    .update(lines.map((line) => `${line}\n`).join(""))
    .digest("hex");
}

/** What the prize table gives a rank, by item. */
export function prizesAt(rank: number, table: readonly PrizeRange[]): Map<string, bigint> {
  const sums = new Map<string, bigint>();
  for (const { from, to, items } of table) {
    if (rank < from || rank > to) continue;
    for (const { item, amount } of items) sums.set(item, (sums.get(item) ?? 0n) + BigInt(amount));
  }
  return sums;
}

/** Whether a list of prizes, as a player is told of it, is what the table gives the rank. */
export function isPrizeOf(told: readonly ItemAmount[], rank: number, table: readonly PrizeRange[]): boolean {
  const sums = prizesAt(1, [{ from: 1, to: 1, items: [...told] }]);
  const due = prizesAt(rank, table);
  return sums.size === due.size && [...due].every(([item, amount]) => sums.get(item) === amount);
}

/** Each player's awards are what their rank gets, once. */
export function awardFaults(
  standings: readonly Standing[],
  table: readonly PrizeRange[],
  awards: readonly Payment[],
): string[] {
  const due = standings.flatMap(({ rank, playerId }) =>
    [...prizesAt(rank, table)].map(([item, amount]) => ({ player: playerId, item, amount })),
  );
  return differences("award", due, awards);
}

/** What players hold is what they were awarded, by all tournaments together. */
export function inventoryFaults(awards: readonly Payment[], held: readonly Payment[]): string[] {
  const sums = new Map<string, Payment>();
  for (const { player, item, amount } of awards) {
    const key = `${player} ${item}`;
    sums.set(key, { player, item, amount: (sums.get(key)?.amount ?? 0n) + amount });
  }
  return differences("inventory", [...sums.values()], held);
}

function differences(what: string, due: readonly Payment[], found: readonly Payment[]): string[] {
  const lines = (payments: readonly Payment[]) =>
    payments.map(({ player, item, amount }) => `${player} ${item} ${amount}`).toSorted();
  const [wanted, had] = [lines(due), lines(found)];
  const without = (all: readonly string[], some: readonly string[]) => {
    const left = Map.groupBy(some, (line) => line);
    return all.filter((line) => left.get(line)?.pop() === undefined);
  };
  return [
    ...without(wanted, had).map((line) => `missing ${what}: ${line}`),
    ...without(had, wanted).map((line) => `${what} of nothing: ${line}`),
  ];
}

function added({ operator, order }: Rules, before: Held | undefined, entry: Entry): Held {
  const { score, subscore, seq } = entry;
  if (!before) return { score, subscore, reachedSeq: seq };
  const accumulates = operator === "sum" || operator === "increment";
  const after = accumulates
    ? { score: before.score + score, subscore: before.subscore + subscore }
    : { score, subscore };
  const isKept =
    operator === "best"
      ? comparing(order)({ ...after, reachedSeq: 0 }, { ...before, reachedSeq: 0 }) >= 0
      : isSame([after.score, after.subscore], [before.score, before.subscore]);
  return isKept ? before : { ...after, reachedSeq: seq };
}

/** Sorts who is better first, and of equal ones who came first. */
function comparing(order: Order): (a: Held, b: Held) => number {
  const sign = order === "desc" ? -1 : 1;
  return (a, b) => sign * (a.score - b.score) || sign * (a.subscore - b.subscore) || a.reachedSeq - b.reachedSeq;
}

/** Each player's entries in the order in which they were decided. */
function byPlayer(entries: readonly Entry[]): Map<string, Entry[]> {
  return Map.groupBy(
    entries.toSorted((a, b) => a.seq - b.seq),
    ({ player }) => player,
  );
}

const keyOf = ({ player, submissionId }: Pick<Entry, "player" | "submissionId">): string =>
  `${player}'s ${submissionId}`;

const isSame = (a: readonly number[], b: readonly number[]): boolean => a.every((value, at) => value === b[at]);
