import type { Cancellation, Intervention } from "../../entities/events/EventChange.ts";
import type { EventStatus } from "../../entities/events/EventStatus.ts";
import { isPaused } from "../../entities/events/Pausing.ts";
import { isHeld, type Review } from "../../entities/events/Review.ts";
import {
  type HuntFigures,
  type HuntPhase,
  type HuntRecord,
  insertHunt,
  raiseLedgerEpoch,
  type SealedHunt,
  updateHunt,
  type Winner,
} from "../../entities/hunts/Hunt.ts";
import { NOTHING_RECORDED, type Recorded, recordResults } from "../../entities/hunts/results.ts";
import { amountsByItem, PrizeLedger, prizesOf } from "../../entities/prizes/PrizeLedger.ts";
import { type Transaction, WHOLE_EVENT_MS } from "../../entities/sql.ts";
import { RingmasterError } from "../../errors.ts";
import type { ClueLedger, Standing } from "../../stores/hunts/ClueLedger.ts";
import { EventActor, type EventNews, type EventPorts, type EventState } from "../events/EventActor.ts";
import { LoadLease } from "../events/LoadLease.ts";
import { LOBBY_TOPIC } from "../events/lobbyTopic.ts";
import { assertPayable } from "../prizes/payable.ts";
import { QuestActor } from "../quests/QuestActor.ts";
import { QUEST_PARTS } from "../quests/rules.ts";
import type { Actor, ActorContext, ActorType, TimerHandlers } from "../runtime/Actor.ts";
import type { ActorKind } from "../runtime/ActorKinds.ts";
import { issueUpTo, LOW_WATER, type PoolDemand } from "./distribution.ts";
import { TOP } from "./LedgerRefresh.ts";
import { durationOf, type HuntPlan, huntEndsAt, isTimed, phaseAfter, type TimedPhase } from "./phases.ts";
import { resultHashOf } from "./result.ts";
import {
  bestScores,
  type Counting,
  type CountingPages,
  countPart,
  NOTHING_COUNTED,
  solvedUpTo,
  type Tally,
} from "./scores.ts";

/** What the actor needs of the definition. */
type KeptPlan = HuntPlan &
  Pick<SealedHunt, "name" | "winners" | "prizes" | "endWhenExhausted" | "revision"> & { total: number };

/** What a hunt's actor keeps in its own row; the definition with its many clues stays in `hunts`. */
export interface HuntState extends EventState<HuntPhase> {
  /** Absent until the hunt is created. */
  plan?: KeptPlan;
  /** Instances that may be in the pool or beyond it: the ledger never has more. */
  issued: number;
  ledgerEpoch: number;
  /**
   * From the end of solving until all is counted, and released where it is to be reviewed: how far counting has come, and when (epoch
   * milliseconds) it began and the next phase was to.
   */
  counting?: Counting & { since: number; begins: number };
  /** Of one that was cancelled in solving. Not `counting`, after which a node of the version before would pay. */
  countingCancelled?: Counting;
  /** Of a hunt that ends once all is solved: the instances below this one are committed as solved. */
  solvedUpTo?: number;
  /** From the reveal until all results are stored: the last one that is. A version before noted a player: then all are stored once more. */
  resultsTo?: Recorded | string;
  /** Set once it is cancelled. */
  prizes?: "paid" | "unpaid";
}

/** How a hunt stands, as operators and rooms are told. Times are epoch milliseconds. */
export interface HuntStatus extends EventStatus {
  id: string;
  name: string;
  phase: HuntPhase;
  startsAt: number;
  /** 0 once the hunt is over. */
  phaseEndsAt: number;
  /** Of a hunt that is cancelled: whether its winners had been paid by then, who keep what they have. */
  prizes?: "paid" | "unpaid";
}

/** A `phase` event of a hunt's feed. */
export interface PhaseNews extends EventNews {
  phase: HuntPhase;
  endsAt: number;
}

/** What a hunt's actor needs beside its turns. */
export interface HuntPorts extends EventPorts {
  /** Has the hot state of hunts that nothing is decided in any more dropped, and of those that are paused stand still. */
  ledger: Pick<ClueLedger, "drop" | "pause">;
  /** What one turn counts and stores; as `PAGES` unless told. */
  pages?: Pages;
}

/** What one turn counts, and how many results it stores. */
type Pages = CountingPages & { results: number };
/** Some tenths of a second's work. */
const PAGES: Pages = { assignments: 20_000, players: 50_000, results: 20_000 };
/** Counting that takes longer puts off what follows by as much: players are to have all of their reveal. */
const COUNTED_AT_ONCE_MS = 1000;

/** Owns one hunt: its phases, each by its own durable timer, and how many clues may be handed out. */
export class HuntActor extends EventActor<HuntState, HuntStatus> {
  static readonly kind = "hunt";
  static initial(): HuntState {
    return { phase: "scheduled", phaseEndsAt: 0, issued: 0, ledgerEpoch: 0 };
  }

  protected readonly event = { domain: "hunts", noun: "hunt", running: ["discovery", "solving"] } as const;
  readonly #ports: HuntPorts;
  readonly #lease = new LoadLease();

  constructor(context: ActorContext, ports: HuntPorts) {
    super(context, ports);
    this.#ports = ports;
  }

  /** While it runs, its rooms are where it is, and who may load its ledger is in its memory. */
  override mayMove(): boolean {
    return this.state.phase === "scheduled" || this.state.phase === "finished";
  }

  /** Creates the hunt. Throws `conflict` when it exists, and what `assertPayable` does for prizes that could not be paid. */
  async create(definition: SealedHunt, createdBy: string): Promise<HuntStatus> {
    if (this.state.plan) throw new RingmasterError("conflict", `Hunt ${this.id} exists already.`);
    const { name, startsAt, prizes } = definition;
    this.state.plan = planOf(definition);
    this.orderReview(definition.review);
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
      pauses: 0,
      pausing: null,
      reviewSince: null,
      cancelReason: null,
      definition,
      winners: null,
      figures: null,
      createdBy,
      createdAt: this.now,
      updatedAt: this.now,
    });
    this.#announce("huntScheduled");
    return this.statusNow();
  }

  async status(): Promise<HuntStatus> {
    this.#plan();
    return this.statusNow();
  }

  /** Ends the scheduled phase now. */
  async start(): Promise<HuntStatus> {
    this.require("scheduled");
    return this.#advance("scheduled");
  }

  /** Ends the running phase now. */
  async end(): Promise<HuntStatus> {
    const phase = this.require("discovery", "solving", "reveal");
    this.endPause();
    return this.#advance(phase);
  }

  /** Moves the end of the running phase, or of the solving of one that is scheduled, and all that follow, by `ms` milliseconds. */
  async extend(ms: number): Promise<HuntStatus> {
    const phase = this.require("scheduled", "discovery", "solving", "reveal");
    if (phase === "scheduled") this.#plan().solvingMs += ms;
    await this.enter(phase, phase === "scheduled" ? this.state.phaseEndsAt : this.state.phaseEndsAt + ms, {});
    return this.statusNow();
  }

  /** Moves the start of one that is scheduled, and all that follows, by `ms` milliseconds. */
  async postpone(ms: number): Promise<HuntStatus> {
    this.require("scheduled");
    const startsAt = this.state.phaseEndsAt + ms;
    this.#plan().startsAt = startsAt;
    await this.enter("scheduled", startsAt, { startsAt });
    return this.statusNow();
  }

  /**
   * Replaces the definition of one that is scheduled, its times too. Throws `wrong_phase` once it has begun, and what `create` does for
   * prizes that could not be paid.
   */
  async correct(definition: SealedHunt, why: Intervention): Promise<HuntStatus> {
    this.require("scheduled");
    const { name, startsAt, prizes } = definition;
    const revision = (this.#plan().revision ?? 0) + 1;
    this.state.plan = { ...planOf(definition), revision };
    this.orderReview(definition.review);
    const tx = await this.sql();
    await assertPayable(tx, prizes);
    await this.note("correct", why);
    await this.enter("scheduled", startsAt, { name, startsAt, definition: { ...definition, revision } });
    return this.statusNow();
  }

  /**
   * Cancels the hunt: nothing more is given out, and nothing will be paid; how it stood is counted, for whoever reads it. What has been paid at
   * the reveal stays with the winners.
   */
  async cancel(why?: Cancellation): Promise<HuntStatus> {
    this.#plan();
    const phase = super.require("scheduled", "discovery", "solving", "reveal");
    this.cancelTimer(phase);
    this.cancelTimer("exhausted");
    if (phase === "solving" && !isHeld(this.state.review)) {
      const { instance, generation, tally } = this.state.counting ?? NOTHING_COUNTED;
      this.state.countingCancelled = { instance, generation, ...(tally && { tally }) };
      this.at("count", this.now);
    }
    delete this.state.counting;
    await this.endByCancelling(why);
    this.#dropLedger();
    this.state.prizes = phase === "reveal" ? "paid" : "unpaid";
    await this.enter("cancelled", this.now, { ledgerEpoch: ++this.state.ledgerEpoch });
    return this.statusNow();
  }

  /**
   * The ledger has seen every clue solved: ends solving if the hunt is to end then, once all of those answers are seen to be committed, a
   * part of them a turn. Whoever gave one that is not would lose their points.
   */
  async endIfExhausted(): Promise<void> {
    const { endWhenExhausted } = this.#plan();
    if (endWhenExhausted && this.due("exhausted") === undefined) await this.#endIfCommitted();
  }

  /** Looks at a part of the answers. Where one of them is not committed yet, the next call goes on there: what is solved stays solved. */
  async #endIfCommitted(): Promise<void> {
    if (!this.#isGiving) return;
    const { total } = this.#plan();
    const { solvedUpTo: from = 0 } = this.state;
    const to = await solvedUpTo(await this.sql(), this.id, { from, total, limit: this.#pages.assignments });
    if (to === from) return;
    this.state.solvedUpTo = to;
    if (to === total) await this.#advance("solving");
    else this.at("exhausted", this.now);
  }

  /** Lets more clues out as demand calls. Answers how many instances the ledger may have: give it those, once this is answered. */
  async demand(seen: PoolDemand): Promise<{ issued: number }> {
    if (this.#isGiving) this.state.issued = issueUpTo(seen, this.state.issued, this.#plan().total);
    return { issued: this.state.issued };
  }

  /**
   * The ledger has lost this hunt: raises its epoch, so that what the lost one decided cannot be committed any more. Answers
   * what to load, which is to be said again and again while that takes (`loading`), or `wait` while somebody else does so. Throws
   * `wrong_phase` unless the hunt is in solving.
   */
  async rebuild(): Promise<{ epoch: number; issued: number; pauses?: number } | { wait: true }> {
    this.require("solving");
    if (this.#lease.isHeld(this.now)) return { wait: true };
    this.state.ledgerEpoch += 1;
    await raiseLedgerEpoch(await this.sql(), this.id, this.state.ledgerEpoch);
    this.#lease.renew(this.now);
    const { ledgerEpoch: epoch, issued, pausing } = this.state;
    return { epoch, issued, ...(pausing && { pauses: pausing.count }) };
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
    count: () => this.#count(),
    exhausted: () => this.#endIfCommitted(),
    reveal: () => this.#advance("reveal"),
    results: () => this.#storeResults(),
    review: () => this.remindOfReview(),
    resume: () => this.goOn(),
  };

  /** Whether clues are given out. */
  get #isGiving(): boolean {
    return this.state.phase === "solving" && !this.state.counting && !isPaused(this.state.pausing);
  }

  protected moveEnd(ms: number): void {
    this.state.phaseEndsAt += ms;
  }

  /** Leaves `phase`, whose timer has come or which an operator ends. */
  async #advance(phase: TimedPhase): Promise<HuntStatus> {
    const plan = this.#plan();
    if (this.state.phase !== phase) return this.statusNow();
    this.cancelTimer(phase);
    const next = phaseAfter(phase, plan);
    if (next === "solving") this.state.issued = Math.min(plan.total, LOW_WATER);
    // A phase begins when the one before it ended, also when its timer was late, so that a hunt keeps to its plan: what an
    // outage has wholly covered is passed through. Ended early, it begins now.
    const begins = Math.min(this.now, this.state.phaseEndsAt);
    if (phase === "solving") {
      await this.#freeze(begins);
      return this.statusNow();
    }
    // Once more at the end: its node may have died before it came to that, or the ledger was out of reach.
    if (phase === "reveal") this.#dropLedger();
    await this.enter(next, begins + durationOf(next, plan), {});
    return this.statusNow();
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

  /** What a node that has not heard of the pause asks for is not decided. Where this does not come to pass, it is decided and not committed. */
  #pauseLedger(count: number): void {
    const { ledger, log } = this.#ports;
    const hunt = this.id;
    this.afterCommit(() => {
      ledger
        .pause({ id: hunt }, count)
        .catch((error: unknown) =>
          log.warn({ err: error, hunt }, "the ledger of a paused hunt could not be told of it"),
        );
    });
  }

  /** Nothing that the ledger decides from now on can be committed; what has been is counted, and then revealed. */
  async #freeze(begins: number): Promise<void> {
    const tx = await this.#patientSql();
    this.state.ledgerEpoch += 1;
    await raiseLedgerEpoch(tx, this.id, this.state.ledgerEpoch);
    this.cancelTimer("exhausted");
    delete this.state.solvedUpTo;
    this.state.counting = { ...NOTHING_COUNTED, since: this.now, begins };
    await this.#count();
    if (!this.state.counting) return;
    this.state.phaseEndsAt = begins;
    await updateHunt(tx, this.id, { phaseEndsAt: begins });
  }

  /** Counts a part of what was solved. After the last one the chest is opened, or the result is held. */
  async #count(): Promise<void> {
    const { counting, countingCancelled, review } = this.state;
    if (countingCancelled) return this.#countCancelled(countingCancelled);
    if (!counting || isHeld(review)) return;
    const tx = await this.#patientSql();
    const { progress, total } = await countPart(tx, this.id, counting, this.#pages);
    if (!total) {
      this.state.counting = { ...counting, ...progress };
      this.at("count", this.now);
      return;
    }
    if (review) return this.#hold(review, total);
    delete this.state.counting;
    await this.#reveal(counting, total);
  }

  /** After the last part, the hunt's row says how it stood, so that nobody who reads it counts. */
  async #countCancelled(from: Counting): Promise<void> {
    const tx = await this.#patientSql();
    const { progress, total } = await countPart(tx, this.id, from, this.#pages);
    if (!total) {
      this.state.countingCancelled = progress;
      this.at("count", this.now);
      return;
    }
    delete this.state.countingCancelled;
    await updateHunt(tx, this.id, { figures: figuresOf(total, await bestScores(tx, this.id, TOP)) });
  }

  /** What everybody may read of the result is stored, and nothing is paid before it is released. */
  async #hold(review: Review, tally: Tally): Promise<void> {
    const tx = await this.#patientSql();
    const { startsAt, winners, prizes } = this.#plan();
    const best = await bestScores(tx, this.id, Math.max(winners, TOP));
    await updateHunt(tx, this.id, { figures: figuresOf(tally, best) });
    this.state.counting = { ...this.state.counting!, tally };
    this.#dropLedger();
    await this.holdResult(review, resultHashOf({ id: this.id, startsAt, prizes }, best.slice(0, winners)));
  }

  protected override async goOnPaying(): Promise<void> {
    const { counting } = this.state;
    delete this.state.counting;
    await this.#reveal(counting!, counting!.tally!);
  }

  /** Stores the winners and pays them, and begins what comes after solving. */
  async #reveal({ since, begins }: { since: number; begins: number }, tally: Tally): Promise<void> {
    const tx = await this.#patientSql();
    const { winners: count, prizes, ...plan } = this.#plan();
    const best = await bestScores(tx, this.id, Math.max(count, TOP));
    const winners = best.slice(0, count).map((standing) => ({ ...standing, prizes: prizesOf(standing.rank, prizes) }));
    await this.#pay(tx, winners);
    const figures = figuresOf(tally, best);
    await updateHunt(tx, this.id, { winners, figures });
    this.notifyRooms("chest", { winners });
    if (figures.solved > 0) this.state.resultsTo = NOTHING_RECORDED;
    await this.#storeResults();
    this.#dropLedger();
    const tookMs = this.now - since;
    const next = phaseAfter("solving", plan);
    await this.enter(next, begins + (tookMs > COUNTED_AT_ONCE_MS ? tookMs : 0) + durationOf(next, plan), {});
  }

  /** Stores a part of the players' results, which quests are checked against. */
  async #storeResults(): Promise<void> {
    const { resultsTo } = this.state;
    if (resultsTo === undefined) return;
    const after = typeof resultsTo === "string" ? NOTHING_RECORDED : resultsTo;
    const part = { after, limit: this.#pages.results };
    const to = await recordResults(await this.#patientSql(), this.id, part, this.now);
    if (to !== undefined) {
      this.state.resultsTo = to;
      this.at("results", this.now);
      return;
    }
    delete this.state.resultsTo;
    for (const part of QUEST_PARTS) this.send(QuestActor, part).huntRevealed(this.id);
  }

  get #pages(): Pages {
    return this.#ports.pages ?? PAGES;
  }

  async #patientSql(): Promise<Transaction> {
    const tx = await this.sql();
    tx.allow(WHOLE_EVENT_MS);
    return tx;
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

  protected async enter(phase: HuntPhase, endsAt: number, change: Partial<HuntRecord> = {}): Promise<void> {
    const plan = this.#plan();
    this.state.phase = phase;
    this.state.phaseEndsAt = isTimed(phase) ? endsAt : 0;
    if (isPaused(this.state.pausing)) this.#pauseLedger(this.state.pausing.count);
    else if (isTimed(phase) && !isHeld(this.state.review)) this.at(phase, endsAt);
    await updateHunt(await this.sql(), this.id, {
      ...change,
      ...this.statusColumns,
      phase,
      phaseEndsAt: this.state.phaseEndsAt,
      endsAt: huntEndsAt(phase, isTimed(phase) ? endsAt : this.now, plan),
      updatedAt: this.now,
    });
    const data: PhaseNews = { phase, endsAt: this.state.phaseEndsAt, ...this.newsOf(plan.revision) };
    this.notifyRooms("phase", data);
    this.#announce("huntPhase");
  }

  #announce(type: "huntScheduled" | "huntPhase"): void {
    this.publish(LOBBY_TOPIC, { type, data: this.statusNow() });
  }

  #plan(): NonNullable<HuntState["plan"]> {
    if (!this.state.plan) throw new RingmasterError("not_found", `There is no hunt ${this.id}.`);
    return this.state.plan;
  }

  protected override require<P extends HuntPhase>(...phases: readonly P[]): P {
    this.#plan();
    if (this.state.counting)
      throw new RingmasterError("wrong_phase", "The hunt's solving is over, and its results are being counted.", {
        phase: "solving",
        changesAt: this.state.phaseEndsAt,
      });
    return super.require(...phases);
  }

  protected requireUnpaid(): void {
    this.#plan();
    super.require("scheduled", "discovery", "solving");
  }

  protected statusNow(): HuntStatus {
    const { name, startsAt } = this.#plan();
    const { phase, phaseEndsAt, prizes } = this.state;
    return {
      ...{ id: this.id, name, phase, startsAt, phaseEndsAt, ...(prizes && { prizes }) },
      ...this.eventStatus,
    };
  }
}

function figuresOf({ players, solved }: Tally, best: readonly Standing[]): HuntFigures {
  return { players, solved, standings: best.slice(0, TOP) };
}

function planOf(definition: SealedHunt): KeptPlan {
  const { name, startsAt, discoveryMs, solvingMs, revealMs, winners, prizes, clues, repeat } = definition;
  const { endWhenExhausted = false } = definition;
  const total = clues.length * repeat;
  return { name, startsAt, discoveryMs, solvingMs, revealMs, winners, prizes, total, endWhenExhausted };
}

/** The kind as a node registers it. */
export function huntKind(ports: HuntPorts): ActorKind {
  return {
    type: HuntActor as unknown as ActorType<Actor<unknown>>,
    create: (context) => new HuntActor(context, ports) as unknown as Actor<unknown>,
  };
}
