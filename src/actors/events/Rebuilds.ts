import type { Clock } from "../../clock.ts";
import { RENEW_EVERY_MS } from "./LoadLease.ts";
import type { RetryDeadline } from "./RetryDeadline.ts";

/** A load that takes longer than this has come to a halt: somebody else may try. */
const LONGEST_LOAD_MS = 600_000;

/** How the hot state of one event is rebuilt. `Grant`: what its actor says to whoever is to load it. */
export interface Rebuild<Grant extends { epoch: number }> {
  /** Asks the actor who may load; `wait` while somebody does. */
  ask(): Promise<Grant | { wait: true }>;
  /** Tells the actor that the load of this epoch goes on; false when it is of no use any more, as the epoch is over. */
  renew(epoch: number): Promise<boolean>;
  /** Loads. What it does once `signal` is aborted is of no interest any more. */
  load(grant: Grant, signal: AbortSignal): Promise<void>;
}

/** Rebuilds hot state that is lost: everybody on this node who finds that of an event missing waits for the same rebuild. */
export class Rebuilds {
  readonly #clock: Clock;
  readonly #underWay = new Map<string, Promise<boolean>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Resolves with true once the event's hot state has been loaded. With false when the deadline is over, or after a pause when
   * somebody else is loading or has overtaken this load: ask the hot state again.
   */
  async once<Grant extends { epoch: number }>(
    id: string,
    deadline: RetryDeadline,
    rebuild: Rebuild<Grant>,
  ): Promise<boolean> {
    let running = this.#underWay.get(id);
    if (running === undefined) {
      running = this.#run(rebuild).finally(() => this.#underWay.delete(id));
      this.#underWay.set(id, running);
    }
    if (await deadline.during(running, false)) return true;
    if (!deadline.isOver) await deadline.pause();
    return false;
  }

  async #run<Grant extends { epoch: number }>(rebuild: Rebuild<Grant>): Promise<boolean> {
    const answer = await rebuild.ask();
    return "wait" in answer ? false : await this.#load(answer, rebuild);
  }

  /** Loads under a lease, however long that takes; false when it was overtaken. */
  async #load<Grant extends { epoch: number }>(grant: Grant, { renew, load }: Rebuild<Grant>): Promise<boolean> {
    const given = new AbortController();
    const { promise: isOvertaken, resolve } = Promise.withResolvers<false>();
    given.signal.addEventListener("abort", () => resolve(false));
    const stop = this.#whileLoading(given, () => renew(grant.epoch));
    const loading = load(grant, given.signal).then(
      () => true,
      (error: unknown) => {
        if (given.signal.aborted) return false;
        throw error;
      },
    );
    return await Promise.race([loading, isOvertaken]).finally(stop);
  }

  /** Renews again and again, and ends a load that is of no use any more or has come to a halt. The returned function ends that. */
  #whileLoading(load: AbortController, renew: () => Promise<boolean>): () => void {
    const giveUpAt = this.#clock.monotonic() + LONGEST_LOAD_MS;
    let cancel = (): void => {};
    let isOver = false;
    const next = (isUseful: boolean): void => {
      if (isOver) return;
      if (isUseful && this.#clock.monotonic() < giveUpAt) cancel = this.#clock.schedule(ask, RENEW_EVERY_MS);
      else load.abort(new Error("this load is of no use any more"));
    };
    // An actor that is out of reach for now hears of the next renewal, or has ended this lease by then.
    const ask = (): void => void renew().then(next, () => next(true));
    next(true);
    return () => {
      isOver = true;
      cancel();
    };
  }
}

/** What is read for a load, no further than that is of use. */
export async function* whileUseful<T>(
  items: AsyncIterable<T>,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  for await (const item of items) {
    signal.throwIfAborted();
    yield item;
  }
}
