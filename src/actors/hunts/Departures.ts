import { type Clock, sleep } from "../../clock.ts";
import type { ClueLedger } from "../../stores/hunts/ClueLedger.ts";
import { DECISION_DEADLINE_MS } from "../events/RetryDeadline.ts";
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
  /** Those of the players who have a seat at the hunt on `from`. Whoever comes in later is told of in another answer. */
  here: string[];
}

/** A question under way. */
interface Asked {
  /** Who comes in afterwards is taken out of the set. */
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
/** By then every clue in question is given back, or stays: until then nodes say who has come in since they answered. In milliseconds. */
const SETTLED_MS = ANSWER_MS + DECISION_DEADLINE_MS;

/**
 * Gives back the clue of a player who has left a hunt for good, at once. The player may have a seat at it on another node, a connected one or one that
 * is kept for them: each live node is asked, and without the answer of all of them the clue stays until its time is over. A node that has
 * answered says so when the player comes in there later: the slowest node may answer long after it.
 */
export class Departures {
  readonly #ports: DeparturesPorts;
  readonly #asked = new Map<number, Asked>();
  /** By hunt, those of this turn of the event loop. */
  readonly #leaving = new Map<OpenHunt, Leaving>();
  /** By hunt and player, the questions of others to which the answer was that the player is not here. */
  readonly #absent = new Map<string, Set<Question>>();
  #questions = 0;

  constructor(ports: DeparturesPorts) {
    this.#ports = ports;
    const { peers } = ports.actors;
    peers.onSignal(LEFT, (payload) => void this.#answer(payload as Question));
    peers.onSignal(HERE, (payload) => this.#asked.get((payload as Answer).question)?.hear(payload as Answer));
  }

  /** A player has left a room of this node for good. Never rejects; resolves when their clue is back, or stays. */
  async left(hunt: OpenHunt, playerId: string): Promise<void> {
    try {
      if (hunt.phase !== "solving" || hunt.keeps(playerId)) return;
      const gone = await this.#goneOf(hunt, playerId);
      if (gone) await this.#giveUp(hunt, playerId, gone);
    } catch (error) {
      this.#ports.log.debug(
        { err: error, hunt: hunt.id },
        "the clue of a player who left stays until its time is over",
      );
    }
  }

  /** A player has come into a room of this node: whoever was told that they are not here hears that they are. */
  cameIn(hunt: OpenHunt, playerId: string): void {
    for (const question of this.#absent.get(keyOf(hunt.id, playerId)) ?? []) this.#reply(question, [playerId]);
  }

  async #giveUp(hunt: OpenHunt, playerId: string, gone: ReadonlySet<string>): Promise<void> {
    const { actors, committer, clock, ledger } = this.#ports;
    const decision = await committer.decide(hunt, async () => {
      // Each time it is asked: they may have come back while a lost ledger was loaded.
      if (!gone.has(playerId) || hunt.keeps(playerId)) return { kind: "unknown" };
      return await ledger.giveUp(hunt.key, { playerId, now: hunt.timeAt(clock.now()) });
    });
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
    const asked = this.#expect(new Set(others), new Set(players));
    this.#asked.set(question, asked);
    for (const nodeId of others)
      peers.signal(nodeId, LEFT, { huntId, from: peers.nodeId, question, players } satisfies Question);
    this.#ports.clock.schedule(() => this.#asked.delete(question), SETTLED_MS);
    return await asked.players;
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

  async #answer(question: Question): Promise<void> {
    const { huntId, players } = question;
    const hunt = await this.#ports.views.find(huntId).catch(() => undefined);
    const isHere = (playerId: string): boolean => hunt?.keeps(playerId) ?? false;
    this.#watch(
      question,
      players.filter((playerId) => !isHere(playerId)),
    );
    this.#reply(question, players.filter(isHere));
  }

  /** Keeps in mind who was not here. */
  #watch(question: Question, players: readonly string[]): void {
    const keys = players.map((playerId) => keyOf(question.huntId, playerId));
    for (const key of keys) {
      const questions = this.#absent.get(key);
      if (questions) questions.add(question);
      else this.#absent.set(key, new Set([question]));
    }
    this.#ports.clock.schedule(() => {
      for (const key of keys) {
        const questions = this.#absent.get(key);
        questions?.delete(question);
        if (questions?.size === 0) this.#absent.delete(key);
      }
    }, SETTLED_MS);
  }

  #reply({ from, question }: Question, here: string[]): void {
    const { peers } = this.#ports.actors;
    peers.signal(from, HERE, { question, from: peers.nodeId, here } satisfies Answer);
  }
}

function keyOf(huntId: string, playerId: string): string {
  return JSON.stringify([huntId, playerId]);
}
