import type { Actors } from "../actors/runtime/Actors.ts";
import type { Clock } from "../clock.ts";

/** A node that is cut off for less closes no room: players would lose more by moving than by waiting. */
const ROOMS_CLOSE_AFTER_MS = 15_000;
/** How often a peer is looked for that reaches the database. */
const LOOK_EVERY_MS = 1000;
/** A peer must have been seen so many times in a row: when all were cut off, one of them is back a moment before the others. */
const LOOKS = 7;

export interface CutOffPorts {
  actors: Pick<Actors, "cutOff" | "membership">;
  clock: Pick<Clock, "schedule">;
  /** Whether players are sent to the rooms of this node. */
  setDoors(open: boolean): void;
  /** Has the players of this node's rooms join again, which takes them to another node. */
  closeRooms(): void;
}

/**
 * What a node does while it alone cannot reach the database: it says so in its beats, and gives up its actors; nobody is sent to its rooms,
 * which close after 15 s, once a peer says that it reaches the database. Where none does, players are nowhere better off.
 */
export class CutOff {
  readonly #ports: CutOffPorts;
  #isCutOff = false;
  #cancel: (() => void) | undefined;

  constructor(ports: CutOffPorts) {
    this.#ports = ports;
  }

  get isCutOff(): boolean {
    return this.#isCutOff;
  }

  set(isCutOff: boolean): void {
    if (isCutOff === this.#isCutOff) return;
    this.#isCutOff = isCutOff;
    this.#ports.actors.cutOff(isCutOff);
    this.#ports.setDoors(!isCutOff);
    if (isCutOff) this.#lookIn(ROOMS_CLOSE_AFTER_MS - (LOOKS - 1) * LOOK_EVERY_MS, 0);
    else this.stop();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #lookIn(ms: number, seen: number): void {
    this.#cancel = this.#ports.clock.schedule(() => {
      const now = this.#ports.actors.membership.roomHosts().length > 0 ? seen + 1 : 0;
      if (now === LOOKS) this.#ports.closeRooms();
      else this.#lookIn(LOOK_EVERY_MS, now);
    }, ms);
  }
}
