/** What waits for the same places: work that somebody waits for, and work of timers, of which any number may be due at once. */
export type Line = "callers" | "timers";

/**
 * Two lines in front of the same places, which take turns: a hundred thousand timers hold up no caller by more than as many timers as
 * there are callers before them, nor the other way round. In each line: first come, first served.
 */
export class FairQueue<T> {
  /** Sets, since taking the first of a long array costs its length. */
  readonly #lines: Record<Line, Set<T>> = { callers: new Set(), timers: new Set() };
  #last: Line = "callers";

  get size(): number {
    return this.#lines.callers.size + this.#lines.timers.size;
  }

  sizeOf(line: Line): number {
    return this.#lines[line].size;
  }

  add(line: Line, item: T): void {
    this.#lines[line].add(item);
  }

  /** Whether it was waiting. */
  delete(line: Line, item: T): boolean {
    return this.#lines[line].delete(item);
  }

  /** Who is next. */
  take(): T | undefined {
    const other: Line = this.#last === "callers" ? "timers" : "callers";
    const line = this.#lines[other].size > 0 ? other : this.#last;
    const [next] = this.#lines[line];
    if (next === undefined) return undefined;
    this.#lines[line].delete(next);
    this.#last = line;
    return next;
  }

  /** Takes from the head of each line those that `matches` holds for. */
  takeWhile(matches: (item: T) => boolean): T[] {
    const taken: T[] = [];
    for (const line of Object.values(this.#lines))
      for (const item of line) {
        if (!matches(item)) break;
        line.delete(item);
        taken.push(item);
      }
    return taken;
  }
}
