import type { Clock, Rng } from "../../clock.ts";
import type { Database } from "../../entities/sql.ts";
import type { ActorAddress, ClaimedRow } from "./actorRow.ts";
import { CrashTable, DEATHS_TO_QUARANTINE, type Deaths, type InRecord, STEADY_MS } from "./CrashTable.ts";
import { InHand } from "./InHand.ts";
import type { Place } from "./Pace.ts";
import type { Log } from "./ports.ts";
import { actorKey, type CallOutcome } from "./protocol.ts";
import { SuspectOrder } from "./SuspectOrder.ts";

/** An actor that is blamed for so many deaths is let in alone, as long as there are no more of these than that. */
const DEATHS_TO_BE_ALONE = 2;
const ALONE_BOUND = 15;
/** For so long after it was claimed nobody else has a first turn while one that is let in alone has a turn. */
const KEEPS_OTHERS_OUT_MS = 3000;
/** Whoever has lived here for so long, and has completed a turn, is to blame for nothing. */
const HEALTHY_AFTER_MS = 10_000;
const ACQUIT_EVERY_MS = 5000;
/** Deaths after which one is in quarantine that was in later turns, or stayed for long, at the last one: nobody was kept away from it then. */
const DEATHS_IN_COMPANY = 5;
/** Of those blamed for as many deaths as it, so many may be expected to be as steady by chance where an actor goes into quarantine for that. */
const BY_CHANCE = 0.05;
/** Nodes whose record was read; beyond it the oldest are forgotten, which costs one query when they are asked for again. */
const JUDGED_BOUND = 1000;

/** An actor of a node that died, from when it is claimed until it has shown that it is not the cause. */
interface Suspect {
  row: ClaimedRow;
  /** Those that it is blamed for. */
  deaths: Deaths;
  /** Monotonic. */
  since: number;
  hasTakenATurn: boolean;
  /** It is to be let in alone. */
  isAlone: boolean;
  hasKeptOthersOut: boolean;
}

/** A turn that was let in. */
export interface BlamedTurn {
  /** The turn has come to its end, with this outcome; undefined: it was not begun. */
  ended(outcome: CallOutcome | undefined): void;
}

/**
 * Finds the actors that crash their nodes, among all that live beside them.
 *
 * Actors that came from a dead node are suspects until they have lived well for a while. While a process is in the hands of one,
 * because it is loaded or takes a turn, a record of the process says so. Should it die, whoever is in its record is blamed for that death; nobody else is. Suspects
 * are let in by turns, ever fewer at once the more deaths they are blamed for, so that the record of the third death names the
 * culprit and none that was in the other two as well: it goes into quarantine. (docs/adr/0023)
 */
export class CrashBlame {
  readonly #table: CrashTable;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #inHand: InHand;
  readonly #order: SuspectOrder;
  readonly #suspects = new Map<string, Suspect>();
  readonly #judged = new Map<string, Promise<void>>();
  #cancel: (() => void) | undefined;

  constructor(database: Database, nodeId: string, ports: { clock: Clock; rng: Rng; log: Log }) {
    const { clock, rng, log } = ports;
    this.#table = new CrashTable(database, nodeId);
    this.#clock = clock;
    this.#log = log;
    // A node that keeps its id over restarts is another process all the same.
    const newLife = (): string => `${Math.trunc(clock.now()).toString(36).slice(-8)}${rng.id(8)}`;
    this.#inHand = new InHand({ table: this.#table, clock, log }, newLife);
    this.#order = new SuspectOrder(clock);
  }

  /** Blames those in whose hands a node died. To be called before anything of that node is taken over. */
  async judge(nodeId: string): Promise<void> {
    const judged = this.#judged.get(nodeId);
    if (judged) return judged;
    const judging = this.#judge(nodeId);
    this.#judged.set(nodeId, judging);
    if (this.#judged.size > JUDGED_BOUND) this.#judged.delete(this.#judged.keys().next().value!);
    judging.catch(() => this.#judged.delete(nodeId));
    return judging;
  }

  async #judge(nodeId: string): Promise<void> {
    const { named, convicted } = await this.#table.blame(nodeId, convict, Math.trunc(this.#clock.now()));
    if (named.length === 0) return;
    const actors = named
      .toSorted((one, other) => Number(other.isFresh) - Number(one.isFresh) || other.times - one.times)
      .slice(0, 20)
      .map(({ kind, id, times, isFresh }) => `${kind}/${id} (${times}${isFresh ? ", just let in" : ""})`);
    this.#log.warn({ node: nodeId, count: named.length, actors }, "a node died in the hands of these actors");
    if (convicted)
      this.#log.error(
        { node: nodeId, actor: actorKey(convicted), deaths: convicted.times },
        "an actor has crashed its nodes and is in quarantine",
      );
  }

  /** A node that was judged lives again; its next death is another one. */
  lives(nodeId: string): void {
    this.#judged.delete(nodeId);
  }

  /** This process was silent for so long that peers may have taken it for dead: whom they blame for that is not to blame. */
  wasSilent(): void {
    this.#inHand.renew();
  }

  /** Rows were claimed that have come from dead nodes. Rejects when it cannot be read what they are blamed for. */
  async suspect(rows: readonly ClaimedRow[]): Promise<void> {
    if (rows.length === 0) return;
    const deaths = await this.#table.deathsOf(rows);
    const alone = await this.#alone([...deaths.values()]);
    const since = this.#clock.monotonic();
    for (const row of rows) {
      const key = actorKey(row);
      const isAlone = alone.has(key);
      this.#suspects.set(key, {
        ...{ row, deaths: deaths.get(key) ?? NONE, since, isAlone },
        ...{ hasTakenATurn: false, hasKeptOthersOut: false },
      });
    }
    this.#acquitLater();
  }

  /** Who is to be let in alone: those blamed for the most deaths, as far as these are few, since that takes its time. */
  async #alone(deaths: readonly Deaths[]): Promise<Set<string>> {
    if (!deaths.some(({ times }) => times >= DEATHS_TO_BE_ALONE)) return new Set();
    const worst = await this.#table.blamedFor(DEATHS_TO_BE_ALONE, ALONE_BOUND + 1);
    const tooMany = worst[ALONE_BOUND]?.times ?? 0;
    return new Set(worst.filter(({ times }) => times > tooMany).map(actorKey));
  }

  /** Runs `load` when the actor's place in the order of suspects has come. Rejects when that cannot be recorded; then it has not run. */
  async load(row: ClaimedRow, load: () => void): Promise<void> {
    const suspect = this.#suspects.get(actorKey(row));
    const place = await (suspect?.isAlone
      ? this.#order.enterAlone(true)
      : this.#order.enterToLoad(suspect?.deaths ?? NONE));
    try {
      const remove = await this.#inHand.add(row, place.isHeld);
      try {
        load();
      } finally {
        remove();
      }
    } finally {
      place.leave();
    }
  }

  /** Its place in the order of suspects, if a turn of the actor has to wait for it; to be left when the turn has ended. */
  turnOf(address: ActorAddress): Promise<Place> | undefined {
    const suspect = this.#suspects.get(actorKey(address));
    if (!suspect) return undefined;
    if (!suspect.isAlone) return suspect.hasTakenATurn ? undefined : this.#order.enterTurn(suspect.deaths);
    // In its first seconds: later turns must not keep the others waiting again and again.
    const isNew = this.#clock.monotonic() - suspect.since < KEEPS_OTHERS_OUT_MS;
    const keepsOthersOut = !suspect.hasKeptOthersOut || isNew;
    suspect.hasKeptOthersOut = true;
    return this.#order.enterAlone(keepsOthersOut);
  }

  /**
   * Resolves when it is stored that this process is in the actor's hands; undefined when nobody has to know that. `place`: what
   * `turnOf` gave, if anything.
   */
  begin(address: ActorAddress, place: Place | undefined): Promise<BlamedTurn> | undefined {
    const suspect = this.#suspects.get(actorKey(address));
    if (!suspect) return undefined;
    return this.#begin(address, suspect, place?.isHeld ?? (() => !suspect.hasTakenATurn));
  }

  async #begin(address: ActorAddress, suspect: Suspect, isFresh: () => boolean): Promise<BlamedTurn> {
    const remove = await this.#inHand.add(address, isFresh);
    return {
      ended: (outcome) => {
        if (outcome && isOwnEnd(outcome)) suspect.hasTakenATurn = true;
        remove();
      },
    };
  }

  /** The actor lives here no more. */
  forget(row: ClaimedRow): void {
    const key = actorKey(row);
    if (this.#suspects.get(key)?.row.epoch === row.epoch) this.#suspects.delete(key);
  }

  async stop(): Promise<void> {
    this.#cancel?.();
    this.#suspects.clear();
    await this.#inHand.stop();
  }

  #acquitLater(): void {
    this.#cancel ??= this.#clock.schedule(async () => {
      await this.#acquit().catch((error: unknown) =>
        this.#log.warn({ err: error }, "actors that live well could not be acquitted; it is tried again"),
      );
      this.#cancel = undefined;
      if (this.#suspects.size > 0) this.#acquitLater();
    }, ACQUIT_EVERY_MS);
  }

  async #acquit(): Promise<void> {
    const before = this.#clock.monotonic() - HEALTHY_AFTER_MS;
    const healthy = [...this.#suspects.values()].filter(({ since, hasTakenATurn }) => hasTakenATurn && since <= before);
    const acquitted = await this.#table.acquit(healthy.map(({ row }) => row));
    for (const address of acquitted) this.#suspects.delete(actorKey(address));
  }
}

/** A turn that ends with one of these has not come to its own end: the database or the watchdog ended it. */
const NOT_ITS_OWN_END: ReadonlySet<string> = new Set(["not_delivered", "outcome_unknown"]);

/** Whether a turn has ended by itself, so that it has not crashed its process. */
function isOwnEnd(outcome: CallOutcome): boolean {
  return outcome.kind === "ok" || (outcome.kind === "error" && !NOT_ITS_OWN_END.has(outcome.error.code));
}

const NONE: Deaths = { times: 0, ageMs: 0, spreadMs: 0 };

/**
 * Who is culprit of enough deaths, by the record of the last one: the only one that had been in hand for the same time at each of them; or
 * the one that was in hand at more deaths than any other. That takes fewer where it is also the only one that had just been let in. Where
 * another one was in hand at as many deaths, that may be the cause, and have stayed for longer than it was let in alone: the next
 * adoptions will tell them apart.
 */
function convict(named: readonly InRecord[]): InRecord | undefined {
  const most = Math.max(...named.map(({ times }) => times));
  const worst = named.filter(({ times }) => times === most);
  const steady = most >= DEATHS_TO_QUARANTINE ? surelySteady(worst) : [];
  // A time of 0 says only that nobody had come or gone since: among few, that may be so at each death of one whose turns are short.
  if (steady.length === 1 && (steady[0]!.ageMs > 0 || named.length > ALONE_BOUND)) return steady[0];
  if (named.filter(({ isFresh }) => isFresh).length > 1 || worst.length > 1) return undefined;
  const [one] = worst;
  return one!.times >= (one!.isFresh ? DEATHS_TO_QUARANTINE : DEATHS_IN_COMPANY) ? one : undefined;
}

/**
 * Those that had been in hand for the same time at each of their deaths, as by chance hardly any of so many would have been: so near to
 * each other, or so near to the begin, as they would be anywhere within the longest time that is told of any of them.
 */
function surelySteady(worst: readonly InRecord[]): InRecord[] {
  const timed = worst.filter(({ ageMs }) => Number.isFinite(ageMs));
  const longestMs = Math.max(1, ...timed.map(({ ageMs, spreadMs }) => ageMs + spreadMs));
  return timed.filter(({ times, ageMs, spreadMs }) => {
    const together = times * (Math.max(spreadMs, 1) / longestMs) ** (times - 1);
    const atBegin = ((ageMs + spreadMs) / longestMs) ** times;
    return spreadMs <= STEADY_MS && worst.length * Math.min(together, atBegin) <= BY_CHANCE;
  });
}
