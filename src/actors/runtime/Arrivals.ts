/** Numbers that a sender's numbers may be behind its highest one: as many as it can have in flight. */
const WINDOW = 65_536;
const WORD = 32;

/** Which of a sender's rising numbers have come, so that a message that arrives twice is taken once: 8 kB a sender. */
export class Arrivals {
  /** A bit a number, by the number's remainder. */
  readonly #come = new Uint32Array(WINDOW / WORD);
  #highest = Number.NEGATIVE_INFINITY;
  /** How many have come. */
  count = 0;

  /** Whether this number comes for the first time. One too far behind to be remembered counts as having come. */
  isFirst(number: number): boolean {
    if (number <= this.#highest - WINDOW) return false;
    if (number > this.#highest) this.#advance(number);
    const at = number % WINDOW;
    const [word, bit] = [Math.floor(at / WORD), 1 << (at % WORD)];
    if ((this.#come[word]! & bit) !== 0) return false;
    this.#come[word]! |= bit;
    this.count += 1;
    return true;
  }

  #advance(to: number): void {
    if (to - this.#highest >= WINDOW) this.#come.fill(0);
    else {
      for (let number = this.#highest + 1; number <= to; number += 1) {
        const at = number % WINDOW;
        this.#come[Math.floor(at / WORD)]! &= ~(1 << (at % WORD));
      }
    }
    this.#highest = to;
  }
}
