import { ErrorCode as CoreCode, createAuthContext, matchMaker } from "@colyseus/core";
import { type Request, Router } from "express";
import { z } from "zod";
import { sleep, systemClock } from "../clock.ts";
import { withOutdatedShape } from "../edge/outdated.ts";
import { type ErrorCode, isErrorCode, RingmasterError, toRingmasterError } from "../errors.ts";
import { invalidPayload, validate } from "../validate.ts";
import { BODY_LIMIT, jsonBody } from "./body.ts";

type Options = Record<string, unknown>;
type Method = (name: string, options: Options, context: ReturnType<typeof createAuthContext>) => Promise<object>;

const METHODS = new Map<string, Method>([
  ["joinOrCreate", matchMaker.joinOrCreate],
  ["create", matchMaker.create],
  ["join", matchMaker.join],
  ["joinById", matchMaker.joinById],
  ["reconnect", (roomId, options) => matchMaker.reconnect(roomId, validate(reconnection, options))],
]);

const reconnection = z.looseObject({ reconnectionToken: z.string().min(1).max(256) });
const joinOptions = z.record(z.string(), z.unknown());

/** Names of rooms as they are defined, and ids of rooms as Colyseus makes them. */
const ROOM_NAMES = /^[\w-]{1,64}$/;

/** By which headers Colyseus would let a client choose its own address. */
const FORWARDED = ["x-real-ip", "x-forwarded-for", "x-client-ip"];

/**
 * `POST /:method/:roomName`: what the SDK asks for a seat in a room. Colyseus has a route of its own for this, which reads
 * bodies of any size, believes any client's `X-Forwarded-For`, answers 200 when a room throws a code that is no number, and,
 * given a `Host` that no URL can be made of, rejects where nobody catches it, which ends the process. Errors here are ours.
 */
export function matchmakingRoutes(draining: () => boolean): Router {
  const router = Router();
  router.post("/:method/:roomName", jsonBody(BODY_LIMIT), async (request, response) => {
    const method = METHODS.get(String(request.params.method));
    const roomName = String(request.params.roomName);
    if (method === undefined || !ROOM_NAMES.test(roomName)) throw new RingmasterError("not_found");
    const options = parseOptions(request.body);
    const taken = await seat(() => method(roomName, options, authContext(request)), draining);
    response.json(withOutdatedShape(taken));
  });
  return router;
}

/** Milliseconds before a place is looked for again that another node was found to have no more, each time twice as long. */
const AGAIN_MS = 100;
/** A node that drains has told all others by then that it does. */
const MOST_TRIES = 5;

/**
 * Seats a player. What fails because this node began to drain meanwhile is `draining`, however it shows: rooms are closing, and
 * what they need with them. A room that was to be on a peer which drains is looked for again.
 */
async function seat(take: () => Promise<object>, draining: () => boolean): Promise<object> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await take();
    } catch (thrown) {
      const error = fromMatchMaker(thrown);
      const { code, status } = toRingmasterError(error);
      if (draining() && status >= 500) throw new RingmasterError("draining", undefined, undefined, { cause: thrown });
      if (code !== "draining" || tries === MOST_TRIES) throw error;
      await sleep(systemClock, AGAIN_MS * 2 ** (tries - 1));
    }
  }
}

function parseOptions(body: unknown = {}): Options {
  const options = validate(joinOptions, body);
  // Colyseus calls `hasOwnProperty` on these, and copies them key by key into a plain object.
  const inherited = Object.keys(body as object).find((key) => key in Object.prototype);
  if (inherited !== undefined) throw invalidPayload([{ path: inherited, message: "must not be named so" }]);
  return options;
}

/** What a room's `onAuth` gets; its `ip` is the one that we ourselves believe. */
function authContext(request: Request): ReturnType<typeof createAuthContext> {
  const headers = Object.fromEntries(
    Object.entries(request.headers)
      .filter(([name]) => !FORWARDED.includes(name))
      .map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : value]),
  );
  return createAuthContext({ headers, ...(request.ip === undefined ? {} : { remoteAddress: request.ip }) });
}

/** Colyseus's own codes. What it calls unhandled may hold anything, so it is `internal` and its text stays here. */
const CORE_CODES = new Map<unknown, ErrorCode>([
  [CoreCode.MATCHMAKE_NO_HANDLER, "not_found"],
  [CoreCode.MATCHMAKE_INVALID_CRITERIA, "not_found"],
  [CoreCode.MATCHMAKE_INVALID_ROOM_ID, "not_found"],
  [CoreCode.MATCHMAKE_EXPIRED, "not_found"],
  [CoreCode.AUTH_FAILED, "unauthenticated"],
  [CoreCode.INVALID_PAYLOAD, "invalid_payload"],
]);

function fromMatchMaker(thrown: unknown): unknown {
  const { code, message } = codeAndMessage(thrown);
  const options = { cause: thrown };
  // A room's own error. Colyseus keeps its code and message; from another node they may come as a plain object.
  if (isErrorCode(code)) {
    const details = thrown instanceof RingmasterError ? thrown.details : undefined;
    // Between nodes, messages begin with the code.
    const text = message.startsWith(`${code}: `) ? message.slice(code.length + 2) : message;
    return new RingmasterError(code, text, details, options);
  }
  const known = CORE_CODES.get(code);
  if (known !== undefined) return new RingmasterError(known, message, undefined, options);
  // The class is not exported: every seat was taken while we asked, or the room's node went away.
  if (thrown instanceof Error && thrown.constructor.name === "SeatReservationError") {
    return new RingmasterError("unavailable", "No seat was free; try again in a moment.", undefined, options);
  }
  return thrown;
}

function codeAndMessage(thrown: unknown): { code: unknown; message: string } {
  if (typeof thrown !== "object" || thrown === null) return { code: undefined, message: "" };
  const { code, message } = thrown as { code?: unknown; message?: unknown };
  return { code, message: String(message) };
}
