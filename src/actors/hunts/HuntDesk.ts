import type { Clock } from "../../clock.ts";
import type { Hunts, Winner } from "../../entities/hunts/Hunt.ts";
import { databaseError, type Sql } from "../../entities/sql.ts";
import { RingmasterError } from "../../errors.ts";
import type { Feed, FeedEvent } from "../../stores/feeds/Feed.ts";
import { type AssignmentJournal, assignmentCounts, standings } from "../../stores/hunts/AssignmentJournal.ts";
import { assignmentIdOf, parseAssignmentId } from "../../stores/hunts/assignments.ts";
import { type AssignmentRow, type ClueLedger, OUTCOME } from "../../stores/hunts/ClueLedger.ts";
import type { Actors } from "../runtime/Actors.ts";
import type { Log } from "../runtime/ports.ts";
import { matches } from "./answers.ts";
import { huntTopic } from "./HuntActor.ts";
import { type ClueCard, type HuntAudience, HuntTable } from "./HuntTable.ts";
import { LedgerClerk, type Seat } from "./LedgerClerk.ts";
import { LedgerPulse, TOP } from "./LedgerPulse.ts";
import { RELOADED, REVOKED, SERVED, VIEW } from "./signals.ts";

export type ClaimAnswer = ClueCard | { waiting: true; position: number };

export interface SolveAnswer {
  correct: boolean;
  /** Won by this answer. */
  points: number;
  /** All points of the player in this hunt. */
  total: number;
  attemptsLeft: number;
}

/** Somebody in a room of this node. */
export interface HuntPlayer {
  playerId: string;
  name: string;
}

export interface DeskPorts {
  actors: Actors;
  hunts: Hunts;
  ledger: ClueLedger;
  journal: AssignmentJournal;
  database: Pick<Sql, "query">;
  feed: Feed;
  clock: Clock;
  log: Log;
  /** The hunt's pool and queue, for the metrics; called with every new view. */
  stands(huntId: string, pool: number, waiting: number): void;
  forget(huntId: string): void;
}

/** Waiting players ask again this often, in case the word of a served claim was lost with its node. */
const ASK_AGAIN_MS = 15_000;

/** A view that no ledger's can replace. */
const FROZEN = { epoch: Number.MAX_SAFE_INTEGER, version: 0, pool: 0, waiting: 0, issued: 0, open: 0, nextExpiry: 0 };

/**
 * The hunts of this node: decides claims and solves in the ledger, commits each decision to MySQL before anybody hears of it,
 * and tells the rooms what comes from elsewhere.
 */
export class HuntDesk {
  readonly #ports: DeskPorts;
  readonly #clerk: LedgerClerk;
  readonly #tables = new Map<string, Promise<Seat>>();
  #cancelAskAgain: () => void = () => {};

  constructor(ports: DeskPorts) {
    this.#ports = ports;
    this.#clerk = new LedgerClerk(ports);
    const { peers, membership } = ports.actors;
    peers.onSignal(SERVED, (payload) => this.#onServed(payload as { huntId: string; rows: AssignmentRow[] }));
    peers.onSignal(REVOKED, (payload) => this.#onRevoked(payload as { huntId: string; rows: AssignmentRow[] }));
    peers.onSignal(RELOADED, (payload) =>
      this.#withTable((payload as { huntId: string }).huntId, (seat) => this.#askAgain(seat)),
    );
    peers.onSignal(VIEW, (payload) => {
      const { huntId, view } = payload as { huntId: string; view: Parameters<HuntTable["show"]>[0] };
      this.#withTable(huntId, (seat) => seat.pulse.take(view));
    });
    membership.on((event) => {
      if (event.type === "gone") this.#everybodyAsksAgain();
    });
    this.#scheduleAskAgain();
  }

  /** Throws `not_found` for an id that no hunt has; asks nobody about a hunt that has rooms here. */
  async requireHunt(huntId: string): Promise<void> {
    if (this.#tables.has(huntId)) return;
    const isKnown = await this.#ports.hunts.has(huntId).catch((error: unknown) => {
      throw databaseError(error);
    });
    if (!isKnown) throw noHunt(huntId);
  }

  /**
   * Seats a room at its hunt: it hears of everything until it leaves. Throws `not_found` for an id that no hunt has.
   */
  async join(huntId: string, room: HuntAudience): Promise<{ table: HuntTable; leave(): void }> {
    const seat = await this.#seat(huntId);
    seat.table.audience.add(room);
    return { table: seat.table, leave: () => this.#leave(huntId, seat, room) };
  }

  /** Gives the player a clue, or a place in the queue. Durable when it resolves. */
  async claim(huntId: string, player: HuntPlayer): Promise<ClaimAnswer> {
    const seat = await this.#seat(huntId);
    const { table } = seat;
    table.requireSolving();
    const nodeId = this.#ports.actors.peers.nodeId;
    // Before the decision: a claim that is served at once elsewhere must find its player waiting here.
    const before = table.waiting.get(player.playerId);
    const claim = { name: player.name, isTold: false };
    table.waiting.set(player.playerId, claim);
    const decision = await this.#clerk
      .decide(seat, () =>
        this.#ports.ledger.claim(table.key, {
          playerId: player.playerId,
          playerName: player.name,
          nodeId,
          now: this.#ports.clock.now(),
        }),
      )
      .catch((error: unknown) => {
        if (before) table.waiting.set(player.playerId, before);
        else table.waiting.delete(player.playerId);
        throw error;
      });
    if (decision.kind === "waiting") {
      // Served between the decision and here: the place in the queue is history, and claiming again gives the clue.
      if (!table.waiting.has(player.playerId)) return this.claim(huntId, player);
      claim.isTold = true;
      return { waiting: true, position: decision.position };
    }
    table.waiting.delete(player.playerId);
    return table.cardOf(decision.row);
  }

  /** Applies an answer to the player's open assignment. Durable when it resolves. */
  async solve(huntId: string, player: HuntPlayer, assignmentId: string, answer: string): Promise<SolveAnswer> {
    const seat = await this.#seat(huntId);
    const { table } = seat;
    table.requireSolving();
    const named = parseAssignmentId(assignmentId);
    const clue = named && table.definition.clues[named.instance % table.definition.clues.length];
    if (!clue) throw new RingmasterError("unknown_assignment");
    const correct = matches(clue.hashes, table.definition.salt, answer);
    const decision = await this.#clerk.decide(seat, () =>
      this.#ports.ledger.solve(table.key, {
        playerId: player.playerId,
        assignmentId,
        correct,
        now: this.#ports.clock.now(),
      }),
    );
    switch (decision.kind) {
      case "unknown":
        throw new RingmasterError("unknown_assignment");
      case "solved":
        return {
          correct: true,
          points: decision.row.points,
          total: decision.total,
          attemptsLeft: table.definition.attempts - decision.row.attemptsUsed,
        };
      case "wrong":
        return { correct: false, points: 0, total: decision.total, attemptsLeft: decision.attemptsLeft };
      case "revoked":
        table.tellRevoked(player.playerId, assignmentId);
        if (decision.row.outcome === OUTCOME.expired)
          throw new RingmasterError("unknown_assignment", "The time for this clue is over.");
        return { correct: false, points: 0, total: decision.total, attemptsLeft: 0 };
    }
  }

  /** The player left for good: takes them out of the queue. */
  async forget(huntId: string, playerId: string): Promise<void> {
    const seat = await this.#tables.get(huntId)?.catch(() => undefined);
    if (!seat?.table.waiting.delete(playerId)) return;
    await this.#ports.ledger.forget(seat.table.key, playerId);
    seat.pulse.touch();
  }

  /** Commits what is buffered, for a drain. */
  async flush(): Promise<void> {
    this.#cancelAskAgain();
    await this.#ports.journal.flush();
  }

  #seat(huntId: string): Promise<Seat> {
    const known = this.#tables.get(huntId);
    if (known) return known;
    const seat = this.#open(huntId);
    this.#tables.set(huntId, seat);
    seat.catch(() => this.#tables.delete(huntId));
    return seat;
  }

  async #open(huntId: string): Promise<Seat> {
    const { feed, hunts, ledger, clock, log, actors } = this.#ports;
    // The feed first: a phase that changes between the two reads is then heard of.
    const missed: FeedEvent[] = [];
    let hear = (event: FeedEvent): void => void missed.push(event);
    const unfollow = await feed.follow(huntTopic(huntId), (event) => hear(event));
    const record = await hunts.get(huntId);
    if (!record) {
      unfollow();
      throw noHunt(huntId);
    }
    const table = new HuntTable(record);
    const pulse: LedgerPulse = new LedgerPulse(table, {
      ledger,
      clock,
      log,
      expire: () => this.#clerk.expire(seat),
      show: (view, isOwn) => {
        this.#ports.stands(huntId, view.pool, view.waiting);
        if (isOwn) actors.peers.signalAll(VIEW, { huntId, view });
      },
    });
    const seat: Seat = { table, pulse, unfollow, demanding: false };
    hear = (event) => this.#onEvent(seat, event);
    for (const event of missed) hear(event);
    if (table.phase === "reveal" || table.phase === "finished") this.#showFrozen(seat);
    pulse.touch();
    return seat;
  }

  #leave(huntId: string, seat: Seat, room: HuntAudience): void {
    seat.table.audience.delete(room);
    if (seat.table.audience.size > 0) return;
    this.#tables.delete(huntId);
    seat.unfollow();
    seat.pulse.stop();
    this.#ports.forget(huntId);
  }

  #onEvent(seat: Seat, event: FeedEvent): void {
    if (event.type === "phase") {
      const { phase, endsAt } = event.data as { phase: HuntTable["phase"]; endsAt: number };
      seat.table.moveTo(phase, endsAt);
      if (phase === "finished" || phase === "cancelled") {
        this.#ports.ledger
          .drop(seat.table.key)
          .catch((error: unknown) =>
            this.#ports.log.warn({ err: error, hunt: seat.table.id }, "hot state of an ended hunt stays for now"),
          );
        this.#ports.forget(seat.table.id);
      }
    }
    if (event.type === "chest") {
      seat.table.open((event.data as { winners: Winner[] }).winners);
      this.#showFrozen(seat);
    }
  }

  /** From the reveal on, the standings are what is committed, not what a ledger may have decided at the last moment. */
  #showFrozen(seat: Seat): void {
    const { database, log } = this.#ports;
    const { id } = seat.table;
    Promise.all([standings(database, id, TOP), assignmentCounts(database, id)]).then(
      ([top, { players, solved }]) => seat.table.show({ ...FROZEN, players, solved, top }),
      (error: unknown) => log.warn({ err: error, hunt: id }, "the frozen standings could not be read"),
    );
  }

  #onServed({ huntId, rows }: { huntId: string; rows: AssignmentRow[] }): void {
    this.#withTable(huntId, (seat) => {
      for (const row of rows) seat.table.serve(row.playerId, seat.table.cardOf(row));
    });
  }

  #onRevoked({ huntId, rows }: { huntId: string; rows: AssignmentRow[] }): void {
    this.#withTable(huntId, (seat) => {
      for (const row of rows) seat.table.tellRevoked(row.playerId, assignmentIdOf(row));
      seat.pulse.touch();
    });
  }

  #withTable(huntId: string, use: (seat: Seat) => void): void {
    this.#tables.get(huntId)?.then(use, () => {});
  }

  #everybodyAsksAgain(): void {
    for (const huntId of this.#tables.keys()) {
      this.#withTable(huntId, (seat) => {
        seat.pulse.touch();
        this.#askAgain(seat);
      });
    }
  }

  #scheduleAskAgain(): void {
    this.#cancelAskAgain = this.#ports.clock.schedule(() => {
      this.#everybodyAsksAgain();
      this.#scheduleAskAgain();
    }, ASK_AGAIN_MS);
  }

  /** Claims once more for everybody of this node who was told to wait: whose claim was served unheard gets the clue now. */
  #askAgain(seat: Seat): void {
    for (const [playerId, { name, isTold }] of seat.table.waiting) {
      if (isTold) void this.#claimAgain(seat, { playerId, name });
    }
  }

  async #claimAgain({ table }: Seat, player: HuntPlayer): Promise<void> {
    try {
      const answer = await this.claim(table.id, player);
      if ("waiting" in answer) return;
      table.waiting.set(player.playerId, { name: player.name, isTold: true });
      table.serve(player.playerId, answer);
    } catch (error) {
      this.#ports.log.debug({ err: error, hunt: table.id }, "a waiting claim could not be asked again");
    }
  }
}

function noHunt(huntId: string): RingmasterError {
  return new RingmasterError("not_found", `There is no hunt ${huntId}.`);
}
