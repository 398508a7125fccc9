import type { ActorKind } from "../../src/actors/runtime/ActorKinds.ts";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import type { Clock } from "../../src/clock.ts";
import { JobHistory, type JobRun } from "../../src/entities/jobs/Job.ts";
import type { Database } from "../../src/entities/sql.ts";
import { defineJob, type JobContext, type JobDefinition } from "../../src/schedulers/runtime/defineJob.ts";
import type { Task } from "../../src/schedulers/runtime/defineTask.ts";
import { JobActor } from "../../src/schedulers/runtime/JobActor.ts";
import { Jobs, type JobsPorts } from "../../src/schedulers/runtime/Jobs.ts";
import { TaskActor } from "../../src/schedulers/runtime/TaskActor.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";
import { MortalDatabase } from "../actors/MortalDatabase.ts";
import type { ProcessLife } from "../actors/ProcessLife.ts";
import { ManualClock, SimulatedNode, silentLog } from "../actors/simulation.ts";
import { openDatabase } from "../support/database.ts";

/** What a test gives a job to do; it also learns of the node that it is on. */
export type Body = (context: JobContext, node: JobNode) => Promise<unknown>;
export type Definition = Omit<JobDefinition, "run"> & { run: Body };

/** An attempt at a run, as the job itself lives through it. */
export interface Lived {
  job: string;
  node: string;
  scheduledAt: number;
  attempt: number;
  signal: AbortSignal;
  /** It got to its end, whatever became of that. */
  ended: boolean;
}

export interface NodeOptions {
  switches?: Map<string, boolean>;
  tasksOf?: (node: JobNode) => readonly Task[];
}

/** One node of the simulated cluster, with its jobs. */
export class JobNode {
  readonly id: string;
  readonly jobs: Jobs;
  readonly node: SimulatedNode;
  /** Dies, stalls and wakes with the node. */
  readonly clock: Clock;
  readonly ran: Array<{ job: string; outcome: string; lateness: number | undefined }> = [];

  /** How many tasks have become dead letters here. */
  buried = 0;
  /** The jobs whose runs failed here beyond their retries, once an attempt. */
  readonly overdue: string[] = [];
  /** When how a run ended could not be stored here, time and again. */
  readonly endFailures: Array<{ job: string; at: number }> = [];
  /** What was logged as an error. */
  readonly complaints: string[] = [];

  constructor(
    cluster: JobCluster,
    id: string,
    definitions: readonly Definition[],
    { switches = new Map(), tasksOf = () => [] }: NodeOptions,
  ) {
    const { hub, clock, feed, database } = cluster;
    const parts: JobsPorts = {
      database,
      clock,
      log: { ...silentLog, error: (_fields, text) => void this.complaints.push(text) },
      ran: (job, outcome, _seconds, lateness) => void this.ran.push({ job, outcome, lateness }),
      buried: () => {
        this.buried += 1;
      },
      overdue: (job) => void this.overdue.push(job),
      endFailed: (job) => void this.endFailures.push({ job, at: clock.now() }),
      timezone: "UTC",
      switches,
    };
    this.id = id;
    const kind: ActorKind = {
      type: JobActor as unknown as ActorKind["type"],
      create: (context) => this.jobs.kind(() => this.node.actors).create(context),
      hosts: (id) => this.jobs.kind(() => this.node.actors).hosts!(id),
    };
    const taskKind: ActorKind = {
      type: TaskActor as unknown as ActorKind["type"],
      create: (context) => this.jobs.tasks.kind(() => this.node.actors).create(context),
      hosts: (id) => this.jobs.tasks.kind(() => this.node.actors).hosts!(id),
    };
    this.node = new SimulatedNode({ id, hub, database, clock, feed }, [kind, taskKind]);
    this.clock = this.node.clock;
    this.jobs = new Jobs(
      [
        ...definitions.map(({ run, ...definition }) =>
          defineJob({ retries: 0, ...definition, run: (context) => cluster.live(this, definition.name, context, run) }),
        ),
        ...tasksOf(this),
      ],
      { ...parts, database: new MortalDatabase(database, this.life), clock: this.clock },
    );
  }

  get life(): ProcessLife {
    return this.node.life;
  }

  async start(): Promise<void> {
    await this.node.actors.start();
    await this.jobs.start(this.node.actors);
  }

  crash(): Promise<void> {
    return this.node.crash();
  }
}

/** A simulated cluster that runs jobs, and everything that the jobs lived through. */
export class JobCluster {
  readonly clock = new ManualClock();
  readonly hub = new MemoryHub();
  readonly feed = new MemoryFeed();
  readonly lived: Lived[] = [];
  readonly nodes: JobNode[] = [];
  readonly database: Database;

  static async open(): Promise<JobCluster> {
    return new JobCluster(await openDatabase({ kind: "sqlite", path: ":memory:" }));
  }

  private constructor(database: Database) {
    this.database = database;
  }

  async close(): Promise<void> {
    await this.database.close();
  }

  /** Starts a node, which is a part of the cluster when this resolves, unless a job has killed it by then. */
  async start(
    id: string,
    definitions: readonly Definition[],
    switches?: Map<string, boolean>,
    tasksOf?: NodeOptions["tasksOf"],
  ): Promise<JobNode> {
    const node = new JobNode(this, id, definitions, { ...(switches && { switches }), ...(tasksOf && { tasksOf }) });
    this.nodes.push(node);
    await this.within(5000, node.start(), () => node.node.crashed);
    return node;
  }

  /** Lets time pass until a call has ended, or `isOver` says that it never will. */
  async within<T>(ms: number, call: Promise<T>, isOver = (): boolean => false): Promise<T> {
    let isDone = false;
    const tracked = call.finally(() => {
      isDone = true;
    });
    tracked.catch(() => {});
    for (let passed = 0; passed < ms && !isDone && !isOver(); passed += 50) await this.clock.advance(50);
    if (isOver()) return undefined as T;
    if (!isDone) throw new Error(`not done within ${ms} ms`);
    return tracked;
  }

  /** Lets time pass to the next multiple of `ms`, and `beyond` more. */
  async advanceTo(ms: number, beyond = 0): Promise<void> {
    await this.clock.advance(ms - (this.clock.now() % ms) + beyond);
  }

  async live(node: JobNode, job: string, context: JobContext, run: Body): Promise<unknown> {
    const { scheduledAt, attempt, signal } = context;
    const lived: Lived = { job, node: node.id, scheduledAt, attempt, signal, ended: false };
    this.lived.push(lived);
    try {
      return await run(context, node);
    } finally {
      lived.ended = !node.node.crashed;
    }
  }

  /** The history, oldest first. */
  async runs(job?: string): Promise<JobRun[]> {
    return (await new JobHistory(this.database).runs(1000, job)).reverse();
  }
}

/** A body that goes on until it is told to stop or its time is over. */
export function lasting(ms: number): Body {
  return ({ signal }, { clock }) =>
    new Promise((resolve, reject) => {
      const cancel = clock.schedule(() => resolve("done"), ms);
      signal.addEventListener("abort", () => {
        cancel();
        reject(signal.reason);
      });
    });
}
