import { z } from "zod";
import { pauseRequest, reasonOnly } from "../../actors/events/requests.ts";
import {
  parseTournamentDefinition,
  TOURNAMENT_BOUNDS,
  tournamentCorrection,
} from "../../actors/tournaments/definition.ts";
import type { GameOffice } from "../../actors/tournaments/GameOffice.ts";
import { parseGameDefinition } from "../../actors/tournaments/game.ts";
import type { TournamentOffice } from "../../actors/tournaments/TournamentOffice.ts";
import { idOf } from "../../ids.ts";
import { validate } from "../../validate.ts";
import { changesLimit, type Verbs } from "./verbs.ts";

export interface TournamentVerbServices {
  tournamentOffice: TournamentOffice;
  games: GameOffice;
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
    createTournament: (args, { tournamentOffice }, call) =>
      tournamentOffice.create(parseTournamentDefinition(args), call),
    startTournament: (args, { tournamentOffice }, call) => tournamentOffice.start(idIn(args), call),
    correctTournament: (args, { tournamentOffice }, call) => {
      const { tournamentId, ...corrected } = validate(correction, args);
      return tournamentOffice.correct(tournamentId, corrected, call);
    },
    pauseTournament: (args, { tournamentOffice }, call) => {
      const { tournamentId, ...pause } = validate(pauseOf, args);
      return tournamentOffice.pause(tournamentId, pause, call);
    },
    resumeTournament: (args, { tournamentOffice }, call) => {
      const { tournamentId, reason } = validate(reasoned, args);
      return tournamentOffice.resume(tournamentId, reason, call);
    },
    endTournament: (args, { tournamentOffice }, call) => tournamentOffice.end(idIn(args), call),
    extendTournament: (args, { tournamentOffice }, call) => {
      const { tournamentId, ms } = validate(extension, args);
      return tournamentOffice.extend(tournamentId, ms, call);
    },
    postponeTournament: (args, { tournamentOffice }, call) => {
      const { tournamentId, ms } = validate(extension, args);
      return tournamentOffice.postpone(tournamentId, ms, call);
    },
    cancelTournament: (args, { tournamentOffice }, call) => tournamentOffice.cancel(idIn(args), call),
    previewTournament: (args, { tournamentOffice }) => tournamentOffice.preview(idIn(args)),
    endSeries: (args, { tournamentOffice }, call) => tournamentOffice.endSeries(idIn(args), call),
    createGame: (args, { games }) => games.create(parseGameDefinition(args)),
  },
  queries: {
    tournaments: (_args, { tournamentOffice }) => tournamentOffice.list(),
    tournament: (args, { tournamentOffice }) => tournamentOffice.get(idIn(args)),
    tournamentStandings: (args, { tournamentOffice }) => {
      const { tournamentId, ...rows } = validate(range, args);
      return tournamentOffice.standings(tournamentId, rows);
    },
    tournamentChanges: (args, { tournamentOffice }) => {
      const { tournamentId, limit } = validate(changesOf, args);
      return tournamentOffice.changes(tournamentId, limit);
    },
    games: (_args, { games }) => games.list(),
  },
};
