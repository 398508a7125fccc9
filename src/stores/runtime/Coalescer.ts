import { RingmasterError } from "../../errors.ts";
import { type Captured, captured, inBatch, type SpanStart } from "../../tracing.ts";

export interface CoalescerOptions<Request, Answer> {
  /** Answers the requests of one lane: one answer each, in their order. What it throws rejects all of them. */
  batch: (lane: string, requests: readonly Request[]) => Promise<readonly Answer[]>;
  /** Requests a batch at most. 512 keeps a batch script of a few microseconds a request within some 5 ms. */
  maxBatch?: number;
  /** Batches of one lane in flight at most: one is decided while the next is on its way. */
  maxInFlight?: number;
  /** Requests of all lanes that wait for a batch at most. At 100,000 a second the last of 16,384 waits for 160 ms. */
  maxQueued?: number;
  /** Runs a callback once this turn of the event loop has brought what it brings. */
  schedule?: (callback: () => void) => void;
}

/** Fewer requests than this are not worth a batch of their own. */
const WORTH_A_BATCH = 32;

interface Pending<Request, Answer> {
  request: Request;
  resolve: (answer: Answer) => void;
  reject: (error: unknown) => void;
  trace: Captured | undefined;
}

const SPAN: SpanStart = { name: "batch" };

interface Lane<Request, Answer> {
  name: string;
  queue: Pending<Request, Answer>[];
  inFlight: number;
  isScheduled: boolean;
}

/**
 * Collects the requests of one turn of the event loop into one call, a lane for each thing whose requests may share a call.
 * Under load batches grow by themselves, because requests collect while the lane's batches are in flight.
 * A lane exists only while it has requests.
 */
export class Coalescer<Request, Answer> {
  readonly #options: Required<CoalescerOptions<Request, Answer>>;
  readonly #lanes = new Map<string, Lane<Request, Answer>>();
  #queued = 0;
  #isClosed = false;
  #whenIdle: (() => void)[] = [];

  constructor(options: CoalescerOptions<Request, Answer>) {
    this.#options = { maxBatch: 512, maxInFlight: 2, maxQueued: 16_384, schedule: setImmediate, ...options };
  }

  /**
   * Rejects with `overloaded` at once when too much waits, with `draining` once closed, and with `unavailable` when the batch
   * failed with an error that is not ours: then the request may have taken effect.
   */
  ask(laneName: string, request: Request): Promise<Answer> {
    if (this.#isClosed) return Promise.reject(new RingmasterError("draining"));
    if (this.#queued >= this.#options.maxQueued) return Promise.reject(new RingmasterError("overloaded"));
    return new Promise((resolve, reject) => {
      let lane = this.#lanes.get(laneName);
      if (lane === undefined) {
        lane = { name: laneName, queue: [], inFlight: 0, isScheduled: false };
        this.#lanes.set(laneName, lane);
      }
      lane.queue.push({ request, resolve, reject, trace: captured() });
      this.#queued += 1;
      this.#arm(lane);
    });
  }

  /** Refuses new requests from now on; resolves once all that were accepted are answered. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#lanes.size > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  #arm(lane: Lane<Request, Answer>): void {
    if (lane.isScheduled || lane.queue.length === 0 || lane.inFlight >= this.#options.maxInFlight) return;
    lane.isScheduled = true;
    this.#options.schedule(() => {
      lane.isScheduled = false;
      while (lane.queue.length > 0 && lane.inFlight < this.#options.maxInFlight) void this.#send(lane);
    });
  }

  /** A long queue is shared among the batches that may be in flight: while one is decided, the answers of another are passed on. */
  #share({ queue, inFlight }: Lane<Request, Answer>): number {
    const { maxBatch, maxInFlight } = this.#options;
    const share = Math.ceil(queue.length / (maxInFlight - inFlight));
    return Math.min(Math.max(share, WORTH_A_BATCH), maxBatch);
  }

  async #send(lane: Lane<Request, Answer>): Promise<void> {
    const pending = lane.queue.splice(0, this.#share(lane));
    this.#queued -= pending.length;
    lane.inFlight += 1;
    try {
      const requests = pending.map(({ request }) => request);
      const answers = await inBatch(
        () => SPAN,
        pending,
        () => this.#options.batch(lane.name, requests),
      );
      if (answers.length !== pending.length) throw new RingmasterError("internal");
      for (const [index, { resolve }] of pending.entries()) resolve(answers[index]!);
    } catch (error) {
      const failure =
        error instanceof RingmasterError
          ? error
          : new RingmasterError("unavailable", undefined, undefined, { cause: error });
      for (const { reject } of pending) reject(failure);
    }
    lane.inFlight -= 1;
    this.#arm(lane);
    if (lane.inFlight === 0 && lane.queue.length === 0) this.#end(lane);
  }

  #end(lane: Lane<Request, Answer>): void {
    this.#lanes.delete(lane.name);
    if (this.#lanes.size > 0) return;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }
}
