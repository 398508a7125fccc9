import type { ScoreJournal } from "../../src/actors/tournaments/ScoreJournal.ts";
import type { Database } from "../../src/entities/sql.ts";
import type { TournamentPhase } from "../../src/entities/tournaments/Tournament.ts";
import type { PlayerSnapshot, ScoreEntry } from "../../src/stores/tournaments/Leaderboard.ts";

let tournaments = 0;

/** A tournament of no matter what definition, under board epoch 1; resolves with its id. */
export async function insertTournament(database: Database, phase: TournamentPhase = "open"): Promise<string> {
  tournaments += 1;
  const id = `tournament-${tournaments}`;
  await database.write(
    `INSERT INTO tournaments (id, name, game, phase, starts_at, ends_at, phase_ends_at, over_at, board_epoch, definition,
      prizes_distributed, created_by, created_at, updated_at)
    VALUES (?, 'Tournament', 'snake', ?, 0, 0, 0, 0, 1, '{}', 0, 'operator', 0, 0)`,
    [id, phase],
  );
  return id;
}

/** The entry of a player who counts the best score, with no more thought given to it. */
export function someEntry(playerId: string, entryNo: number, change: Partial<ScoreEntry> = {}): ScoreEntry {
  const seq = change.seq ?? entryNo;
  return {
    ...{
      playerId,
      playerName: `Ann 🎪 ${playerId}`,
      submissionId: `s-${entryNo}`,
      entryNo,
      score: entryNo,
      subscore: 0,
    },
    ...{ best: entryNo, bestSubscore: 0, seq, reachedSeq: seq, toldRank: 1, ...change },
  };
}

export async function playersIn(journal: ScoreJournal, tournamentId: string): Promise<PlayerSnapshot[]> {
  const players: PlayerSnapshot[] = [];
  for await (const player of (await journal.snapshot(tournamentId)).players) players.push(player);
  return players;
}

/** All entries of the tournament, by player and number, as `[playerId, entryNo, submissionId]`. */
export async function entriesIn(database: Database, tournamentId: string): Promise<[string, number, string][]> {
  const rows = await database.query<{ player_id: string; entry_no: unknown; submission_id: string }>(
    "SELECT player_id, entry_no, submission_id FROM score_entries WHERE tournament_id = ? ORDER BY player_id, entry_no",
    [tournamentId],
  );
  return rows.map((row) => [row.player_id, Number(row.entry_no), row.submission_id]);
}
