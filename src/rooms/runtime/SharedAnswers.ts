import type { Clock } from "../../clock.ts";
import { Encoded } from "./Encoded.ts";

/** How long an answer is given to whoever asks the same, in milliseconds: as long as what rooms show of an event may be old. */
const SHARED_MS = 250;
/** Answers that are kept. */
const MOST_ANSWERS = 128;

/** What many ask for: read and written once in a quarter of a second, however many ask. */
export class SharedAnswers {
  readonly #clock: Clock;
  /** By what was asked, and until when, on the monotonic clock; in the order of that. */
  readonly #answers = new Map<string, { until: number; answer: Promise<Encoded> }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What `read` resolves with, or did a moment ago for somebody who asked the same. What it rejects with is everybody's who waited. */
  of(question: string, read: () => Promise<unknown>): Promise<Encoded> {
    const now = this.#clock.monotonic();
    const known = this.#answers.get(question);
    if (known !== undefined && now < known.until) return known.answer;
    const answer = read().then((value) => new Encoded(value));
    this.#answers.delete(question);
    this.#answers.set(question, { until: now + SHARED_MS, answer });
    if (this.#answers.size > MOST_ANSWERS) this.#answers.delete(this.#answers.keys().next().value!);
    answer.catch(() => {
      if (this.#answers.get(question)?.answer === answer) this.#answers.delete(question);
    });
    return answer;
  }

  /** Something has changed that who asks next must see. */
  forget(): void {
    this.#answers.clear();
  }
}
