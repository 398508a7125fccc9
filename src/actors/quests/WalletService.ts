import type { Clock, Rng } from "../../clock.ts";
import { databaseError } from "../../entities/failures.ts";
import { linksOf, type PlayerLinks, type WalletChallenge, WalletChallenges } from "../../entities/players/Wallet.ts";
import { QUEST_ERRORS } from "../../entities/quests/errors.ts";
import type { Database } from "../../entities/sql.ts";
import { RingmasterError } from "../../errors.ts";
import { invalidPayload } from "../../validate.ts";
import type { Actors } from "../runtime/Actors.ts";
import { QuestActor } from "./QuestActor.ts";
import { partOf } from "./rules.ts";
import type { WalletVerifier } from "./walletProof.ts";

export interface WalletServicePorts {
  actors: Actors;
  database: Database;
  clock: Clock;
  rng: Rng;
  verifiers: readonly WalletVerifier[];
}

/** Time to find one's wallet and sign, in milliseconds. */
export const CHALLENGE_MS = 300_000;
/** Characters of a nonce: 142 bits. */
const NONCE_LENGTH = 24;

/** Connects what players have elsewhere: their wallet, by a signature, and the exchange of their choice. */
export class WalletService {
  readonly #ports: WalletServicePorts;
  readonly #challenges: WalletChallenges;

  constructor(ports: WalletServicePorts) {
    this.#ports = ports;
    this.#challenges = new WalletChallenges(ports.database);
  }

  /** Throws `not_found` when there is no such player. */
  links(playerId: string): Promise<PlayerLinks> {
    return reach(linksOf(this.#ports.database, playerId));
  }

  /** A text for the player's wallet to sign. It names the player, so that nobody else's signature is of use; the one before it is void. */
  async challenge(playerId: string): Promise<WalletChallenge> {
    const { clock, rng } = this.#ports;
    const expiresAt = clock.now() + CHALLENGE_MS;
    const challenge = [
      `Connect this wallet to the player ${playerId} of Ringmaster.`,
      `Nonce: ${rng.id(NONCE_LENGTH)}`,
      `Valid until: ${new Date(expiresAt).toISOString()}`,
    ].join("\n");
    await reach(this.#challenges.open(playerId, { challenge, expiresAt }));
    return { challenge, expiresAt };
  }

  /**
   * Connects the wallet if the signature is that of the player's open challenge. The challenge is used up by the try, whatever
   * comes of it. Throws `no_challenge`, `bad_signature`, `conflict` when the wallet is another player's or the player has
   * another one, and `invalid_payload` for an address of no known form.
   */
  async connect(playerId: string, address: string, signature: string): Promise<void> {
    const { clock, verifiers } = this.#ports;
    const verifier = verifiers.find((each) => each.accepts(address));
    if (!verifier) throw invalidPayload([{ path: "address", message: "must be an Ed25519 public key in hexadecimal" }]);
    const open = await reach(this.#challenges.take(playerId));
    if (!open || open.expiresAt <= clock.now()) throw new RingmasterError(QUEST_ERRORS.no_challenge);
    if (!verifier.holds({ address, signature, challenge: open.challenge }))
      throw new RingmasterError(QUEST_ERRORS.bad_signature);
    await this.#part(playerId).connectWallet(playerId, address);
  }

  /** Does nothing when there is none. */
  async disconnect(playerId: string): Promise<void> {
    await this.#part(playerId).disconnectWallet(playerId);
  }

  async chooseExchange(playerId: string, exchange: string): Promise<void> {
    await this.#part(playerId).chooseExchange(playerId, exchange);
  }

  #part(playerId: string) {
    return this.#ports.actors.ref(QuestActor, partOf(playerId));
  }
}

function reach<T>(call: Promise<T>): Promise<T> {
  return call.catch((error: unknown) => {
    throw databaseError(error);
  });
}
