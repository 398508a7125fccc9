import { z } from "zod";
import { EPOCH_BOUNDS } from "../../clock.ts";
import { PERIOD_TYPES } from "../../entities/pools/Pool.ts";
import { RANKING_PERIODS } from "../../entities/pools/Ranking.ts";
import { idOf } from "../../ids.ts";
import { wholeNumber } from "../../validate.ts";

/** Beyond the last row of any answer. */
const LARGEST_OFFSET = 100_000_000;

const rows = wholeNumber(1, 1000).default(100);
const offset = wholeNumber(0, LARGEST_OFFSET);

export const poolPeriod = z.enum(PERIOD_TYPES);
export const rankingPeriod = z.enum(RANKING_PERIODS);
/** Epoch milliseconds. */
export const moment = wholeNumber(0, EPOCH_BOUNDS.latest, "epoch milliseconds");

/** Beyond these nobody can read pools or draws of the past. */
export const MOST_PAST = 100;

/** How many pools or draws of the past. */
export const past = z.strictObject({ limit: wholeNumber(1, MOST_PAST).default(10) });

/** A part of a draw's candidates: whoever verifies it reads all of them. */
export const range = z.strictObject({ limit: rows, offset: offset.default(0) });

/** A part of a ranking, and a time of the day or week that it is to be of. */
export const rankingRange = z
  .strictObject({
    limit: rows,
    offset: offset.optional(),
    around: idOf("player").optional(),
    at: moment.optional(),
  })
  .refine((part) => part.offset === undefined || part.around === undefined, {
    path: ["around"],
    error: "goes without offset",
  })
  .transform(({ limit, offset: after = 0, around, at }) => ({ part: { limit, offset: after, around }, at }));
