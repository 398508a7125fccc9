import type { Clock } from "../../clock.ts";
import type { ClueLedger } from "../../stores/hunts/ClueLedger.ts";
import type { Actors } from "../runtime/Actors.ts";
import type { Log } from "../runtime/ports.ts";
import type { HuntTables, Seat } from "./HuntTables.ts";
import type { LedgerClerk } from "./LedgerClerk.ts";
import { HERE, LEFT, REVOKED } from "./signals.ts";

export interface DeparturesPorts {
  actors: Actors;
  ledger: ClueLedger;
  clerk: LedgerClerk;
  tables: HuntTables;
  clock: Clock;
  log: Log;
}

/** Which of these players are connected to the hunt on `from`'s peers? */
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
  /** Those of the players who are connected to the hunt on `from`. */
  here: string[];
}

/** A question under way. */
interface Asked {
  readonly players: Promise<Set<string> | undefined>;
  hear(answer: Answer): void;
}

/** Who left in one turn of the event loop is asked about in one question. */
interface Leaving {
  readonly players: string[];
  readonly gone: Promise<Set<string> | undefined>;
}

/** A node that has not answered by then may have the player, in milliseconds. */
const ANSWER_MS = 3000;

/**
 * Gives back the clue of a player who has left a hunt for good, at once. The player may be connected to it on another node: each live
 * one is asked, and without the answer of all of them the clue stays until its time is over.
 */
export class Departures {
  readonly #ports: DeparturesPorts;
  readonly #asked = new Map<number, Asked>();
  /** By hunt, those of this turn of the event loop. */
  readonly #leaving = new Map<string, Leaving>();
  #questions = 0;

  constructor(ports: DeparturesPorts) {
    this.#ports = ports;
    const { peers } = ports.actors;
    peers.onSignal(LEFT, (payload) => void this.#answer(payload as Question));
    peers.onSignal(HERE, (payload) => this.#asked.get((payload as Answer).question)?.hear(payload as Answer));
  }

  /** A player has left a room of this node for good. Never rejects; resolves when their clue is back, or stays. */
  async left(huntId: string, playerId: string): Promise<void> {
    const { tables, log } = this.#ports;
    try {
      const seat = await tables.find(huntId);
      if (seat?.table.phase !== "solving" || seat.table.seats(playerId)) return;
      const gone = await this.#goneOf(huntId, playerId);
      if (gone?.has(playerId) && !seat.table.seats(playerId)) await this.#giveUp(seat, playerId);
    } catch (error) {
      log.debug({ err: error, hunt: huntId }, "the clue of a player who left stays until its time is over");
    }
  }

  async #giveUp(seat: Seat, playerId: string): Promise<void> {
    const { actors, clerk, clock, ledger } = this.#ports;
    const decision = await clerk.decide(seat, () =>
      ledger.giveUp(seat.table.key, { playerId, now: seat.table.timeAt(clock.now()) }),
    );
    if (decision.kind === "revoked") actors.peers.signalAll(REVOKED, { huntId: seat.table.id, rows: [decision.row] });
  }

  #goneOf(huntId: string, playerId: string): Promise<Set<string> | undefined> {
    const known = this.#leaving.get(huntId);
    if (known) {
      known.players.push(playerId);
      return known.gone;
    }
    const players = [playerId];
    const moment = new Promise<void>((resolve) => void this.#ports.clock.schedule(resolve, 0));
    const gone = moment.then(() => {
      this.#leaving.delete(huntId);
      return this.#ask(huntId, players);
    });
    this.#leaving.set(huntId, { players, gone });
    return gone;
  }

  /** Those of the players who are connected to the hunt nowhere else; `undefined` when some node did not answer. */
  async #ask(huntId: string, players: string[]): Promise<Set<string> | undefined> {
    const { peers, membership } = this.#ports.actors;
    const others = membership.live().flatMap(({ id }) => (id === peers.nodeId ? [] : [id]));
    if (others.length === 0) return new Set(players);
    this.#questions += 1;
    const question = this.#questions;
    const asked = this.#expect(new Set(others), new Set(players));
    this.#asked.set(question, asked);
    for (const nodeId of others)
      peers.signal(nodeId, LEFT, { huntId, from: peers.nodeId, question, players } satisfies Question);
    return await asked.players.finally(() => this.#asked.delete(question));
  }

  #expect(unheard: Set<string>, gone: Set<string>): Asked {
    const { promise, resolve } = Promise.withResolvers<Set<string> | undefined>();
    const cancel = this.#ports.clock.schedule(() => resolve(undefined), ANSWER_MS);
    const hear = ({ from, here }: Answer): void => {
      for (const playerId of here) gone.delete(playerId);
      unheard.delete(from);
      if (unheard.size > 0) return;
      cancel();
      resolve(gone);
    };
    return { players: promise, hear };
  }

  async #answer({ huntId, from, question, players }: Question): Promise<void> {
    const { actors, tables } = this.#ports;
    const seat = await tables.find(huntId).catch(() => undefined);
    const here = players.filter((playerId) => seat?.table.seats(playerId));
    actors.peers.signal(from, HERE, { question, from: actors.peers.nodeId, here } satisfies Answer);
  }
}
