import type { Clock } from "../../clock.ts";
import type { Membership } from "./Membership.ts";
import type { Orphans } from "./Orphans.ts";
import type { Outbox } from "./Outbox.ts";
import { preferredNode } from "./placement.ts";
import type { Log } from "./ports.ts";
import { actorKey } from "./protocol.ts";
import type { Residents } from "./Residents.ts";

/** Actors are adopted this long before their timer is due, so that it fires on time. */
const LOOK_AHEAD_MS = 1500;
/** An actor overdue by this is adopted even by a node that rendezvous hashing does not prefer. */
const GRACE_MS = 1000;
/** Candidates looked at, and actors adopted or freed, for each owner in one sweep. */
const BUDGET = 512;
const ADOPT_BATCH = 128;
/** How often the table is asked for owners that nobody has heard of, and idle actors are let go. */
const CENSUS_EVERY_MS = 10_000;

/**
 * Finds actors with due timers that live nowhere (released, passivated, or left by a dead node) and brings them to life here.
 * Reads one index range an owner and sweep; rows that a peer has locked are its own to take.
 */
export class Sweeper {
  readonly #orphans: Orphans;
  readonly #membership: Membership;
  readonly #residents: Residents;
  readonly #outbox: Outbox;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #idleMs: number;
  #cancel: (() => void) | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  /** Where the last sweep of an owner left off, because it found nothing to adopt among as many candidates as it may look at. */
  readonly #leftOffAt = new Map<string | null, number>();
  #censusAt = Number.NEGATIVE_INFINITY;
  #stopped = false;

  constructor(
    ports: { orphans: Orphans; membership: Membership; residents: Residents; outbox: Outbox; clock: Clock; log: Log },
    idleMs: number,
  ) {
    this.#orphans = ports.orphans;
    this.#membership = ports.membership;
    this.#residents = ports.residents;
    this.#outbox = ports.outbox;
    this.#clock = ports.clock;
    this.#log = ports.log;
    this.#idleMs = idleMs;
  }

  /** Sweeps now, and from now on as often as nodes beat. A ring during a sweep makes it go round once more. */
  ring(): void {
    if (this.#stopped) return;
    if (this.#running) {
      this.#again = true;
      return;
    }
    this.#cancel?.();
    this.#running = this.#sweep()
      .catch((error: unknown) => this.#log.warn({ err: error }, "a sweep failed; the next one tries again"))
      .finally(() => {
        this.#running = undefined;
        if (this.#stopped) return;
        if (this.#again) {
          this.#again = false;
          this.ring();
        } else this.#cancel = this.#clock.schedule(() => this.ring(), this.#membership.beatEveryMs);
      });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#running;
  }

  async #sweep(): Promise<void> {
    await this.#residents.releaseDropped();
    const now = this.#clock.monotonic();
    if (now - this.#censusAt >= CENSUS_EVERY_MS) {
      this.#censusAt = now;
      await this.#census();
    }
    await this.#adoptDueOf(null);
    await this.#adoptDueOf(this.#membership.self.id);
    for (const nodeId of this.#membership.goneNodes()) {
      if (!(await this.#adoptDueOf(nodeId))) await this.#orphans.freeFrom(nodeId, BUDGET);
      await this.#outbox.adopt(nodeId);
    }
  }

  /** An owner that beats nowhere and was never heard of gets the patient verdict from now on; residents are looked through. */
  async #census(): Promise<void> {
    for (const owner of await this.#orphans.owners()) this.#membership.isGone(owner);
    await this.#residents.pardonHealthy();
    await this.#residents.passivate(this.#idleMs);
    // A commit whose connection was lost may have gone through after somebody looked.
    this.#outbox.resume();
  }

  /**
   * Adopts what is due of `owner`: nobody, a node that is gone, or this node itself, which may own actors that are not in its
   * memory when the answer to a claim or a release was lost. Returns whether there may be more.
   */
  async #adoptDueOf(owner: string | null): Promise<boolean> {
    const now = this.#clock.now();
    const self = this.#membership.self.id;
    const overdue = now - GRACE_MS;
    const dueBy = owner === self ? overdue : now + LOOK_AHEAD_MS;
    const candidates = await this.#orphans.dueOf(owner, this.#leftOffAt.get(owner) ?? 0, dueBy, BUDGET);
    const hosts = this.#membership.hosts().map((node) => node.id);
    const mine = candidates.filter(
      (candidate) =>
        this.#residents.wants(candidate) &&
        (preferredNode(actorKey(candidate), hosts) === self || candidate.dueAt <= overdue),
    );
    const isFull = candidates.length === BUDGET;
    if (isFull && mine.length === 0) this.#leftOffAt.set(owner, candidates.at(-1)!.dueAt);
    else this.#leftOffAt.delete(owner);
    for (let at = 0; at < mine.length && !this.#stopped; at += ADOPT_BATCH)
      await this.#residents.settle(
        await this.#orphans.adopt(mine.slice(at, at + ADOPT_BATCH), owner, this.#clock.now()),
      );
    if (isFull && mine.length > 0) this.#again = true;
    return isFull;
  }
}
