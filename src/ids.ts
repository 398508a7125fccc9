import { z } from "zod";

/** The ids of players and of events. */
export const ID = /^[0-9A-Za-z_-]{1,32}$/;

/** A client's own name of something that it asks for. No spaces: MySQL would take those that differ in trailing ones for the same. */
export const REQUEST_ID = /^[\x21-\x7e]{1,64}$/;
export const REQUEST_ID_RULE = "must have 1 to 64 printable ASCII characters, no spaces";

/** The id of a `what`: a player, a hunt. */
export function idOf(what: string) {
  return z.string().regex(ID, `must be a ${what}'s id: 1 to 32 of a-z, A-Z, 0-9, _ and -`);
}

/** The same one gets the first answer again. */
export const requestId = z.string().regex(REQUEST_ID, REQUEST_ID_RULE);
