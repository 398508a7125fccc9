import type { Clock } from "../../clock.ts";
import type { ClueLedger } from "../../stores/hunts/ClueLedger.ts";
import type { Actors } from "../runtime/Actors.ts";
import type { Log } from "../runtime/ports.ts";
import type { ClaimAnswer, HuntPlayer } from "./HuntService.ts";
import type { HuntViews, Seat } from "./HuntViews.ts";
import { QUIT, RELOADED, WAITS } from "./signals.ts";

export interface QueuePorts {
  actors: Actors;
  ledger: ClueLedger;
  tables: HuntViews;
  clock: Clock;
  log: Log;
  /** Claims for a player, again for one who waits. */
  claim(huntId: string, player: HuntPlayer): Promise<ClaimAnswer>;
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
  readonly #newlyWaiting = new Map<string, HuntPlayer[]>();

  constructor(ports: QueuePorts) {
    this.#ports = ports;
    const { peers, membership } = ports.actors;
    peers.onSignal(WAITS, (payload) => this.#onWaits(payload as { huntId: string; players: HuntPlayer[] }));
    peers.onSignal(QUIT, (payload) => {
      const { huntId, playerId } = payload as { huntId: string; playerId: string };
      ports.tables.at(huntId, ({ table }) => table.quit(playerId));
    });
    peers.onSignal(RELOADED, (payload) =>
      ports.tables.at((payload as { huntId: string }).huntId, (seat) => this.askAgain(seat)),
    );
    membership.on((event) => {
      if (event.type !== "gone") return;
      this.#everybodyAsksAgain();
      this.#waitForTheirReturn();
    });
    this.#scheduleAskAgain();
  }

  /** Takes the player out of the queue, on whatever nodes they are. */
  async quit(huntId: string, playerId: string): Promise<{ left: true }> {
    const { table, refresh } = await this.#ports.tables.seated(huntId);
    const { peers } = this.#ports.actors;
    await this.#ports.ledger.forget(table.key, playerId, peers.nodeId, []);
    peers.signalAll(QUIT, { huntId, playerId });
    refresh.touch();
    return { left: true };
  }

  /** A player comes into a room of this node, who may wait already where else they are: they are heard here too. */
  async attend(huntId: string, player: HuntPlayer): Promise<void> {
    const { ledger, actors, log } = this.#ports;
    try {
      const { table, positions } = await this.#ports.tables.seated(huntId);
      if (table.phase !== "solving") return;
      const known = table.waiting.get(player.playerId);
      if (known?.isAway) return this.back(huntId, player);
      if (!known) {
        const waits = await ledger.attend(table.key, player.playerId, actors.peers.nodeId);
        if (!waits || !table.seats(player.playerId)) return;
        if (!table.waiting.has(player.playerId)) table.wait(player);
      }
      positions.notify(player.playerId);
    } catch (error) {
      log.debug({ err: error, hunt: huntId }, "whether a player waits elsewhere could not be asked");
    }
  }

  /** Those who wait from now on may be on other nodes too. All of a moment are told in one go. */
  notifyWaits(huntId: string, player: HuntPlayer): void {
    const known = this.#newlyWaiting.get(huntId);
    if (known) return void known.push(player);
    const players = [player];
    this.#newlyWaiting.set(huntId, players);
    this.#ports.clock.schedule(() => {
      this.#newlyWaiting.delete(huntId);
      this.#ports.actors.peers.signalAll(WAITS, { huntId, players });
    }, 0);
  }

  #onWaits({ huntId, players }: { huntId: string; players: HuntPlayer[] }): void {
    this.#ports.tables.at(huntId, ({ table }) => {
      for (const player of players)
        if (table.seats(player.playerId) && !table.waiting.has(player.playerId)) void this.attend(huntId, player);
    });
  }

  /** The player has dropped out of a room of this node, and may be back. The place in the queue is kept. */
  away(huntId: string, playerId: string): void {
    this.#ports.tables.at(huntId, ({ table }) => {
      const claim = table.waiting.get(playerId);
      if (claim && !table.seats(playerId)) claim.isAway = true;
    });
  }

  /** The player is back: who waited goes on waiting, or is handed the clue that came up meanwhile. */
  back(huntId: string, player: HuntPlayer): void {
    this.#ports.tables.at(huntId, (seat) => {
      const claim = seat.table.waiting.get(player.playerId);
      if (!claim) return;
      claim.isAway = false;
      claim.position = 0;
      void this.#claimAgain(seat, player);
    });
  }

  /** The player has left a room of this node for good, and the queue unless they have another seat, a connected one or one that is kept for them. */
  async forget(huntId: string, playerId: string): Promise<void> {
    const seat = await this.#ports.tables.seated(huntId).catch(() => undefined);
    if (!seat) return;
    if (seat.table.keeps(playerId)) return this.away(huntId, playerId);
    if (!seat.table.waiting.delete(playerId)) return;
    const { peers, membership } = this.#ports.actors;
    const live = membership.live().map(({ id }) => id);
    await this.#ports.ledger.forget(seat.table.key, playerId, peers.nodeId, live);
    seat.refresh.touch();
  }

  #everybodyAsksAgain(): void {
    this.#ports.tables.all((seat) => {
      seat.refresh.touch();
      this.askAgain(seat);
    });
  }

  /** Who waited on a node that is gone is not served until they are back, and keeps their place for a while. */
  #waitForTheirReturn(): void {
    this.#ports.tables.all((seat) => void this.#sweep(seat, false));
    this.#cancelDrop();
    this.#cancelDrop = this.#ports.clock.schedule(
      () => this.#ports.tables.all((seat) => void this.#sweep(seat, true)),
      COME_BACK_MS,
    );
  }

  async #sweep({ table, refresh }: Seat, drop: boolean): Promise<void> {
    const { actors, ledger, log } = this.#ports;
    try {
      for (let after: number | undefined = 0; after !== undefined && table.phase === "solving"; ) {
        const live = actors.membership.live().map(({ id }) => id);
        after = await ledger.sweep(table.key, live, { after, drop });
      }
      refresh.touch();
    } catch (error) {
      log.debug({ err: error, hunt: table.id }, "the queue could not be rid of who was on a node that is gone");
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
  askAgain(seat: Seat): void {
    for (const [playerId, { name, isTold, isAway }] of seat.table.waiting) {
      if (isTold && !isAway) void this.#claimAgain(seat, { playerId, name });
    }
  }

  async #claimAgain({ table }: Seat, player: HuntPlayer): Promise<void> {
    if (!table.seats(player.playerId)) return;
    const told = table.waiting.get(player.playerId)?.position ?? 0;
    try {
      const answer = await this.#ports.claim(table.id, player);
      if ("waiting" in answer) {
        if (answer.exhausted) return table.notifyExhausted(player.playerId);
        const claim = table.waiting.get(player.playerId);
        if (claim) claim.position = told;
        return table.notifyPosition(player.playerId, answer.position);
      }
      table.wait(player);
      table.serve(player.playerId, answer);
    } catch (error) {
      this.#ports.log.debug({ err: error, hunt: table.id }, "a waiting claim could not be asked again");
    }
  }
}
