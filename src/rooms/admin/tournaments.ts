import { z } from "zod";
import { pauseRequest, reasonOnly } from "../../actors/events/requests.ts";
import {
  parseTournamentDefinition,
  TOURNAMENT_BOUNDS,
  tournamentCorrection,
} from "../../actors/tournaments/definition.ts";
import type { GameQueries } from "../../actors/tournaments/GameQueries.ts";
import { parseGameDefinition } from "../../actors/tournaments/game.ts";
import type { TournamentOperations } from "../../actors/tournaments/TournamentOperations.ts";
import { idOf } from "../../ids.ts";
import { validate } from "../../validate.ts";
import { changesLimit, type Verbs } from "./verbs.ts";

export interface TournamentVerbServices {
  tournamentOperations: TournamentOperations;
  games: GameQueries;
}

/** Rows of the standings that one query may ask for. */
const MOST_ROWS = 1000;

const named = z.strictObject({ tournamentId: idOf("tournament") });
const extension = named.extend({ ms: z.int().min(TOURNAMENT_BOUNDS.shortestMs).max(TOURNAMENT_BOUNDS.longestMs) });
const range = named.extend({
  limit: z.int().min(1).max(MOST_ROWS).default(100),
  offset: z.int().min(0).max(TOURNAMENT_BOUNDS.submissions).default(0),
});
const correction = tournamentCorrection.extend(named.shape);
const pauseOf = pauseRequest.extend(named.shape);
const reasoned = reasonOnly.extend(named.shape);
const changesOf = named.extend({ limit: changesLimit });

const idIn = (args: unknown): string => validate(named, args).tournamentId;

export const TOURNAMENT_VERBS: Verbs<TournamentVerbServices> = {
  commands: {
    createTournament: (args, { tournamentOperations }, call) =>
      tournamentOperations.create(parseTournamentDefinition(args), call),
    startTournament: (args, { tournamentOperations }, call) => tournamentOperations.start(idIn(args), call),
    correctTournament: (args, { tournamentOperations }, call) => {
      const { tournamentId, ...corrected } = validate(correction, args);
      return tournamentOperations.correct(tournamentId, corrected, call);
    },
    pauseTournament: (args, { tournamentOperations }, call) => {
      const { tournamentId, ...pause } = validate(pauseOf, args);
      return tournamentOperations.pause(tournamentId, pause, call);
    },
    resumeTournament: (args, { tournamentOperations }, call) => {
      const { tournamentId, reason } = validate(reasoned, args);
      return tournamentOperations.resume(tournamentId, reason, call);
    },
    holdTournament: (args, { tournamentOperations }, call) => {
      const { tournamentId, reason } = validate(reasoned, args);
      return tournamentOperations.hold(tournamentId, reason, call);
    },
    releaseTournament: (args, { tournamentOperations }, call) => {
      const { tournamentId, reason } = validate(reasoned, args);
      return tournamentOperations.release(tournamentId, reason, call);
    },
    endTournament: (args, { tournamentOperations }, call) => tournamentOperations.end(idIn(args), call),
    extendTournament: (args, { tournamentOperations }, call) => {
      const { tournamentId, ms } = validate(extension, args);
      return tournamentOperations.extend(tournamentId, ms, call);
    },
    postponeTournament: (args, { tournamentOperations }, call) => {
      const { tournamentId, ms } = validate(extension, args);
      return tournamentOperations.postpone(tournamentId, ms, call);
    },
    cancelTournament: (args, { tournamentOperations }, call) => tournamentOperations.cancel(idIn(args), call),
    previewTournament: (args, { tournamentOperations }) => tournamentOperations.preview(idIn(args)),
    endSeries: (args, { tournamentOperations }, call) => tournamentOperations.endSeries(idIn(args), call),
    createGame: (args, { games }) => games.create(parseGameDefinition(args)),
  },
  queries: {
    tournaments: (_args, { tournamentOperations }) => tournamentOperations.list(),
    tournament: (args, { tournamentOperations }) => tournamentOperations.get(idIn(args)),
    tournamentStandings: (args, { tournamentOperations }) => {
      const { tournamentId, ...rows } = validate(range, args);
      return tournamentOperations.standings(tournamentId, rows);
    },
    tournamentReview: (args, { tournamentOperations }) => tournamentOperations.review(idIn(args)),
    tournamentChanges: (args, { tournamentOperations }) => {
      const { tournamentId, limit } = validate(changesOf, args);
      return tournamentOperations.changes(tournamentId, limit);
    },
    games: (_args, { games }) => games.list(),
  },
};
