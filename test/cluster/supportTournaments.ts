import type { TournamentDefinition } from "../../src/actors/tournaments/definition.ts";
import type { PrizeRange } from "../../src/entities/prizes/PrizeLedger.ts";
import type { FeedEvent } from "../../src/stores/feeds/Feed.ts";
import { clientOf, type Player } from "../support/RingmasterNode.ts";
import { Visitor } from "../support/Visitor.ts";
import { NodeCluster } from "./supportNodes.ts";
import { type Entry, hashOf, type Payment, type Rules, type Standing } from "./supportTournamentChecks.ts";

/** What a settled tournament says of itself. */
export interface Settled extends Rules {
  id: string;
  game: string;
  phase: string;
  startsAt: number;
  endsAt: number;
  prizes: PrizeRange[];
  players: number;
  resultHash: string;
  prizesDistributed: boolean;
}

/** Rows a page when the standings are read from the API: few, so that there are several pages. */
const PAGE = 47;

/** Nodes on which tournaments are held; and what SQL alone, or the HTTP API alone, says of them. */
export class TournamentCluster extends NodeCluster {
  async create(definition: TournamentDefinition): Promise<string> {
    return (await this.command<{ id: string }>("/api/tournaments", definition)).id;
  }

  async act(tournamentId: string, action: string): Promise<void> {
    await this.command(`/api/tournaments/${tournamentId}/${action}`);
  }

  /** As docs/operations.md has it. */
  async pardon(kind: string, id: string): Promise<void> {
    await this.database.query("UPDATE actors SET crashes = 0 WHERE kind = ? AND id = ?", [kind, id]);
  }

  /** Brings each of these players into a room on another node that runs: the first one to the first, and so on. */
  seat(tournamentId: string, players: readonly Player[]): Promise<Visitor[]> {
    return this.seatIn("tournament", { tournamentId }, players, (room) => new Visitor(room));
  }

  /** Brings a player into the lobby, who is told the newest 20 events and whatever comes from then on. */
  lobbyFor({ token }: Player): Promise<Visitor> {
    return Visitor.join(clientOf(this.node.url, token), "lobby");
  }

  /** What this visitor of the lobby is told of a tournament until it is settled, in order: changes of its phase by the phase, others by their type. */
  async toldIn(lobby: Visitor, tournamentId: string): Promise<string[]> {
    const isOf = (data: unknown): boolean => (data as { id?: string }).id === tournamentId;
    await lobby.message<FeedEvent>("event", ({ data, type }) => type === "tournamentSettled" && isOf(data));
    await lobby.room.leave();
    return lobby.heard
      .filter(({ type }) => type === "event")
      .map(({ payload }) => payload as FeedEvent)
      .filter(({ data }) => isOf(data))
      .map(({ type, data }) => (type === "tournamentPhase" ? (data as { phase: string }).phase : type));
  }

  async entriesOf(tournamentId: string): Promise<Entry[]> {
    const rows = await this.database.query<Record<string, unknown>>(
      `SELECT player_id, player_name, entry_no, submission_id, CAST(score AS CHAR) AS score, subscore, CAST(best AS CHAR) AS best,
        best_subscore, seq, reached_seq, told_rank FROM score_entries WHERE tournament_id = ?`,
      [tournamentId],
    );
    return rows.map((row) => ({
      player: String(row.player_id),
      name: String(row.player_name),
      entryNo: Number(row.entry_no),
      submissionId: String(row.submission_id),
      score: Number(row.score),
      subscore: Number(row.subscore),
      best: Number(row.best),
      bestSubscore: Number(row.best_subscore),
      seq: Number(row.seq),
      reachedSeq: Number(row.reached_seq),
      toldRank: Number(row.told_rank),
    }));
  }

  async standingsOf(tournamentId: string): Promise<Standing[]> {
    const rows = await this.database.query<Record<string, unknown>>(
      `SELECT place, player_id, player_name, CAST(score AS CHAR) AS score, subscore, entries FROM standings
      WHERE tournament_id = ? ORDER BY place`,
      [tournamentId],
    );
    return rows.map((row) => ({
      rank: Number(row.place),
      playerId: String(row.player_id),
      name: String(row.player_name),
      score: Number(row.score),
      subscore: Number(row.subscore),
      entries: Number(row.entries),
    }));
  }

  async settled(tournamentId: string): Promise<Settled> {
    const [row] = await this.database.query<Record<string, unknown>>(
      `SELECT game, phase, starts_at, ends_at, definition, players, result_hash, prizes_distributed FROM tournaments WHERE id = ?`,
      [tournamentId],
    );
    const { operator, order, prizes } = JSON.parse(String(row!.definition)) as Rules & { prizes: PrizeRange[] };
    return {
      ...{ id: tournamentId, operator, order, prizes },
      game: String(row!.game),
      phase: String(row!.phase),
      startsAt: Number(row!.starts_at),
      endsAt: Number(row!.ends_at),
      players: Number(row!.players),
      resultHash: String(row!.result_hash),
      prizesDistributed: Number(row!.prizes_distributed) === 1,
    };
  }

  async phaseOf(tournamentId: string): Promise<string> {
    return (await this.settled(tournamentId)).phase;
  }

  /** The hash as anybody recomputes it who has nothing but the API. */
  async hashByApi(tournamentId: string): Promise<string> {
    const { body: head } = await this.node.get<Settled>(`/api/tournaments/${tournamentId}`);
    const standings: Standing[] = [];
    for (let total = 1; standings.length < total; ) {
      const path = `/api/tournaments/${tournamentId}/standings?limit=${PAGE}&offset=${standings.length}`;
      const { body } = await this.node.get<{ rows: Standing[]; total: number }>(path);
      if (body.rows.length === 0) throw new Error(`the standings end after ${standings.length} of ${body.total}`);
      standings.push(...body.rows);
      total = body.total;
    }
    return hashOf(head, standings);
  }

  async awardsOf(tournamentId: string): Promise<Payment[]> {
    return payments(
      await this.database.query(
        "SELECT player_id, item, amount FROM awards WHERE source = 'tournament' AND source_id = ?",
        [tournamentId],
      ),
    );
  }

  /** What these players hold. */
  async inventories(): Promise<Payment[]> {
    return payments(await this.database.query("SELECT player_id, item, amount FROM inventories"));
  }
}

function payments(rows: readonly { player_id: string; item: string; amount: unknown }[]): Payment[] {
  return rows.map(({ player_id, item, amount }) => ({ player: player_id, item, amount: BigInt(String(amount)) }));
}
