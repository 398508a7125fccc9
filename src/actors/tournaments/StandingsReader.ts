import type { Database, RowPages } from "../../entities/sql.ts";
import { type FinalStanding, rankedRow, standingsToBe } from "../../entities/tournaments/Standings.ts";
import { ResultHash, type ResultHead } from "./result.ts";

/**
 * Reads the standings of a tournament that is being settled, a page ahead of whoever stores them, and hashes them on the way.
 * In memory only: a successor reads anew from the beginning, for the hash, and goes on storing where the state says.
 */
export class StandingsReader {
  readonly #pages: RowPages;
  readonly #hash: ResultHash;
  readonly #skip: number;
  /** Ranks read so far. */
  #read = 0;
  #isClosed = false;
  #held: { after: number; page: Promise<FinalStanding[] | undefined> } | undefined;
  #ahead: Promise<FinalStanding[] | undefined>;

  /** `stored`: so many ranks are stored already. */
  constructor(database: Pick<Database, "stream" | "dialect">, head: ResultHead, stored: number, pageRows: number) {
    this.#pages = standingsToBe(database, head, pageRows);
    this.#hash = new ResultHash(head);
    this.#skip = stored;
    this.#ahead = this.#readNext();
    this.#ahead.catch(() => {});
  }

  /**
   * The standings that follow the first `stored`; undefined when there are none. The same page again until it is stored. Rejects
   * with what the database said; then make another reader.
   */
  pageAfter(stored: number): Promise<FinalStanding[] | undefined> {
    if (this.#held?.after === stored) return this.#held.page;
    const page = this.#ahead;
    this.#held = { after: stored, page };
    this.#ahead = page.then((rows) => (rows === undefined ? undefined : this.#readNext()));
    // Nobody may ever come for it.
    this.#ahead.catch(() => {});
    return page;
  }

  /** Of the whole result, once a page was undefined. */
  get resultHash(): string {
    return this.#hash.hex;
  }

  /** Reads no more, and lets go of the connection. Whoever waits for a page is told that there will be none. */
  close(): void {
    this.#isClosed = true;
    void this.#pages.return();
  }

  async #readNext(): Promise<FinalStanding[] | undefined> {
    for (;;) {
      const { value: rows } = await this.#pages.next();
      if (this.#isClosed) throw new Error("the standings are not read to their end");
      if (rows === undefined) return undefined;
      const first = this.#read + 1;
      const page = rows.map((row, index) => rankedRow(row, first + index));
      this.#read += page.length;
      this.#hash.add(page);
      const fresh = page.filter(({ rank }) => rank > this.#skip);
      if (fresh.length > 0) return fresh;
    }
  }
}
