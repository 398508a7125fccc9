/** What befalls a simulated process at one of its database operations. */
export type Mishap = "crash" | "lose connection";

/**
 * How a simulated process fares. Dead, nothing that it does reaches anything any more; stalled, nothing reaches it, and it goes
 * on where it was once it is awake.
 */
export class ProcessLife {
  /**
   * Asked before each database operation, and once more after it: then it has happened, and nobody was told. `statement` is its
   * SQL, or BEGIN, or COMMIT.
   */
  onOperation: (when: "before" | "after", statement: string) => Mishap | undefined = () => undefined;
  /** What else ends with the process. */
  onDeath: () => Promise<void> = async () => {};
  /** What the database server has open for it. */
  readonly transactions = new Set<{ lose(): Promise<void> }>();
  #dead = false;
  #deferred: Array<() => void> | undefined;

  get isDead(): boolean {
    return this.#dead;
  }

  get isStalled(): boolean {
    return this.#deferred !== undefined;
  }

  /** As SIGKILL does. The server rolls back what was open. */
  async die(): Promise<void> {
    this.#dead = true;
    this.#deferred = undefined;
    await this.#loseTransactions();
    await this.onDeath();
  }

  /** As SIGSTOP does. The server soon rolls back what was open; here it does so at once. */
  async stall(): Promise<void> {
    this.#deferred ??= [];
    await this.#loseTransactions();
  }

  wake(): void {
    const deferred = this.#deferred ?? [];
    this.#deferred = undefined;
    for (const callback of deferred) callback();
  }

  /** Lets something reach the process: now, once it is awake, or never. */
  reach(callback: () => void): void {
    if (this.#dead) return;
    if (this.#deferred) this.#deferred.push(() => this.reach(callback));
    else callback();
  }

  /** The same for what an await brings. */
  reached<T>(value: T): Promise<T> {
    return new Promise((resolve) => this.reach(() => resolve(value)));
  }

  async #loseTransactions(): Promise<void> {
    await Promise.all([...this.transactions].map((transaction) => transaction.lose()));
  }
}
