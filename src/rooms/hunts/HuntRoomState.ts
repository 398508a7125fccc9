import { type SchemaType, schema, t } from "@colyseus/schema";

/** One row of the standings. */
export const StandingRow = schema(
  {
    rank: t.uint32(),
    playerId: t.string(),
    name: t.string(),
    points: t.uint32(),
  },
  "StandingRow",
);
export type StandingRow = SchemaType<typeof StandingRow>;

/** What every client of a hunt sees: the phase, counts and the top ten; nothing per player, so it stays small at any size. */
export const HuntRoomState = schema(
  {
    huntId: t.string().default(""),
    name: t.string().default(""),
    phase: t.string().default("scheduled"),
    /** When the phase ends, in epoch milliseconds; 0 once the hunt is over. */
    endsAt: t.float64().default(0),
    startsAt: t.float64().default(0),
    /** Since when the hunt is paused, and when it goes on at the latest; 0 while it is not paused. */
    pausedAt: t.float64().default(0),
    resumesAt: t.float64().default(0),
    /** Since when the result is held for review; 0 while it is not. */
    reviewSince: t.float64().default(0),
    /** Why the hunt was cancelled; empty where nobody said. */
    cancelReason: t.string().default(""),
    /** Players who were ever given a clue, in all rooms of the hunt. */
    players: t.uint32().default(0),
    /** Clues that somebody holds right now. */
    open: t.uint32().default(0),
    solved: t.uint32().default(0),
    /** Clues there will ever be. */
    total: t.uint32().default(0),
    /** Claims that wait for a clue. */
    waiting: t.uint32().default(0),
    /** The node's clock at the latest change, in epoch milliseconds: clients count down by it. */
    serverNow: t.float64().default(0),
    top: t.array(StandingRow),
  },
  "HuntRoomState",
);
export type HuntRoomState = SchemaType<typeof HuntRoomState>;
