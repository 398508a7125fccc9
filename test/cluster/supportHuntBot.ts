import type { ClaimAnswer, SolveAnswer } from "../../src/actors/hunts/HuntService.ts";
import type { ClueCard } from "../../src/actors/hunts/HuntView.ts";
import type { Rng } from "../../src/clock.ts";
import type { Winner } from "../../src/entities/hunts/Hunt.ts";
import { clientOf, type Player } from "../support/RingmasterNode.ts";
import { Hunter } from "../support/Visitor.ts";
import { codeOf, oneIn, PASSING, pick } from "./supportBots.ts";
import type { Account, HuntHistory } from "./supportHuntHistory.ts";

/** What a bot needs to know. */
export interface BotParts {
  player: Player;
  huntId: string;
  /** Addresses of nodes, any of which leads everywhere. */
  urls: readonly string[];
  /** The right answer to each template. */
  answers: readonly string[];
  history: HuntHistory;
  rng: Rng;
}

/** One in so many clues is left lying until it expires. */
const IDLERS = 25;
/** One in so many answers is wrong. */
const WRONG = 4;
const LONGEST_GAME_MS = 600_000;
/** A claim that waits is served, or asked for again by its node, well within this. */
const LONGEST_WAIT_MS = 25_000;

/** The answer on its way: it is sent again until it is judged. */
interface Answering {
  card: ClueCard;
  answer: string;
  sentAt: number;
  requestId: string;
  /** Whether it may have been judged unheard. */
  isUnsure: boolean;
}

/** A player who claims and solves like a real one: tries again what failed in passing, and joins again what it dropped out of. */
export class HuntBot {
  readonly account: Account;
  /** Resolves with what the chest held. */
  readonly chest: Promise<Winner[]>;
  readonly #parts: BotParts;
  #openChest!: (winners: Winner[]) => void;
  #hunter: Hunter | undefined;
  #open: ClueCard | undefined;
  #answering: Answering | undefined;
  #isOver = false;

  constructor(parts: BotParts) {
    this.#parts = parts;
    this.account = { player: parts.player.id, points: 0, unsure: 0 };
    this.chest = new Promise((resolve) => {
      this.#openChest = resolve;
    });
  }

  /** Takes the seat that it has been brought to; without one it joins by itself. */
  sit(hunter: Hunter): void {
    this.#hunter = hunter;
    hunter.message<{ winners: Winner[] }>("chest", undefined, LONGEST_GAME_MS).then(
      ({ winners }) => this.#openChest(winners),
      () => {},
    );
    void hunter.left.then(() => {
      if (this.#hunter === hunter) this.#hunter = undefined;
    });
  }

  /** Plays until the hunt is over, and stays until the chest is open. */
  async play(): Promise<void> {
    while (!this.#isOver) {
      const hunter = this.#hunter ?? (await this.#join());
      try {
        if (this.#answering) await this.#settle(hunter, this.#answering);
        else await this.#next(hunter);
      } catch (error) {
        await this.#bear(hunter, error);
      }
    }
    for (;;) {
      const hunter = this.#hunter ?? (await this.#join());
      const isOpen = await Promise.race([this.chest.then(() => true), hunter.left.then(() => false)]);
      if (isOpen) return;
    }
  }

  leave(): void {
    void this.#hunter?.room.leave();
  }

  async #join(): Promise<Hunter> {
    const { urls, player, huntId, rng, history } = this.#parts;
    for (;;) {
      const client = clientOf(pick(urls, rng), player.token);
      try {
        // Now and then a room of one's own, which opens one on a node that has none yet.
        const room =
          rng.next() < 0.5 ? await client.joinOrCreate("hunt", { huntId }) : await client.create("hunt", { huntId });
        const hunter = new Hunter(room);
        this.sit(hunter);
        return hunter;
      } catch (error) {
        history.trouble(`join: ${(error as { code?: unknown }).code ?? (error as Error).message}`);
        await this.#pause(50, 250);
      }
    }
  }

  async #next(hunter: Hunter): Promise<void> {
    const { rng, history, answers, player } = this.#parts;
    const card = await this.#claim(hunter);
    const { assignmentId, expiresAt } = card;
    const before = this.#open;
    if (before && before.assignmentId !== assignmentId && Date.now() < before.expiresAt) {
      history.fault(`${player.id} had ${before.assignmentId} and was given ${assignmentId}`);
    }
    if (before?.assignmentId !== assignmentId)
      history.give({ player: player.id, assignmentId, expiresAt, at: Date.now() });
    this.#open = card;
    if (oneIn(IDLERS, rng)) {
      await hunter.request("claim", {});
      await this.#pause(Math.max(0, expiresAt - Date.now()), 200);
      return;
    }
    await this.#pause(300, 1200);
    const answer = oneIn(WRONG, rng) ? "no idea" : answers[Number(card.clueId)]!;
    const answering = { card, answer, sentAt: Date.now(), requestId: rng.id(16), isUnsure: false };
    this.#answering = answering;
    await this.#settle(hunter, answering);
  }

  async #claim(hunter: Hunter): Promise<ClueCard> {
    const answer = await hunter.request<ClaimAnswer>("claim", {});
    if (!("waiting" in answer)) return answer;
    return await hunter.message<ClueCard>("clue", undefined, LONGEST_WAIT_MS);
  }

  async #settle(hunter: Hunter, answering: Answering): Promise<void> {
    const { card, answer, sentAt, requestId } = answering;
    const { history, player } = this.#parts;
    let judged: SolveAnswer;
    try {
      judged = await hunter.solve(card.assignmentId, answer, requestId);
    } catch (error) {
      if (codeOf(error) !== "unknown_assignment") throw error;
      // A busy machine may take an answer up after its clue has expired; what is told before that must be true.
      if (Date.now() < card.expiresAt) history.fault(`${card.assignmentId} was ${player.id}'s, who is told it is not`);
      this.#close();
      return;
    }
    const { correct, points, total, attemptsLeft } = judged;
    history.judge({ player: player.id, assignmentId: card.assignmentId, sentAt, correct, points, attemptsLeft });
    if (correct || attemptsLeft === 0) this.#close();
    else this.#answering = undefined;
    this.account.points += points;
    if (total !== this.account.points)
      history.fault(`${player.id} has ${this.account.points} points, and is told ${total}`);
  }

  #close(): void {
    this.#open = undefined;
    this.#answering = undefined;
  }

  /** What a client makes of a failure. */
  async #bear(hunter: Hunter, error: unknown): Promise<void> {
    const { history, player } = this.#parts;
    const code = codeOf(error);
    if (code === "wrong_phase") {
      if (this.#answering?.isUnsure) this.account.unsure = this.#answering.card.points;
      this.#isOver = true;
      return;
    }
    // Anything but a definite refusal leaves open whether the answer was judged.
    if (this.#answering) this.#answering.isUnsure = true;
    if (code !== undefined && PASSING.has(code)) {
      history.trouble(code);
      return await this.#pause(50, 250);
    }
    if (code !== undefined) {
      history.fault(`${player.id} was told ${code}: ${(error as Error).message}`);
      return await this.#pause(500, 500);
    }
    history.trouble((error as Error).message);
    // A connection that fails closes; what is left open is one that did not answer in time.
    if (this.#hunter === hunter && !hunter.room.connection.isOpen) await hunter.left;
  }

  #pause(leastMs: number, spreadMs: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, leastMs + this.#parts.rng.next() * spreadMs));
  }
}
