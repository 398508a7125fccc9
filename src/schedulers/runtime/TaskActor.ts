import { isDeepStrictEqual } from "node:util";
import { Actor, type ActorContext, type TimerHandlers } from "../../actors/runtime/Actor.ts";
import type { Log } from "../../actors/runtime/ports.ts";
import { JOBS_TOPIC } from "../../entities/jobs/Job.ts";
import { TaskBook, type WaitingTask } from "../../entities/jobs/TaskBook.ts";
import { RingmasterError } from "../../errors.ts";
import { validate } from "../../validate.ts";
import { AttemptsHere } from "./AttemptsHere.ts";
import type { JobContext } from "./defineJob.ts";
import type { Task } from "./defineTask.ts";
import type { AttemptOutcome, JobRunner } from "./JobRunner.ts";
import { SUPERVISE_MS } from "./jobTimers.ts";
import { backoffMs, isPoison, isProven } from "./runRules.ts";

/** A task that runs: its latest attempt. */
interface ActiveTask extends Pick<WaitingTask, "key" | "scheduledAt" | "attempt" | "failures" | "deaths"> {
  /** Epoch milliseconds. */
  startedAt: number;
}

/** What a shard's actor keeps; its tasks themselves are rows. */
export interface TaskState {
  /** Tasks that are not over, dead letters among them. */
  open: number;
  /** When the next of those that wait is due, in epoch milliseconds. */
  nextAt: number | null;
  active: ActiveTask[];
}

export interface TaskActorPorts {
  runner: JobRunner;
  log: Log;
  /** For the metrics: a task has become a dead letter. */
  buried(): void;
}

/** What `enqueue` answers. */
export interface Enqueued {
  key: string;
  /** When it is due, in epoch milliseconds. */
  scheduledAt: number;
  /** It was enqueued by this key before. */
  isRepeat: boolean;
}

/** Tasks of a shard that run at a time; the others wait. */
export const MOST_ACTIVE = 8;
/** Tasks of a shard that are not over. */
export const MOST_OPEN = 10_000;

/**
 * The tasks of one type whose keys fall into one shard: an actor that says which of them run when, as `JobActor` does of one job.
 * A task is a row of `tasks`, by its key, and a row of the history for its run. It waits (`due_at`), runs (it is in `active`),
 * waits again after a failure, and is over (`ended_at`) or a dead letter (`dead_at`), which an operator replays or discards.
 */
export class TaskActor extends Actor<TaskState> {
  static readonly kind = "task";
  static initial(): TaskState {
    return { open: 0, nextAt: null, active: [] };
  }

  readonly #task: Task;
  readonly #shard: number;
  readonly #ports: TaskActorPorts;
  readonly #here = new Map<string, AttemptsHere>();

  constructor(context: ActorContext, at: { task: Task; shard: number }, ports: TaskActorPorts) {
    super(context);
    this.#task = at.task;
    this.#shard = at.shard;
    this.#ports = ports;
  }

  readonly timers: TimerHandlers = {
    due: () => this.#inBook(async () => {}),
    supervise: () => this.#supervise(),
  };

  /** What goes on would be broken off and begun again. */
  override mayMove(): boolean {
    return this.state.active.length === 0;
  }

  override deactivated(): void {
    for (const attempts of this.#here.values()) attempts.giveUp();
  }

  /** Once by its key. `args` is JSON that the task's schema takes; `at` null: as soon as may be. */
  async enqueue(key: string, args: string, at: number | null): Promise<Enqueued> {
    return this.#inBook(async (book) => {
      const known = await book.find(key);
      if (known) {
        if (isDeepStrictEqual(JSON.parse(known.args), JSON.parse(args)))
          return { key, scheduledAt: known.scheduledAt, isRepeat: true };
        throw new RingmasterError("conflict", `Task ${this.#task.name} has been enqueued as ${key} with other args.`);
      }
      if (this.state.open >= MOST_OPEN)
        throw new RingmasterError("overloaded", `Too many tasks ${this.#task.name} wait or are dead letters.`);
      const scheduledAt = Math.max(at ?? this.now, this.now);
      await book.add({ key, scheduledAt, args }, this.now);
      this.state.open += 1;
      this.#expect(scheduledAt);
      return { key, scheduledAt, isRepeat: false };
    });
  }

  /** A dead letter runs again, under its old key. Throws `not_found` when it is none. */
  async replay(key: string): Promise<void> {
    await this.#inBook(async (book) => {
      const dead = await this.#dead(book, key);
      const scheduledAt = Math.max(this.now, dead.scheduledAt + 1);
      await book.replay(dead, scheduledAt);
      this.#expect(scheduledAt);
    });
  }

  /** A dead letter never runs again, also when it is enqueued once more. Throws `not_found` when it is none. */
  async discard(key: string): Promise<void> {
    await this.#inBook(async (book) => {
      await this.#dead(book, key);
      await book.change(key, { dead_at: null, ended_at: this.now });
      this.state.open -= 1;
    });
  }

  /** How an attempt ended, by its runner. One that is not the running one any more is history. */
  async finish(key: string, attempt: number, outcome: AttemptOutcome): Promise<void> {
    const task = this.#running(key, attempt);
    if (!task) return;
    await this.#inBook(async (book) => {
      const progress = outcome.progress === undefined ? {} : { progress: outcome.progress };
      const ended = { finished_at: this.now, ...progress };
      if (!outcome.ok) return this.#failed(book, task, { ...ended, error: outcome.error });
      this.#leave(task);
      this.state.open -= 1;
      await book.change(key, { ended_at: this.now });
      await book.changeRun(task, { ...ended, outcome: "succeeded", result: outcome.result, error: null });
    });
  }

  /** Its runner has given an attempt up, because this actor has left its node. */
  async moved(key: string, attempt: number): Promise<void> {
    const task = this.#running(key, attempt);
    if (task && !this.#isHere(task)) await this.#inBook((book) => this.#resumeLost(book, [task]));
  }

  /** Opens the turn's transaction, begins what is due after `work`, and arms the timers that the state calls for. */
  async #inBook<T>(work: (book: TaskBook) => Promise<T>): Promise<T> {
    const book = new TaskBook(await this.sql(), this.#task.name, this.#shard);
    const result = await work(book);
    if (this.#isDue()) await this.#beginDue(book);
    this.#wake();
    return result;
  }

  /** What is due already and does not run waits for one that does: each end, and each look at those that run, begins what may. */
  #wake(): void {
    const { nextAt, active } = this.state;
    const isFull = active.length >= MOST_ACTIVE;
    if (nextAt === null || nextAt <= this.now || isFull) this.cancelTimer("due");
    else if (this.due("due") !== nextAt) this.at("due", nextAt);
    if (active.length === 0) this.cancelTimer("supervise");
    else if (!((this.due("supervise") ?? Number.POSITIVE_INFINITY) <= this.now + SUPERVISE_MS))
      this.every("supervise", SUPERVISE_MS);
  }

  #isDue(): boolean {
    const { nextAt, active } = this.state;
    return nextAt !== null && nextAt <= this.now && active.length < MOST_ACTIVE;
  }

  #expect(at: number): void {
    this.state.nextAt = Math.min(at, this.state.nextAt ?? at);
  }

  async #beginDue(book: TaskBook): Promise<void> {
    const { state } = this;
    const waiting = await book.next(MOST_ACTIVE - state.active.length + 1);
    const begun: WaitingTask[] = [];
    for (const task of waiting) {
      if (task.dueAt > this.now || !this.#mayBegin(task)) break;
      begun.push(task);
      const { key, scheduledAt, failures, deaths } = task;
      const attempt = task.attempt + 1;
      state.active.push({ key, scheduledAt, failures, deaths, attempt, startedAt: this.now });
    }
    state.nextAt = waiting[begun.length]?.dueAt ?? null;
    if (begun.length === 0) return;
    await book.begin(begun, { node: this.place.nodeId, epoch: this.place.epoch, now: this.now });
    for (const task of begun) this.#begin(task);
  }

  /** What was lost with its node runs alone until it has run for a while, so that what kills nodes takes no others with it. */
  #mayBegin({ deaths }: WaitingTask): boolean {
    const { active } = this.state;
    if (active.length >= MOST_ACTIVE) return false;
    const isDoubtful = (other: ActiveTask): boolean => !isProven(other, this.now) && (deaths > 0 || other.deaths > 0);
    return !active.some(isDoubtful);
  }

  /** Begins an attempt on this node, once the turn has committed. */
  #begin({ key, scheduledAt, attempt, args, progress }: WaitingTask): void {
    const task = this.#task;
    const run = async (context: JobContext): Promise<unknown> =>
      task.run(validate(task.args, JSON.parse(args)), { ...context, key });
    const begun = this.#ports.runner.attempt({
      job: { name: task.name, timeoutMs: task.timeoutMs, run },
      task: key,
      scheduledAt,
      attempt: attempt + 1,
      earlierProgress: progress === null ? null : JSON.parse(progress),
    });
    const here = this.#here.get(key) ?? new AttemptsHere();
    this.#here.set(key, here);
    here.begin(begun);
    this.afterCommit(() => here.start(begun));
  }

  async #failed(
    book: TaskBook,
    task: ActiveTask,
    change: { finished_at: number; progress?: string; error: string },
  ): Promise<void> {
    const failures = task.failures + 1;
    if (failures > this.#task.retries) return this.#bury(book, task, change);
    const dueAt = this.now + Math.ceil(backoffMs(failures, this.rng));
    this.#leave(task);
    this.#expect(dueAt);
    await book.change(task.key, { due_at: dueAt, failures, deaths: 0 });
    await book.changeRun(task, { ...change, outcome: "retrying" });
  }

  /** A task that failed for good is a dead letter from now on. */
  async #bury(book: TaskBook, task: ActiveTask, change: { finished_at: number; error: string }): Promise<void> {
    const { key } = task;
    this.#leave(task);
    await book.change(key, { dead_at: this.now, error: change.error });
    await book.changeRun(task, { ...change, outcome: "dead" });
    this.#noteOnTimeline("dead", task, change.error);
    this.afterCommit(() => this.#ports.buried());
  }

  /** It runs no more. */
  #leave({ key }: ActiveTask): void {
    this.state.active = this.state.active.filter((other) => other.key !== key);
    this.afterCommit(() => void this.#here.delete(key));
  }

  async #supervise(): Promise<void> {
    const { active } = this.state;
    for (const task of active) if (this.#isHere(task) && isProven(task, this.now)) task.deaths = 0;
    const lost = active.filter((task) => !this.#isHere(task));
    if (lost.length > 0 || this.#isDue()) await this.#inBook((book) => this.#resumeLost(book, lost));
  }

  /** These run nowhere, since their node died, or was silent for so long that it may have: they wait for a further attempt. */
  async #resumeLost(book: TaskBook, lost: readonly ActiveTask[]): Promise<void> {
    if (lost.length === 0) return;
    const givenUp = await book.givenUp(lost);
    for (const task of lost) {
      const { key, scheduledAt, attempt } = task;
      const deaths = givenUp.has(key) ? task.deaths : task.deaths + 1;
      if (!givenUp.has(key)) this.#noteOnTimeline("lost", task);
      if (isPoison({ deaths })) {
        const error = `the node died ${deaths} times while it ran`;
        this.#ports.log.error({ job: this.#task.name, task: key, attempt }, error);
        await this.#bury(book, task, { finished_at: this.now, error });
        continue;
      }
      this.state.active = this.state.active.filter((other) => other.key !== key);
      this.#expect(scheduledAt);
      await book.change(key, { due_at: scheduledAt, deaths });
    }
  }

  #running(key: string, attempt: number): ActiveTask | undefined {
    return this.state.active.find((task) => task.key === key && task.attempt === attempt);
  }

  #isHere({ key, scheduledAt, attempt }: ActiveTask): boolean {
    return this.#here.get(key)?.has(scheduledAt, attempt) ?? false;
  }

  async #dead(book: TaskBook, key: string) {
    const known = await book.find(key);
    if (!known?.isDead) throw new RingmasterError("not_found", "There is no such dead letter.");
    return known;
  }

  #noteOnTimeline(type: "lost" | "dead", { key, scheduledAt, attempt }: ActiveTask, error?: string): void {
    const data = { job: this.#task.name, task: key, scheduledAt, attempt, ...(error === undefined ? {} : { error }) };
    this.publish(JOBS_TOPIC, { type, data });
  }
}
