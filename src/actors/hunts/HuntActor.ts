import {
  type HuntPhase,
  insertHunt,
  raiseLedgerEpoch,
  type SealedHunt,
  updateHunt,
  type Winner,
} from "../../entities/hunts/Hunt.ts";
import { amountsByItem, PrizeLedger, type PrizeRange, prizesOf } from "../../entities/prizes/PrizeLedger.ts";
import { type Transaction, WHOLE_EVENT_MS } from "../../entities/sql.ts";
import { RingmasterError } from "../../errors.ts";
import { standings } from "../../stores/hunts/AssignmentJournal.ts";
import type { ClueLedger } from "../../stores/hunts/ClueLedger.ts";
import { recordResults } from "../../stores/hunts/results.ts";
import { LoadLease } from "../events/LoadLease.ts";
import { assertPayable } from "../prizes/payable.ts";
import { QuestActor } from "../quests/QuestActor.ts";
import { PARTS } from "../quests/rules.ts";
import { Actor, type ActorContext, type ActorType, type TimerHandlers } from "../runtime/Actor.ts";
import type { Log } from "../runtime/ports.ts";
import type { ActorKind } from "../runtime/Residents.ts";
import { issueUpTo, LOW_WATER, type PoolDemand } from "./distribution.ts";
import { durationOf, type HuntPlan, huntEndsAt, isTimed, phaseAfter, type TimedPhase } from "./phases.ts";

/** What a hunt's actor keeps in its own row; the definition with its many clues stays in `hunts`. */
export interface HuntState {
  /** Absent until the hunt is created. */
  plan?: HuntPlan & { name: string; winners: number; prizes: PrizeRange[]; total: number };
  phase: HuntPhase;
  phaseEndsAt: number;
  /** Instances that may be in the pool or beyond it: the ledger never has more. */
  issued: number;
  ledgerEpoch: number;
  /** Set once it is cancelled. */
  prizes?: "paid" | "unpaid";
}

/** How a hunt stands, as operators and rooms are told. Times are epoch milliseconds. */
export interface HuntStatus {
  id: string;
  name: string;
  phase: HuntPhase;
  startsAt: number;
  /** 0 once the hunt is over. */
  phaseEndsAt: number;
  /** Of a hunt that is cancelled: whether its winners had been paid by then, who keep what they have. */
  prizes?: "paid" | "unpaid";
}

/** The feed of one hunt: `phase` and `chest` events. */
export const huntTopic = (huntId: string): string => `hunt:${huntId}`;
/** The feed of what is on and coming. */
export const LOBBY_TOPIC = "lobby";

/** What a hunt's actor needs beside its turns. */
export interface HuntPorts {
  /** Has the hot state of hunts that nothing is decided in any more dropped. */
  ledger: Pick<ClueLedger, "drop">;
  log: Log;
}

/** Owns one hunt: its phases, each by its own durable timer, and how many clues may be handed out. */
export class HuntActor extends Actor<HuntState> {
  static readonly kind = "hunt";
  static initial(): HuntState {
    return { phase: "scheduled", phaseEndsAt: 0, issued: 0, ledgerEpoch: 0 };
  }

  readonly #ports: HuntPorts;
  readonly #lease = new LoadLease();

  constructor(context: ActorContext, ports: HuntPorts) {
    super(context);
    this.#ports = ports;
  }

  /** While it runs, its rooms are where it is, and who may load its ledger is in its memory. */
  override mayMove(): boolean {
    return this.state.phase === "scheduled" || this.state.phase === "finished";
  }

  /** Creates the hunt. Throws `conflict` when it exists, and what `assertPayable` does for prizes that could not be paid. */
  async create(definition: SealedHunt, createdBy: string): Promise<HuntStatus> {
    if (this.state.plan) throw new RingmasterError("conflict", `Hunt ${this.id} exists already.`);
    const { name, startsAt, discoveryMs, solvingMs, revealMs, winners, prizes } = definition;
    const total = definition.clues.length * definition.repeat;
    this.state.plan = { name, startsAt, discoveryMs, solvingMs, revealMs, winners, prizes, total };
    this.state.phaseEndsAt = startsAt;
    this.at("scheduled", startsAt);
    const tx = await this.sql();
    await assertPayable(tx, prizes);
    await insertHunt(tx, {
      id: this.id,
      name,
      phase: "scheduled",
      startsAt,
      phaseEndsAt: startsAt,
      endsAt: huntEndsAt("scheduled", startsAt, this.state.plan),
      ledgerEpoch: 0,
      definition,
      winners: null,
      createdBy,
      createdAt: this.now,
      updatedAt: this.now,
    });
    this.#announce("huntScheduled");
    return this.#status();
  }

  async status(): Promise<HuntStatus> {
    this.#plan();
    return this.#status();
  }

  /** Ends the scheduled phase now. */
  async start(): Promise<HuntStatus> {
    this.#require("scheduled");
    return this.#advance("scheduled");
  }

  /** Ends the running phase now. */
  async end(): Promise<HuntStatus> {
    const phase = this.#require("discovery", "solving", "reveal");
    return this.#advance(phase);
  }

  /** Moves the end of the running phase, and all that follow, by `ms` milliseconds. */
  async extend(ms: number): Promise<HuntStatus> {
    const phase = this.#require("discovery", "solving", "reveal");
    await this.#enter(phase, this.state.phaseEndsAt + ms, {});
    return this.#status();
  }

  /** Cancels the hunt: nothing more is given out or counted. What has been paid at the reveal stays with the winners. */
  async callOff(): Promise<HuntStatus> {
    const phase = this.#require("scheduled", "discovery", "solving", "reveal");
    this.cancel(phase);
    this.#dropLedger();
    this.state.prizes = phase === "reveal" ? "paid" : "unpaid";
    await this.#enter("cancelled", this.now, { ledgerEpoch: ++this.state.ledgerEpoch });
    return this.#status();
  }

  /** Lets more clues out as demand calls. Answers how many instances the ledger may have: give it those, once this is answered. */
  async demand(seen: PoolDemand): Promise<{ issued: number }> {
    if (this.state.phase === "solving") this.state.issued = issueUpTo(seen, this.state.issued, this.#plan().total);
    return { issued: this.state.issued };
  }

  /**
   * The ledger has lost this hunt: raises its epoch, so that what the lost one decided cannot be committed any more. Answers
   * what to load, which is to be said again and again while that takes (`loading`), or `wait` while somebody else does so. Throws
   * `wrong_phase` unless the hunt is in solving.
   */
  async rebuild(): Promise<{ epoch: number; issued: number } | { wait: true }> {
    this.#require("solving");
    if (this.#lease.isHeld(this.now)) return { wait: true };
    this.state.ledgerEpoch += 1;
    await raiseLedgerEpoch(await this.sql(), this.id, this.state.ledgerEpoch);
    this.#lease.renew(this.now);
    return { epoch: this.state.ledgerEpoch, issued: this.state.issued };
  }

  /** The ledger is being loaded under this epoch, and nobody else need begin; false when the epoch is over. Changes memory only. */
  async loading(epoch: number): Promise<boolean> {
    if (epoch !== this.state.ledgerEpoch) return false;
    this.#lease.renew(this.now);
    return true;
  }

  readonly timers: TimerHandlers = {
    scheduled: () => this.#advance("scheduled"),
    discovery: () => this.#advance("discovery"),
    solving: () => this.#advance("solving"),
    reveal: () => this.#advance("reveal"),
  };

  /** Leaves `phase`, whose timer has come or which an operator ends. */
  async #advance(phase: TimedPhase): Promise<HuntStatus> {
    const plan = this.#plan();
    if (this.state.phase !== phase) return this.#status();
    this.cancel(phase);
    const next = phaseAfter(phase, plan);
    if (next === "solving") this.state.issued = Math.min(plan.total, LOW_WATER);
    // A phase begins when the one before it ended, also when its timer was late, so that a hunt keeps to its plan: what an
    // outage has wholly covered is passed through. Ended early, it begins now.
    const begins = Math.min(this.now, this.state.phaseEndsAt);
    if (phase === "solving") await this.#freeze();
    // Once more at the end: its node may have died before it came to that, or the ledger was out of reach.
    if (phase === "solving" || phase === "reveal") this.#dropLedger();
    await this.#enter(next, begins + durationOf(next, plan), {});
    return this.#status();
  }

  /** Nothing is decided any more. What does not come to pass here ends by itself: hot state lives for some weeks at most. */
  #dropLedger(): void {
    const { ledger, log } = this.#ports;
    const hunt = this.id;
    this.afterCommit(() => {
      ledger
        .drop({ id: hunt })
        .catch((error: unknown) => log.warn({ err: error, hunt }, "hot state of a hunt that is over stays for now"));
    });
  }

  /** Freezes the standings, stores the winners and pays them: nothing that the ledger decides from now on can be committed. */
  async #freeze(): Promise<void> {
    const tx = await this.sql();
    tx.allow(WHOLE_EVENT_MS);
    this.state.ledgerEpoch += 1;
    await raiseLedgerEpoch(tx, this.id, this.state.ledgerEpoch);
    const { winners: count, prizes } = this.#plan();
    const best = await standings(tx, this.id, count);
    const winners = best.map((standing) => ({ ...standing, prizes: prizesOf(standing.rank, prizes) }));
    await this.#pay(tx, winners);
    await this.#record(tx);
    await updateHunt(tx, this.id, { winners });
    this.publish(huntTopic(this.id), { type: "chest", data: { winners } });
  }

  async #pay(tx: Transaction, winners: readonly Winner[]): Promise<void> {
    const awards = winners.flatMap(({ playerId, prizes }) =>
      [...amountsByItem(prizes)].map(([item, amount]) => ({ playerId, item, amount })),
    );
    await new PrizeLedger(tx, this.rng).pay(
      tx,
      awards.map((award) => ({ ...award, source: "hunt", sourceId: this.id })),
      this.now,
    );
  }

  /** The players' results are what quests are checked against. */
  async #record(tx: Transaction): Promise<void> {
    if ((await recordResults(tx, this.id, this.now)) === 0) return;
    for (const part of PARTS) this.tell(QuestActor, part).huntRevealed(this.id);
  }

  async #enter(phase: HuntPhase, endsAt: number, change: { ledgerEpoch?: number }): Promise<void> {
    const plan = this.#plan();
    this.state.phase = phase;
    this.state.phaseEndsAt = isTimed(phase) ? endsAt : 0;
    if (isTimed(phase)) this.at(phase, endsAt);
    await updateHunt(await this.sql(), this.id, {
      ...change,
      phase,
      phaseEndsAt: this.state.phaseEndsAt,
      endsAt: huntEndsAt(phase, isTimed(phase) ? endsAt : this.now, plan),
      updatedAt: this.now,
    });
    this.publish(huntTopic(this.id), { type: "phase", data: { phase, endsAt: this.state.phaseEndsAt } });
    this.#announce("huntPhase");
  }

  #announce(type: "huntScheduled" | "huntPhase"): void {
    this.publish(LOBBY_TOPIC, { type, data: this.#status() });
  }

  #plan(): NonNullable<HuntState["plan"]> {
    if (!this.state.plan) throw new RingmasterError("not_found", `There is no hunt ${this.id}.`);
    return this.state.plan;
  }

  #require<P extends TimedPhase>(...phases: P[]): P {
    this.#plan();
    const { phase, phaseEndsAt } = this.state;
    if (phases.includes(phase as P)) return phase as P;
    throw new RingmasterError("wrong_phase", `The hunt is ${phase}; this needs ${phases.join(" or ")}.`, {
      phase,
      changesAt: phaseEndsAt === 0 ? null : phaseEndsAt,
    });
  }

  #status(): HuntStatus {
    const { name, startsAt } = this.#plan();
    const { phase, phaseEndsAt, prizes } = this.state;
    return { id: this.id, name, phase, startsAt, phaseEndsAt, ...(prizes && { prizes }) };
  }
}

/** The kind as a node registers it. */
export function huntKind(ports: HuntPorts): ActorKind {
  return {
    type: HuntActor as unknown as ActorType<Actor<unknown>>,
    create: (context) => new HuntActor(context, ports) as unknown as Actor<unknown>,
  };
}
