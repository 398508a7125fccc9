import type { Clock } from "../../clock.ts";
import type { Membership } from "./Membership.ts";
import type { NodeInfo } from "./ports.ts";
import type { Residents } from "./Residents.ts";

/** A node with more than this many times the mean lets actors go. */
const MOST_OF_MEAN = 1.2;
/** So few more than the mean are not worth a move. */
const LEAST_EXCESS = 16;
/** Actors moved in one round: this part of what lives here, and at most so many. */
const ROUND_PART = 0.1;
const ROUND_MOST = 256;
/** An actor that has come back, since its new node could not host it, stays for this long. */
const STAYS_MS = 60_000;

export interface BalancePorts {
  membership: Membership;
  residents: Residents;
  clock: Clock;
  /** Rings a node: there is something to be adopted. */
  ring(nodeId: string): void;
}

/**
 * Moves actors from a node that has too many to nodes that have too few, as their beats tell: a node that has been restarted is empty,
 * and would stay so. An actor moves between turns, to the node that its slot is of, and no other: then it stays there. A call that
 * comes in between is repeated at the new owner.
 */
export class Balance {
  readonly #ports: BalancePorts;
  /** What was sent to a node since it told its load last. */
  readonly #sent = new Map<string, { told: number; count: number }>();
  /** When (monotonic) actors were let go, by their keys. */
  readonly #movedAt = new Map<string, number>();

  constructor(ports: BalancePorts) {
    this.#ports = ports;
  }

  async round(): Promise<"done"> {
    const { membership, residents } = this.#ports;
    this.#forgetMoves();
    const hosts = membership.hosts();
    const others = hosts.filter(({ id, actors }) => id !== membership.self.id && actors !== undefined);
    // A host whose load is not known is taken for one that is as full as the mean.
    if (others.length === 0 || !hosts.some(({ id }) => id === membership.self.id)) return "done";
    const here = residents.size;
    const loads = [here, ...others.map((node) => this.#loadOf(node))];
    const mean = loads.reduce((sum, load) => sum + load, 0) / loads.length;
    if (here <= mean * MOST_OF_MEAN || here - mean < LEAST_EXCESS) return "done";
    const givers = loads.filter((load) => load > mean * MOST_OF_MEAN).length;
    const room = new Map(others.map((node) => [node.id, Math.ceil((mean - this.#loadOf(node)) / givers)]));
    await this.#move(Math.min(here - mean, Math.max(LEAST_EXCESS, here * ROUND_PART), ROUND_MOST), room);
    return "done";
  }

  async #move(count: number, room: Map<string, number>): Promise<void> {
    const { membership, residents, clock } = this.#ports;
    const { placement } = membership;
    const targets = new Map<string, number>();
    const now = clock.monotonic();
    residents.letGoSome(count, (key) => {
      const target = placement.nodeOf(key);
      const left = target === undefined ? 0 : (room.get(target) ?? 0);
      if (target === undefined || left <= 0 || this.#movedAt.has(key)) return false;
      room.set(target, left - 1);
      targets.set(target, (targets.get(target) ?? 0) + 1);
      this.#movedAt.set(key, now);
      return true;
    });
    if (targets.size === 0) return;
    await residents.release();
    for (const [target, sent] of targets) {
      const before = this.#sent.get(target);
      if (before) before.count += sent;
      this.#ports.ring(target);
    }
  }

  /** As it was told, and what was sent since. */
  #loadOf({ id, actors = 0 }: NodeInfo): number {
    const sent = this.#sent.get(id);
    if (sent?.told === actors) return actors + sent.count;
    this.#sent.set(id, { told: actors, count: 0 });
    return actors;
  }

  #forgetMoves(): void {
    const before = this.#ports.clock.monotonic() - STAYS_MS;
    for (const [key, at] of this.#movedAt) if (at < before) this.#movedAt.delete(key);
    const live = new Set(this.#ports.membership.live().map(({ id }) => id));
    for (const id of this.#sent.keys()) if (!live.has(id)) this.#sent.delete(id);
  }
}
