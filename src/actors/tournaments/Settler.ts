import type { Clock, Rng } from "../../clock.ts";
import { PrizeLedger, type PrizeRange } from "../../entities/prizes/PrizeLedger.ts";
import type { Database, Transaction } from "../../entities/sql.ts";
import {
  type FinalStanding,
  finalStandings,
  insertStandings,
  removeStandingsBehind,
} from "../../entities/tournaments/Standings.ts";
import { RingmasterError } from "../../errors.ts";
import type { ResultHead } from "./result.ts";
import { StandingsReader } from "./StandingsReader.ts";
import { awardsOf, nextPaidRanks, type Settlement } from "./settlement.ts";

export interface SettlerPorts {
  database: Pick<Database, "stream" | "loadApart" | "dialect">;
  clock: Clock;
  /** How much of a settlement is one turn; as `PAGES` unless told. */
  pages?: typeof PAGES;
}

/** Standings and ranks with prizes that one turn of a settlement stores: some tenths of a second's work. */
const PAGES = { standings: 40_000, ranks: 500 };
/** A page of more is stored in two halves at the same time: the server stores with one core what comes by one connection. */
const HALVED_FROM = 2000;
/** So long a turn waits for the standings to be sorted and read; callers wait for that turn. */
const DEADLINE_MS = 1000;
/** Standings that a process reads at a time. */
const MOST_READERS = 2;

/**
 * Who of a process may read standings. Each settlement has three connections beside the pool, on two of which the server sorts in up to
 * 32 MB: however many tournaments end together, a process has at most six such connections, and the others wait their turn.
 */
export class ReadingPlaces {
  #free = MOST_READERS;

  /** Takes a place, if one is free. The returned function gives it back. */
  take(): (() => void) | undefined {
    if (this.#free === 0) return undefined;
    this.#free -= 1;
    let isTaken = true;
    return () => {
      if (isTaken) this.#free += 1;
      isTaken = false;
    };
  }
}

/** How a step of storing the standings went: a page was stored, all are, none is ready yet, or too many others read. */
export type StoreStep = "stored" | "done" | "sorting" | "waiting";

interface Reading {
  reader: StandingsReader;
  leave: () => void;
  /** Whether there is nothing any more behind what is known to be stored. */
  isCleared: boolean;
}

/** Does the work of one tournament's settlement, a page a turn of its actor. What it has in memory a successor makes anew. */
export class Settler {
  readonly #ports: SettlerPorts;
  readonly #places: ReadingPlaces;
  #reading: Reading | undefined;
  #isClosed = false;

  constructor(ports: SettlerPorts, places: ReadingPlaces) {
    this.#ports = ports;
    this.#places = places;
  }

  /** Stores the next page of standings; once there are no more, notes the hash of the result. */
  async store(begin: () => Promise<Transaction>, head: ResultHead, settlement: Settlement): Promise<StoreStep> {
    const reading = this.#readingFrom(head, settlement.stored);
    if (reading === undefined) return "waiting";
    const { reader } = reading;
    try {
      if (!reading.isCleared) {
        // In a turn of its own: what it removes is locked until the end of the transaction. The sorting goes on meanwhile.
        await removeStandingsBehind(await begin(), head.id, settlement.stored);
        reading.isCleared = true;
        return "sorting";
      }
      // Before the transaction is opened: with one, a turn may wait for nothing but its own SQL.
      const page = await this.#nextPage(reader, settlement.stored);
      if (page === "sorting") return page;
      if (page === undefined) {
        settlement.resultHash = reader.resultHash;
        return "done";
      }
      await this.#storePage(await begin(), head.id, page);
      settlement.stored = page.at(-1)!.rank;
      return "stored";
    } catch (error) {
      // Until it is tried again, others may have the place.
      if (this.#reading?.reader === reader) this.leaveOff();
      throw error;
    }
  }

  /**
   * Half of a large page is stored beside the turn's transaction. It is there then also where the turn itself comes to nothing; whoever
   * goes on removes it, or is told that it is in the way, and makes another attempt. It is the same rows in any case.
   */
  async #storePage(tx: Transaction, id: string, page: readonly FinalStanding[]): Promise<void> {
    const { database } = this.#ports;
    if (database.dialect === "sqlite" || page.length < HALVED_FROM) return insertStandings(tx, id, page);
    const middle = Math.ceil(page.length / 2);
    const beside = { load: database.loadApart.bind(database) };
    const halves = await Promise.allSettled([
      insertStandings(tx, id, page.slice(0, middle)),
      insertStandings(beside, id, page.slice(middle)),
    ]);
    for (const half of halves) if (half.status === "rejected") throw half.reason;
  }

  /** Pays the next ranks; false when there are none. */
  async pay(tx: Transaction, rng: Rng, now: number, head: ResultHead, settlement: Settlement): Promise<boolean> {
    const { pages = PAGES } = this.#ports;
    const prizes: readonly PrizeRange[] = head.prizes;
    const ranks = nextPaidRanks(settlement.paidTo, settlement.stored, prizes, pages.ranks);
    if (!ranks) return false;
    const standings = await finalStandings(tx, head.id, ranks.from, ranks.to);
    await new PrizeLedger(tx, rng).pay(tx, awardsOf(head.id, standings, prizes), now);
    settlement.paidTo = ranks.to;
    return true;
  }

  /** Reads no more, for now or for good. */
  leaveOff(): void {
    this.#reading?.reader.close();
    this.#reading?.leave();
    this.#reading = undefined;
  }

  /** Its actor lives here no more. */
  close(): void {
    this.#isClosed = true;
    this.leaveOff();
  }

  async #nextPage(reader: StandingsReader, stored: number): Promise<FinalStanding[] | undefined | "sorting"> {
    const { promise: deadline, resolve } = Promise.withResolvers<"sorting">();
    const stop = this.#ports.clock.schedule(() => resolve("sorting"), DEADLINE_MS);
    return Promise.race([reader.pageAfter(stored), deadline]).finally(stop);
  }

  #readingFrom(head: ResultHead, stored: number): Reading | undefined {
    // A turn may outlive its activation, and nobody would close what it opens.
    if (this.#isClosed) throw new RingmasterError("not_delivered");
    if (this.#reading !== undefined) return this.#reading;
    const leave = this.#places.take();
    if (leave === undefined) return undefined;
    const { pages = PAGES, database } = this.#ports;
    try {
      const reader = new StandingsReader(database, head, stored, pages.standings);
      // The embedded database has one connection, and stores nothing beside a turn.
      this.#reading = { reader, leave, isCleared: database.dialect === "sqlite" };
      return this.#reading;
    } catch (error) {
      leave();
      throw error;
    }
  }
}
