import { Actor, type ActorContext, type TimerHandlers } from "../../actors/runtime/Actor.ts";
import type { Log } from "../../actors/runtime/ports.ts";
import { JOBS_TOPIC } from "../../entities/jobs/Job.ts";
import { JobBook, type RunChange } from "../../entities/jobs/JobBook.ts";
import { RingmasterError } from "../../errors.ts";
import { AttemptsHere } from "./AttemptsHere.ts";
import type { Job, JobPlan } from "./defineJob.ts";
import { adopt, bringForward, freeTime, isPutOff, type JobTurn, skip, takeDue } from "./dueTimes.ts";
import type { AttemptOutcome, JobRunner } from "./JobRunner.ts";
import { type JobTimer, SUPERVISE_MS, timerChanges } from "./jobTimers.ts";
import {
  type ActiveRun,
  backoffMs,
  initialState,
  isOverdue,
  isPoison,
  isProven,
  type JobState,
  LONGEST_QUEUE,
} from "./runRules.ts";

export interface JobActorPorts {
  runner: JobRunner;
  log: Log;
  /** For the metrics: an attempt of this job failed, and its run is overdue. */
  overdue(job: string): void;
}

/**
 * One global job: an actor with a durable timer, which lives on nodes that know the job alone. Its turns decide what runs when;
 * the run itself happens outside of them, on the node that owns the actor, and reports back. A run whose node died is begun
 * again by the next owner.
 */
export class JobActor extends Actor<JobState> {
  static readonly kind = "job";
  static initial(): JobState {
    return initialState();
  }

  readonly #job: Job;
  readonly #ports: JobActorPorts;
  readonly #here = new AttemptsHere();

  constructor(context: ActorContext, job: Job, ports: JobActorPorts) {
    super(context);
    this.#job = job;
    this.#ports = ports;
  }

  readonly timers: TimerHandlers = {
    due: () => this.#inBook((book) => this.#due(book)),
    supervise: () => this.#supervise(),
    retry: () => this.#inBook((book) => this.#retry(book)),
  };

  /** A run that goes on would be broken off and begun again. */
  override mayMove(): boolean {
    return this.state.active === null;
  }

  override deactivated(): void {
    this.#here.giveUp();
  }

  /** Every node that hosts actors says this at its start: the job is due by this plan from now on. */
  async arm(plan: JobPlan): Promise<void> {
    const isNew = JSON.stringify(plan) !== JSON.stringify(this.state.plan);
    if (isNew) await this.#inBook((book) => this.#adopt(plan, book));
    else await this.#setRight();
  }

  /** Every node that knows the job says this every minute: what a clock that was ahead has put off comes in time again. */
  async look(): Promise<void> {
    await this.#setRight();
  }

  /** Due times pass without a run until it is resumed. What runs and what waits go on. */
  async pause(): Promise<void> {
    await this.#inBook(async (book) => {
      this.state.paused = true;
      book.show({ paused: 1 });
    });
  }

  /** Due times have runs again; lifts a quarantine. */
  async resume(): Promise<void> {
    await this.#inBook(async (book) => {
      this.state.paused = false;
      this.state.quarantined = false;
      book.show({ paused: 0, quarantined: 0 });
      await this.#beginNext(book);
    });
  }

  /** The next due time passes without a run. Answers which that is; null when there is none. */
  async skipNext(): Promise<{ skipped: number | null }> {
    return this.#inBook(async (book) => {
      skip(this.state.nextAt, this.#turn(book));
      return { skipped: this.state.nextAt };
    });
  }

  /** Runs the job now, also while it is paused; queued behind what runs and waits. Answers the time that the run goes by. */
  async trigger(): Promise<{ scheduledAt: number }> {
    const { queue, quarantined } = this.state;
    if (quarantined)
      throw new RingmasterError("actor_quarantined", `Job ${this.id} has killed its nodes; resume it first.`);
    if (queue.length >= LONGEST_QUEUE)
      throw new RingmasterError("overloaded", `Job ${this.id} has ${queue.length} runs waiting.`);
    return this.#queueNow({ byHand: true });
  }

  /** A node has started, and the job is one that is to run then. Not while it rests, nor when a run of it goes on or waits. */
  async runAtStart(): Promise<void> {
    const { active, paused, plan, quarantined, queue } = this.state;
    if (active || paused || quarantined || queue.length > 0 || !plan?.enabled) return;
    await this.#queueNow({ byHand: false });
  }

  /** The runner's report of an attempt. What is not the running attempt any more is history: another one has taken its place. */
  async finish(scheduledAt: number, attempt: number, outcome: AttemptOutcome): Promise<void> {
    if (!this.#isRunning(scheduledAt, attempt)) return;
    await this.#inBook(async (book) => {
      const progress = outcome.progress === undefined ? {} : { progress: outcome.progress };
      const ended = { finished_at: this.now, ...progress };
      if (outcome.ok) await this.#close(book, { ...ended, outcome: "succeeded", result: outcome.result, error: null });
      else await this.#failed(book, { ...ended, error: outcome.error });
    });
  }

  /** The runner's report that it has given an attempt up, because this actor has left its node. */
  async moved(scheduledAt: number, attempt: number): Promise<void> {
    if (!this.#isRunning(scheduledAt, attempt) || this.#isHere(this.state.active!)) return;
    await this.#inBook((book) => this.#begin(book));
  }

  #queueNow(by: { byHand: boolean }): Promise<{ scheduledAt: number }> {
    return this.#inBook(async (book) => {
      const scheduledAt = await freeTime(this.#turn(book));
      book.add(scheduledAt, "queued", by);
      this.state.queue.push(scheduledAt);
      await this.#beginNext(book);
      return { scheduledAt };
    });
  }

  /** Opens the turn's transaction, writes what `work` has collected into it, and arms the timers that its state calls for. */
  async #inBook<T>(work: (book: JobBook) => Promise<T>): Promise<T> {
    const book = new JobBook(await this.sql(), this.id);
    bringForward(this.#turn(book));
    const result = await work(book);
    await book.store();
    this.#wake();
    return result;
  }

  #isRunning(scheduledAt: number, attempt: number): boolean {
    const { active } = this.state;
    return active?.scheduledAt === scheduledAt && active.attempt === attempt && !active.isWaiting;
  }

  #isHere({ scheduledAt, attempt }: ActiveRun): boolean {
    return this.#here.has(scheduledAt, attempt);
  }

  async #adopt(plan: JobPlan, book: JobBook): Promise<void> {
    await adopt(plan, this.#job, this.#turn(book));
    await this.#beginNext(book);
  }

  /** A turn that changes nothing where nothing is to be changed. */
  async #setRight(): Promise<void> {
    const isRight = this.#timerChanges().size === 0 && !isPutOff(this.state, this.now, this.rng);
    if (!isRight) await this.#inBook(async () => {});
  }

  #timerChanges(): Map<JobTimer, number | null> {
    return timerChanges(this.state, this.#job, (timer) => this.due(timer), this.now);
  }

  /** Arms what the state calls for, and nothing more. */
  #wake(): void {
    for (const [timer, at] of this.#timerChanges()) {
      if (at === null) this.cancelTimer(timer);
      else if (timer === "supervise") this.every(timer, SUPERVISE_MS, { first: at });
      else this.at(timer, at);
    }
  }

  /** This turn, for what looks after its due times. */
  #turn(book: JobBook): JobTurn {
    const { state, now, rng } = this;
    return { state, book, now, rng };
  }

  async #due(book: JobBook): Promise<void> {
    await this.#resumeLost(book);
    await takeDue(this.#job, this.#turn(book));
    await this.#beginNext(book);
  }

  async #beginNext(book: JobBook): Promise<void> {
    const { state } = this;
    if (state.active) return this.#giveWay(book);
    if (state.quarantined) return;
    if (state.queue.length === 0) await takeDue(this.#job, this.#turn(book));
    const scheduledAt = state.queue.shift();
    if (scheduledAt === undefined) return;
    state.active = { scheduledAt, attempt: 0, isWaiting: false, failures: 0, deaths: 0, startedAt: this.now };
    await this.#begin(book);
  }

  /** What an overdue run owes, the next in the queue makes good, which need not wait for its next try. */
  async #giveWay(book: JobBook): Promise<void> {
    const { active, queue, quarantined } = this.state;
    if (!active?.isWaiting || !isOverdue(active, this.#job) || queue.length === 0 || quarantined) return;
    await this.#close(book, { outcome: "dead" });
  }

  /** Begins an attempt of the active run on this node, once the turn has committed. */
  async #begin(book: JobBook): Promise<void> {
    const { nodeId, epoch } = this.place;
    const active = this.state.active!;
    active.attempt += 1;
    active.isWaiting = false;
    active.startedAt = this.now;
    const { scheduledAt, attempt } = active;
    const first = attempt === 1 ? { started_at: this.now, lateness_ms: Math.max(0, this.now - scheduledAt) } : {};
    const earlier = attempt === 1 ? null : (await book.remains(scheduledAt)).progress;
    book.change(scheduledAt, { ...first, node: nodeId, epoch, attempt, outcome: "running" });
    book.show({ running_on: nodeId, last_scheduled_at: scheduledAt });
    const earlierProgress = earlier === null ? null : JSON.parse(earlier);
    const begun = this.#ports.runner.attempt({ job: this.#job, scheduledAt, attempt, earlierProgress });
    this.#here.begin(begun);
    this.afterCommit(() => this.#here.start(begun));
  }

  async #failed(book: JobBook, change: RunChange): Promise<void> {
    const active = this.state.active!;
    const { scheduledAt, attempt } = active;
    active.failures += 1;
    const overdue = isOverdue(active, this.#job);
    const isLast = overdue ? this.state.queue.length > 0 : active.failures > this.#job.retries;
    if (isLast) return this.#close(book, { ...change, outcome: "dead" });
    const waitMs = backoffMs(active.failures, this.rng, this.#job.owes);
    active.isWaiting = true;
    this.after("retry", waitMs);
    book.change(scheduledAt, { ...change, outcome: "retrying" });
    book.show({ running_on: null });
    this.#noteOnTimeline(overdue ? "overdue" : "failed", { scheduledAt, attempt, error: change.error });
    if (overdue) this.afterCommit(() => this.#complain({ scheduledAt, attempt, error: change.error, waitMs }));
  }

  #complain(fields: object): void {
    this.#ports.overdue(this.id);
    this.#ports.log.error({ job: this.id, ...fields }, "a run that owes something fails, and is tried again");
  }

  /** The active run's row gets its end; the next in the queue begins. */
  async #close(book: JobBook, change: RunChange & { outcome: "succeeded" | "dead" }): Promise<void> {
    const { scheduledAt, attempt } = this.state.active!;
    const isDead = change.outcome === "dead";
    book.change(scheduledAt, change);
    book.show({ running_on: null, ...(isDead ? { last_dead_at: scheduledAt } : {}) });
    book.count(isDead ? "failures" : "successes");
    if (isDead) this.#noteOnTimeline("dead", { scheduledAt, attempt, error: change.error });
    this.state.active = null;
    await this.#beginNext(book);
  }

  async #supervise(): Promise<void> {
    const { active } = this.state;
    if (active && this.#isHere(active)) {
      if (isProven(active, this.now)) active.deaths = 0;
      return;
    }
    await this.#inBook((book) => this.#resumeLost(book));
  }

  /** After its node died, or was silent for so long that it may be, the active run is not here: begins a further attempt. */
  async #resumeLost(book: JobBook): Promise<void> {
    const { active } = this.state;
    if (!active || active.isWaiting || this.#isHere(active)) return;
    const { scheduledAt, attempt } = active;
    const { givenUp } = await book.remains(scheduledAt);
    if (givenUp === attempt) return this.#begin(book);
    active.deaths += 1;
    this.#noteOnTimeline("lost", { scheduledAt, attempt });
    if (!isPoison(active)) return this.#begin(book);
    this.state.quarantined = true;
    book.show({ quarantined: 1 });
    const error = `the node died ${active.deaths} times while it ran; the job is quarantined`;
    this.#ports.log.error({ job: this.id, scheduledAt, attempt }, error);
    await this.#close(book, { finished_at: this.now, outcome: "dead", error });
  }

  async #retry(book: JobBook): Promise<void> {
    if (this.state.active?.isWaiting) await this.#begin(book);
  }

  #noteOnTimeline(type: string, data: object): void {
    this.publish(JOBS_TOPIC, { type, data: { job: this.id, ...data } });
  }
}
