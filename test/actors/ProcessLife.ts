/** What befalls a simulated process at one of its database operations. */
export type Mishap =
  | "crash"
  | "lose connection"
  /** No answer comes, until the operation's deadline passes and the connection is given up. */
  | "fall silent"
  /** The server, or who looks for it, says this instead: nothing happened. */
  | { refuse: Error };

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
  /**
   * The same for what it sends to its peers (SEND, BROADCAST) and to the feeds (APPEND). `lose connection` after it: it was sent, and
   * the sender is told that this is not known.
   */
  onMessage: (when: "before" | "after", what: string) => Mishap | undefined = () => undefined;
  /** How long an operation of the database is under way, in milliseconds. */
  latencyMs: () => number = () => 0;
  /** Passes time of the world's; set by the node. */
  pass: (ms: number) => Promise<void> = async () => {};
  /** How many statements the real database has not answered yet. */
  underWay = 0;
  /** What else ends with the process. */
  onDeath: () => Promise<void> = async () => {};
  /** What the database server has open for it. */
  readonly transactions = new Set<{ lose(): Promise<void> }>();
  readonly #silences = new Set<() => void>();
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

  /** Waits in vain for an answer: until the operation's deadline, or `endSilences`. */
  silence(deadlineMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        if (this.#silences.delete(end)) resolve();
      };
      this.#silences.add(end);
      void this.pass(deadlineMs).then(end);
    });
  }

  /** Connections that are silent turn out to be lost, now. */
  endSilences(): void {
    for (const end of [...this.#silences]) end();
  }

  async #loseTransactions(): Promise<void> {
    await Promise.all([...this.transactions].map((transaction) => transaction.lose()));
  }
}
