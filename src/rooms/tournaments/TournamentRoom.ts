import { z } from "zod";
import type { TournamentOperations } from "../../actors/tournaments/TournamentOperations.ts";
import type { TournamentService } from "../../actors/tournaments/TournamentService.ts";
import type { TournamentAudience, TournamentView } from "../../actors/tournaments/TournamentView.ts";
import { decimalOf, inDecimals } from "../../entities/tournaments/precision.ts";
import { idOf, requestId } from "../../ids.ts";
import type { BoardPage } from "../../stores/tournaments/Leaderboard.ts";
import { LARGEST_SUBSCORE } from "../../stores/tournaments/scoring.ts";
import { admit } from "../runtime/admission.ts";
import { BaseRoom, playerOf, type RoomClient, type RoomMetadata } from "../runtime/BaseRoom.ts";
import { PATCH_EVERY_MS, PatchPace } from "../runtime/PatchPace.ts";
import { SharedAnswers } from "../runtime/SharedAnswers.ts";
import type { RoomServices } from "../runtime/services.ts";
import { Results } from "./Results.ts";
import { ScoreRow, TournamentRoomState } from "./TournamentRoomState.ts";

/** What tournament rooms need beside what every room does. */
export interface TournamentRoomServices extends RoomServices {
  tournamentService: TournamentService;
  tournamentOperations: Pick<TournamentOperations, "standings">;
  /** The id of this node: part of the key that makes a tournament's open room on it the only one. */
  nodeId: string;
  /** For the metrics: how many have a standing; called with every new view while entries are taken. */
  setTournamentGauges(tournamentId: string, players: number): void;
  removeTournamentGauges(tournamentId: string): void;
}

/** Players a room; a tournament has as many rooms as it needs. */
const MOST_PLAYERS = 500;
/** Rows of the standings that one request may ask for. */
const MOST_ROWS = 100;
const LONGEST_PROOF = 4096;
/** Ours have some 70 characters. */
const LONGEST_RUN = 128;

const joinOptions = z.looseObject({
  tournamentId: idOf("tournament"),
});
const nothing = z.strictObject({}).optional();
const submission = z
  .strictObject({
    submissionId: requestId.optional(),
    run: z.string().max(LONGEST_RUN).optional(),
    score: z.number(),
    subscore: z.int().min(-LARGEST_SUBSCORE).max(LARGEST_SUBSCORE).default(0),
    proof: z.string().max(LONGEST_PROOF).optional(),
  })
  .refine(({ submissionId, run }) => submissionId !== undefined || run !== undefined, {
    path: ["submissionId"],
    error: "is required without a run",
  });
const range = z
  .strictObject({
    limit: z.int().min(1).max(MOST_ROWS).default(10),
    around: idOf("player").optional(),
  })
  .prefault({});

interface Types {
  state: TournamentRoomState;
  metadata: RoomMetadata & { tournamentId: string };
  services: TournamentRoomServices;
}

/** Where players compete: hands scores to the service, and shows how the tournament stands. */
export class TournamentRoom extends BaseRoom<Types> implements TournamentAudience {
  static override onAuth = admit({
    role: "player",
    options: joinOptions,
    check: ({ tournamentId }, _identity, { tournamentService }: TournamentRoomServices) =>
      tournamentService.requireTournament(tournamentId),
  });

  override maxClients = MOST_PLAYERS;
  override patchRate = PATCH_EVERY_MS;
  override state = new TournamentRoomState();
  #table!: TournamentView;
  /** Whether the room has its table: news that overtake it are on it. */
  #isSeated = false;
  #leaveTable: () => void = () => {};
  /** What has changed since it last went out. */
  #news: { hasState: boolean; view: BoardPage | undefined } = { hasState: false, view: undefined };
  readonly #pace = new PatchPace();
  /** When each session's play began, in epoch milliseconds: in grace it tells what was being played. */
  readonly #joinedAt = new Map<string, number>();
  #results!: Results;
  readonly #standings = new SharedAnswers(this.services.clock);

  override async onCreate(options: unknown): Promise<void> {
    const { tournamentId } = joinOptions.parse(options);
    const { tournamentService, tournamentOperations, nodeId, clock } = this.services;
    const { table, leave } = await tournamentService.join(tournamentId, this);
    this.#table = table;
    this.#leaveTable = leave;
    this.#isSeated = true;
    this.#results = new Results({
      resultsOf: (playerIds) => tournamentService.resultsOf(tournamentId, [...playerIds]),
      notify: (playerId, result) => this.#sendTo(playerId, "settled", result),
      clock,
      log: this.log,
    });
    await this.setMatchmaking({ metadata: { tournamentId, key: `tournament:${tournamentId}@${nodeId}` } });
    this.#showTournament();
    this.request("begin", nothing, (client) => tournamentService.begin(tournamentId, client.auth!.playerId));
    this.request("submit", submission, async (client, submitted) => {
      const joinedAt = this.#joinedAt.get(client.sessionId)!;
      const answer = await tournamentService.submit(tournamentId, playerOf(client), submitted, joinedAt);
      // Who asks for standings now finds the score there.
      this.#standings.forget();
      return answer;
    });
    this.request("standings", range, (_client, asked) =>
      this.#standings.of(JSON.stringify([asked.limit, asked.around]), () =>
        // What is settled is in the database; what is not must not be looked up there each time that a player asks.
        (table.isTaking ? tournamentService : tournamentOperations).standings(tournamentId, asked),
      ),
    );
  }

  protected override onPlayerJoin(client: RoomClient): void {
    const { clock, tournamentService } = this.services;
    const now = clock.now();
    this.#joinedAt.set(client.sessionId, now);
    tournamentService.entered(this.#table, client.auth!.playerId, now);
    this.#bringUpToDate(client);
  }

  protected override onPlayerBack(client: RoomClient): void {
    this.#bringUpToDate(client);
  }

  protected override onPlayerGone(client: RoomClient): void {
    this.#joinedAt.delete(client.sessionId);
  }

  override onDispose(): void {
    this.#results?.close();
    this.#leaveTable();
    if (this.#isSeated) this.services.removeTournamentGauges(this.#table.id);
  }

  onPhase(): void {
    this.#standings.forget();
    if (!this.#isSeated) return;
    this.#showPhase();
    const closed = this.#closed();
    if (closed) this.broadcast("closed", closed);
    if (!this.#table.isTaking) this.services.removeTournamentGauges(this.#table.id);
  }

  onCorrected(): void {
    if (!this.#isSeated) return;
    this.#showTournament();
    this.broadcast("corrected", {});
  }

  onStandings(view: BoardPage): void {
    this.#standings.forget();
    if (!this.#isSeated) return;
    const { state } = this;
    state.players = view.total;
    if (this.#table.isTaking) this.services.setTournamentGauges(this.#table.id, view.total);
    for (const [at, row] of view.rows.entries()) {
      const { rank, playerId, name, subscore } = row;
      const score = decimalOf(row.score, this.#table.precision);
      const shown = state.top[at];
      if (shown) shown.assign({ rank, playerId, name, score, subscore });
      else state.top.push(new ScoreRow({ rank, playerId, name, score, subscore }));
    }
    if (state.top.length > view.rows.length) state.top.splice(view.rows.length);
    this.#news = { hasState: true, view };
    const { everyMs } = this.#pace;
    if (everyMs !== this.patchRate) this.patchRate = everyMs;
  }

  onSettled(): void {
    this.#standings.forget();
    if (!this.#isSeated) return;
    this.#showPhase();
    this.#results.notify(new Set(this.clients.map((client) => client.auth!.playerId)));
  }

  /** Clients count down by the time at which they were told, not by that at which the node knew. */
  override onBeforePatch(): void {
    const { hasState, view } = this.#news;
    this.#news = { hasState: false, view: undefined };
    if (hasState) this.state.serverNow = this.services.clock.now();
    if (view) {
      const rows = inDecimals(view.rows, this.#table.precision).map(rowOf);
      this.broadcast("standings", { rows, total: view.total });
    }
  }

  #bringUpToDate(client: RoomClient): void {
    const closed = this.#closed();
    if (closed) client.send("closed", closed);
    if (this.#table.phase === "settled") this.#results.notify([client.auth!.playerId]);
  }

  #sendTo(playerId: string, type: string, message: object): void {
    for (const client of this.clients) if (client.auth?.playerId === playerId) client.send(type, message);
  }

  /** That the open phase is over, and until when what was being played still counts; 0 when nothing does any more. */
  #closed(): { phase: string; acceptsUntil: number } | undefined {
    const { phase, phaseEndsAt } = this.#table;
    if (phase === "scheduled" || phase === "open" || phase === "settled") return undefined;
    return { phase, acceptsUntil: phase === "grace" ? phaseEndsAt : 0 };
  }

  #showTournament(): void {
    const { id, definition, view } = this.#table;
    this.state.tournamentId = id;
    this.state.name = definition.name;
    this.state.game = definition.game;
    this.state.prizes = JSON.stringify(definition.prizes);
    this.#showPhase();
    if (view) this.onStandings(view);
  }

  #showPhase(): void {
    const { phase, startsAt, endsAt, phaseEndsAt, resultHash = "", pausing } = this.#table;
    const { pausedAt = 0, resumesAt = 0 } = pausing ?? {};
    this.state.assign({ phase, startsAt, endsAt, phaseEndsAt, pausedAt, resumesAt, resultHash });
    this.#news.hasState = true;
  }
}

function rowOf({ rank, playerId, name, score, subscore }: BoardPage["rows"][number]) {
  return { rank, playerId, name, score, subscore };
}
