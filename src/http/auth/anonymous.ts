import type { Request, RequestHandler, Response } from "express";
import { z } from "zod";
import type { Clock, Rng } from "../../clock.ts";
import { validate } from "../../validate.ts";
import { friendlyName, playerName } from "./names.ts";
import { PLAYER_TOKEN_MS, type Tokens } from "./tokens.ts";

/** A player as sign-in stores one; `createdAt` is in epoch milliseconds. */
export interface NewPlayer {
  id: string;
  name: string;
  createdAt: number;
}

/** Where signing in keeps players. */
export interface PlayerDirectory {
  create(player: NewPlayer): Promise<void>;
}

export interface SignInServices {
  players: PlayerDirectory;
  tokens: Tokens;
  clock: Clock;
  rng: Rng;
  /** Resolves in a turn of the event loop that has time for this request's address. */
  inTurn(request: Request): Promise<void>;
}

const body = z.strictObject({ name: playerName.optional() });

/** `POST /auth/anonymous {name?}` → `{token, player: {id, name}}`. Every call makes a new player. */
export function signInAnonymously({ players, tokens, clock, rng, inTurn }: SignInServices): RequestHandler {
  return async (request: Request, response: Response) => {
    const { name = friendlyName(rng) } = validate(body, request.body ?? {});
    const player = { id: rng.id(), name };
    await players.create({ ...player, createdAt: clock.now() });
    // Those who sign in within some milliseconds are stored together; all of their answers in one turn would keep everybody else waiting.
    await inTurn(request);
    const token = await tokens.issue({ playerId: player.id, name, role: "player" }, PLAYER_TOKEN_MS);
    response.json({ token, player });
  };
}
