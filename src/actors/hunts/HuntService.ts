import type { Clock } from "../../clock.ts";
import { HUNT_ERRORS } from "../../entities/hunts/errors.ts";
import type { Hunts } from "../../entities/hunts/Hunt.ts";
import { RingmasterError } from "../../errors.ts";
import type { Feed } from "../../stores/feeds/Feed.ts";
import { assignmentIdOf, parseAssignmentId } from "../../stores/hunts/assignments.ts";
import {
  type AssignmentRow,
  type ClueLedger,
  type LedgerView,
  OUTCOME,
  type OwnStanding,
} from "../../stores/hunts/ClueLedger.ts";
import { attemptsLeftOf } from "../../stores/hunts/ledgerRules.ts";
import type { Actors } from "../runtime/Actors.ts";
import type { Log } from "../runtime/ports.ts";
import type { AssignmentJournal } from "./AssignmentJournal.ts";
import { matches } from "./answers.ts";
import { ClaimQueue } from "./ClaimQueue.ts";
import { Departures } from "./Departures.ts";
import type { FiguresReader } from "./FiguresReader.ts";
import { HuntActor } from "./HuntActor.ts";
import type { ClueCard } from "./HuntView.ts";
import { LedgerCommitter } from "./LedgerCommitter.ts";
import { type OpenHunt, type OpenHunts, openHunts } from "./OpenHunt.ts";
import { REVOKED, SERVED, VIEW } from "./signals.ts";

/** With `exhausted` nothing is left for the player, nor will be: they do not wait, and `position` is 0. */
export type ClaimAnswer = ClueCard | { waiting: true; position: number; exhausted?: true };

export interface SolveAnswer {
  correct: boolean;
  /** Won by this answer. */
  points: number;
  /** All points of the player in this hunt. */
  total: number;
  attemptsLeft: number;
}

/** An answer of a player's. */
export interface HuntSolution {
  assignmentId: string;
  answer: string;
  /** The player's own name of it: what was not answered is sent again with the same one. */
  requestId?: string | undefined;
}

/** Somebody in a room of this node. */
export interface HuntPlayer {
  playerId: string;
  name: string;
}

export interface ServicePorts {
  actors: Actors;
  hunts: Hunts;
  ledger: ClueLedger;
  journal: AssignmentJournal;
  figures: FiguresReader;
  feed: Feed;
  clock: Clock;
  log: Log;
  /** The hunt's pool and queue, for the metrics; called with every new view. */
  setGauges(huntId: string, pool: number, waiting: number): void;
  removeGauges(huntId: string): void;
}

/**
 * The hunts of this node: decides claims and solves in the ledger, commits each decision to MySQL before anybody hears of it,
 * and tells the rooms what comes from elsewhere.
 */
export class HuntService {
  readonly #ports: ServicePorts;
  readonly #committer: LedgerCommitter;
  /** The hunts that have rooms here. A room joins its hunt, and hands it on with all that it asks for. */
  readonly views: OpenHunts;
  /** The claims of this node's players that wait. */
  readonly queue: ClaimQueue;
  /** The clues of players who leave for good. */
  readonly departures: Departures;

  constructor(ports: ServicePorts) {
    this.#ports = ports;
    this.#committer = new LedgerCommitter(ports);
    const { peers } = ports.actors;
    this.views = openHunts({
      ...ports,
      expire: (hunt) => this.#committer.expire(hunt),
      load: (hunt) => this.#committer.load(hunt),
      onLedger: (hunt, view, isOwn) => {
        ports.setGauges(hunt.id, view.pool, view.waiting);
        if (isOwn) peers.signalAll(VIEW, { huntId: hunt.id, view });
        this.#onView(hunt, view, isOwn);
      },
    });
    const { views } = this;
    this.queue = new ClaimQueue({ ...ports, views, claim: (hunt, player) => this.claim(hunt, player) });
    this.departures = new Departures({ ...ports, committer: this.#committer, views });
    peers.onSignal(SERVED, (payload) => this.#onServed(payload as { huntId: string; rows: AssignmentRow[] }));
    peers.onSignal(REVOKED, (payload) => this.#onRevoked(payload as { huntId: string; rows: AssignmentRow[] }));
    peers.onSignal(VIEW, (payload) => {
      const { huntId, view } = payload as { huntId: string; view: LedgerView };
      this.views.at(huntId, (hunt) => hunt.refresh.take(view));
    });
  }

  /**
   * Gives the player a clue, or a place in the queue. Durable when it resolves. Throws `rate_limited`, with `details.retryAfterMs`,
   * where the hunt has its players pause between clues.
   */
  async claim(hunt: OpenHunt, player: HuntPlayer): Promise<ClaimAnswer> {
    hunt.requireOpen();
    hunt.requireSolving();
    const nodeId = this.#ports.actors.peers.nodeId;
    // Before the decision: a claim that is served at once elsewhere must find its player waiting here.
    const before = hunt.waiting.get(player.playerId);
    const claim = { name: player.name, isTold: false, isAway: false, position: 0 };
    hunt.waiting.set(player.playerId, claim);
    const decision = await this.#committer
      .decide(hunt, () =>
        this.#ports.ledger.claim(hunt.key, {
          playerId: player.playerId,
          playerName: player.name,
          nodeId,
          now: hunt.timeAt(this.#ports.clock.now()),
        }),
      )
      .catch((error: unknown) => {
        if (before) hunt.waiting.set(player.playerId, before);
        else hunt.waiting.delete(player.playerId);
        throw error;
      });
    if (decision.kind === "waiting") {
      // Served between the decision and here: the place in the queue is history, and claiming again gives the clue.
      if (!hunt.waiting.has(player.playerId) && hunt.seats(player.playerId)) return this.claim(hunt, player);
      claim.isTold = true;
      claim.position = decision.position;
      if (before === undefined) {
        this.queue.notifyWaits(hunt, player);
        // The others have not asked.
        if (hunt.connections(player.playerId) > 1) hunt.positions.notify(player.playerId);
      }
      return { waiting: true, position: decision.position };
    }
    hunt.waiting.delete(player.playerId);
    if (decision.kind === "exhausted") return { waiting: true, position: 0, exhausted: true };
    if (decision.kind === "cooling") throw tooSoon(decision.until - hunt.timeAt(this.#ports.clock.now()));
    return hunt.cardOf(decision.row);
  }

  /** Applies an answer to the player's open assignment, once by its `requestId`. Durable when it resolves. */
  async solve(
    hunt: OpenHunt,
    player: HuntPlayer,
    { assignmentId, answer, requestId }: HuntSolution,
  ): Promise<SolveAnswer> {
    hunt.requireOpen();
    hunt.requireSolving();
    const named = parseAssignmentId(assignmentId);
    const clue = named && hunt.definition.clues[named.instance % hunt.definition.clues.length];
    if (!clue) throw new RingmasterError(HUNT_ERRORS.unknown_assignment);
    const correct = matches(clue.hashes, hunt.definition.salt, answer);
    const decision = await this.#committer.decide(hunt, () =>
      this.#ports.ledger.solve(hunt.key, {
        playerId: player.playerId,
        assignmentId,
        correct,
        requestId,
        now: hunt.timeAt(this.#ports.clock.now()),
      }),
    );
    switch (decision.kind) {
      case "unknown":
        throw new RingmasterError(HUNT_ERRORS.unknown_assignment);
      case "solved":
        return {
          correct: true,
          points: decision.row.points,
          total: decision.total,
          attemptsLeft: attemptsLeftOf(hunt.definition, decision.row),
        };
      case "wrong":
        return { correct: false, points: 0, total: decision.total, attemptsLeft: decision.attemptsLeft };
      case "revoked":
        hunt.notifyRevoked(player.playerId, assignmentId);
        if (decision.row.outcome === OUTCOME.expired)
          throw new RingmasterError(HUNT_ERRORS.unknown_assignment, "The time for this clue is over.");
        return { correct: false, points: 0, total: decision.total, attemptsLeft: 0 };
    }
  }

  /**
   * Takes back a clue that the player wants no more: it goes to whoever waits. Durable when it resolves. Throws `unknown_assignment` when
   * it is not theirs to give.
   */
  async giveBack(hunt: OpenHunt, playerId: string, assignmentId: string): Promise<{ returned: true }> {
    hunt.requireOpen();
    hunt.requireSolving();
    const { ledger, clock } = this.#ports;
    const decision = await this.#committer.decide(hunt, () =>
      ledger.giveBack(hunt.key, { playerId, assignmentId, now: hunt.timeAt(clock.now()) }),
    );
    if (decision.kind !== "revoked") throw new RingmasterError(HUNT_ERRORS.unknown_assignment);
    this.#ports.actors.peers.signalAll(REVOKED, { huntId: hunt.id, rows: [decision.row] });
    return { returned: true };
  }

  /** Where the player stands, or came in a hunt that is over. */
  async standing(hunt: OpenHunt, playerId: string): Promise<OwnStanding> {
    const { hunts, ledger } = this.#ports;
    if (!hunt.isInLedger) return hunts.result(hunt.id, playerId);
    const { rank, points } = await this.#committer.read(hunt, () => ledger.standing(hunt.key, playerId));
    return { rank, points };
  }

  /** To be called after an outage of the shared memory, in which the event of a phase may have been lost. */
  refresh(): void {
    this.views.refresh();
  }

  /** Commits what is buffered, for a drain. */
  async flush(): Promise<void> {
    this.queue.stop();
    await this.#ports.journal.flush();
  }

  #onServed({ huntId, rows }: { huntId: string; rows: AssignmentRow[] }): void {
    this.views.at(huntId, (hunt) => {
      for (const row of rows) hunt.serve(row.playerId, hunt.cardOf(row));
    });
  }

  #onRevoked({ huntId, rows }: { huntId: string; rows: AssignmentRow[] }): void {
    this.views.at(huntId, (hunt) => {
      for (const row of rows) hunt.notifyRevoked(row.playerId, assignmentIdOf(row));
      hunt.refresh.touch();
    });
  }

  /** Once every clue is solved, who waits hears so at once, and the hunt may be over. Whoever has read it says so to the hunt's actor. */
  #onView(hunt: OpenHunt, view: LedgerView, isOwn: boolean): void {
    hunt.positions.known(view);
    const { solved } = view;
    if (!hunt.isInLedger || solved < hunt.key.rules.total) return;
    if (!hunt.isExhausted) this.queue.askAgain(hunt);
    hunt.isExhausted = true;
    if (isOwn) void this.#endIfExhausted(hunt);
  }

  /** Where it does not end yet, the next look at the ledger asks again: after a commit, and every 15 seconds. */
  async #endIfExhausted(hunt: OpenHunt): Promise<void> {
    if (!hunt.definition.endWhenExhausted) return;
    try {
      await this.#ports.actors.ref(HuntActor, hunt.id).endIfExhausted();
    } catch (error) {
      this.#ports.log.debug({ err: error, hunt: hunt.id }, "a hunt whose clues are all solved could not be ended yet");
    }
  }
}

function tooSoon(ms: number): RingmasterError {
  const retryAfterMs = Math.max(1, ms);
  return new RingmasterError("rate_limited", "The next clue is not due yet.", { retryAfterMs });
}
