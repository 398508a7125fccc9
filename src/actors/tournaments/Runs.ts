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
  /** Names what is submitted: 16 of `[0-9A-Za-z]`, unlike those of all other runs. */
  id: string;
  seed: number;
  begunAt: number;
}

const RUN = /^([0-9a-z]{1,9})\.([0-9A-Za-z]{16})\.[\w-]{43}$/;

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

  /** A new run, from `now` on (epoch milliseconds). */
  begin(tournamentId: string, playerId: string, now: number): BegunRun {
    return this.#signed(tournamentId, playerId, now, this.#rng.id());
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
    // None of the parts can contain a line feed.
    const text = `run\n${tournamentId}\n${playerId}\n${at}\n${id}`;
    const signature = createHmac("sha256", this.#key).update(text).digest();
    const run = `${at.toString(36)}.${id}.${signature.toString("base64url")}`;
    return { run, seed: signature.readUInt32BE(0), at };
  }
}
