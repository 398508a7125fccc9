import type { Actor, ActorType } from "../../actors/runtime/Actor.ts";
import type { ActorKind } from "../../actors/runtime/ActorKinds.ts";
import type { Actors } from "../../actors/runtime/Actors.ts";
import { CRASHES_TO_QUARANTINE } from "../../actors/runtime/actorRow.ts";
import type { CallOptions } from "../../actors/runtime/Calls.ts";
import { CrashTable } from "../../actors/runtime/CrashTable.ts";
import { JobHistory, type JobRun, type JobsStatus } from "../../entities/jobs/Job.ts";
import { RingmasterError, toRingmasterError } from "../../errors.ts";
import { enablingVariable, type Job, type JobPlan } from "./defineJob.ts";
import type { Task } from "./defineTask.ts";
import { JobActor, type JobActorPorts } from "./JobActor.ts";
import { JobRunner } from "./JobRunner.ts";
import type { Enqueued } from "./TaskActor.ts";
import { type EnqueueOptions, Tasks, type TasksPorts } from "./Tasks.ts";

export interface JobsPorts extends TasksPorts, Pick<JobActorPorts, "overdue"> {
  /** The time zone of cron patterns whose job names none. */
  timezone: string;
  /** What the environment says of jobs, by the name of the variable. */
  switches: ReadonlyMap<string, boolean>;
}

/** A job that could not be armed is armed again after 1 s, 2 s, 4 s …, at most this, in milliseconds. */
const LONGEST_ARM_AGAIN_MS = 60_000;
/** So often a node has each job look at its times, in milliseconds. */
const LOOK_MS = 60_000;

/** The global jobs and the tasks of this node: their actor kinds, and what operators ask and say. */
export class Jobs {
  readonly tasks: Tasks;
  readonly #jobs: ReadonlyMap<string, Job>;
  readonly #ports: JobsPorts;
  readonly #history: JobHistory;
  readonly #waiting = new Set<() => void>();
  #actors: Actors | undefined;
  #isStopped = false;

  constructor(listed: ReadonlyArray<Job | Task>, ports: JobsPorts) {
    if (new Set(listed.map(({ name }) => name)).size !== listed.length) throw new Error("two jobs have the same name");
    const tasks = listed.filter((each): each is Task => "kind" in each);
    const jobs = listed.filter((each): each is Job => !("kind" in each));
    this.#jobs = new Map(jobs.map((job) => [job.name, job]));
    this.tasks = new Tasks(tasks, ports);
    this.#ports = ports;
    this.#history = new JobHistory(ports.database);
  }

  /** To be registered with the runtime, which `actors` answers with from its start. */
  kind(actors: () => Actors): ActorKind {
    const { clock, log, overdue, ran, endFailed } = this.#ports;
    const runner = new JobRunner({
      clock,
      log,
      ran,
      endFailed,
      history: this.#history,
      finish: ({ job, scheduledAt, attempt }, outcome) =>
        actors().ref(JobActor, job.name).finish(scheduledAt, attempt, outcome),
      moved: ({ job, scheduledAt, attempt }) => actors().ref(JobActor, job.name).moved(scheduledAt, attempt),
    });
    return {
      type: JobActor as unknown as ActorType<Actor<unknown>>,
      create: (context) =>
        new JobActor(context, this.#jobs.get(context.id)!, { runner, log, overdue }) as unknown as Actor<unknown>,
      hosts: (name) => this.#jobs.has(name),
    };
  }

  /** Arms every job where this node hosts actors. One that cannot be armed now is tried again, and keeps nobody waiting. */
  async start(actors: Actors): Promise<void> {
    this.#actors = actors;
    this.tasks.start(actors);
    const variables = new Set([...this.#jobs.keys()].map(enablingVariable));
    for (const variable of this.#ports.switches.keys())
      if (!variables.has(variable)) this.#ports.log.warn({ variable }, "there is no such job to enable or disable");
    if (actors.membership.self.role === "web") return;
    for (const name of this.#jobs.keys()) this.#lookLater(name);
    await Promise.all([...this.#jobs.values()].map((job) => this.#arm(job, 1000)));
  }

  /** Arms nothing any more. The jobs themselves leave with their actors. */
  stop(): void {
    this.#isStopped = true;
    for (const cancel of this.#waiting) cancel();
  }

  /**
   * Leaves work behind that is done once it is due, on whichever node: resolves when it is stored, so that a request may be answered. It
   * happens at least once, with its key; a repeat by the same key, up to 30 days after its end, finds the first. Throws `not_found` for a
   * name that no task has, `invalid_payload` for args that its schema does not take, for more than 16 kB of them and for a bad key or
   * time, `conflict` when other args have been enqueued by this key, `overloaded` when too many of its kind are not over, and what a call
   * throws: after `outcome_unknown`, repeat it with the key. It is a call, so not to be made inside an actor's turn.
   */
  enqueue(name: string, args: unknown, options: EnqueueOptions = {}): Promise<Enqueued> {
    return this.tasks.enqueue(name, args, options);
  }

  /** The jobs that this node knows, at a glance. */
  async status(): Promise<JobsStatus> {
    const poison = await this.#poisonActors();
    const jobs = (await this.#history.jobs())
      .filter(({ name }) => this.#jobs.has(name))
      .map((job) => ({ ...job, quarantined: job.quarantined || poison.has(job.name) }));
    const sum = (field: "runs" | "successes" | "failures"): number =>
      jobs.reduce((total, job) => total + job[field], 0);
    const [runs, successes, failures] = [sum("runs"), sum("successes"), sum("failures")];
    return { runs, successes, failures, successRate: runs === 0 ? null : successes / runs, jobs };
  }

  /** Of jobs and tasks, newest first; also of such as are no more. Throws `not_found` for one that this node does not know and that has left no run. */
  async history(limit: number, job?: string): Promise<JobRun[]> {
    const runs = await this.#history.runs(limit, job);
    if (job !== undefined && runs.length === 0 && !this.tasks.has(job)) this.#ensureKnown(job);
    return runs;
  }

  /** Runs a job now, also while it is paused. With a request id, a repeat is the same run. */
  trigger(name: string, options: CallOptions = {}): Promise<{ scheduledAt: number }> {
    return this.#known(name, options).trigger();
  }

  /** Due times pass without a run until it is resumed. */
  async pause(name: string, options: CallOptions = {}): Promise<void> {
    await this.#known(name, options).pause();
  }

  /** Also lifts the quarantine of a job that crashed its nodes. */
  async resume(name: string, options: CallOptions = {}): Promise<void> {
    const actor = this.#known(name, options);
    const { clock, database } = this.#ports;
    if ((await this.#poisonActors()).has(name)) {
      const crashes = new CrashTable(database, this.#actors!.membership.self.id);
      await crashes.pardon({ kind: JobActor.kind, id: name }, options, clock.now());
    }
    await actor.resume();
  }

  /** The next due time passes without a run. */
  skipNext(name: string, options: CallOptions = {}): Promise<{ skipped: number | null }> {
    return this.#known(name, options).skipNext();
  }

  async #arm(job: Job, againMs: number): Promise<void> {
    const { log } = this.#ports;
    try {
      await this.#ref(job.name).arm(this.#planOf(job));
      if (job.atStart) await this.#ref(job.name).runAtStart();
    } catch (error) {
      if (this.#isStopped) return;
      log.error(
        { err: error, job: job.name, code: toRingmasterError(error).code, againMs },
        "a job cannot be armed now",
      );
      this.#later(againMs, () => this.#arm(job, Math.min(againMs * 2, LONGEST_ARM_AGAIN_MS)));
    }
  }

  #lookLater(name: string): void {
    this.#later(LOOK_MS, async () => {
      try {
        await this.#ref(name).look();
      } catch (error) {
        this.#ports.log.debug({ err: error, job: name }, "a job could not look at its times");
      }
      if (!this.#isStopped) this.#lookLater(name);
    });
  }

  #later(ms: number, work: () => Promise<void>): void {
    const cancel = this.#ports.clock.schedule(() => {
      this.#waiting.delete(cancel);
      void work();
    }, ms);
    this.#waiting.add(cancel);
  }

  #planOf({ name, schedule, timezone, enabled }: Job): JobPlan {
    const { switches, timezone: usual } = this.#ports;
    return { schedule, timezone: timezone ?? usual, enabled: switches.get(enablingVariable(name)) ?? enabled };
  }

  /** Jobs whose actor itself is in quarantine, so that it can say nothing of it. */
  async #poisonActors(): Promise<Set<string>> {
    const rows = await this.#ports.database.query<{ id: string }>(
      "SELECT id FROM actors WHERE kind = ? AND crashes >= ?",
      [JobActor.kind, CRASHES_TO_QUARANTINE],
    );
    return new Set(rows.map(({ id }) => id));
  }

  #known(name: string, options: CallOptions = {}) {
    this.#ensureKnown(name);
    return this.#ref(name, options);
  }

  #ensureKnown(name: string): void {
    if (!this.#jobs.has(name)) throw new RingmasterError("not_found", `There is no job ${name}.`);
  }

  #ref(name: string, options: CallOptions = {}) {
    if (!this.#actors) throw new RingmasterError("unavailable", "Jobs have not started yet.");
    return this.#actors.ref(JobActor, name, options);
  }
}
