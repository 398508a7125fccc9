import type { Cancellation, Intervention } from "../../entities/events/EventChange.ts";
import { isHeld } from "../../entities/events/Review.ts";
import { inDecimals } from "../../entities/tournaments/precision.ts";
import { finalStandings } from "../../entities/tournaments/Standings.ts";
import {
  insertTournament,
  raiseBoardEpoch,
  type TournamentPhase,
  type TournamentRecord,
  type TournamentTerms,
  updateTournament,
} from "../../entities/tournaments/Tournament.ts";
import { RingmasterError } from "../../errors.ts";
import type { Leaderboard } from "../../stores/tournaments/Leaderboard.ts";
import { EventActor } from "../events/EventActor.ts";
import type { EventPorts } from "../events/EventCore.ts";
import type { Actor, ActorContext, ActorType, TimerHandlers } from "../runtime/Actor.ts";
import type { ActorKind } from "../runtime/ActorKinds.ts";
import { phaseAfter, phaseEndOf, planAfter, type TimedPhase } from "./phases.ts";
import type { ResultHead } from "./result.ts";
import { ReadingPlaces, Settler, type SettlerPorts } from "./Settler.ts";
import { withPrizes } from "./settlement.ts";
import type { PhaseNews, TournamentOutcome, TournamentState, TournamentStatus } from "./state.ts";
import { LONGEST_SERIES_ID, TournamentSeriesActor } from "./TournamentSeriesActor.ts";

/** What a tournament's actor needs beside its turns. */
export interface TournamentPorts extends SettlerPorts, EventPorts {
  /** Has the boards of tournaments that take nothing any more dropped. */
  leaderboard: Pick<Leaderboard, "drop">;
}

/** A settlement that finds too many others under way asks again after this. */
const PLACE_PAUSE_MS = 1000;
/** Winners that the lobby is told of. */
const WINNERS = 3;

const RUNNING = ["open", "grace"] as const;
const EVENT = { domain: "tournaments", running: RUNNING, endable: RUNNING } as const;

/** Owns one tournament: its phases, each by its own durable timer, and its settlement, a page a turn. */
export class TournamentActor extends EventActor<TournamentState, TournamentStatus> {
  static readonly kind = "tournament";
  static readonly reads = ["status", "review"];
  static initial(): TournamentState {
    return {
      plan: { startsAt: 0, endsAt: 0, graceMs: 0 },
      seriesId: null,
      createdBy: "",
      phase: "scheduled",
      phaseEndsAt: 0,
      boardEpoch: 0,
      settlement: { stored: 0, resultHash: null, paidTo: 0 },
    };
  }

  protected readonly event = EVENT;
  protected override readonly ports: TournamentPorts;
  readonly #settler: Settler;

  constructor(context: ActorContext, ports: TournamentPorts, places: ReadingPlaces) {
    super(context, ports);
    this.ports = ports;
    this.#settler = new Settler(ports, places);
  }

  /** While it runs, its rooms are where it is, and who may load its board is in its memory; while it settles, a reader is at work. */
  override mayMove(): boolean {
    return ["scheduled", "settled", "cancelled"].includes(this.state.phase);
  }

  override deactivated(): void {
    this.#settler.close();
  }

  /**
   * Creates the tournament; with `terms.series` and no `seriesId` also the series that it is the first of. Throws `conflict` when it
   * exists, `not_found` for an item that there is not, `invalid_payload` for what could not be paid or an id too long for a series.
   */
  async create(terms: TournamentTerms, createdBy: string, seriesId: string | null): Promise<TournamentStatus> {
    this.requireNew(this.state.terms);
    const beginsSeries = terms.series !== null && seriesId === null;
    if (beginsSeries && this.id.length > LONGEST_SERIES_ID)
      throw new RingmasterError("invalid_payload", `The id of a series has at most ${LONGEST_SERIES_ID} characters.`);
    const { startsAt, endsAt, graceMs } = terms;
    Object.assign(this.state, { terms, createdBy, seriesId: beginsSeries ? this.id : seriesId });
    this.state.plan = { startsAt, endsAt, graceMs };
    await this.schedule(terms, (tx) => insertTournament(tx, this.#newRecord(terms)));
    if (beginsSeries) this.send(TournamentSeriesActor, this.id).begin(terms, createdBy);
    return this.statusNow();
  }

  /**
   * Replaces the terms of one that is scheduled, its times too; its series stays as it is. Throws `wrong_phase` once it has begun, and
   * what `create` does for prizes that could not be paid.
   */
  async correct(terms: TournamentTerms, why: Intervention): Promise<TournamentStatus> {
    this.require("scheduled");
    const { series, revision = 0 } = this.#terms();
    this.state.seriesTerms ??= this.#terms();
    const corrected = { ...terms, series, revision: revision + 1 };
    const { name, game, startsAt, endsAt, graceMs } = corrected;
    this.state.terms = corrected;
    this.state.plan = { startsAt, endsAt, graceMs };
    return this.reschedule(terms, why, { name, game, definition: corrected });
  }

  /** Cancels the tournament: nothing more is taken, and nothing will be paid. Possible in settling only where the result is to be reviewed. */
  async cancel(why?: Cancellation): Promise<TournamentStatus> {
    const phase = this.state.review
      ? this.require("scheduled", "open", "grace", "settling")
      : this.require("scheduled", "open", "grace");
    await this.endByCancelling(why);
    this.cancelTimer(phase === "settling" ? "settle" : phase);
    this.afterCommit(() => this.#settler.leaveOff());
    if (phase === "scheduled") this.#passOnSeries();
    this.state.boardEpoch += 1;
    this.dropHotState(this.ports.leaderboard);
    await this.enter("cancelled", 0, { boardEpoch: this.state.boardEpoch, overAt: this.now });
    return this.statusNow();
  }

  /**
   * The leaderboard has lost this tournament: raises its epoch, so that what the lost one decided cannot be committed any more.
   * Answers under which epoch to load it, which is to be said again and again while that takes (`loading`), or `wait` while somebody
   * else does so. Throws `wrong_phase` once nothing is taken.
   */
  async rebuild(): Promise<{ epoch: number } | { wait: true }> {
    this.require(...RUNNING);
    return (await this.beginLoading()) ? { epoch: this.state.boardEpoch } : { wait: true };
  }

  protected get epoch(): number {
    return this.state.boardEpoch;
  }

  protected async raiseEpoch(): Promise<void> {
    this.state.boardEpoch += 1;
    await raiseBoardEpoch(await this.sql(), this.id, this.state.boardEpoch);
  }

  readonly timers: TimerHandlers = {
    scheduled: () => this.advance("scheduled"),
    open: () => this.advance("open"),
    grace: () => this.advance("grace"),
    settle: () => this.#settle(),
    resume: () => this.goOn(),
    review: () => this.remindOfReview(),
  };

  protected moveEnd(ms: number): void {
    if (this.state.phase === "open") this.state.plan.endsAt += ms;
    this.state.phaseEndsAt += ms;
  }

  protected lengthen(phase: TournamentPhase, ms: number): void {
    if (phase !== "grace") this.state.plan.endsAt += ms;
  }

  protected moveStart(ms: number): void {
    this.state.plan.startsAt += ms;
    this.state.plan.endsAt += ms;
  }

  protected async advance(phase: TimedPhase): Promise<TournamentStatus> {
    const terms = this.#terms();
    if (this.state.phase !== phase) return this.statusNow();
    this.cancelTimer(phase);
    const next = phaseAfter(phase, terms);
    if (phase === "scheduled") this.#passOnSeries();
    this.state.plan = planAfter(phase, this.state.plan, this.now);
    if (next === "settling") await this.#freeze();
    else await this.enter(next, phaseEndOf(next, this.state.plan));
    return this.statusNow();
  }

  /** From here on nothing can be committed: what is under way has been waited for, and what comes has an epoch that is over. */
  async #freeze(): Promise<void> {
    this.state.boardEpoch += 1;
    this.dropHotState(this.ports.leaderboard);
    this.at("settle", this.now);
    await this.enter("settling", 0, { boardEpoch: this.state.boardEpoch });
  }

  /** A page of the settlement, or its end. Between the standings and the prizes the result is held, if it is to be reviewed. */
  async #settle(): Promise<void> {
    const { settlement, review } = this.state;
    if (this.state.phase !== "settling" || isHeld(review)) return;
    if (settlement.resultHash === null) {
      const { stored } = settlement;
      const step = await this.#settler.store(() => this.patientSql(), this.#head(), settlement);
      if (stored === 0 && settlement.stored > 0) this.notifyRooms("standings", {});
      if (step === "done") this.afterCommit(() => this.#settler.leaveOff());
      this.at("settle", step === "waiting" ? this.now + PLACE_PAUSE_MS : this.now);
    } else if (review) await this.holdResult(review, settlement.resultHash);
    else if (await this.#settler.pay(await this.patientSql(), this.rng, this.now, this.#head(), settlement))
      this.at("settle", this.now);
    else await this.#publishResult();
  }

  protected override async goOnPaying(): Promise<void> {
    this.at("settle", this.now);
    await this.enter("settling", 0);
  }

  async #publishResult(): Promise<void> {
    const { name, game, prizes, precision = 0 } = this.#terms();
    const { stored: players, resultHash } = this.state.settlement;
    // Once more: its node may have died before it came to that, or the leaderboard was out of reach.
    this.dropHotState(this.ports.leaderboard);
    const winners = await finalStandings(await this.sql(), this.id, 1, WINNERS);
    await this.enter("settled", 0, { overAt: this.now, players, resultHash, prizesDistributed: true });
    this.notifyRooms("settled", { resultHash, players });
    const outcome: TournamentOutcome = {
      id: this.id,
      name,
      game,
      players,
      resultHash: resultHash!,
      winners: inDecimals(winners, precision).map((standing) => withPrizes(standing, prizes)),
    };
    this.notifyLobby("tournamentSettled", outcome);
  }

  protected async store(change: Partial<TournamentRecord>): Promise<void> {
    const { phase, phaseEndsAt, plan } = this.state;
    const times = { startsAt: plan.startsAt, endsAt: plan.endsAt, phaseEndsAt, updatedAt: this.now };
    await updateTournament(await this.sql(), this.id, { ...change, ...times, phase, ...this.statusColumns });
  }

  protected override news(): PhaseNews {
    const { phase, phaseEndsAt, plan } = this.state;
    return { phase, endsAt: plan.endsAt, phaseEndsAt, ...this.newsOf(this.#terms().revision) };
  }

  /** This one is not the coming one of its series any more. */
  #passOnSeries(): void {
    const { seriesTerms = this.#terms(), seriesId, createdBy } = this.state;
    if (seriesId !== null) this.send(TournamentSeriesActor, seriesId).goOn(this.id, seriesTerms, createdBy);
  }

  #head(): ResultHead {
    const { game, operator, order, prizes, precision = 0 } = this.#terms();
    const { startsAt, endsAt } = this.state.plan;
    return { id: this.id, game, operator, order, startsAt, endsAt, prizes, precision };
  }

  #newRecord(terms: TournamentTerms): TournamentRecord {
    return {
      ...this.statusNow(),
      overAt: 0,
      boardEpoch: this.state.boardEpoch,
      pauses: 0,
      pausing: null,
      reviewSince: null,
      cancelReason: null,
      definition: terms,
      seriesId: this.state.seriesId,
      players: null,
      resultHash: null,
      prizesDistributed: false,
      createdBy: this.state.createdBy,
      createdAt: this.now,
      updatedAt: this.now,
    };
  }

  #terms(): TournamentTerms {
    if (!this.state.terms) throw this.unknown();
    return this.state.terms;
  }

  protected override require<P extends TournamentPhase>(...phases: readonly P[]): P {
    this.#terms();
    return super.require(...phases);
  }

  protected requireUnpaid(): void {
    this.require("scheduled", "open", "grace", "settling");
    if (this.state.settlement.paidTo > 0)
      throw new RingmasterError("wrong_phase", "The tournament's prizes are being paid.", {
        phase: this.state.phase,
        changesAt: null,
      });
  }

  protected statusNow(): TournamentStatus {
    const { name, game } = this.#terms();
    const { phase, phaseEndsAt, plan } = this.state;
    const { startsAt, endsAt } = plan;
    return { id: this.id, name, game, phase, startsAt, endsAt, phaseEndsAt, ...this.eventStatus };
  }
}

/** The kind as a node registers it. */
export function tournamentKind(ports: TournamentPorts): ActorKind {
  const places = new ReadingPlaces();
  return {
    type: TournamentActor as unknown as ActorType<Actor<unknown>>,
    create: (context) => new TournamentActor(context, ports, places) as unknown as Actor<unknown>,
  };
}
