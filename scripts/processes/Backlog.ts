/** How many values are kept for those who ask late. */
const KEPT = 500;

/** Values that arrive one by one, of which the last 500 are kept. */
export class Backlog<V> {
  readonly #values: V[] = [];
  readonly #listeners = new Set<(value: V) => void>();

  push(value: V): void {
    this.#values.push(value);
    if (this.#values.length > KEPT) this.#values.shift();
    for (const listener of [...this.#listeners]) listener(value);
  }

  /** The kept values, oldest first. */
  get values(): readonly V[] {
    return this.#values;
  }

  /** Calls `listener` with each further value; the returned function ends that. */
  follow(listener: (value: V) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
