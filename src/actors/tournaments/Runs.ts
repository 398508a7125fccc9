import { createHmac, createSecretKey, hkdfSync, type KeyObject, timingSafeEqual } from "node:crypto";
import type { Rng } from "../../clock.ts";

/** A run as it is told to who begins it. */
export interface BegunRun {
  /** To be sent along with what came of it. */
  run: string;
  /** 32 bits, for a game whose runs follow from their seed and what its player did. */
  seed: number;
  /** When it began, in epoch milliseconds of the server. */
  at: number;
}

/** A run that somebody has sent back. */
export interface Run {
  /** Names what is submitted: 16 of `[0-9A-Za-z]`, or `r` and 16 of `[\w-]`; unlike those of all other runs. */
  id: string;
  seed: number;
  begunAt: number;
}

const RUN = /^([0-9a-z]{1,9})\.([0-9A-Za-z]{16}|r[\w-]{16})\.[\w-]{43}$/;
/** An id that follows from its request is longer than one that is drawn. */
const DRAWN_ID = 16;

/**
 * Begins runs and knows them again. The server signs a run (HMAC-SHA-256) and keeps nothing of it: it is good on every node with the
 * same secret, also after a restart, for its player and tournament alone. That one counts once is due to its id, which names the
 * submission.
 */
export class Runs {
  readonly #key: KeyObject;
  readonly #rng: Pick<Rng, "id">;

  /** `secret` is the same on every node. */
  constructor(secret: string, rng: Pick<Rng, "id">) {
    // A key of its own, so that nothing signed here can stand for a token, nor a token for a run.
    this.#key = createSecretKey(Buffer.from(hkdfSync("sha256", secret, "", "ringmaster runs", 32)));
    this.#rng = rng;
  }

  /**
   * A new run, from `now` on (epoch milliseconds). Asked for again by the same `requestId` of this player's in this tournament, it is the same
   * run, of the same id and seed, which counts once, and begins at the later time.
   */
  begin(tournamentId: string, playerId: string, now: number, requestId?: string): BegunRun {
    const id =
      requestId === undefined
        ? this.#rng.id()
        : `r${this.#mac("request", tournamentId, playerId, requestId).toString("base64url").slice(0, DRAWN_ID)}`;
    return this.#signed(tournamentId, playerId, now, id);
  }

  /** The run, or `undefined` for what this server has not begun for this player in this tournament. */
  read(tournamentId: string, playerId: string, run: string): Run | undefined {
    const [, time, id] = RUN.exec(run) ?? [];
    if (time === undefined || id === undefined) return undefined;
    const expected = this.#signed(tournamentId, playerId, Number.parseInt(time, 36), id);
    // Whole texts, so that a run has one form only.
    const [given, signed] = [Buffer.from(run), Buffer.from(expected.run)];
    if (given.length !== signed.length || !timingSafeEqual(given, signed)) return undefined;
    return { id, seed: expected.seed, begunAt: expected.at };
  }

  #signed(tournamentId: string, playerId: string, at: number, id: string): BegunRun {
    const signature = this.#mac("run", tournamentId, playerId, String(at), id);
    const run = `${at.toString(36)}.${id}.${signature.toString("base64url")}`;
    // Of a run that may be begun again, the seed does not follow from the time.
    const seeded = id.length === DRAWN_ID ? signature : this.#mac("seed", tournamentId, playerId, id);
    return { run, seed: seeded.readUInt32BE(0), at };
  }

  /** None of the parts can contain a line feed. */
  #mac(...parts: string[]): Buffer {
    return createHmac("sha256", this.#key).update(parts.join("\n")).digest();
  }
}
