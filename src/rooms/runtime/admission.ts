import type { AuthContext } from "@colyseus/core";
import { z } from "zod";
import { RingmasterError } from "../../errors.ts";
import { type Identity, mayActAs, type Role } from "../../http/auth/identity.ts";
import { validate } from "../../validate.ts";
import { PlayerLimits } from "./PlayerLimits.ts";
import { type RoomServices, roomServices } from "./services.ts";

/** Who may join a room, and with which options. */
export interface Admission<S extends z.ZodType, R extends RoomServices> {
  /** The least role that may join. */
  role: Role;
  /** The shape of the join options; anything goes unless given. */
  options?: S;
  /** Throws when what the options name cannot be joined. Runs on the node that was asked, before a room is looked for. */
  check?(options: z.output<S>, identity: Identity, services: R): Promise<void>;
}

/** What asks who joins a room, as Colyseus calls it. */
export interface OnAuth {
  (token: string, options: unknown, context: AuthContext): Promise<Identity>;
  /** The least role that may join. */
  readonly role: Role;
}

/**
 * The `static onAuth` of a room: `static override onAuth = admit({ role: "player" })`. Verifies the token and the options before
 * a room is looked for; the identity becomes `client.auth`. Throws `unauthenticated`, `forbidden`, `invalid_payload` or what
 * `check` throws. (Colyseus calls it without its class, so it takes the rules with it.)
 */
export function admit<S extends z.ZodType = z.ZodUnknown, R extends RoomServices = RoomServices>({
  role,
  options: schema,
  check,
}: Admission<S, R>): OnAuth {
  async function onAuth(token: unknown, options: unknown): Promise<Identity> {
    const services = roomServices<R>(onAuth);
    if (typeof token !== "string") throw new RingmasterError("unauthenticated");
    const identity = await services.verify(token);
    PlayerLimits.of(services).check(identity);
    if (!mayActAs(identity.role, role)) throw new RingmasterError("forbidden");
    const valid = validate(schema ?? z.unknown(), options) as z.output<S>;
    await check?.(valid, identity, services);
    return identity;
  }
  return Object.assign(onAuth, { role });
}
