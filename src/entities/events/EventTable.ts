import { type BoardList, firstOfPhases, type PhaseSets } from "../phaseLists.ts";
import type { Sql } from "../sql.ts";

/** One of a table of events. Times are epoch milliseconds. */
export interface EventRow<Definition> {
  id: string;
  name: string;
  phase: string;
  startsAt: number;
  /** When the phase changes next by itself; 0 for one that does not. */
  phaseEndsAt: number;
  /** When it is over. */
  endsAt: number;
  /** What else is kept of it; must survive JSON. */
  definition: Definition;
}

interface Stored extends Pick<EventRow<never>, "id" | "name" | "phase"> {
  starts_at: unknown;
  phase_ends_at: unknown;
  ends_at: unknown;
  definition: string;
}

const COLUMNS = "id, name, phase, starts_at, phase_ends_at, ends_at, definition";
/** A list is a look at what is worth it, not an archive. */
const MOST_LISTED = 100;
const MOST_OVER = 20;

/**
 * A table of events of one kind: `id VARCHAR(32) PRIMARY KEY, name VARCHAR(128), phase VARCHAR(16), starts_at, phase_ends_at, ends_at BIGINT,
 * definition TEXT`, with indexes on `(phase, starts_at, id)` and `(phase, ends_at, id)`. Written only inside turns of their actors.
 */
export class EventTable<Definition> {
  readonly #table: string;
  readonly #phases: PhaseSets;

  constructor(table: string, phases: PhaseSets) {
    this.#table = table;
    this.#phases = phases;
  }

  async has(sql: Pick<Sql, "query">, id: string): Promise<boolean> {
    return (await sql.query(`SELECT 1 FROM ${this.#table} WHERE id = ?`, [id])).length === 1;
  }

  async get(sql: Pick<Sql, "query">, id: string): Promise<EventRow<Definition> | null> {
    const [row] = await sql.query<Stored>(`SELECT ${COLUMNS} FROM ${this.#table} WHERE id = ?`, [id]);
    return row === undefined ? null : rowOf(row);
  }

  /** Those on and coming, soonest first, then those that are over, latest first. */
  async list(sql: Pick<Sql, "query">): Promise<EventRow<Definition>[]> {
    const { coming, on, over } = this.#phases;
    const open = await this.#first(sql, [...coming, ...on], "starts_at", "ASC", MOST_LISTED);
    return [...open, ...(await this.#first(sql, over, "ends_at", "DESC", MOST_OVER))];
  }

  /** For the lobby: the `most` that have begun last, that begin soonest, and some that are over. */
  async board(sql: Pick<Sql, "query">, most: number): Promise<BoardList<EventRow<Definition>>> {
    const [on, coming, over] = await Promise.all([
      this.#first(sql, this.#phases.on, "starts_at", "DESC", most),
      this.#first(sql, this.#phases.coming, "starts_at", "ASC", most),
      this.#first(sql, this.#phases.over, "ends_at", "DESC", MOST_OVER),
    ]);
    return { on, coming, over };
  }

  /** What the lobby shows of them; `news` are the events of its feed that say how one stands now. */
  lobby(...news: string[]) {
    const board = (sql: Pick<Sql, "query">, most: number) => this.board(sql, most);
    return { news, phases: this.#phases, board };
  }

  /** Inserts it. Throws where there is one of this id. */
  async insert(sql: Pick<Sql, "write">, { definition, ...row }: EventRow<Definition>): Promise<void> {
    await sql.write(`INSERT INTO ${this.#table} (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)`, [
      ...[row.id, row.name, row.phase, row.startsAt, row.phaseEndsAt, row.endsAt, JSON.stringify(definition)],
    ]);
  }

  /** Replaces all that may change of it. */
  async update(sql: Pick<Sql, "write">, { definition, ...row }: EventRow<Definition>): Promise<void> {
    await sql.write(
      `UPDATE ${this.#table} SET name = ?, phase = ?, starts_at = ?, phase_ends_at = ?, ends_at = ?, definition = ? WHERE id = ?`,
      [row.name, row.phase, row.startsAt, row.phaseEndsAt, row.endsAt, JSON.stringify(definition), row.id],
    );
  }

  async #first(
    sql: Pick<Sql, "query">,
    phases: readonly string[],
    time: "starts_at" | "ends_at",
    direction: "ASC" | "DESC",
    limit: number,
  ): Promise<EventRow<Definition>[]> {
    const list = { table: this.#table, columns: COLUMNS, phases, time, direction, limit };
    return (await firstOfPhases<Stored>(sql, list)).map((row) => rowOf(row));
  }
}

function rowOf<Definition>(row: Stored): EventRow<Definition> {
  return {
    ...{ id: row.id, name: row.name, phase: row.phase, startsAt: Number(row.starts_at) },
    ...{ phaseEndsAt: Number(row.phase_ends_at), endsAt: Number(row.ends_at), definition: JSON.parse(row.definition) },
  };
}
