import { randomUUID } from "node:crypto";
import { crc32 } from "node:zlib";
import type { Actor, ActorType } from "../../actors/runtime/Actor.ts";
import type { ActorKind } from "../../actors/runtime/ActorKinds.ts";
import type { Actors } from "../../actors/runtime/Actors.ts";
import type { CallOptions } from "../../actors/runtime/Calls.ts";
import type { Log } from "../../actors/runtime/ports.ts";
import type { Clock } from "../../clock.ts";
import { JobHistory } from "../../entities/jobs/Job.ts";
import { type DeadTask, deadTasks } from "../../entities/jobs/TaskBook.ts";
import type { Database } from "../../entities/sql.ts";
import { RingmasterError } from "../../errors.ts";
import { REQUEST_ID } from "../../ids.ts";
import { invalidPayload, validate } from "../../validate.ts";
import type { Task } from "./defineTask.ts";
import { type Attempt, JobRunner, type RunnerPorts } from "./JobRunner.ts";
import { type Enqueued, TaskActor } from "./TaskActor.ts";

export interface TasksPorts {
  database: Database;
  clock: Clock;
  log: Log;
  ran: RunnerPorts["ran"];
  endFailed: RunnerPorts["endFailed"];
  /** For the metrics: a task has become a dead letter. */
  buried(): void;
}

export interface EnqueueOptions {
  /** When it is due, in epoch milliseconds, at most a year ahead; at once unless told, or when that has passed. */
  at?: number;
  /** 1 to 64 printable ASCII characters without spaces. A new one unless told: then a repeat of the call is another task. */
  key?: string;
}

/** So many actors share the tasks of a type, by their keys. */
const SHARDS = 16;
/** The arguments of a task, in bytes of JSON. */
const MOST_ARGS_BYTES = 16_384;
const FURTHEST_MS = 366 * 86_400_000;

/** The tasks that this node knows: their actor kind, who enqueues them, and their dead letters. */
export class Tasks {
  readonly #tasks: ReadonlyMap<string, Task>;
  readonly #ports: TasksPorts;
  #actors: Actors | undefined;

  constructor(tasks: readonly Task[], ports: TasksPorts) {
    this.#tasks = new Map(tasks.map((task) => [task.name, task]));
    this.#ports = ports;
  }

  /** To be registered with the runtime, which `actors` answers with from its start. */
  kind(actors: () => Actors): ActorKind {
    const { database, clock, log, ran, endFailed, buried } = this.#ports;
    const of = ({ job, task }: Attempt) => actors().ref(TaskActor, actorId(job.name, task!));
    const runner = new JobRunner({
      clock,
      log,
      ran,
      endFailed,
      history: new JobHistory(database),
      finish: (attempt, outcome) => of(attempt).finish(attempt.task!, attempt.attempt, outcome),
      moved: (attempt) => of(attempt).moved(attempt.task!, attempt.attempt),
    });
    const create: ActorKind["create"] = (context) => {
      const [name, shard] = context.id.split("/");
      const at = { task: this.#tasks.get(name!)!, shard: Number(shard) };
      return new TaskActor(context, at, { runner, log, buried }) as unknown as Actor<unknown>;
    };
    const hosts = (id: string): boolean => this.#tasks.has(id.split("/")[0]!);
    return { type: TaskActor as unknown as ActorType<Actor<unknown>>, create, hosts };
  }

  start(actors: Actors): void {
    this.#actors = actors;
  }

  has(name: string): boolean {
    return this.#tasks.has(name);
  }

  /** See `Jobs.enqueue`. */
  async enqueue(name: string, args: unknown, { at, key = randomUUID() }: EnqueueOptions): Promise<Enqueued> {
    const task = this.#tasks.get(name);
    if (!task) throw new RingmasterError("not_found", `There is no task ${name}.`);
    if (!REQUEST_ID.test(key)) throw bad("key", "must be 1 to 64 printable ASCII characters without spaces");
    const latest = this.#ports.clock.now() + FURTHEST_MS;
    if (at !== undefined && !(Number.isSafeInteger(at) && at >= 0 && at <= latest))
      throw bad("at", "must be epoch milliseconds, at most a year ahead");
    return this.#ref(name, key).enqueue(key, argsOf(task, args), at ?? null);
  }

  /** Tasks that failed for good, newest first. */
  list(limit: number): Promise<DeadTask[]> {
    return deadTasks(this.#ports.database, limit);
  }

  /** It runs again, under its old key. Throws `not_found` when it is no dead letter. */
  async replay(name: string, key: string, options: CallOptions = {}): Promise<void> {
    await this.#dead(name, key, options).replay(key);
  }

  /** It never runs again, also when it is enqueued once more. Throws `not_found` when it is no dead letter. */
  async discard(name: string, key: string, options: CallOptions = {}): Promise<void> {
    await this.#dead(name, key, options).discard(key);
  }

  #dead(name: string, key: string, options: CallOptions) {
    if (!this.has(name)) throw new RingmasterError("not_found", `There is no task ${name}.`);
    return this.#ref(name, key, options);
  }

  #ref(name: string, key: string, options: CallOptions = {}) {
    if (!this.#actors) throw new RingmasterError("unavailable", "Jobs have not started yet.");
    return this.#actors.ref(TaskActor, actorId(name, key), options);
  }
}

const actorId = (name: string, key: string): string => `${name}/${crc32(key) % SHARDS}`;

const bad = (path: string, message: string): RingmasterError => invalidPayload([{ path, message }]);

/** As JSON. Throws `invalid_payload` when that is too long, or what the task would be given is not of its schema. */
function argsOf(task: Task, args: unknown): string {
  const json = jsonOf(args);
  if (Buffer.byteLength(json) > MOST_ARGS_BYTES) throw bad("args", `must be at most ${MOST_ARGS_BYTES} bytes of JSON`);
  validate(task.args, JSON.parse(json));
  return json;
}

function jsonOf(args: unknown): string {
  try {
    return JSON.stringify(args) ?? "null";
  } catch {
    throw bad("args", "must survive JSON");
  }
}
