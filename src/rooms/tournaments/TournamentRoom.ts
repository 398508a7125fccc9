import { z } from "zod";
import type { OpenTournament } from "../../actors/tournaments/OpenTournament.ts";
import type { TournamentOperations } from "../../actors/tournaments/TournamentOperations.ts";
import type { TournamentService } from "../../actors/tournaments/TournamentService.ts";
import type { TournamentAudience } from "../../actors/tournaments/TournamentView.ts";
import { type EventStatus, eventStatus } from "../../entities/events/EventStatus.ts";
import { decimalOf, inDecimals } from "../../entities/tournaments/precision.ts";
import { idOf, requestId } from "../../ids.ts";
import type { BoardPage } from "../../stores/tournaments/Leaderboard.ts";
import { LARGEST_SUBSCORE } from "../../stores/tournaments/scoring.ts";
import { playerOf, type RoomClient } from "../runtime/BaseRoom.ts";
import { admitToEvent, EventRoom, type EventRoomServices, type Joined } from "../runtime/EventRoom.ts";
import { SharedAnswers } from "../runtime/SharedAnswers.ts";
import { Results } from "./Results.ts";
import { ScoreRow, TournamentRoomState } from "./TournamentRoomState.ts";

/** What tournament rooms need beside what every room does. */
export interface TournamentRoomServices extends EventRoomServices {
  tournamentService: TournamentService;
  tournamentOperations: Pick<TournamentOperations, "standings">;
  /** For the metrics: how many have a standing; called with every new view while entries are taken. */
  setTournamentGauges(tournamentId: string, players: number): void;
  removeTournamentGauges(tournamentId: string): void;
}

/** Rows of the standings that one request may ask for. */
const MOST_ROWS = 100;
const LONGEST_PROOF = 4096;
/** Ours have some 70 characters. */
const LONGEST_RUN = 128;

const beginning = z.strictObject({ requestId: requestId.optional() }).prefault({});
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

/** Where players compete: hands scores to the service, and shows how the tournament stands. */
export class TournamentRoom
  extends EventRoom<TournamentRoomState, TournamentRoomServices, OpenTournament>
  implements TournamentAudience
{
  static override onAuth = admitToEvent<TournamentRoomServices>("tournament", ({ tournamentService }, id) =>
    tournamentService.views.require(id),
  );

  protected override readonly eventName = "tournament";
  override state = new TournamentRoomState();
  /** Top rows that have not been sent to everybody yet. */
  #news: BoardPage | undefined;
  /** When each session's play began, in epoch milliseconds: in grace it tells what was being played. */
  readonly #joinedAt = new Map<string, number>();
  readonly #results = new Results({
    resultsOf: (playerIds) => this.services.tournamentService.resultsOf(this.event.id, [...playerIds]),
    notify: (playerId, result) => this.sendTo(playerId, "settled", result),
    clock: this.services.clock,
    log: this.log,
  });
  readonly #standings = new SharedAnswers(this.services.clock);

  protected override join(tournamentId: string): Promise<Joined<OpenTournament>> {
    return this.services.tournamentService.views.join(tournamentId, this);
  }

  protected override onEvent(tournament: OpenTournament): void {
    const { tournamentService, tournamentOperations } = this.services;
    this.#showTournament();
    this.request("begin", beginning, (client, asked) =>
      tournamentService.begin(tournament, client.auth!.playerId, asked.requestId),
    );
    this.request("submit", submission, async (client, submitted) => {
      const joinedAt = this.#joinedAt.get(client.sessionId)!;
      const answer = await tournamentService.submit(tournament, playerOf(client), submitted, joinedAt);
      // Who asks for standings now finds the score there.
      this.#standings.forget();
      return answer;
    });
    this.request("standings", range, (_client, asked) =>
      this.#standings.of(JSON.stringify([asked.limit, asked.around]), () =>
        // What is settled is in the database; what is not must not be looked up there each time that a player asks.
        (tournament.isTaking ? tournamentService : tournamentOperations).standings(tournament.id, asked),
      ),
    );
  }

  protected override onPlayerJoin(client: RoomClient, options: unknown): void {
    super.onPlayerJoin(client, options);
    const { clock, tournamentService } = this.services;
    const now = clock.now();
    this.#joinedAt.set(client.sessionId, now);
    tournamentService.entered(this.event, client.auth!.playerId, now);
    this.#bringUpToDate(client);
  }

  protected override onPlayerBack(client: RoomClient): void {
    super.onPlayerBack(client);
    this.#bringUpToDate(client);
  }

  protected override onPlayerGone(client: RoomClient, isForGood: boolean): void {
    super.onPlayerGone(client, isForGood);
    this.#joinedAt.delete(client.sessionId);
  }

  override onDispose(): void {
    super.onDispose();
    this.#results.close();
    if (this.hasEvent) this.services.removeTournamentGauges(this.event.id);
  }

  onPhase(): void {
    this.#standings.forget();
    if (!this.hasEvent) return;
    this.#showPhase();
    const closed = this.#closed();
    if (closed) this.broadcast("closed", closed);
    if (!this.event.isTaking) this.services.removeTournamentGauges(this.event.id);
  }

  onCorrected(): void {
    if (!this.hasEvent) return;
    this.#showTournament();
    this.broadcast("corrected", {});
  }

  onStandings(view: BoardPage): void {
    this.#standings.forget();
    if (!this.hasEvent) return;
    const { state } = this;
    state.players = view.total;
    if (this.event.isTaking) this.services.setTournamentGauges(this.event.id, view.total);
    for (const [at, row] of view.rows.entries()) {
      const { rank, playerId, name, subscore } = row;
      const score = decimalOf(row.score, this.event.precision);
      const shown = state.top[at];
      if (shown) shown.assign({ rank, playerId, name, score, subscore });
      else state.top.push(new ScoreRow({ rank, playerId, name, score, subscore }));
    }
    if (state.top.length > view.rows.length) state.top.splice(view.rows.length);
    this.#news = view;
    this.stateChanged();
    this.keepPace();
  }

  onSettled(): void {
    this.#standings.forget();
    if (!this.hasEvent) return;
    this.#showPhase();
    this.#results.notify(new Set(this.clients.map((client) => client.auth!.playerId)));
  }

  override onBeforePatch(): void {
    super.onBeforePatch();
    const view = this.#news;
    if (!view) return;
    this.#news = undefined;
    const rows = inDecimals(view.rows, this.event.precision).map(rowOf);
    this.broadcast("standings", { rows, total: view.total });
  }

  #bringUpToDate(client: RoomClient): void {
    const closed = this.#closed();
    if (closed) client.send("closed", closed);
    if (this.event.phase === "settled") this.#results.notify([client.auth!.playerId]);
  }

  /** That the open phase is over, and until when what was being played still counts; 0 when nothing does any more. */
  #closed(): ({ phase: string; acceptsUntil: number } & EventStatus) | undefined {
    const { phase, phaseEndsAt, reviewSince, cancelReason } = this.event;
    if (phase === "scheduled" || phase === "open" || phase === "settled") return undefined;
    return { phase, acceptsUntil: phase === "grace" ? phaseEndsAt : 0, ...eventStatus({ reviewSince, cancelReason }) };
  }

  #showTournament(): void {
    const { id, definition, view } = this.event;
    this.state.tournamentId = id;
    this.state.name = definition.name;
    this.state.game = definition.game;
    this.state.prizes = JSON.stringify(definition.prizes);
    this.#showPhase();
    if (view) this.onStandings(view);
  }

  #showPhase(): void {
    const { phase, startsAt, endsAt, phaseEndsAt, resultHash = "", pausing } = this.event;
    const { reviewSince = 0, cancelReason = "" } = this.event;
    const { pausedAt = 0, resumesAt = 0 } = pausing ?? {};
    const times = { startsAt, endsAt, phaseEndsAt, pausedAt, resumesAt, reviewSince };
    this.state.assign({ phase, ...times, cancelReason, resultHash });
    this.stateChanged();
  }
}

function rowOf({ rank, playerId, name, score, subscore }: BoardPage["rows"][number]) {
  return { rank, playerId, name, score, subscore };
}
