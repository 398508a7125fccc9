import type { Actor, ActorType } from "../../actors/runtime/Actor.ts";
import type { Actors } from "../../actors/runtime/Actors.ts";
import type { Log } from "../../actors/runtime/ports.ts";
import type { ActorKind } from "../../actors/runtime/Residents.ts";
import type { Clock } from "../../clock.ts";
import { JobHistory, type JobRun, type JobSummary } from "../../entities/jobs/Job.ts";
import type { Database } from "../../entities/sql.ts";
import { RingmasterError } from "../../errors.ts";
import type { Job } from "./defineJob.ts";
import { JobActor } from "./JobActor.ts";
import { JobRunner, type RunnerPorts } from "./JobRunner.ts";

/** All jobs in figures. */
export interface JobsStatus {
  runs: number;
  successes: number;
  failures: number;
  /** Of those that ended; null before the first. */
  successRate: number | null;
  jobs: JobSummary[];
}

/** The global jobs of this node: their actor kind, and what operators ask and say. */
export class Jobs {
  readonly #jobs: ReadonlyMap<string, Job>;
  readonly #history: JobHistory;
  readonly #ports: { database: Database; clock: Clock; log: Log; ran: RunnerPorts["ran"] };
  #actors: Actors | undefined;

  constructor(jobs: readonly Job[], ports: { database: Database; clock: Clock; log: Log; ran: RunnerPorts["ran"] }) {
    this.#jobs = new Map(jobs.map((job) => [job.name, job]));
    if (this.#jobs.size !== jobs.length) throw new Error("two jobs have the same name");
    this.#ports = ports;
    this.#history = new JobHistory(ports.database);
  }

  /** To be registered with the runtime. */
  get kind(): ActorKind {
    const { clock, log, ran } = this.#ports;
    const runner = new JobRunner({
      clock,
      log,
      ran,
      history: this.#history,
      finish: (job, scheduledAt, attempt, outcome) => this.#ref(job).finish(scheduledAt, attempt, outcome),
    });
    return {
      type: JobActor as unknown as ActorType<Actor<unknown>>,
      create: (context) => new JobActor(context, this.#jobs, runner) as unknown as Actor<unknown>,
    };
  }

  /** Arms every job in the cluster; jobs that are disabled here are disarmed. */
  async start(actors: Actors): Promise<void> {
    this.#actors = actors;
    await Promise.all([...this.#jobs.values()].map((job) => this.#ref(job.name).arm(job.enabled)));
  }

  async status(): Promise<JobsStatus> {
    const jobs = await this.#history.jobs();
    const sum = (field: "runs" | "successes" | "failures"): number =>
      jobs.reduce((total, job) => total + job[field], 0);
    const [runs, successes, failures] = [sum("runs"), sum("successes"), sum("failures")];
    return { runs, successes, failures, successRate: runs === 0 ? null : successes / runs, jobs };
  }

  /** Newest first. */
  history(limit: number, job?: string): Promise<JobRun[]> {
    return this.#history.runs(limit, job);
  }

  /** Runs a job now, also while it is paused. With a request id, a repeat is the same run. */
  trigger(name: string, requestId?: string): Promise<{ scheduledAt: number }> {
    return this.#known(name, requestId).trigger();
  }

  async pause(name: string): Promise<void> {
    await this.#known(name).pause();
  }

  async resume(name: string): Promise<void> {
    await this.#known(name).resume();
  }

  skipNext(name: string): Promise<{ skipped: number | null }> {
    return this.#known(name).skipNext();
  }

  #known(name: string, requestId?: string) {
    if (!this.#jobs.has(name))
      throw new RingmasterError(
        "not_found",
        `There is no job ${name}; there are ${[...this.#jobs.keys()].join(", ")}.`,
      );
    return this.#ref(name, requestId);
  }

  #ref(name: string, requestId?: string) {
    if (!this.#actors) throw new RingmasterError("unavailable", "Jobs have not started yet.");
    return this.#actors.ref(JobActor, name, requestId === undefined ? {} : { requestId });
  }
}
