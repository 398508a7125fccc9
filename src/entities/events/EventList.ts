import { type BoardList, firstOfPhases, type PhaseSets } from "../phaseLists.ts";
import type { Sql } from "../sql.ts";

/** What reads of a table of events need. */
export type Reading = Pick<Sql, "query">;

/** Which of a table of events are listed, and how. */
export interface ListTerms<Row, Listed> {
  table: string;
  /** Of each one that is listed; `id` among them. */
  columns: string;
  phases: PhaseSets;
  listed(row: Row): Listed;
  /** What those that are over are listed by, latest first, where it is not `ends_at`. Others have 0 there, and it leads an index with `id`. */
  overAt?: string;
}

/** A list is a look at what is worth it, not an archive. */
const MOST_OPEN = 100;
const MOST_OVER = 20;

/** Reads a table of events of one kind, which has indexes on `(phase, starts_at, id)` and `(phase, ends_at, id)`. */
export class EventList<Row extends { id: string }, Listed> {
  readonly #terms: ListTerms<Row, Listed>;

  constructor(terms: ListTerms<Row, Listed>) {
    this.#terms = terms;
  }

  async has(sql: Reading, id: string): Promise<boolean> {
    return (await sql.query(`SELECT 1 FROM ${this.#terms.table} WHERE id = ?`, [id])).length === 1;
  }

  async isEmpty(sql: Reading): Promise<boolean> {
    return (await sql.query(`SELECT 1 FROM ${this.#terms.table} LIMIT 1`)).length === 0;
  }

  /** At most 100 on and coming, soonest first, then the 20 that were over last. Reads none beyond what it answers. */
  async list(sql: Reading): Promise<Listed[]> {
    const { coming, on } = this.#terms.phases;
    const open = await this.#first(sql, [...coming, ...on], "starts_at", "ASC", MOST_OPEN);
    return [...open, ...(await this.#over(sql))];
  }

  /** What the lobby shows of them: its actor's news (`PhasedActor`), and the lists that its board begins with. */
  lobby(kind: string) {
    return {
      news: [`${kind}Scheduled`, `${kind}Phase`],
      phases: this.#terms.phases,
      board: (sql: Reading, most: number) => this.board(sql, most),
    };
  }

  /** For the lobby: the `most` that have begun last, that begin soonest, and some that are over. */
  async board(sql: Reading, most: number): Promise<BoardList<Listed>> {
    const { coming: soon, on: begun } = this.#terms.phases;
    const [on, coming, over] = await Promise.all([
      this.#first(sql, begun, "starts_at", "DESC", most),
      this.#first(sql, soon, "starts_at", "ASC", most),
      this.#over(sql),
    ]);
    return { on, coming, over };
  }

  async #over(sql: Reading): Promise<Listed[]> {
    const { columns, listed, overAt, phases, table } = this.#terms;
    if (overAt === undefined) return this.#first(sql, phases.over, "ends_at", "DESC", MOST_OVER);
    const rows = await sql.query<Row>(
      `SELECT ${columns} FROM ${table} WHERE ${overAt} > 0 ORDER BY ${overAt} DESC, id DESC LIMIT ?`,
      [MOST_OVER],
    );
    return rows.map(listed);
  }

  async #first(
    sql: Reading,
    phases: readonly string[],
    time: "starts_at" | "ends_at",
    direction: "ASC" | "DESC",
    limit: number,
  ): Promise<Listed[]> {
    const { columns, listed, table } = this.#terms;
    return (await firstOfPhases<Row>(sql, { table, columns, phases, time, direction, limit })).map(listed);
  }
}
