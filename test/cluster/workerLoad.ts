import { setTimeout as sleep } from "node:timers/promises";
import type { Actors } from "../../src/actors/runtime/Actors.ts";
import { RingmasterError } from "../../src/errors.ts";
import { CounterActor } from "./workerActors.ts";
import type { LoadOptions, LoadRecord } from "./workerProtocol.ts";

/** A caller whose call failed asks again after this, so that an outage is not spent spinning. */
const PAUSE_MS = 20;

/** Callers of one node, each of which calls again as soon as its last call has come to an end. */
export class WorkerLoad {
  readonly #actors: Actors;
  readonly #nodeId: string;
  readonly #options: LoadOptions;
  readonly #records: LoadRecord[] = [];
  readonly #callers: Promise<void>[];
  #ending = false;
  answered = 0;

  constructor(actors: Actors, nodeId: string, options: LoadOptions) {
    this.#actors = actors;
    this.#nodeId = nodeId;
    this.#options = options;
    this.#callers = Array.from({ length: options.callers }, (_, caller) => this.#run(caller));
  }

  /** Begins no more calls; resolves when the running ones have come to an end, those with a request id to their answer. */
  async end(): Promise<LoadRecord[]> {
    this.#ending = true;
    await Promise.all(this.#callers);
    return this.#records;
  }

  async #run(caller: number): Promise<void> {
    const { targets, withRequestIds } = this.#options;
    for (let call = 0; !this.#ending; call += 1) {
      const record: LoadRecord = {
        name: `${this.#nodeId}-${caller}-${call}`,
        actor: targets[(caller + call) % targets.length]!,
        requestId: withRequestIds && caller % 2 === 1,
        codes: [],
        startedAt: Date.now(),
        tookMs: 0,
      };
      this.#records.push(record);
      await this.#call(record);
    }
  }

  async #call(record: LoadRecord): Promise<void> {
    const { deadlineMs } = this.#options;
    const startedAt = performance.now();
    const options = { deadlineMs, ...(record.requestId ? { requestId: record.name } : {}) };
    do {
      try {
        record.value = await this.#actors.ref(CounterActor, record.actor, options).add(record.name);
        this.answered += 1;
      } catch (error) {
        record.codes.push(error instanceof RingmasterError ? error.code : String(error));
        await sleep(PAUSE_MS);
      }
    } while (record.requestId && record.value === undefined);
    record.tookMs = performance.now() - startedAt;
  }
}
