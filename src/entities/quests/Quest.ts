import { RingmasterError } from "../../errors.ts";
import { type Audited, audited } from "../audit.ts";
import { insertNew } from "../insertNew.ts";
import { type ItemAmount, requireItems } from "../prizes/PrizeLedger.ts";
import type { Database, Sql } from "../sql.ts";

/** What a player must have done: a check of the registry (`actors/quests/checks.ts`) and its arguments. */
export interface QuestCondition {
  check: string;
  args: Record<string, unknown>;
}

/** What a quest promises. It never changes once the quest is there, so that a player gets what they started for. */
export interface QuestTerms {
  condition: QuestCondition;
  /** From the moment the condition is met until completion is due, in milliseconds. */
  delayMs: number;
  /** Each item once. */
  rewards: ItemAmount[];
  /** Whether it may be started again once it is completed. Then its condition counts from the begin of each round. */
  repeatable: boolean;
  /** How long after a completion the next round may begin, in milliseconds; of a repeatable one. */
  cooldownMs?: number | undefined;
  /** How often a player can complete it; of a repeatable one. */
  maxRounds?: number | undefined;
}

/** What a repeatable quest has that was defined without. */
export const REPEATABLE = { cooldownMs: 3_600_000, maxRounds: 1000 };

/** A quest; times are epoch milliseconds. */
export interface QuestRecord extends QuestTerms {
  id: string;
  title: string;
  createdAt: number;
  /** Since when nobody can start it; what was started before goes on. */
  retiredAt: number | null;
}

interface QuestRow {
  id: string;
  title: string;
  terms: string;
  created_at: number;
  retired_at: number | null;
}

/** A list is a look at what can be started, not an archive. */
const MOST_LISTED = 200;

/** Quests as operators define them. */
export class Quests {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Those that can be started, oldest first. */
  async list(): Promise<QuestRecord[]> {
    const rows = await this.#database.query<QuestRow>(
      "SELECT * FROM quests WHERE retired_at IS NULL ORDER BY created_at, id LIMIT ?",
      [MOST_LISTED],
    );
    return rows.map(questOf);
  }

  /** Throws `conflict` for an id that is taken, and `not_found` for a reward that is no item. */
  async create(quest: Omit<QuestRecord, "retiredAt">, createdBy: string, by: Audited = {}): Promise<void> {
    const { id, title, createdAt, ...promised } = quest;
    await this.#database.transaction(async (tx) => {
      // A reward that cannot be paid would stop everybody whose quest is due with it.
      await requireItems(
        tx,
        promised.rewards.map(({ item }) => item),
      );
      const terms = JSON.stringify(promised);
      const columns = ["id", "title", "terms", "created_by", "created_at"];
      const added = await insertNew(tx, { table: "quests", columns }, [[id, title, terms, createdBy, createdAt]]);
      if (added === 0) throw new RingmasterError("conflict", `There is a quest ${id} already; its terms stay.`);
      await audited(tx, by, createdAt);
    });
  }

  /** Adds those whose id is free. */
  async seed(quests: ReadonlyArray<Omit<QuestRecord, "createdAt" | "retiredAt">>, createdAt: number): Promise<void> {
    for (const quest of quests) {
      await this.create({ ...quest, createdAt }, "demo").catch((error: unknown) => {
        if (!(error instanceof RingmasterError) || error.code !== "conflict") throw error;
      });
    }
  }

  /** From now on nobody can start it. Throws `not_found`. */
  async retire(id: string, now: number, by: Audited = {}): Promise<QuestRecord> {
    return await this.#database.transaction(async (tx) => {
      await tx.write("UPDATE quests SET retired_at = ? WHERE id = ? AND retired_at IS NULL", [now, id]);
      const quest = (await questsById(tx, [id])).get(id);
      if (!quest) throw new RingmasterError("not_found", `There is no quest ${id}.`);
      await audited(tx, by, now);
      return quest;
    });
  }
}

/** The quests of these ids, by id; retired ones too. */
export async function questsById(sql: Pick<Sql, "query">, ids: readonly string[]): Promise<Map<string, QuestRecord>> {
  if (ids.length === 0) return new Map();
  const rows = await sql.query<QuestRow>(`SELECT * FROM quests WHERE id IN (${ids.map(() => "?").join(", ")})`, ids);
  return new Map(rows.map((row) => [row.id, questOf(row)]));
}

function questOf({ id, title, terms, created_at, retired_at }: QuestRow): QuestRecord {
  const promised = JSON.parse(terms) as QuestTerms;
  return {
    ...(promised.repeatable && REPEATABLE),
    ...promised,
    id,
    title,
    createdAt: Number(created_at),
    retiredAt: retired_at === null ? null : Number(retired_at),
  };
}
