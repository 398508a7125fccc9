import { matchMaker } from "@colyseus/core";
import { systemRng } from "../../clock.ts";

/** State goes out at most four times a second, whatever happens in between. */
export const PATCH_EVERY_MS = 250;
/** And less often where more players of a node would have to be sent more than this a second: answers come before standings. */
const MOST_PATCHES_A_SECOND = 5000;
/** Crowded rooms have paces that differ by up to this share, or all of a node's would send at the same moment. */
const PACES_APART = 0.25;

/** How often a room sends its state: each state goes to every player, which must not take the time in which a crowded node answers. */
export class PatchPace {
  readonly #apart = 1 + PACES_APART * systemRng.next();

  /** By how many are connected to this node now, in milliseconds. */
  get everyMs(): number {
    const enough = (matchMaker.stats.local.ccu / MOST_PATCHES_A_SECOND) * 1000;
    const steps = Math.ceil(enough / PATCH_EVERY_MS);
    return steps <= 1 ? PATCH_EVERY_MS : Math.round(PATCH_EVERY_MS * steps * this.#apart);
  }
}
