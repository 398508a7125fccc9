import { type Clock, sleep } from "../../clock.ts";
import type { ClueLedger } from "../../stores/hunts/ClueLedger.ts";
import type { Actors } from "../runtime/Actors.ts";
import type { Log } from "../runtime/ports.ts";
import type { LedgerCommitter } from "./LedgerCommitter.ts";
import type { OpenHunt, OpenHunts } from "./OpenHunt.ts";
import { HERE, LEFT, REVOKED } from "./signals.ts";

export interface DeparturesPorts {
  actors: Actors;
  ledger: ClueLedger;
  committer: LedgerCommitter;
  views: OpenHunts;
  clock: Clock;
  log: Log;
}

/** Which of these players have a seat at the hunt on `from`'s peers? */
interface Question {
  huntId: string;
  from: string;
  /** Numbers the questions of a node. */
  question: number;
  players: string[];
}

interface Answer {
  question: number;
  from: string;
  /** Those of the players who have a seat at the hunt on `from`. Whoever comes in later says so to the ledger (`ClueLedger.attend`). */
  here: string[];
}

/** Who left in one turn of the event loop is asked about in one question. */
interface Leaving {
  readonly players: string[];
  readonly gone: Promise<Set<string> | undefined>;
}

/** A node that has not answered by then may have the player, in milliseconds. */
const ANSWER_MS = 3000;

/**
 * Gives back the clue of a player who has left a hunt for good, at once:
 *
 *     mark the assignment in the ledger ─► ask each live node for a seat of theirs ─► revoke it, if the mark still stands
 *
 * A seat on another node, connected or kept for them, is either there when that node is asked, or was taken after the mark, and coming in
 * clears it. So whoever comes back before the revocation is decided keeps the clue, however slowly nodes answer. Without the answers of all
 * of them, or where the ledger was lost in between, the clue stays until its time is over.
 */
export class Departures {
  readonly #ports: DeparturesPorts;
  /** Questions under way: what is to be done with an answer. */
  readonly #asked = new Map<number, (answer: Answer) => void>();
  /** By hunt, those of this turn of the event loop. */
  readonly #leaving = new Map<OpenHunt, Leaving>();
  #questions = 0;

  constructor(ports: DeparturesPorts) {
    this.#ports = ports;
    const { peers } = ports.actors;
    peers.onSignal(LEFT, (payload) => void this.#answer(payload as Question));
    peers.onSignal(HERE, (payload) => this.#asked.get((payload as Answer).question)?.(payload as Answer));
  }

  /** A player has left a room of this node for good. Never rejects; resolves when their clue is back, or stays. */
  async left(hunt: OpenHunt, playerId: string): Promise<void> {
    try {
      if (hunt.phase !== "solving" || hunt.keeps(playerId)) return;
      const { committer, ledger } = this.#ports;
      const token = crypto.randomUUID();
      const { isMarked } = await committer.decide(hunt, () => ledger.depart(hunt.key, playerId, token));
      if (!isMarked || hunt.keeps(playerId)) return;
      const gone = await this.#goneOf(hunt, playerId);
      if (gone?.has(playerId) && !hunt.keeps(playerId)) await this.#giveUp(hunt, playerId, token);
    } catch (error) {
      this.#ports.log.debug(
        { err: error, hunt: hunt.id },
        "the clue of a player who left stays until its time is over",
      );
    }
  }

  async #giveUp(hunt: OpenHunt, playerId: string, token: string): Promise<void> {
    const { actors, committer, clock, ledger } = this.#ports;
    const decision = await committer.decide(hunt, () =>
      ledger.giveUp(hunt.key, { playerId, token, now: hunt.timeAt(clock.now()) }),
    );
    if (decision.kind === "revoked") actors.peers.signalAll(REVOKED, { huntId: hunt.id, rows: [decision.row] });
  }

  #goneOf(hunt: OpenHunt, playerId: string): Promise<Set<string> | undefined> {
    const known = this.#leaving.get(hunt);
    if (known) {
      known.players.push(playerId);
      return known.gone;
    }
    const players = [playerId];
    const gone = sleep(this.#ports.clock, 0).then(() => {
      this.#leaving.delete(hunt);
      return this.#ask(hunt.id, players);
    });
    this.#leaving.set(hunt, { players, gone });
    return gone;
  }

  /** Those of the players who have no seat at the hunt anywhere else; `undefined` when some node did not answer. */
  async #ask(huntId: string, players: string[]): Promise<Set<string> | undefined> {
    const { peers, membership } = this.#ports.actors;
    const others = membership.live().flatMap(({ id }) => (id === peers.nodeId ? [] : [id]));
    if (others.length === 0) return new Set(players);
    this.#questions += 1;
    const question = this.#questions;
    const answered = this.#expect(question, new Set(others), new Set(players));
    for (const nodeId of others)
      peers.signal(nodeId, LEFT, { huntId, from: peers.nodeId, question, players } satisfies Question);
    return await answered;
  }

  #expect(question: number, unheard: Set<string>, gone: Set<string>): Promise<Set<string> | undefined> {
    const { promise, resolve } = Promise.withResolvers<Set<string> | undefined>();
    const cancel = this.#ports.clock.schedule(() => end(undefined), ANSWER_MS);
    const end = (result: Set<string> | undefined): void => {
      cancel();
      this.#asked.delete(question);
      resolve(result);
    };
    this.#asked.set(question, ({ from, here }) => {
      for (const playerId of here) gone.delete(playerId);
      unheard.delete(from);
      if (unheard.size === 0) end(gone);
    });
    return promise;
  }

  async #answer({ huntId, from, question, players }: Question): Promise<void> {
    const hunt = await this.#ports.views.find(huntId).catch(() => undefined);
    const here = players.filter((playerId) => hunt?.keeps(playerId));
    const { peers } = this.#ports.actors;
    peers.signal(from, HERE, { question, from: peers.nodeId, here } satisfies Answer);
  }
}
