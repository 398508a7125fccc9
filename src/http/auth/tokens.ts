import { createSecretKey, type KeyObject } from "node:crypto";
import { type JWTPayload, jwtVerify, SignJWT } from "jose";
import { z } from "zod";
import type { Clock } from "../../clock.ts";
import { RingmasterError } from "../../errors.ts";
import { IDENTITY_BOUNDS, type Identity, ROLES } from "./identity.ts";

/** A player's token outlives a weekend event; with the next sign-in comes the next one. */
export const PLAYER_TOKEN_MS = 7 * 24 * 3_600_000;

/** An operator's token lasts a shift, for it cannot be revoked. */
export const OPERATOR_TOKEN_MS = 12 * 3_600_000;

const ALGORITHM = "HS256";
const ISSUER = "ringmaster";
const AUDIENCE = "ringmaster";

/** Ours have some 300 characters; what is longer is not worth a hash. */
const LONGEST_TOKEN = 2048;

const claims = z.object({
  sub: z.string().min(1).max(IDENTITY_BOUNDS.id),
  name: z.string().max(IDENTITY_BOUNDS.name),
  role: z.enum(ROLES),
  exp: z.number(),
});

/** Issues and verifies the JSON Web Tokens (HS256) that players and operators sign in with. */
export class Tokens {
  readonly #key: KeyObject;
  readonly #clock: Clock;

  /** `secret` has at least 32 characters and is the same on every node. */
  constructor(secret: string, clock: Clock) {
    this.#key = createSecretKey(Buffer.from(secret));
    this.#clock = clock;
  }

  /** A token for `identity` that expires in `ttlMs` milliseconds. */
  issue(identity: Identity, ttlMs: number): Promise<string> {
    const now = this.#clock.now();
    return new SignJWT({ name: identity.name, role: identity.role })
      .setProtectedHeader({ alg: ALGORITHM })
      .setSubject(identity.playerId)
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setIssuedAt(new Date(now))
      .setExpirationTime(new Date(now + ttlMs))
      .sign(this.#key);
  }

  /** Who the token speaks for. Throws `unauthenticated` for anything but a token of ours that has not expired. */
  async verify(token: string): Promise<Identity> {
    const { sub, name, role, exp } = parseClaims(await this.#payload(token));
    return { playerId: sub, name, role, expiresAt: exp * 1000 };
  }

  async #payload(token: string): Promise<JWTPayload> {
    if (token.length > LONGEST_TOKEN) throw new RingmasterError("unauthenticated");
    try {
      const { payload } = await jwtVerify(token, this.#key, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: AUDIENCE,
        requiredClaims: ["sub", "iat", "exp"],
        currentDate: new Date(this.#clock.now()),
      });
      return payload;
    } catch (cause) {
      throw new RingmasterError("unauthenticated", undefined, undefined, { cause });
    }
  }
}

function parseClaims(payload: JWTPayload): z.output<typeof claims> {
  const parsed = claims.safeParse(payload);
  if (!parsed.success) throw new RingmasterError("unauthenticated");
  return parsed.data;
}
