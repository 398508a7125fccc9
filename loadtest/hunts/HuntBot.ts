import type { Room } from "@colyseus/sdk";
import { z } from "zod";
import type { Rng } from "../../src/clock.ts";
import type { Seat } from "../runtime/Bot.ts";
import { RoomBot } from "../runtime/RoomBot.ts";
import type { Tally } from "../runtime/Tally.ts";
import { type ClueCard, claimAnswer, clueCard, phaseMessage, revokedMessage, solveAnswer } from "./answers.ts";
import type { Solutions } from "./solutions.ts";

export const HUNT_EVENTS = [
  ...["claims", "waits", "served", "exhausted", "solvesRight", "solvesWrong", "points", "revoked"],
] as const;
export const HUNT_TIMES = ["claim", "solve", "wait"] as const;
type HuntTimed = (typeof HUNT_TIMES)[number];
export type HuntTally = Tally<(typeof HUNT_EVENTS)[number], HuntTimed>;

/** How all bots of one load test play. */
export interface HuntPlay {
  huntId: string;
  solutions: Solutions;
  /** A bot thinks from half of this to one and a half times this, in milliseconds. */
  thinkMs: number;
  /** The share of answers that are wrong on purpose, from 0 to 1. */
  wrong: number;
  rng: Rng;
  tally: HuntTally;
}

/** No answer of any hunt, whatever its language. */
const WRONG_ANSWER = "‽ wrong on purpose";

/** One player of a hunt: claims, thinks, answers. */
export class HuntBot extends RoomBot<HuntTimed> {
  readonly #play: HuntPlay;
  #phase = "";
  #card: ClueCard | undefined;
  /** The assignment that came last: one may come twice, as a message and as an answer. */
  #lastId: string | undefined;
  /** When a claim was told to wait; undefined when none is. */
  #waitingSince: number | undefined;

  constructor(play: HuntPlay, seat: Seat) {
    super(seat, play, { huntId: play.huntId });
    this.#play = play;
  }

  protected override onRoom(room: Room): void {
    const { tally } = this.#play;
    this.#waitingSince = undefined;
    this.hear(room, "phase", phaseMessage, ({ phase }) => {
      this.#phase = phase;
      if (phase === "solving") return;
      this.#card = undefined;
      this.#waitingSince = undefined;
    });
    this.hear(room, "clue", clueCard, (card) => {
      if (this.#lastId === card.assignmentId) return;
      this.#lastId = card.assignmentId;
      tally.events.served += 1;
      if (this.#waitingSince !== undefined) tally.time("wait", performance.now() - this.#waitingSince);
      this.#waitingSince = undefined;
      this.#card = card;
    });
    this.hear(room, "revoked", revokedMessage, ({ assignmentId }) => {
      tally.events.revoked += 1;
      if (this.#card?.assignmentId === assignmentId) this.#card = undefined;
    });
  }

  /** The clue may have been pushed while nobody listened: claiming again gives it. */
  protected override onBack(): void {
    this.#waitingSince = undefined;
  }

  protected override async step(): Promise<void> {
    if (this.#phase !== "solving" || this.#waitingSince !== undefined) await this.change();
    else if (this.#card === undefined) await this.#claim();
    else await this.#thinkAndSolve(this.#card);
  }

  protected override onRefused(code: string, details: unknown): boolean {
    if (code === "unknown_assignment") this.#card = undefined;
    else if (code === "wrong_phase") this.#wrongPhase(details);
    else return false;
    return true;
  }

  async #claim(): Promise<void> {
    const { tally } = this.#play;
    const answer = await this.ask("claim", {}, claimAnswer);
    if (answer === undefined) return;
    if ("waiting" in answer) {
      tally.events[answer.exhausted ? "exhausted" : "waits"] += 1;
      this.#waitingSince = performance.now();
    } else {
      if (this.#lastId !== answer.assignmentId) tally.events.claims += 1;
      this.#lastId = answer.assignmentId;
      this.#card = answer;
    }
  }

  async #thinkAndSolve(card: ClueCard): Promise<void> {
    const { rng, solutions, tally, thinkMs, wrong } = this.#play;
    await this.sleep(thinkMs * (0.5 + rng.next()));
    if (this.isEnding || this.#card !== card) return;
    const solution = rng.next() < wrong ? undefined : solutions.get(card.prompt);
    const { assignmentId } = card;
    const answered = await this.ask("solve", { assignmentId, answer: solution ?? WRONG_ANSWER }, solveAnswer);
    if (answered === undefined) return;
    tally.events[answered.correct ? "solvesRight" : "solvesWrong"] += 1;
    tally.events.points += answered.points;
    if (solution !== undefined && !answered.correct)
      tally.protocolError(`"${solution}" was refused for "${card.prompt}"`);
    if ((answered.correct || answered.attemptsLeft === 0) && this.#card === card) this.#card = undefined;
  }

  /** The word of the new phase is on its way, if it is not here already. */
  #wrongPhase(details: unknown): void {
    if (this.#phase !== "solving") return;
    const { phase } = z.object({ phase: z.string() }).parse(details);
    this.#phase = phase;
  }
}
