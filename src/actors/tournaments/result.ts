import { createHash } from "node:crypto";
import type { PrizeRange } from "../../entities/prizes/PrizeLedger.ts";
import { inDecimals } from "../../entities/tournaments/precision.ts";
import type { FinalStanding } from "../../entities/tournaments/Standings.ts";
import type { Order, ScoreOperator } from "../../entities/tournaments/Tournament.ts";
import { canonicalPrizes } from "../prizes/amounts.ts";

/** What a result says of its tournament, as the settled record has it. Times are epoch milliseconds. */
export interface ResultHead {
  id: string;
  game: string;
  operator: ScoreOperator;
  order: Order;
  startsAt: number;
  endsAt: number;
  prizes: readonly PrizeRange[];
  /** Digits of a score after the point: scores are hashed as clients read them. Not hashed itself. */
  precision: number;
}

/**
 * The hash of a tournament's canonical result: SHA-256 over lines of UTF-8, each ended by "\n". The first is the head as JSON; then
 * each standing, in order of rank, as the JSON array `[rank, playerId, score, subscore, entries]`. JSON without spaces, the
 * fields in the order of `ResultHead`, numbers as ECMAScript prints them.
 */
export class ResultHash {
  readonly #hash = createHash("sha256");
  readonly #precision: number;

  constructor({ id, game, operator, order, startsAt, endsAt, prizes, precision }: ResultHead) {
    this.#precision = precision;
    const head = { id, game, operator, order, startsAt, endsAt, prizes: canonicalPrizes(prizes) };
    this.#hash.update(`${JSON.stringify(head)}\n`);
  }

  /** Adds the standings that follow. */
  add(standings: ReadonlyArray<Pick<FinalStanding, "rank" | "playerId" | "score" | "subscore" | "entries">>): void {
    let lines = "";
    for (const { rank, playerId, score, subscore, entries } of inDecimals(standings, this.#precision))
      lines += `${JSON.stringify([rank, playerId, score, subscore, entries])}\n`;
    this.#hash.update(lines);
  }

  /** In hex, of what was added so far; more may be added. */
  get hex(): string {
    return this.#hash.copy().digest("hex");
  }
}
