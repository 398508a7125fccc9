import type { Clock } from "../../clock.ts";
import type { ClueLedger } from "../../stores/hunts/ClueLedger.ts";
import type { Actors } from "../runtime/Actors.ts";
import type { Log } from "../runtime/ports.ts";
import type { ClaimAnswer, HuntPlayer } from "./HuntService.ts";
import type { OpenHunt, OpenHunts } from "./OpenHunt.ts";
import { QUIT, RELOADED, WAITS } from "./signals.ts";

export interface QueuePorts {
  actors: Actors;
  ledger: ClueLedger;
  views: OpenHunts;
  clock: Clock;
  log: Log;
  /** Claims for a player, again for one who waits. */
  claim(hunt: OpenHunt, player: HuntPlayer): Promise<ClaimAnswer>;
}

/** Who waited on a node that is gone has so long to come in elsewhere: then their place is lost. Counts from the last one that went. */
const COME_BACK_MS = 30_000;
/** Waiting players ask again this often, in case the message of a served claim was lost with its node. */
const ASK_AGAIN_MS = 15_000;

/**
 * The waiting claims of this node's players. A player waits on every node on which they are; a node asks again for its waiting players
 * when it may not have heard that they were served.
 */
export class ClaimQueue {
  readonly #ports: QueuePorts;
  #cancelAskAgain: () => void = () => {};
  #cancelDrop: () => void = () => {};
  /** By hunt, whose claims wait and are yet to be told of. */
  readonly #newlyWaiting = new Map<OpenHunt, HuntPlayer[]>();

  constructor(ports: QueuePorts) {
    this.#ports = ports;
    const { peers, membership } = ports.actors;
    peers.onSignal(WAITS, (payload) => this.#onWaits(payload as { huntId: string; players: HuntPlayer[] }));
    peers.onSignal(QUIT, (payload) => {
      const { huntId, playerId } = payload as { huntId: string; playerId: string };
      ports.views.at(huntId, (hunt) => hunt.quit(playerId));
    });
    peers.onSignal(RELOADED, (payload) =>
      ports.views.at((payload as { huntId: string }).huntId, (hunt) => this.askAgain(hunt)),
    );
    membership.on((event) => {
      if (event.type !== "gone") return;
      this.#everybodyAsksAgain();
      this.#waitForTheirReturn();
    });
    this.#scheduleAskAgain();
  }

  /** Takes the player out of the queue, on whatever nodes they are. */
  async quit(hunt: OpenHunt, playerId: string): Promise<{ left: true }> {
    const { peers } = this.#ports.actors;
    await this.#ports.ledger.forget(hunt.key, playerId, peers.nodeId, []);
    peers.signalAll(QUIT, { huntId: hunt.id, playerId });
    hunt.refresh.touch();
    return { left: true };
  }

  /** A player comes into a room of this node, who may wait already where else they are: they are heard here too. */
  async attend(hunt: OpenHunt, player: HuntPlayer): Promise<void> {
    const { ledger, actors, log } = this.#ports;
    try {
      if (hunt.phase !== "solving") return;
      const known = hunt.waiting.get(player.playerId);
      if (known?.isAway) return this.back(hunt, player);
      if (!known) {
        const waits = await ledger.attend(hunt.key, player.playerId, actors.peers.nodeId);
        if (!waits || !hunt.seats(player.playerId)) return;
        if (!hunt.waiting.has(player.playerId)) hunt.wait(player);
      }
      hunt.positions.notify(player.playerId);
    } catch (error) {
      log.debug({ err: error, hunt: hunt.id }, "whether a player waits elsewhere could not be asked");
    }
  }

  /** Those who wait from now on may be on other nodes too. All of a moment are told in one go. */
  notifyWaits(hunt: OpenHunt, player: HuntPlayer): void {
    const known = this.#newlyWaiting.get(hunt);
    if (known) return void known.push(player);
    const players = [player];
    this.#newlyWaiting.set(hunt, players);
    this.#ports.clock.schedule(() => {
      this.#newlyWaiting.delete(hunt);
      this.#ports.actors.peers.signalAll(WAITS, { huntId: hunt.id, players });
    }, 0);
  }

  #onWaits({ huntId, players }: { huntId: string; players: HuntPlayer[] }): void {
    this.#ports.views.at(huntId, (hunt) => {
      for (const player of players)
        if (hunt.seats(player.playerId) && !hunt.waiting.has(player.playerId)) void this.attend(hunt, player);
    });
  }

  /** The player has dropped out of a room of this node, and may be back. The place in the queue is kept. */
  away(hunt: OpenHunt, playerId: string): void {
    const claim = hunt.waiting.get(playerId);
    if (claim && !hunt.seats(playerId)) claim.isAway = true;
  }

  /** The player is back: who waited goes on waiting, or is handed the clue that came up meanwhile. */
  back(hunt: OpenHunt, player: HuntPlayer): void {
    const claim = hunt.waiting.get(player.playerId);
    if (!claim) return;
    claim.isAway = false;
    claim.position = 0;
    void this.#claimAgain(hunt, player);
  }

  /** The player has left a room of this node for good, and the queue unless they have another seat, a connected one or one that is kept for them. */
  async forget(hunt: OpenHunt, playerId: string): Promise<void> {
    if (hunt.keeps(playerId)) return this.away(hunt, playerId);
    if (!hunt.waiting.delete(playerId)) return;
    const { peers, membership } = this.#ports.actors;
    const live = membership.live().map(({ id }) => id);
    await this.#ports.ledger.forget(hunt.key, playerId, peers.nodeId, live);
    hunt.refresh.touch();
  }

  #everybodyAsksAgain(): void {
    this.#ports.views.all((hunt) => {
      hunt.refresh.touch();
      this.askAgain(hunt);
    });
  }

  /** Who waited on a node that is gone is not served until they are back, and keeps their place for a while. */
  #waitForTheirReturn(): void {
    this.#ports.views.all((hunt) => void this.#sweep(hunt, false));
    this.#cancelDrop();
    this.#cancelDrop = this.#ports.clock.schedule(
      () => this.#ports.views.all((hunt) => void this.#sweep(hunt, true)),
      COME_BACK_MS,
    );
  }

  async #sweep(hunt: OpenHunt, drop: boolean): Promise<void> {
    const { actors, ledger, log } = this.#ports;
    try {
      for (let after: number | undefined = 0; after !== undefined && hunt.phase === "solving"; ) {
        const live = actors.membership.live().map(({ id }) => id);
        after = await ledger.sweep(hunt.key, live, { after, drop });
      }
      hunt.refresh.touch();
    } catch (error) {
      log.debug({ err: error, hunt: hunt.id }, "the queue could not be rid of who was on a node that is gone");
    }
  }

  stop(): void {
    this.#cancelAskAgain();
    this.#cancelDrop();
  }

  #scheduleAskAgain(): void {
    this.#cancelAskAgain = this.#ports.clock.schedule(() => {
      this.#everybodyAsksAgain();
      this.#scheduleAskAgain();
    }, ASK_AGAIN_MS);
  }

  /** Claims once more for everybody of this node who was told to wait: whose claim was served unheard gets the clue now. */
  askAgain(hunt: OpenHunt): void {
    for (const [playerId, { name, isTold, isAway }] of hunt.waiting) {
      if (isTold && !isAway) void this.#claimAgain(hunt, { playerId, name });
    }
  }

  async #claimAgain(hunt: OpenHunt, player: HuntPlayer): Promise<void> {
    if (!hunt.seats(player.playerId)) return;
    const told = hunt.waiting.get(player.playerId)?.position ?? 0;
    try {
      const answer = await this.#ports.claim(hunt, player);
      if ("waiting" in answer) {
        if (answer.exhausted) return hunt.notifyExhausted(player.playerId);
        const claim = hunt.waiting.get(player.playerId);
        if (claim) claim.position = told;
        return hunt.notifyPosition(player.playerId, answer.position);
      }
      hunt.wait(player);
      hunt.serve(player.playerId, answer);
    } catch (error) {
      this.#ports.log.debug({ err: error, hunt: hunt.id }, "a waiting claim could not be asked again");
    }
  }
}
