import type { Clock } from "../../clock.ts";
import { RingmasterError } from "../../errors.ts";
import { type ActorKinds, versionOf } from "./ActorKinds.ts";
import type { ActorStore, FoundRow } from "./ActorStore.ts";
import { type ActorAddress, type ClaimedRow, CRASHES_TO_QUARANTINE } from "./actorRow.ts";
import type { CrashBlame } from "./CrashBlame.ts";
import type { Membership } from "./Membership.ts";
import { actorKey } from "./protocol.ts";
import type { Releases } from "./Releases.ts";

/** What claims need. */
export interface ClaimPorts {
  kinds: ActorKinds;
  store: ActorStore;
  blame: CrashBlame;
  membership: Membership;
  clock: Clock;
  releases: Releases;
  /** Nothing is to come to life here any more. */
  isClosed(): boolean;
}

/** Where a called actor is: another node's (undefined: ask again, elsewhere). */
export interface Elsewhere {
  owner: string | undefined;
  /** Its state is of this version, which is later than any that this node knows. */
  unknownVersion?: number;
}

/**
 * Claims the rows of actors that are called here: nobody's, or a dead node's. One that has none is claimed by nobody: the first turn that
 * stores something makes its row, and where two nodes come to that, the later one meets the fence. Where its first turn may have been
 * begun before, its row is made first: who finds it as a dead node's can blame it for that.
 */
export class Claims {
  readonly #ports: ClaimPorts;

  constructor(ports: ClaimPorts) {
    this.#ports = ports;
  }

  /** Throws `actor_quarantined`, and what the database says. */
  async claim(address: ActorAddress, isRepeat: boolean): Promise<ClaimedRow | Elsewhere> {
    const { kinds, store, membership, releases, isClosed } = this.#ports;
    const kind = kinds.of(address.kind);
    const key = actorKey(address);
    if (releases.isDoubtful(key)) await releases.flush();
    if (releases.isDoubtful(key)) return { owner: undefined };
    const found = await store.find(address);
    if (isClosed()) return { owner: undefined };
    const { owner = null } = found ?? {};
    if (owner !== null && owner !== membership.self.id && !membership.isGone(owner)) return { owner };
    if (!kinds.canHost(address)) return { owner: undefined };
    if (found && !kinds.knows(found)) return { owner: undefined, unknownVersion: found.stateVersion };
    if (found) return (await this.#take(found)) ?? { owner: undefined };
    const state = JSON.stringify(kind.type.initial(address.id));
    const stateVersion = versionOf(kind.type);
    const row = { ...address, epoch: 1, version: 0, state, stateVersion, timers: [], crashes: 0 };
    if (!isRepeat) return { ...row, isNew: true };
    return (await this.#orGiveUp(row, store.create(row, this.#ports.clock.now()))) ?? { owner: undefined };
  }

  async #take(found: FoundRow): Promise<ClaimedRow | undefined> {
    const { store, blame, membership, clock } = this.#ports;
    const { owner } = found;
    if (found.crashes >= CRASHES_TO_QUARANTINE) {
      throw new RingmasterError(
        "actor_quarantined",
        `${actorKey(found)} has crashed its nodes, and is in quarantine until an operator pardons it.`,
      );
    }
    const crashed = owner !== null && owner !== membership.self.id && membership.hasDied(owner);
    if (crashed) await blame.judge(owner);
    return this.#orGiveUp({ ...found, epoch: found.epoch + 1 }, store.claim(found, crashed, clock.now()));
  }

  /** A claim that failed may have gone through: its timers would wait for as long as nobody calls it. */
  async #orGiveUp<T>(row: ClaimedRow, claim: Promise<T>): Promise<T> {
    try {
      return await claim;
    } catch (error) {
      this.#ports.releases.addDoubtful(row);
      throw error;
    }
  }
}
