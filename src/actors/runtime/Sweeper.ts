import type { Clock, Rng } from "../../clock.ts";
import { Adoption } from "./Adoption.ts";
import { attemptEach } from "./attemptEach.ts";
import { Balance } from "./Balance.ts";
import { GoneNodes } from "./GoneNodes.ts";
import { Loop, type Round } from "./Loop.ts";
import type { Membership } from "./Membership.ts";
import type { Orphans } from "./Orphans.ts";
import type { Outbox } from "./Outbox.ts";
import { preferredNode } from "./placement.ts";
import type { Log } from "./ports.ts";
import type { Residents } from "./Residents.ts";

/** Actors freed at once. */
const FREE_BATCH = 512;
/** From then on any node takes over what a node that is gone has left, and not only those whose it should be. */
const ANYBODY_AFTER_MS = 4000;
/** How often one of the nodes asks the table for owners that nobody has heard of, and each looks through its own actors. */
const CENSUS_EVERY_MS = 10_000;
/** How often a node looks whether it has too many actors. */
const BALANCE_EVERY_MS = 2000;

export interface SweeperPorts {
  orphans: Orphans;
  membership: Membership;
  residents: Residents;
  outbox: Outbox;
  clock: Clock;
  rng: Rng;
  log: Log;
  /** Rings a peer: there is something for it to adopt. */
  ringPeer(nodeId: string): void;
}

/**
 * What a node does about rows beside the turns, each in a loop of its own, so that one that fails, or waits, holds up no other: giving
 * up what it has let go, adopting what is due, freeing what dead nodes own, taking over their messages, asking who owns
 * anything, looking through its own actors, and letting some go to nodes that have fewer.
 */
export class Sweeper {
  readonly #ports: SweeperPorts;
  readonly #idleMs: number;
  readonly #gone = new GoneNodes();
  readonly #adoption: Adoption;
  /** Nodes that are cut off from the database and have been added to those that are gone. */
  readonly #cutOff = new Set<string>();
  #hasAskedForOwners = false;
  readonly #loops: Record<"release" | "adopt" | "free" | "messages" | "census" | "residents" | "balance", Loop>;

  constructor(ports: SweeperPorts, idleMs: number) {
    this.#ports = ports;
    this.#idleMs = idleMs;
    this.#adoption = new Adoption({ ...ports, gone: this.#gone });
    const balance = new Balance({ ...ports, ring: (nodeId) => ports.ringPeer(nodeId) });
    const beat = (): number => ports.membership.beatEveryMs;
    const loop = (what: string, round: Round, everyMs = beat): Loop => new Loop(what, round, everyMs, ports);
    this.#loops = {
      release: loop("release", () => this.#release()),
      adopt: loop("adopt", () => {
        this.#noticeCutOffs();
        return this.#adoption.round();
      }),
      free: loop("free", () => this.#free()),
      messages: loop("messages", () => this.#adoptMessages()),
      census: loop(
        "census",
        () => this.#census(),
        () => CENSUS_EVERY_MS,
      ),
      residents: loop(
        "residents",
        () => this.#lookThroughResidents(),
        () => CENSUS_EVERY_MS,
      ),
      balance: loop(
        "balance",
        () => balance.round(),
        () => BALANCE_EVERY_MS,
      ),
    };
  }

  /** Begins. */
  start(): void {
    for (const loop of Object.values(this.#loops)) loop.ring();
  }

  /** Something may be there to be adopted. */
  ring(): void {
    this.#loops.adopt.ring();
  }

  /** Something is to be given up. */
  ringRelease(): void {
    this.#loops.release.ring();
  }

  /** The decision on a node. */
  gone(nodeId: string): void {
    this.#gone.add(nodeId, this.#ports.clock.monotonic());
    for (const loop of [this.#loops.adopt, this.#loops.free, this.#loops.messages]) loop.ring();
  }

  /** This node reaches the database again: what it owns yet has not been in its memory. */
  reconnected(): void {
    this.#adoption.lookForOwnSoon();
    this.ring();
  }

  /** A node lives, after all. */
  joined(nodeId: string): void {
    this.#gone.delete(nodeId);
  }

  async stop(): Promise<void> {
    this.#adoption.stop();
    await Promise.all(Object.values(this.#loops).map((loop) => loop.stop()));
  }

  /** What a node owns that beats and is cut off from the database is anybody's, for as long as it says so. */
  #noticeCutOffs(): void {
    const letGo = new Set(this.#ports.membership.letGoNodes());
    for (const nodeId of letGo) {
      if (this.#cutOff.has(nodeId)) continue;
      this.#cutOff.add(nodeId);
      this.gone(nodeId);
    }
    for (const nodeId of this.#cutOff) {
      if (letGo.has(nodeId)) continue;
      this.#cutOff.delete(nodeId);
      if (!this.#ports.membership.isGone(nodeId)) this.#gone.delete(nodeId);
    }
  }

  async #release(): Promise<"done"> {
    await this.#ports.residents.release();
    return "done";
  }

  /** Frees what is left of nodes that are gone once their due actors have been looked at: nobody looks under their names for ever. */
  async #free(): Promise<"done" | "more"> {
    const { membership, clock, orphans } = this.#ports;
    const mine = membership.placement.slotsOf(membership.self.id);
    let freed = 0;
    await attemptEach(this.#gone.withActors(), async (nodeId) => {
      const isAnybodys = this.#gone.goneFor(nodeId, clock.monotonic()) >= ANYBODY_AFTER_MS;
      if (!isAnybodys && !this.#gone.wasLookedThrough(nodeId)) return;
      const count = await orphans.freeFrom(nodeId, isAnybodys ? undefined : mine, FREE_BATCH);
      freed += count;
      if (count === 0 && !(await orphans.ownsAny(nodeId))) this.#gone.ownsNo("actors", nodeId);
    });
    return freed > 0 ? "more" : "done";
  }

  /** One node goes first, so that not all of them reach for the same messages. */
  async #adoptMessages(): Promise<"done"> {
    const { membership, clock, outbox } = this.#ports;
    const hosts = membership.hosts().map(({ id }) => id);
    await attemptEach(this.#gone.withMessages(), async (nodeId) => {
      const isAnybodys = this.#gone.goneFor(nodeId, clock.monotonic()) >= ANYBODY_AFTER_MS;
      if (!isAnybodys && preferredNode(nodeId, hosts) !== membership.self.id) return;
      await outbox.adopt(nodeId);
      this.#gone.ownsNo("messages", nodeId);
    });
    return "done";
  }

  /**
   * An owner that beats nowhere and was never heard of gets the patient decision from now on. A node asks when it starts; after that the
   * nodes take turns, so that it costs the same however many they are.
   */
  async #census(): Promise<"done"> {
    const { membership, clock, orphans } = this.#ports;
    const hosts = membership
      .hosts()
      .map(({ id }) => id)
      .sort();
    const turn = Math.floor(clock.now() / CENSUS_EVERY_MS) % Math.max(1, hosts.length);
    if (this.#hasAskedForOwners && hosts[turn] !== membership.self.id) return "done";
    this.#hasAskedForOwners = true;
    for (const owner of await orphans.owners()) if (membership.isGone(owner)) this.gone(owner);
    return "done";
  }

  async #lookThroughResidents(): Promise<"done"> {
    const { residents, outbox } = this.#ports;
    // A commit whose connection was lost may have gone through after somebody looked.
    outbox.resume();
    residents.passivate(this.#idleMs);
    await this.#adoption.lookForOwn();
    return "done";
  }
}
