import { type SchemaType, schema, t } from "@colyseus/schema";

/** One row of the standings. */
export const ScoreRow = schema(
  {
    rank: t.uint32(),
    playerId: t.string(),
    name: t.string(),
    score: t.float64(),
    subscore: t.int32().default(0),
  },
  "ScoreRow",
);
export type ScoreRow = SchemaType<typeof ScoreRow>;

/** What every client of a tournament sees: the phase, the top ten, the result; nothing per player, so it stays small at any size. */
export const TournamentRoomState = schema(
  {
    tournamentId: t.string().default(""),
    name: t.string().default(""),
    game: t.string().default(""),
    phase: t.string().default("scheduled"),
    /** Epoch milliseconds, like all times here. */
    startsAt: t.float64().default(0),
    /** When the open phase ends, or did. */
    endsAt: t.float64().default(0),
    /** When the phase ends by itself; 0 while it settles and once it is over. */
    phaseEndsAt: t.float64().default(0),
    /** Since when the tournament is paused, and when it goes on at the latest; 0 while it is not paused. */
    pausedAt: t.float64().default(0),
    resumesAt: t.float64().default(0),
    /** Since when the result is held for review; 0 while it is not. */
    reviewSince: t.float64().default(0),
    /** Why the tournament was cancelled; empty where nobody said. */
    cancelReason: t.string().default(""),
    /** Who have a standing, in all rooms of the tournament. */
    players: t.uint32().default(0),
    /** The node's clock at the latest change: clients count down by it. */
    serverNow: t.float64().default(0),
    /** SHA-256 of the result in hex; empty before it is settled. */
    resultHash: t.string().default(""),
    /** What the ranks get, as JSON: it never changes, and is read as a whole. */
    prizes: t.string().default("[]"),
    top: t.array(ScoreRow),
  },
  "TournamentRoomState",
);
export type TournamentRoomState = SchemaType<typeof TournamentRoomState>;
