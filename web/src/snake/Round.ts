import { begin, type Heading, letterOf, type Snake, step, stepMs, turn } from "../../../src/games/snake.ts";
import { Observable } from "../observable.ts";

/** Time that one frame may stand for at most, in milliseconds: after a hitch the parade goes on, it does not leap. */
const LONGEST_FRAME_MS = 200;

export type RoundStatus = "playing" | "paused" | "over";

export interface RoundPlan {
  seed: number;
  counts: boolean;
  isStepwise: boolean;
  run?: string | undefined;
}

/** One round of Snake as it is played: the rules, and the time that drives them. */
export class Round {
  readonly snake: Observable<Snake>;
  readonly status = new Observable<RoundStatus>("playing");
  /** Whether its score is for the tournament; a rehearsal's is not. */
  readonly counts: boolean;
  /** The parade takes a step with each turn, and none by itself. */
  readonly isStepwise: boolean;
  /** The run that it is, as the server has begun it; a rehearsal is none. */
  readonly run: string | undefined;
  /** Every step so far, by which the server can play the round again. */
  #proof = "";
  #frameAt: number | undefined;
  /** Time that has passed towards the next step, in milliseconds. */
  #passed = 0;

  constructor({ seed, counts, isStepwise, run }: RoundPlan) {
    this.run = run;
    this.snake = new Observable(begin(seed));
    this.counts = counts;
    this.isStepwise = isStepwise;
  }

  get proof(): string {
    return this.#proof;
  }

  steer(heading: Heading): void {
    if (this.status.value !== "playing") return;
    const { value: snake } = this.snake;
    const turned = turn(snake, heading);
    if (!this.isStepwise) this.snake.set(turned);
    // Backwards is no way; straight on is a step as any other.
    else if (turned !== snake || heading === snake.heading) this.#advance(step(turned));
  }

  pause(): void {
    if (this.status.value !== "playing") return;
    this.#frameAt = undefined;
    this.status.set("paused");
  }

  resume(): void {
    if (this.status.value === "paused") this.status.set("playing");
  }

  /** Ends the round with the score that it has. */
  ring(): void {
    if (this.status.value !== "over") this.#advance({ ...this.snake.value, end: "bell" });
  }

  /**
   * Takes the steps that are due at `now` (milliseconds of any steady clock).
   * Returns how far the parade is between the step before the last and the last one, from 0 to 1.
   */
  frame(now: number): number {
    if (this.status.value !== "playing" || this.isStepwise) return 1;
    this.#passed += Math.min(LONGEST_FRAME_MS, now - (this.#frameAt ?? now));
    this.#frameAt = now;
    for (let due = stepMs(this.snake.value); this.#passed >= due; due = stepMs(this.snake.value)) {
      this.#passed -= due;
      this.#advance(step(this.snake.value));
      if (this.snake.value.end) return 1;
    }
    return this.#passed / stepMs(this.snake.value);
  }

  #advance(next: Snake): void {
    if (next.step > this.snake.value.step) this.#proof += letterOf(next);
    this.snake.set(next);
    if (next.end) this.status.set("over");
  }
}
