import { z } from "zod";
import { EPOCH_BOUNDS, isTimezone } from "../../clock.ts";
import type { Game } from "../../entities/tournaments/Game.ts";
import { LARGEST_SCORE } from "../../entities/tournaments/precision.ts";
import type { TournamentTerms } from "../../entities/tournaments/Tournament.ts";
import { lineOfText } from "../../text.ts";
import { reason } from "../admin/reason.ts";
import { prizeRange } from "../prizes/definition.ts";
import { nextOfCron, scheduleFault, shortestGap } from "../runtime/schedule.ts";
import { gameId } from "./game.ts";

/** What a tournament's definition may hold. Times are epoch milliseconds, durations milliseconds. */
export const TOURNAMENT_BOUNDS = {
  name: 80,
  shortestMs: 1000,
  /** 366 days. */
  longestMs: 31_622_400_000,
  defaultGraceMs: 900_000,
  /** A day. */
  longestGraceMs: 86_400_000,
  /** Entries of one player. */
  entries: 100_000,
  /** Entries of all players: a rebuild of the leaderboard and a settlement read one row a player. */
  submissions: 5_000_000,
  prizes: 20,
  /** What a series' pattern may be as text. */
  cron: 128,
  timezone: 64,
  /** From one start of a series to the next. */
  shortestSeriesMs: 60_000,
} as const;

/** A pattern's times that are looked at for how close together they are. One that names two seconds has both in the same minute. */
const SERIES_TIMES = 20;

/** A character may carry marks and joiners; the column holds this many UTF-16 units. */
const NAME_UNITS = 128;

const moment = z.int().min(EPOCH_BOUNDS.earliest).max(EPOCH_BOUNDS.latest);

/** Judged from a fixed time on, so that the same pattern is never once refused and once not. */
function tooOften(cron: string, timezone: string): string | undefined {
  const { shortestSeriesMs } = TOURNAMENT_BOUNDS;
  if (shortestGap(cron, timezone, EPOCH_BOUNDS.earliest, SERIES_TIMES) >= shortestSeriesMs) return undefined;
  return `tournaments of a series begin at least ${shortestSeriesMs / 1000} seconds apart`;
}

const seriesField = z
  .strictObject({
    cron: z.string().min(1).max(TOURNAMENT_BOUNDS.cron),
    timezone: z
      .string()
      .max(TOURNAMENT_BOUNDS.timezone)
      .refine(isTimezone, { error: "must be the IANA name of a time zone, such as Europe/Berlin", abort: true })
      .default("UTC"),
    /** Each lasts until the next one begins by the clocks of the time zone, which need not be as long every time. */
    duration: z.literal("untilNext").optional(),
  })
  .superRefine(({ cron, timezone }, context) => {
    const fault = scheduleFault({ schedule: { cron }, timezone }) ?? tooOften(cron, timezone);
    if (fault !== undefined) context.addIssue({ code: "custom", path: ["cron"], message: fault });
  });

/** When the first tournament ends, or what is wrong with what was said of it. */
function endOf(
  startsAt: number,
  given: number | undefined,
  series: z.output<typeof seriesField> | undefined,
): number | string {
  if (series?.duration !== "untilNext") return given ?? "is required";
  const next = nextOfCron(series.cron, series.timezone, startsAt);
  if (next === undefined) return "cannot be told: the series' pattern names no time after startsAt";
  return given === undefined || given === next
    ? next
    : `must be left out, or ${next}, when the next of the series begins`;
}

/** The fields of a tournament as an operator defines it: unknown ones are refused. */
export const tournamentFields = z.strictObject({
  name: lineOfText(TOURNAMENT_BOUNDS.name, NAME_UNITS),
  game: gameId,
  startsAt: moment,
  /** Follows from the pattern of a series whose tournaments last until the next one. */
  endsAt: moment.optional(),
  /** How long after the end scores of what was being played are taken. */
  graceMs: z.int().min(0).max(TOURNAMENT_BOUNDS.longestGraceMs).default(TOURNAMENT_BOUNDS.defaultGraceMs),
  /** Whose: of those who were in a room of the tournament before its end, or anybody's. */
  graceFor: z.enum(["joined", "anyone"]).default("joined"),
  operator: z.enum(["best", "sum", "last", "increment"]).default("best"),
  /** The game's unless given. */
  order: z.enum(["desc", "asc"]).optional(),
  /** The largest step of an `increment`, either way. */
  maxStep: z.number().positive().max(LARGEST_SCORE).optional(),
  /** Whether each score must come of a run that was begun; always of a game that requires it. */
  runs: z.enum(["optional", "required"]).optional(),
  /** Entries that one player may make. */
  maxEntries: z.int().min(1).max(TOURNAMENT_BOUNDS.entries).default(TOURNAMENT_BOUNDS.entries),
  /** Entries that the tournament takes from all players together. */
  maxSubmissions: z.int().min(1).max(TOURNAMENT_BOUNDS.submissions).default(TOURNAMENT_BOUNDS.submissions),
  prizes: z.array(prizeRange).max(TOURNAMENT_BOUNDS.prizes).default([]),
  /** Whether the result is held, and nothing paid, before an operator has released it. */
  review: z.boolean().optional(),
  /** Further tournaments like this one, each from a time that the pattern names, for as long as this one. */
  series: seriesField.optional(),
});

/** A tournament as an operator defines it. */
export const tournamentDefinition = tournamentFields
  .transform(({ endsAt: given, ...fields }, context) => {
    const endsAt = endOf(fields.startsAt, given, fields.series);
    if (typeof endsAt === "number") return { ...fields, endsAt };
    context.addIssue({ code: "custom", path: ["endsAt"], message: endsAt });
    return z.NEVER;
  })
  .superRefine(({ prizes, maxSubmissions, operator, maxStep }, context) => {
    if (maxStep !== undefined && operator !== "increment")
      context.addIssue({ code: "custom", path: ["maxStep"], message: "goes with the operator increment alone" });
    const message = `must be at most ${maxSubmissions}, for no more players than submissions have a standing`;
    for (const [at, { to }] of prizes.entries())
      if (to > maxSubmissions) context.addIssue({ code: "custom", path: ["prizes", at, "to"], message });
  })
  .refine(({ startsAt, endsAt }) => endsAt - startsAt >= TOURNAMENT_BOUNDS.shortestMs, {
    path: ["endsAt"],
    error: `must be at least ${TOURNAMENT_BOUNDS.shortestMs} ms after startsAt`,
  })
  .refine(({ startsAt, endsAt }) => endsAt - startsAt <= TOURNAMENT_BOUNDS.longestMs, {
    path: ["endsAt"],
    error: `must be at most ${TOURNAMENT_BOUNDS.longestMs} ms after startsAt`,
  });

export type TournamentDefinition = z.output<typeof tournamentDefinition>;

/** What replaces the definition of a tournament, and why. */
export const tournamentCorrection = z.strictObject({
  reason,
  definition: tournamentDefinition.refine(({ series }) => series === undefined, {
    path: ["series"],
    error: "must be left out: a correction is of this tournament alone",
  }),
});
export type TournamentCorrection = z.output<typeof tournamentCorrection>;

/** What is stored: the definition, and what its game allows at this time. */
export function termsOf({ series: next, maxStep, ...definition }: TournamentDefinition, game: Game): TournamentTerms {
  const { precision, minScore, maxScore, submissionsPerMinute } = game;
  const order = definition.order ?? game.order;
  const runs = game.runs === "required" ? game.runs : (definition.runs ?? game.runs);
  const steps = definition.operator === "increment" ? stepsOf(maxStep, game) : {};
  const allowed = { precision, minScore, maxScore, ...steps, submissionsPerMinute };
  return { ...definition, order, runs, ...allowed, series: next ?? null };
}

/** Pools and rankings count a step as a score of its own: it must not be better than the best one that the game allows. */
function stepsOf(
  maxStep: number | undefined,
  { minScore, maxScore, order }: Game,
): Pick<TournamentTerms, "minStep" | "maxStep"> {
  const most = Math.min(maxStep ?? LARGEST_SCORE, maxScore - minScore);
  return order === "desc"
    ? { minStep: -most, maxStep: Math.min(most, maxScore) }
    : { minStep: Math.max(-most, minScore), maxStep: most };
}
