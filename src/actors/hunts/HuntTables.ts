import type { Clock } from "../../clock.ts";
import type { HuntPhase, HuntRecord, Hunts, Winner } from "../../entities/hunts/Hunt.ts";
import { databaseError, type Sql } from "../../entities/sql.ts";
import { RingmasterError } from "../../errors.ts";
import type { Feed, FeedEvent } from "../../stores/feeds/Feed.ts";
import { assignmentCounts, standings } from "../../stores/hunts/AssignmentJournal.ts";
import type { ClueLedger, LedgerView } from "../../stores/hunts/ClueLedger.ts";
import type { Log } from "../runtime/ports.ts";
import { huntTopic } from "./HuntActor.ts";
import { type HuntAudience, HuntTable } from "./HuntTable.ts";
import { LedgerPulse, TOP } from "./LedgerPulse.ts";

/** A hunt that has rooms on this node. */
export interface Seat {
  table: HuntTable;
  pulse: LedgerPulse;
  unfollow: () => void;
  /** How many events of the hunt were heard. */
  heard: number;
  /** Whether an errand for more clues is under way. */
  demanding: boolean;
}

export interface TablesPorts {
  hunts: Hunts;
  ledger: ClueLedger;
  database: Pick<Sql, "query">;
  feed: Feed;
  clock: Clock;
  log: Log;
  /** Revokes what has expired; resolves with whether some of it is left. */
  expire(seat: Seat): Promise<boolean>;
  /** How a hunt stands is known anew; `isOwn` when this node has read it, and peers should be told. */
  stands(huntId: string, view: LedgerView, isOwn: boolean): void;
  /** The hunt is over, or has no rooms here any more. */
  forget(huntId: string): void;
}

/** A view that no ledger's can replace. */
const FROZEN = { epoch: Number.MAX_SAFE_INTEGER, version: 0, pool: 0, waiting: 0, issued: 0, open: 0, nextExpiry: 0 };

/** The hunts that have rooms on this node: opened by their first room, closed by their last, and kept up to date by their feeds. */
export class HuntTables {
  readonly #ports: TablesPorts;
  readonly #seats = new Map<string, Promise<Seat>>();

  constructor(ports: TablesPorts) {
    this.#ports = ports;
  }

  /** Throws `not_found` for an id that no hunt has; asks nobody about a hunt that has rooms here. */
  async requireHunt(huntId: string): Promise<void> {
    if (this.#seats.has(huntId)) return;
    const isKnown = await this.#ports.hunts.has(huntId).catch((error: unknown) => {
      throw databaseError(error);
    });
    if (!isKnown) throw noHunt(huntId);
  }

  /** Seats a room at its hunt. Throws `not_found` for an id that no hunt has. */
  async join(huntId: string, room: HuntAudience): Promise<{ table: HuntTable; leave(): void }> {
    const opening = this.#seats.get(huntId) ?? this.#begin(huntId);
    const seat = await opening;
    // Whoever came before may have left meanwhile, and closed the table.
    if (this.#seats.get(huntId) !== opening) return this.join(huntId, room);
    seat.table.audience.add(room);
    return { table: seat.table, leave: () => this.#leave(huntId, seat, room) };
  }

  /** The hunt's seat. Throws `unavailable` when it has no rooms here (any more). */
  async seated(huntId: string): Promise<Seat> {
    const seat = await this.#seats.get(huntId);
    if (!seat) throw new RingmasterError("unavailable", "This room is closing; join again.");
    return seat;
  }

  /** Does something at the hunt's seat, if it has rooms here. */
  at(huntId: string, use: (seat: Seat) => void): void {
    this.#seats.get(huntId)?.then(use, () => {});
  }

  /** Does something at each seat. */
  all(use: (seat: Seat) => void): void {
    for (const huntId of this.#seats.keys()) this.at(huntId, use);
  }

  /** After an outage of the shared memory, in which the word of a phase may have been lost: looks up how the hunts stand. */
  refresh(): void {
    this.all((seat) => void this.#refresh(seat));
  }

  #begin(huntId: string): Promise<Seat> {
    const seat = this.#open(huntId);
    this.#seats.set(huntId, seat);
    seat.catch(() => this.#seats.delete(huntId));
    return seat;
  }

  async #open(huntId: string): Promise<Seat> {
    const { feed } = this.#ports;
    // The feed first: a phase that changes before the hunt is read is then heard of.
    const missed: FeedEvent[] = [];
    let hear = (event: FeedEvent): void => void missed.push(event);
    const unfollow = await feed.follow(huntTopic(huntId), (event) => hear(event));
    try {
      const seat = this.#set(await this.#read(huntId), unfollow);
      hear = (event) => this.#onEvent(seat, event);
      for (const event of missed) hear(event);
      if (seat.table.phase === "reveal" || seat.table.phase === "finished") this.#showFrozen(seat);
      seat.pulse.touch();
      return seat;
    } catch (error) {
      unfollow();
      throw error;
    }
  }

  async #read(huntId: string): Promise<HuntRecord> {
    const record = await this.#ports.hunts.get(huntId);
    if (!record) throw noHunt(huntId);
    return record;
  }

  #set(record: HuntRecord, unfollow: () => void): Seat {
    const { ledger, clock, log, expire, stands } = this.#ports;
    const table = new HuntTable(record);
    const pulse: LedgerPulse = new LedgerPulse(table, {
      ...{ ledger, clock, log },
      expire: () => expire(seat),
      show: (view, isOwn) => stands(table.id, view, isOwn),
    });
    const seat: Seat = { table, pulse, unfollow, heard: 0, demanding: false };
    return seat;
  }

  #leave(huntId: string, { table, unfollow, pulse }: Seat, room: HuntAudience): void {
    table.audience.delete(room);
    if (table.audience.size > 0) return;
    this.#seats.delete(huntId);
    unfollow();
    pulse.stop();
    this.#ports.forget(huntId);
  }

  async #refresh(seat: Seat): Promise<void> {
    const { table } = seat;
    try {
      for (let heard = -1; heard !== seat.heard; ) {
        heard = seat.heard;
        const record = await this.#read(table.id);
        // What is heard during the read may be newer than what was read.
        if (heard === seat.heard) this.#catchUp(seat, record);
      }
      seat.pulse.touch();
    } catch (error) {
      this.#ports.log.warn({ err: error, hunt: table.id }, "how the hunt stands could not be looked up");
    }
  }

  #catchUp(seat: Seat, { phase, phaseEndsAt, winners }: HuntRecord): void {
    const { table } = seat;
    if (winners && !table.winners) this.#openChest(seat, winners);
    if (phase !== table.phase || phaseEndsAt !== table.phaseEndsAt) this.#enter(seat, phase, phaseEndsAt);
  }

  #onEvent(seat: Seat, { type, data }: FeedEvent): void {
    seat.heard += 1;
    if (type === "phase") {
      const { phase, endsAt } = data as { phase: HuntPhase; endsAt: number };
      this.#enter(seat, phase, endsAt);
    }
    if (type === "chest") this.#openChest(seat, (data as { winners: Winner[] }).winners);
  }

  #enter({ table }: Seat, phase: HuntPhase, endsAt: number): void {
    table.moveTo(phase, endsAt);
    if (phase === "finished" || phase === "cancelled") this.#ports.forget(table.id);
  }

  #openChest(seat: Seat, winners: Winner[]): void {
    seat.table.open(winners);
    this.#showFrozen(seat);
  }

  /** From the reveal on, the standings are what is committed, not what a ledger may have decided at the last moment. */
  #showFrozen({ table }: Seat): void {
    const { database, log } = this.#ports;
    Promise.all([standings(database, table.id, TOP), assignmentCounts(database, table.id)]).then(
      ([top, { players, solved }]) => table.show({ ...FROZEN, players, solved, top }),
      (error: unknown) => log.warn({ err: error, hunt: table.id }, "the frozen standings could not be read"),
    );
  }
}

function noHunt(huntId: string): RingmasterError {
  return new RingmasterError("not_found", `There is no hunt ${huntId}.`);
}
