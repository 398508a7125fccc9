import { isPaused } from "../../entities/events/Pausing.ts";
import { isHeld, type Review } from "../../entities/events/Review.ts";
import { type HuntPhase, type HuntRecord, raiseLedgerEpoch, updateHunt } from "../../entities/hunts/Hunt.ts";
import { NOTHING_RECORDED, recordResults } from "../../entities/hunts/results.ts";
import type { ClueLedger } from "../../stores/hunts/ClueLedger.ts";
import { EventActor } from "../events/EventActor.ts";
import type { EventPorts } from "../events/EventCore.ts";
import { QuestActor } from "../quests/QuestActor.ts";
import { QUEST_PARTS } from "../quests/rules.ts";
import type { ActorContext } from "../runtime/Actor.ts";
import { durationOf, huntEndsAt, isTimed, phaseAfter } from "./phases.ts";
import { resultHashOf } from "./result.ts";
import { payWinners, resultOf } from "./revealing.ts";
import { type Counting, type CountingPages, countPart, NOTHING_COUNTED, type Tally } from "./scores.ts";
import type { HuntState, HuntStatus, PhaseNews } from "./state.ts";

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

const EVENT = {
  domain: "hunts",
  running: ["discovery", "solving"],
  endable: ["discovery", "solving", "reveal"],
} as const;

/** The phases of a hunt as they are stored and told, and how it is counted, revealed and paid, a part of it a turn. */
export abstract class CountedHunt extends EventActor<HuntState, HuntStatus> {
  protected readonly event = EVENT;
  protected override readonly ports: HuntPorts;

  constructor(context: ActorContext, ports: HuntPorts) {
    super(context, ports);
    this.ports = ports;
  }

  protected get epoch(): number {
    return this.state.ledgerEpoch;
  }

  protected async raiseEpoch(): Promise<void> {
    this.state.ledgerEpoch += 1;
    await raiseLedgerEpoch(await this.sql(), this.id, this.state.ledgerEpoch);
  }

  protected moveEnd(ms: number): void {
    this.state.phaseEndsAt += ms;
  }

  protected lengthen(phase: HuntPhase, ms: number): void {
    if (phase === "scheduled") this.plan().solvingMs += ms;
  }

  protected moveStart(ms: number): void {
    this.plan().startsAt = this.state.phaseEndsAt + ms;
  }

  /** What a node that has not heard of the pause asks for is not decided. Where this does not come to pass, it is decided and not committed. */
  #pauseLedger(count: number): void {
    const { ledger, log } = this.ports;
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
  protected async freeze(begins: number): Promise<void> {
    const tx = await this.patientSql();
    await this.raiseEpoch();
    this.cancelTimer("exhausted");
    delete this.state.solvedUpTo;
    this.state.counting = { ...NOTHING_COUNTED, since: this.now, begins };
    await this.count();
    if (!this.state.counting) return;
    this.state.phaseEndsAt = begins;
    await updateHunt(tx, this.id, { phaseEndsAt: begins });
  }

  /** Counts a part of what was solved. After the last one the chest is opened, or the result is held. */
  protected async count(): Promise<void> {
    const { counting, countingCancelled, review } = this.state;
    if (countingCancelled) return this.#countCancelled(countingCancelled);
    if (!counting || isHeld(review)) return;
    const tx = await this.patientSql();
    const { progress, total } = await countPart(tx, this.id, counting, this.pages);
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
    const tx = await this.patientSql();
    const { progress, total } = await countPart(tx, this.id, from, this.pages);
    if (!total) {
      this.state.countingCancelled = progress;
      this.at("count", this.now);
      return;
    }
    delete this.state.countingCancelled;
    const { figures } = await resultOf(tx, this.id, total, this.plan());
    await updateHunt(tx, this.id, { figures });
  }

  /** What everybody may read of the result is stored, and nothing is paid before it is released. */
  async #hold(review: Review, tally: Tally): Promise<void> {
    const tx = await this.patientSql();
    const { startsAt, prizes } = this.plan();
    const { figures, winners } = await resultOf(tx, this.id, tally, this.plan());
    await updateHunt(tx, this.id, { figures });
    this.state.counting = { ...this.state.counting!, tally };
    this.dropHotState(this.ports.ledger);
    await this.holdResult(review, resultHashOf({ id: this.id, startsAt, prizes }, winners));
  }

  protected override async goOnPaying(): Promise<void> {
    const { counting } = this.state;
    delete this.state.counting;
    await this.#reveal(counting!, counting!.tally!);
  }

  /** Stores the winners and pays them, and begins what comes after solving. */
  async #reveal({ since, begins }: { since: number; begins: number }, tally: Tally): Promise<void> {
    const tx = await this.patientSql();
    const plan = this.plan();
    const { figures, winners } = await resultOf(tx, this.id, tally, plan);
    await payWinners(tx, { huntId: this.id, rng: this.rng, now: this.now }, winners);
    await updateHunt(tx, this.id, { winners, figures });
    this.notifyRooms("chest", { winners });
    if (figures.solved > 0) this.state.resultsTo = NOTHING_RECORDED;
    await this.storeResults();
    this.dropHotState(this.ports.ledger);
    const tookMs = this.now - since;
    const next = phaseAfter("solving", plan);
    await this.enter(next, begins + (tookMs > COUNTED_AT_ONCE_MS ? tookMs : 0) + durationOf(next, plan), {});
  }

  /** Stores a part of the players' results, which quests are checked against. */
  protected async storeResults(): Promise<void> {
    const { resultsTo } = this.state;
    if (resultsTo === undefined) return;
    const after = typeof resultsTo === "string" ? NOTHING_RECORDED : resultsTo;
    const part = { after, limit: this.pages.results };
    const to = await recordResults(await this.patientSql(), this.id, part, this.now);
    if (to !== undefined) {
      this.state.resultsTo = to;
      this.at("results", this.now);
      return;
    }
    delete this.state.resultsTo;
    for (const part of QUEST_PARTS) this.send(QuestActor, part).huntRevealed(this.id);
  }

  protected get pages(): Pages {
    return this.ports.pages ?? PAGES;
  }

  protected override enter(phase: HuntPhase, endsAt: number, change: Partial<HuntRecord> = {}): Promise<HuntStatus> {
    return super.enter(phase, isTimed(phase) ? endsAt : 0, change);
  }

  protected override arm(): void {
    const { pausing, review } = this.state;
    if (isPaused(pausing)) this.#pauseLedger(pausing.count);
    else if (!isHeld(review)) super.arm();
  }

  protected async store(change: Partial<HuntRecord>): Promise<void> {
    const { phase, phaseEndsAt } = this.state;
    const plan = this.plan();
    await updateHunt(await this.sql(), this.id, {
      ...change,
      ...this.statusColumns,
      phase,
      startsAt: plan.startsAt,
      phaseEndsAt,
      endsAt: huntEndsAt(phase, isTimed(phase) ? phaseEndsAt : this.now, plan),
      updatedAt: this.now,
    });
  }

  protected override news(): PhaseNews {
    const { phase, phaseEndsAt } = this.state;
    return { phase, endsAt: phaseEndsAt, ...this.newsOf(this.plan().revision) };
  }

  protected plan(): NonNullable<HuntState["plan"]> {
    if (!this.state.plan) throw this.unknown();
    return this.state.plan;
  }

  protected requireUnpaid(): void {
    this.plan();
    super.require("scheduled", "discovery", "solving");
  }

  protected statusNow(): HuntStatus {
    const { name, startsAt } = this.plan();
    const { phase, phaseEndsAt, prizes } = this.state;
    return {
      ...{ id: this.id, name, phase, startsAt, phaseEndsAt, ...(prizes && { prizes }) },
      ...this.eventStatus,
    };
  }
}
