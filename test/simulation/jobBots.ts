import fc from "fast-check";
import type { ActorKind } from "../../src/actors/runtime/ActorKinds.ts";
import { JobHistory, type JobRun } from "../../src/entities/jobs/Job.ts";
import { defineJob, type Job, type JobContext } from "../../src/schedulers/runtime/defineJob.ts";
import { JobActor } from "../../src/schedulers/runtime/JobActor.ts";
import { Jobs } from "../../src/schedulers/runtime/Jobs.ts";
import { MortalDatabase } from "../actors/MortalDatabase.ts";
import { silentLog } from "../actors/simulation.ts";
import type { Bots, Domain } from "./Domain.ts";
import { TallyActor } from "./TallyActor.ts";
import type { World } from "./World.ts";
import type { WorldNode } from "./WorldNode.ts";

/** One whose overlaps wait, and one whose overlaps are skipped; no due time of either is let go. */
const JOBS = [
  { name: "queueing", everyMs: 1500, overlap: "queue", takesMs: 0 },
  { name: "skipping", everyMs: 4000, overlap: "skip", takesMs: 1000 },
] as const;
const RUNS_READ = 5000;
/** A run that is well has ended this long after it was due, in milliseconds. */
const RUN_MS = 5000;

type Act = "trigger" | "pause" | "resume" | "skipNext";

/** Operators of jobs that run all the time, each run of which has an actor note it down. */
export const jobDomain: Domain<{ job: number; act: Act }> = {
  name: "jobs",
  acts: fc.record({
    job: fc.nat({ max: JOBS.length - 1 }),
    act: fc.constantFrom("trigger" as const, "pause" as const, "resume" as const, "skipNext" as const),
  }),
  enter: (world) => new JobBots(world),
};

const keyOf = (job: string, scheduledAt: number): string => `${job}-${scheduledAt}`;

class JobBots implements Bots<{ job: number; act: Act }> {
  readonly #world: World;
  readonly #jobsOf = new Map<WorldNode, Jobs>();
  /** Every attempt that began, by job, due time and number. */
  readonly #attempts: string[] = [];
  /** Runs that got to their end. */
  readonly #ended = new Set<string>();

  constructor(world: World) {
    this.#world = world;
  }

  kinds(node: WorldNode): ActorKind[] {
    // The node's own database and clock are there once it is made.
    const kind = (): ActorKind => this.#at(node).kind(() => node.simulated.actors);
    const type = JobActor as unknown as ActorKind["type"];
    return [{ type, create: (context) => kind().create(context), hosts: (id) => kind().hosts!(id) }];
  }

  async join(node: WorldNode): Promise<void> {
    await this.#at(node).start(node.simulated.actors);
  }

  act({ job, act }: { job: number; act: Act }, node: WorldNode): void {
    // A node whose jobs have not started yet refuses at once.
    const asked = async (): Promise<unknown> => this.#at(node)[act](JOBS[job]!.name);
    void asked().catch(() => {});
  }

  /** Jobs whose runs died with their nodes too often wait for an operator. */
  async heal(node: WorldNode): Promise<void> {
    await Promise.all(JOBS.map(({ name }) => this.#at(node).resume(name)));
  }

  async unfinished(): Promise<string[]> {
    const late = (await this.#runs()).filter(
      ({ outcome, scheduledAt }) =>
        ["queued", "running", "retrying"].includes(outcome) && scheduledAt < this.#world.clock.now() - RUN_MS,
    );
    return late.map(({ job, scheduledAt, outcome }) => `run ${keyOf(job, scheduledAt)} is ${outcome}`);
  }

  async violations(): Promise<string[]> {
    const runs = await this.#runs();
    const [row] = await this.#world.database.query<{ state: string }>(
      "SELECT state FROM actors WHERE kind = 'tally' AND id = 'jobs'",
    );
    const noted = row ? (JSON.parse(row.state) as { done: string[] }).done : [];
    return [
      ...this.#attempts
        .filter((attempt, at) => this.#attempts.indexOf(attempt) !== at)
        .map((attempt) => `${attempt} began twice`),
      ...JOBS.flatMap(({ name, everyMs }) => dueTimeViolations(name, everyMs, runs)),
      ...runs.flatMap((run) => this.#runViolations(run, noted)),
    ];
  }

  /** What succeeded ended and was noted once; nothing was noted twice. */
  #runViolations({ job, scheduledAt, outcome }: JobRun, noted: readonly string[]): string[] {
    const key = keyOf(job, scheduledAt);
    const times = noted.filter((name) => name === key).length;
    if (outcome !== "succeeded") return times > 1 ? [`run ${key} took effect ${times} times`] : [];
    return this.#ended.has(key) && times === 1 ? [] : [`run ${key} succeeded, and took effect ${times} times`];
  }

  async #runs(): Promise<JobRun[]> {
    return (await new JobHistory(this.#world.database).runs(RUNS_READ)).reverse();
  }

  #at(node: WorldNode): Jobs {
    const known = this.#jobsOf.get(node);
    if (known) return known;
    const jobs = new Jobs(
      JOBS.map((job) => this.#define(job, node)),
      {
        database: new MortalDatabase(this.#world.database, node.life),
        clock: node.simulated.clock,
        log: silentLog,
        ran: () => {},
        buried: () => {},
        overdue: () => {},
        endFailed: () => {},
        timezone: "UTC",
        switches: new Map(),
      },
    );
    this.#jobsOf.set(node, jobs);
    return jobs;
  }

  #define({ name, everyMs, overlap, takesMs }: (typeof JOBS)[number], node: WorldNode): Job {
    const run = (context: JobContext): Promise<string> => this.#run(name, takesMs, context, node);
    return defineJob({ name, schedule: { everyMs }, missed: "fire", overlap, retries: 5, run });
  }

  async #run(name: string, takesMs: number, { scheduledAt, attempt }: JobContext, node: WorldNode): Promise<string> {
    const key = keyOf(name, scheduledAt);
    this.#attempts.push(`attempt ${attempt} of ${key}`);
    this.#world.note(`${node.id} begins attempt ${attempt} of ${key}`);
    if (takesMs > 0) await node.life.pass(takesMs);
    await node.simulated.actors.ref(TallyActor, "jobs", { requestId: key }).note(key);
    this.#ended.add(key);
    return node.id;
  }
}

/** Each due time has its row, from the first one to the last; runs by hand go by times of their own. */
function dueTimeViolations(job: string, everyMs: number, runs: readonly JobRun[]): string[] {
  const times = runs.filter((run) => run.job === job && !run.byHand).map(({ scheduledAt }) => scheduledAt);
  times.sort((a, b) => a - b);
  return times.flatMap((time, at) => {
    const before = times[at - 1];
    return before === undefined || time === before + everyMs ? [] : [`${job} has no row between ${before} and ${time}`];
  });
}
