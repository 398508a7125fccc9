import type { Rng } from "../../src/clock.ts";
import type { ItemAmount } from "../../src/entities/prizes/PrizeLedger.ts";
import type { RingmasterError } from "../../src/errors.ts";
import { clientOf, type Player } from "../support/RingmasterNode.ts";
import { Visitor } from "../support/Visitor.ts";
import { BotHistory, codeOf, oneIn, PASSING, pick } from "./supportBots.ts";
import type { Answer, Submission } from "./supportTournamentChecks.ts";

/** What the players of one tournament sent and were told; `count` is of answers. */
export class TournamentHistory extends BotHistory {
  readonly submissions: Submission[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  send(submission: Submission): void {
    this.submissions.push(submission);
  }

  answered(): void {
    this.#count += 1;
    this.changed();
  }
}

/** What a bot needs to know. */
export interface BotParts {
  player: Player;
  tournamentId: string;
  /** Addresses of nodes, any of which leads everywhere. */
  urls: readonly string[];
  history: TournamentHistory;
  rng: Rng;
}

/** What a player hears at the end. */
export interface OwnResult {
  rank: number | null;
  prizes: ItemAmount[];
}

/** One in so many answers is asked for a second time. */
const REPEATED = 8;
/** One in so many scores is one that others have too: ties are decided by who came first. */
const TIED = 3;

/** A player who submits score after score: sends the same again until it is answered, and joins again what it dropped out of. */
export class TournamentBot {
  /** Every `settled` that was heard, with the connection that it came by. */
  readonly results: { visitor: Visitor; result: OwnResult }[] = [];
  /** Resolves at the first of them. */
  readonly settled: Promise<void>;
  readonly #parts: BotParts;
  #onSettled!: () => void;
  #visitor: Visitor | undefined;
  #pending: Submission | undefined;
  #last: Submission | undefined;
  #sent = 0;
  #isOver = false;

  constructor(parts: BotParts) {
    this.#parts = parts;
    this.settled = new Promise((resolve) => {
      this.#onSettled = resolve;
    });
  }

  get player(): Player {
    return this.#parts.player;
  }

  /** Takes the seat that it has been brought to; without one it joins by itself. */
  sit(visitor: Visitor): void {
    this.#visitor = visitor;
    visitor.room.onMessage("settled", (result: OwnResult) => {
      this.results.push({ visitor, result });
      this.#onSettled();
    });
    void visitor.left.then(() => {
      if (this.#visitor === visitor) this.#visitor = undefined;
    });
  }

  /** Submits one score, and is answered. */
  async submitOnce(): Promise<void> {
    const before = this.#last;
    while (this.#last === before && !this.#isOver) await this.#step();
  }

  /** Plays until nothing is taken any more, and stays until it knows how it ended. */
  async play(): Promise<void> {
    while (!this.#isOver) {
      await this.#step();
      await this.#pause(300, 1000);
    }
    for (;;) {
      const visitor = this.#visitor ?? (await this.#join());
      const isKnown = await Promise.race([this.settled.then(() => true), visitor.left.then(() => false)]);
      if (isKnown) return;
    }
  }

  leave(): void {
    void this.#visitor?.room.leave();
  }

  async #step(): Promise<void> {
    const visitor = this.#visitor ?? (await this.#join());
    this.#pending ??= this.#next();
    try {
      await this.#submit(visitor, this.#pending);
      if (this.#last && oneIn(REPEATED, this.#parts.rng)) await this.#repeat(visitor, this.#last);
    } catch (error) {
      await this.#bear(visitor, error);
    }
  }

  #next(): Submission {
    const { player, rng, history } = this.#parts;
    this.#sent += 1;
    const score = oneIn(TIED, rng) ? Math.floor(rng.next() * 50) : Math.floor(rng.next() * 50_000);
    const subscore = oneIn(2, rng) ? 0 : Math.floor(rng.next() * 3);
    const submission = {
      ...{ player: player.id, submissionId: `s${this.#sent}`, score, subscore },
      sentAt: performance.now(),
    };
    history.send(submission);
    return submission;
  }

  async #submit(visitor: Visitor, pending: Submission): Promise<void> {
    const { submissionId, score, subscore } = pending;
    pending.answer = await visitor.request<Answer>("submit", { submissionId, score, subscore });
    pending.answeredAt = performance.now();
    this.#pending = undefined;
    this.#last = pending;
    this.#parts.history.answered();
  }

  /** A submission that is known gets its first answer again. */
  async #repeat(visitor: Visitor, { submissionId, score, subscore, answer }: Submission): Promise<void> {
    const again = await visitor.request<Answer>("submit", { submissionId, score, subscore });
    if (JSON.stringify(again) !== JSON.stringify(answer))
      this.#fault(`was answered ${JSON.stringify(answer)}, and then ${JSON.stringify(again)}, to ${submissionId}`);
  }

  async #join(): Promise<Visitor> {
    const { urls, player, tournamentId, rng, history } = this.#parts;
    for (;;) {
      const client = clientOf(pick(urls, rng), player.token);
      try {
        // Now and then a room of one's own, which opens one on a node that has none yet.
        const room =
          rng.next() < 0.5
            ? await client.joinOrCreate("tournament", { tournamentId })
            : await client.create("tournament", { tournamentId });
        const visitor = new Visitor(room);
        this.sit(visitor);
        return visitor;
      } catch (error) {
        history.trouble(`join: ${(error as { code?: unknown }).code ?? (error as Error).message}`);
        await this.#pause(50, 250);
      }
    }
  }

  /** What a client makes of a failure. */
  async #bear(visitor: Visitor, error: unknown): Promise<void> {
    const { history } = this.#parts;
    const code = codeOf(error);
    if (code === "wrong_phase") return await this.#refused(error as RingmasterError);
    if (code !== undefined && PASSING.has(code)) {
      history.trouble(code);
      return await this.#pause(50, 250);
    }
    if (code !== undefined) {
      this.#fault(`was told ${code}: ${(error as Error).message}`);
      return await this.#pause(500, 500);
    }
    history.trouble((error as Error).message);
    // A connection that fails closes; what is left open is one that did not answer in time.
    if (this.#visitor === visitor && !visitor.room.connection.isOpen) await visitor.left;
  }

  async #refused({ details }: RingmasterError): Promise<void> {
    const { phase } = details as { phase: string };
    if (phase === "scheduled") return await this.#pause(50, 250);
    // Everybody has played since before the end: in grace nobody is refused, whatever node they are on by now.
    if (phase !== "settling" && phase !== "settled") this.#fault(`was refused in ${phase}`);
    if (this.#pending) this.#pending.refusal = "wrong_phase";
    this.#pending = undefined;
    this.#isOver = true;
  }

  #fault(what: string): void {
    this.#parts.history.fault(`${this.player.id} ${what}`);
  }

  #pause(leastMs: number, spreadMs: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, leastMs + this.#parts.rng.next() * spreadMs));
  }
}
