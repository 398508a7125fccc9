import type { Clock, Rng } from "../../clock.ts";
import { failureOf, mayBeItsOwnDoing } from "../../entities/failures.ts";
import { attemptEach } from "./attemptEach.ts";
import type { GoneNodes } from "./GoneNodes.ts";
import type { Membership } from "./Membership.ts";
import type { DueActor, Orphans } from "./Orphans.ts";
import { SLOTS } from "./placement.ts";
import { actorKey } from "./protocol.ts";
import type { Residents } from "./Residents.ts";

/** Actors are adopted this long before their timer is due, so that it fires on time. */
const LOOK_AHEAD_MS = 1500;
/** An actor overdue by this is adopted even by a node that its slot is not of. */
const GRACE_MS = 1000;
/** Actors read at once; their slots, due times and keys are the cursor of the next page. */
const PAGE = 512;
/** Adopted in one transaction. After one that failed it is half as many, down to each by itself, and after one that did not twice as many. */
const ADOPT_BATCH = 128;
/**
 * Of the slots that are others', all nodes together look at this many times as many as there are, each at a part of its own
 * choosing: however many nodes there are, a slot that nobody looks after is found, and all of that costs the same.
 */
const HELPERS_A_SLOT = 4;
/** For so long after an adoption that may have gone through, this node looks for actors that are its own without its knowledge. */
const DOUBT_MS = 5000;

export interface AdoptionPorts {
  orphans: Orphans;
  membership: Membership;
  residents: Residents;
  gone: GoneNodes;
  clock: Clock;
  rng: Rng;
}

/** Brings actors with due timers to life here that live nowhere: released, passivated, or left by a node that is gone. */
export class Adoption {
  readonly #ports: AdoptionPorts;
  #helpedAt = Number.NEGATIVE_INFINITY;
  #doubtedAt = Number.NEGATIVE_INFINITY;
  #batch = ADOPT_BATCH;
  /** The last one that could not be adopted by itself. */
  #suspect: string | undefined;
  #stopped = false;

  constructor(ports: AdoptionPorts) {
    this.#ports = ports;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** This node may own actors that are not in its memory. */
  lookForOwnSoon(): void {
    this.#doubtedAt = this.#ports.clock.monotonic();
  }

  /** One look at everything that is due. What fails for one owner keeps no other's actors from being adopted. */
  async round(): Promise<"done"> {
    const { membership, gone, clock, residents } = this.#ports;
    const now = clock.monotonic();
    const helps = now - this.#helpedAt >= GRACE_MS;
    if (helps) this.#helpedAt = now;
    const { id } = membership.self;
    // A node whose clock is off leaves what is due to the others.
    if (!membership.hosts().some((host) => host.id === id)) return "done";
    residents.left.probe();
    const mine = membership.placement.slotsOf(id);
    const isInDoubt = now - this.#doubtedAt < DOUBT_MS || residents.waitForRelease > 0;
    await attemptEach([null, ...gone.withActors(), ...(isInDoubt ? [id] : [])], (owner) =>
      owner === id ? this.lookForOwn() : this.#adoptOf(owner, mine, helps ? this.#othersSlots(mine) : []),
    );
    return "done";
  }

  /**
   * Adopts what this node owns without its knowledge, when that is overdue: the answer to a claim may have been lost. Reads all index
   * entries of what it owns.
   */
  async lookForOwn(): Promise<void> {
    const { membership, clock } = this.#ports;
    await this.#adoptDue(membership.self.id, undefined, clock.now() - GRACE_MS);
  }

  async #adoptOf(owner: string | null, mine: readonly number[], others: readonly number[]): Promise<void> {
    const { clock, gone } = this.#ports;
    await this.#adoptDue(owner, mine, clock.now() + LOOK_AHEAD_MS);
    await this.#adoptDue(owner, others, clock.now() - GRACE_MS);
    if (owner !== null) gone.lookedThrough(owner);
  }

  /** A part of the slots that are not this node's, another one each time. */
  #othersSlots(mine: readonly number[]): number[] {
    const own = new Set(mine);
    const others = Array.from({ length: SLOTS }, (_, slot) => slot).filter((slot) => !own.has(slot));
    const part = Math.ceil((HELPERS_A_SLOT * SLOTS) / Math.max(1, this.#ports.membership.hosts().length));
    const from = Math.floor(this.#ports.rng.next() * others.length);
    const turned = [...others.slice(from), ...others.slice(0, from)];
    return turned.slice(0, part).sort((one, other) => one - other);
  }

  /** `slots` undefined: of all slots. */
  async #adoptDue(owner: string | null, slots: readonly number[] | undefined, dueBy: number): Promise<void> {
    if (slots?.length === 0) return;
    let after: DueActor | undefined;
    do {
      const page: DueActor[] = await this.#ports.orphans.dueOf(owner, { slots, dueBy, after, limit: PAGE });
      await this.#adopt(
        page.filter((actor) => this.#ports.residents.wants(actor)),
        owner,
      );
      after = page.length === PAGE ? page.at(-1) : undefined;
    } while (after && !this.#stopped);
  }

  async #adopt(actors: readonly DueActor[], owner: string | null): Promise<void> {
    const { orphans, residents, clock } = this.#ports;
    for (let at = 0; at < actors.length && !this.#stopped; ) {
      const batch = actors.slice(at, at + this.#batch);
      try {
        await residents.settle(await orphans.adopt(batch, owner, clock.now()));
      } catch (error) {
        this.#doubtedAt = clock.monotonic();
        if (batch.length === 1) this.#failedAlone(batch[0]!, error);
        this.#batch = Math.max(1, Math.floor(batch.length / 2));
        throw error;
      }
      at += batch.length;
      this.#batch = Math.min(ADOPT_BATCH, this.#batch * 2);
    }
  }

  /** One that cannot be adopted twice in a row is left alone for a while, or it would keep those after it from being adopted. */
  #failedAlone(actor: DueActor, error: unknown): void {
    const key = actorKey(actor);
    const isItsDoing = failureOf(error) === "fault" || mayBeItsOwnDoing(error);
    if (isItsDoing && this.#suspect === key) this.#ports.residents.leave(actor, error);
    this.#suspect = key;
  }
}
