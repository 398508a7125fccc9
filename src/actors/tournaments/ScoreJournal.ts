import type { Clock } from "../../clock.ts";
import { GroupCommit } from "../../entities/GroupCommit.ts";
import {
  type CommitResult,
  commitOrContradict,
  failureOfStore,
  type JournalDatabase,
} from "../../entities/journaling.ts";
import type { Sql } from "../../entities/sql.ts";
import type { TournamentPhase } from "../../entities/tournaments/Tournament.ts";
import { Coalescer } from "../../stores/runtime/Coalescer.ts";
import { type PlayerSnapshot, REMEMBERED, type ScoreEntry } from "../../stores/tournaments/Leaderboard.ts";
import {
  contiguous,
  type Decided,
  ENTRY_COLUMNS,
  type EntryCommit,
  entryOf,
  predecessorsOf,
  type StoredEntry,
  selectedEntry,
  valuesOf,
} from "./entries.ts";

/** Entries a flush at most, each with one before it: some 150 kB of SQL, and 14,000 of the 32,766 parameters that SQLite takes. */
const MAX_COMMITS = 500;
/** Rows a page of a snapshot. */
const PAGE = 2000;
/** In these phases entries are taken. */
const TAKING: readonly TournamentPhase[] = ["open", "grace"];

/** By what entries were decided: the tournament, which has one game, and the epoch of its board. */
interface DecidedBy {
  readonly id: string;
  readonly game: string;
  readonly epoch: number;
}

/** What a flush has done: all of it went the same way, but for the entries that were refused for themselves. */
interface Flushed {
  result: CommitResult;
  refused: ReadonlySet<ScoreEntry>;
}

const NONE: ReadonlySet<ScoreEntry> = new Set();

/**
 * Commits the entries that leaderboards decide, those of a few milliseconds in one transaction, under the epoch that decided
 * them and while the tournament takes entries. The committed entries of a player never have a gap.
 * A commit that rejects with `unavailable` may have happened; repeating it is safe.
 */
export class ScoreJournal {
  readonly #database: JournalDatabase;
  readonly #reads: Pick<Sql, "query">;
  readonly #clock: Clock;
  readonly #group: GroupCommit<EntryCommit, Flushed, DecidedBy>;
  readonly #finds: Coalescer<Pick<ScoreEntry, "playerId" | "submissionId">, ScoreEntry | undefined>;

  /** Whole tournaments are read through `reads`, so that no commit waits for it. */
  constructor(database: JournalDatabase, clock: Clock, reads: Pick<Sql, "query"> = database) {
    this.#database = database;
    this.#reads = reads;
    this.#clock = clock;
    this.#group = new GroupCommit({
      clock,
      maxItems: MAX_COMMITS,
      flush: (by, commits) => this.#flush(by, commits),
    });
    this.#finds = new Coalescer({ batch: (tournamentId, wanted) => this.#findAll(tournamentId, wanted) });
  }

  /**
   * Resolves once all entries are committed, or with why not all of them are: `stale` when the board has another epoch or the
   * tournament takes no entries (any more), `paused` while it is, `contradicted` when an entry has no predecessor in the database, or the database has
   * another one in its place. Rejects with `overloaded` or `unavailable`.
   */
  async commit(
    tournamentId: string,
    game: string,
    epoch: number,
    commits: readonly EntryCommit[],
  ): Promise<CommitResult> {
    const parts: Promise<CommitResult>[] = [];
    for (let from = 0; from < commits.length; from += MAX_COMMITS) {
      parts.push(this.#commitPart({ id: tournamentId, game, epoch }, commits.slice(from, from + MAX_COMMITS)));
    }
    const results = await Promise.all(parts);
    return results.find((result) => result !== "committed") ?? "committed";
  }

  /** The entry that a submission became, if it is committed. Those that are looked for in one turn of the event loop share a query. */
  find(tournamentId: string, playerId: string, submissionId: string): Promise<ScoreEntry | undefined> {
    return this.#finds.ask(tournamentId, { playerId, submissionId });
  }

  /** What a board is loaded from. Nobody may commit meanwhile: raise the epoch first. */
  async snapshot(
    tournamentId: string,
  ): Promise<{ submissions: number; players: AsyncGenerator<PlayerSnapshot, void, undefined> }> {
    const [row] = await this.#query<{ submissions: unknown }>(
      this.#reads,
      "SELECT COUNT(*) AS submissions FROM score_entries WHERE tournament_id = ?",
      [tournamentId],
    );
    return { submissions: Number(row!.submissions), players: this.#players(tournamentId) };
  }

  /** How many of the entries with a number up to this one are committed. Reads all of the tournament's. */
  async countTo(tournamentId: string, seq: number): Promise<number> {
    const [row] = await this.#query<{ entries: unknown }>(
      this.#reads,
      "SELECT COUNT(*) AS entries FROM score_entries WHERE tournament_id = ? AND seq <= ?",
      [tournamentId, seq],
    );
    return Number(row!.entries);
  }

  /** Commits what is buffered; resolves when nothing is in flight. */
  flush(): Promise<void> {
    return this.#group.flush();
  }

  async #commitPart(by: DecidedBy, commits: readonly EntryCommit[]): Promise<CommitResult> {
    const { result, refused } = await this.#group.commit(by, commits);
    return commits.some(({ entry }) => refused.has(entry)) ? "contradicted" : result;
  }

  async #flush(by: DecidedBy, commits: readonly EntryCommit[]): Promise<Flushed> {
    const done = await commitOrContradict(this.#database, (sql) => this.#write(sql, by, commits));
    return done === "contradicted" ? { result: "contradicted", refused: NONE } : done;
  }

  async #write(
    sql: Sql,
    { id: tournamentId, game, epoch }: DecidedBy,
    commits: readonly EntryCommit[],
  ): Promise<Flushed> {
    // The share lock keeps epoch and phase as they are until the commit: whoever changes them waits for this, or this for them.
    const lock = sql.dialect === "mysql" ? "LOCK IN SHARE MODE" : "";
    const [tournament] = await sql.query<{ board_epoch: unknown; phase: TournamentPhase; pauses: unknown }>(
      `SELECT board_epoch, phase, pauses FROM tournaments WHERE id = ? ${lock}`,
      [tournamentId],
    );
    const isTaken = Number(tournament?.board_epoch) === epoch && TAKING.includes(tournament!.phase);
    if (!isTaken) return { result: "stale", refused: NONE };
    if (Number(tournament!.pauses) % 2 === 1) return { result: "paused", refused: NONE };
    const { rows, refused } = contiguous(commits, await predecessors(sql, tournamentId, commits));
    if (rows.length === 0) return { result: "committed", refused };
    const storedAt = this.#clock.now();
    const params = rows.flatMap((entry) => [tournamentId, ...valuesOf(entry), game, storedAt]);
    await sql.write(insertOf(sql.dialect, rows.length), params);
    return { result: "committed", refused };
  }

  async #findAll(
    tournamentId: string,
    wanted: readonly Pick<ScoreEntry, "playerId" | "submissionId">[],
  ): Promise<(ScoreEntry | undefined)[]> {
    const rows = await this.#query<StoredEntry>(
      this.#database,
      `SELECT ${selectedEntry(this.#database.dialect)} FROM score_entries
      WHERE (tournament_id, player_id, submission_id) IN (${keys(wanted.length)})`,
      wanted.flatMap(({ playerId, submissionId }) => [tournamentId, playerId, submissionId]),
    );
    const found = new Map(rows.map(entryOf).map((entry) => [`${entry.submissionId} ${entry.playerId}`, entry]));
    return wanted.map(({ playerId, submissionId }) => found.get(`${submissionId} ${playerId}`));
  }

  async *#players(tournamentId: string): AsyncGenerator<PlayerSnapshot, void, undefined> {
    let newest: ScoreEntry[] = [];
    for await (const entry of this.#newest(tournamentId)) {
      if (newest.length > 0 && newest[0]!.playerId !== entry.playerId) {
        yield { latest: newest.at(-1)!, remembered: newest };
        newest = [];
      }
      newest.push(entry);
    }
    if (newest.length > 0) yield { latest: newest.at(-1)!, remembered: newest };
  }

  /** The newest `REMEMBERED` entries of every player, by player and number. */
  async *#newest(tournamentId: string): AsyncGenerator<ScoreEntry, void, undefined> {
    let page = this.#pageAfter(tournamentId, { playerId: "", entryNo: 0 });
    for (;;) {
      const entries = await page;
      // The next one is read while this one is put to use, if anybody ever comes for it.
      if (entries.length === PAGE) page = this.#pageAfter(tournamentId, entries.at(-1)!);
      page.catch(() => {});
      yield* entries;
      if (entries.length < PAGE) return;
    }
  }

  async #pageAfter(tournamentId: string, last: Pick<ScoreEntry, "playerId" | "entryNo">): Promise<ScoreEntry[]> {
    // Without gaps, an entry is among the newest when the one so much later does not exist. As NOT EXISTS, MariaDB would
    // answer this from a scan of all tournaments' entries.
    const rows = await this.#query<StoredEntry>(
      this.#reads,
      `SELECT ${selectedEntry(this.#database.dialect, "e")} FROM score_entries e
      LEFT JOIN score_entries later ON later.tournament_id = e.tournament_id AND later.player_id = e.player_id
        AND later.entry_no = e.entry_no + ${REMEMBERED}
      WHERE e.tournament_id = ? AND e.player_id >= ? AND (e.player_id > ? OR e.entry_no > ?) AND later.player_id IS NULL
      ORDER BY e.player_id, e.entry_no LIMIT ${PAGE}`,
      [tournamentId, last.playerId, last.playerId, last.entryNo],
    );
    return rows.map(entryOf);
  }

  async #query<T>(from: Pick<Sql, "query">, sql: string, params: readonly unknown[]): Promise<T[]> {
    try {
      return await from.query<T>(sql, params);
    } catch (error) {
      throw failureOfStore(error);
    }
  }
}

async function predecessors(sql: Sql, tournamentId: string, commits: readonly EntryCommit[]): Promise<Decided[]> {
  const wanted = predecessorsOf(commits);
  if (wanted.length === 0) return [];
  const rows = await sql.query<Pick<StoredEntry, "player_id" | "entry_no" | "submission_id" | "seq">>(
    `SELECT player_id, entry_no, submission_id, seq FROM score_entries
    WHERE (tournament_id, player_id, entry_no) IN (${keys(wanted.length)})`,
    wanted.flatMap(({ playerId, entryNo }) => [tournamentId, playerId, entryNo]),
  );
  return rows.map((row) => ({
    playerId: String(row.player_id),
    entryNo: Number(row.entry_no),
    submissionId: String(row.submission_id),
    seq: Number(row.seq),
  }));
}

function insertOf(dialect: "mysql" | "sqlite", rows: number): string {
  const columns = ["tournament_id", ...ENTRY_COLUMNS, "game", "stored_at"];
  const row = `(${columns.map(() => "?").join(",")})`;
  const [onConflict, added] =
    dialect === "mysql"
      ? ["ON DUPLICATE KEY UPDATE", (column: string) => `VALUES(${column})`]
      : ["ON CONFLICT DO UPDATE SET", (column: string) => `excluded.${column}`];
  // An entry is written once and stays. A row that claims its number for another decision, or its submission under another
  // number, fails on the column that takes no NULL, and the whole statement with it.
  const isSame = ["entry_no", "submission_id", "seq"].map((column) => `score_entries.${column} = ${added(column)}`);
  return `INSERT INTO score_entries (${columns.join(", ")}) VALUES ${Array(rows).fill(row).join(",")}
    ${onConflict} player_name = CASE WHEN ${isSame.join(" AND ")} THEN score_entries.player_name END`;
}

/**
 * Whole keys, the tournament in each: when the tournament is asked for by itself, MariaDB 10.11 may read all that it has, where the
 * table has grown by hundreds of thousands of rows since its statistics were made.
 */
function keys(count: number): string {
  return Array(count).fill("(?,?,?)").join(",");
}
