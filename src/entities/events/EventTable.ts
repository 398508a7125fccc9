import type { PhaseSets } from "../phaseLists.ts";
import type { Sql } from "../sql.ts";
import { EventList, type Reading } from "./EventList.ts";

/** One of a table of events. Times are epoch milliseconds. */
export interface EventRow<Definition, Phase extends string = string> {
  id: string;
  name: string;
  phase: Phase;
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

/** A table of events that need no columns of their own, as `createEventTable` of the migrations makes it. Written only inside turns of their actors. */
export class EventTable<Definition, Phase extends string = string> extends EventList<
  Stored,
  EventRow<Definition, Phase>
> {
  readonly #table: string;

  constructor(table: string, phases: PhaseSets<Phase>) {
    super({ table, columns: COLUMNS, phases, listed: rowOf<Definition, Phase> });
    this.#table = table;
  }

  async get(sql: Reading, id: string): Promise<EventRow<Definition, Phase> | null> {
    const [row] = await sql.query<Stored>(`SELECT ${COLUMNS} FROM ${this.#table} WHERE id = ?`, [id]);
    return row === undefined ? null : rowOf(row);
  }

  /** Inserts it. Throws where there is one of this id. */
  async insert(sql: Pick<Sql, "write">, { definition, ...row }: EventRow<Definition, Phase>): Promise<void> {
    await sql.write(`INSERT INTO ${this.#table} (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)`, [
      ...[row.id, row.name, row.phase, row.startsAt, row.phaseEndsAt, row.endsAt, JSON.stringify(definition)],
    ]);
  }

  /** Replaces all that may change of it. */
  async update(sql: Pick<Sql, "write">, { definition, ...row }: EventRow<Definition, Phase>): Promise<void> {
    await sql.write(
      `UPDATE ${this.#table} SET name = ?, phase = ?, starts_at = ?, phase_ends_at = ?, ends_at = ?, definition = ? WHERE id = ?`,
      [row.name, row.phase, row.startsAt, row.phaseEndsAt, row.endsAt, JSON.stringify(definition), row.id],
    );
  }
}

function rowOf<Definition, Phase extends string>(row: Stored): EventRow<Definition, Phase> {
  return {
    ...{ id: row.id, name: row.name, phase: row.phase as Phase, startsAt: Number(row.starts_at) },
    ...{ phaseEndsAt: Number(row.phase_ends_at), endsAt: Number(row.ends_at), definition: JSON.parse(row.definition) },
  };
}
