import { z } from "zod";
import { TOURNAMENT_BOUNDS, tournamentCorrection, tournamentDefinition } from "../actors/tournaments/definition.ts";
import type { GameQueries } from "../actors/tournaments/GameQueries.ts";
import { gameDefinition } from "../actors/tournaments/game.ts";
import type { TournamentOperations } from "../actors/tournaments/TournamentOperations.ts";
import { TOURNAMENT_PHASES } from "../entities/tournaments/Tournament.ts";
import { idOf } from "../ids.ts";
import { wholeNumber } from "../validate.ts";
import { eventCommands } from "./eventCommands.ts";
import { eventOperations } from "./events.ts";
import {
  amountOf,
  cancelField,
  changesLimit,
  created,
  eventChange,
  limitOf,
  none,
  pausedFields,
  reviewField,
  reviewReport,
  time,
} from "./fields.ts";
import { operationsWith } from "./Operation.ts";

/** What these need of the node. */
export interface TournamentOperationServices {
  tournamentOperations: TournamentOperations;
  games: GameQueries;
}

const { command, query } = operationsWith<TournamentOperationServices>();

const order = z.enum(["desc", "asc"]);
const runs = z.enum(["optional", "required"]);

const summary = z.object({
  id: z.string(),
  name: z.string(),
  game: z.string(),
  phase: z.enum(TOURNAMENT_PHASES),
  startsAt: time,
  endsAt: time,
  phaseEndsAt: time.nullable(),
  ...pausedFields,
  ...reviewField,
  ...cancelField,
});
const row = z.object({
  rank: z.int(),
  playerId: z.string(),
  name: z.string(),
  score: z.number(),
  subscore: z.number(),
  entries: z.int(),
});
const details = summary.extend({
  graceMs: z.int(),
  graceFor: z.enum(["joined", "anyone"]),
  operator: z.enum(["best", "sum", "last", "increment"]),
  order,
  maxEntries: z.int(),
  maxSubmissions: z.int(),
  precision: z.int(),
  minScore: z.number(),
  maxScore: z.number(),
  minStep: z.number().optional(),
  maxStep: z.number().optional(),
  submissionsPerMinute: z.int(),
  runs: runs.optional(),
  prizes: z.array(z.object({ from: z.int(), to: z.int(), items: z.array(amountOf) })),
  seriesId: z.string().nullable(),
  series: z.object({ cron: z.string(), timezone: z.string(), duration: z.literal("untilNext").optional() }).nullable(),
  revision: z.int().optional(),
  players: z.int().nullable(),
  resultHash: z.string().nullable(),
  prizesDistributed: z.boolean(),
  review: z.boolean().optional(),
  standings: z.array(row),
});
const previewed = z.object({
  players: z.int(),
  prizes: z.array(
    z.object({
      rank: z.int(),
      playerId: z.string(),
      name: z.string(),
      score: z.number(),
      prizes: z.array(amountOf),
    }),
  ),
  totals: z.array(amountOf),
});
const game = z.object({
  id: z.string(),
  name: z.string(),
  precision: z.int(),
  order,
  minScore: z.number(),
  maxScore: z.number(),
  submissionsPerMinute: z.int(),
  runs,
});

const tournaments = eventOperations<TournamentOperationServices, typeof summary>("tournament", summary);

/** What operators do to tournaments and games. */
export const TOURNAMENT_COMMANDS = [
  tournaments.create({
    description:
      "Creates a tournament, or a series. With a request id, a repeat finds the one that the first call made.",
    args: tournamentDefinition,
    run: (definition, id, { tournamentOperations }, call) => tournamentOperations.create(id, definition, call),
  }),
  ...eventCommands(tournaments, {
    shortestMs: TOURNAMENT_BOUNDS.shortestMs,
    longestMs: TOURNAMENT_BOUNDS.longestMs,
    descriptions: {
      start: "Opens it now.",
      end: "Ends the open phase now, or grace.",
      extend: "Moves the end of the open phase, before it too, or of grace.",
      postpone: "Moves the start and the end of one that is scheduled.",
      pause: "Nothing is taken until it is resumed, after `ms` by itself.",
      resume: "Goes on with a paused one, and gives back the time.",
      hold: "Holds the result, once it is known, until it is released or the tournament is cancelled.",
      release: "Has the result paid, now where it is held, else as soon as it is known.",
      cancel: "Nothing more is taken, and nothing is paid. Until it settles, or while its result is to be reviewed.",
    },
    operationsOf: ({ tournamentOperations }: TournamentOperationServices) => tournamentOperations,
  }),
  tournaments.act("correct", {
    description: "Replaces the definition of one that is scheduled, and nothing of its series.",
    args: tournamentCorrection.shape,
    run: (id, { tournamentOperations }, call, correction) => tournamentOperations.correct(id, correction, call),
  }),
  tournaments.act("preview", {
    description: "What would be paid if it ended now, or what was. Changes nothing.",
    answer: previewed,
    changesNothing: true,
    run: (id, { tournamentOperations }) => tournamentOperations.preview(id),
  }),
  command("endSeries", {
    description: "The series of this tournament has no further ones; those that are there stay.",
    args: z.strictObject({ tournamentId: idOf("tournament") }),
    answer: z.object({ seriesId: z.string(), coming: z.string().nullable() }),
    endpoint: { method: "POST", path: "/tournaments/:tournamentId/endSeries" },
    run: ({ tournamentId }, { tournamentOperations }, call) => tournamentOperations.endSeries(tournamentId, call),
  }),
  command("createGame", {
    description: "Adds a game. What it allows never changes; a repeat is a conflict.",
    args: gameDefinition,
    answer: created,
    endpoint: { method: "POST", path: "/games", status: 201 },
    run: (definition, { games }, call) => games.create(definition, call),
  }),
];

/** What is asked of tournaments and games. */
export const TOURNAMENT_QUERIES = [
  tournaments.list({
    description: "Tournaments that are on and coming, soonest first, then those that ended last.",
    run: ({ tournamentOperations }) => tournamentOperations.list(),
  }),
  tournaments.read("", {
    description: "One tournament by itself, with the top ten.",
    answer: details,
    run: (id, { tournamentOperations }) => tournamentOperations.get(id),
  }),
  tournaments.read("Standings", {
    description: "A part of a tournament's standings, by rank.",
    args: { limit: limitOf(1000, 100), offset: wholeNumber(0, TOURNAMENT_BOUNDS.submissions).default(0) },
    answer: z.object({ rows: z.array(row), total: z.int() }),
    run: (id, { tournamentOperations }, range) => tournamentOperations.standings(id, range),
  }),
  tournaments.read("Review", {
    description: "The held result of a tournament as it would be paid: the first 100 ranks, and the sums of all.",
    answer: reviewReport.extend(previewed.shape),
    endpoint: { method: "GET", path: "/tournaments/:tournamentId/review" },
    run: (id, { tournamentOperations }) => tournamentOperations.review(id),
  }),
  tournaments.read("Changes", {
    description: "What operators did to a tournament with a reason, latest first.",
    args: { limit: changesLimit },
    answer: z.array(eventChange),
    run: (id, { tournamentOperations }, { limit }) => tournamentOperations.changes(id, limit),
  }),
  query("games", {
    description: "Every game, by id.",
    args: none,
    answer: z.array(game),
    run: (_args, { games }) => games.list(),
  }),
];
