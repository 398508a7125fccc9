import type { IRoomCache } from "@colyseus/core";
import type { HuntDefinition } from "../../src/actors/hunts/definition.ts";
import type { Player } from "../support/RingmasterNode.ts";
import { Hunter } from "../support/Visitor.ts";
import { NodeCluster } from "./supportNodes.ts";

/** Nodes on which hunts are held. */
export class HuntCluster extends NodeCluster {
  async create(definition: HuntDefinition): Promise<string> {
    return (await this.command<{ id: string }>("/api/hunts", definition)).id;
  }

  async act(huntId: string, action: string, args: object = {}): Promise<void> {
    await this.command(`/api/hunts/${huntId}/${action}`, args);
  }

  /** Brings each of these players into a room on another node that runs: the first one to the first, and so on. */
  seat(huntId: string, players: readonly Player[]): Promise<Hunter[]> {
    return this.seatIn("hunt", { huntId }, players, (room) => new Hunter(room));
  }

  /** The rooms of a hunt as matchmaking lists them. */
  async roomsOf(huntId: string): Promise<IRoomCache[]> {
    return (await this.listings()).filter(({ metadata }) => metadata?.huntId === huntId);
  }
}
