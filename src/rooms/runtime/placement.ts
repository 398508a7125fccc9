import { matchMaker } from "@colyseus/core";
import { RingmasterError } from "../../errors.ts";
import { refusal } from "./refusal.ts";

/** A live node that serves rooms, and the Colyseus process on it. */
export interface RoomNode {
  nodeId: string;
  processId: string;
}

/** What a new room's place is chosen from. */
export interface Places {
  /** Live nodes that serve rooms, by the runtime's decision: no other is ever chosen. */
  nodes: readonly RoomNode[];
  /** Rooms by process; one that is not in it has none. */
  rooms: ReadonlyMap<string, number>;
  /** The node that the room should be on, if that serves rooms. */
  preferred: string | undefined;
  /** The process that asks: among equals it is chosen, which saves a round trip. */
  self: string;
}

/** The process for a new room: the preferred node's, else the one with the fewest rooms. `undefined` when no node serves rooms. */
export function choosePlace({ nodes, rooms, preferred, self }: Places): string | undefined {
  const wanted = nodes.find(({ nodeId }) => nodeId === preferred);
  if (wanted !== undefined) return wanted.processId;
  const load = ({ processId }: RoomNode): number => rooms.get(processId) ?? 0;
  const [least] = nodes.toSorted(
    (a, b) => load(a) - load(b) || Number(b.processId === self) - Number(a.processId === self),
  );
  return least?.processId;
}

/** What the actor runtime tells of the cluster. */
export interface PlacementParts {
  /** Live nodes of a role that serves rooms, and not draining; this one included. */
  roomNodes(): readonly RoomNode[];
  /** The node on which the actor behind such a room lives; `undefined` when it lives nowhere or there is none. */
  placeOf(roomName: string, options: unknown): Promise<string | undefined>;
}

/**
 * Colyseus's `selectProcessIdToCreateRoom`: the first room of an event goes where its actor lives, so that its requests stay on
 * one node; further rooms spread.
 */
export function placeRooms({ roomNodes, placeOf }: PlacementParts): matchMaker.SelectProcessIdCallback {
  return async (roomName, options) => {
    const [rooms, preferred] = await Promise.all([roomCounts(), preferredNode(placeOf, roomName, options)]);
    const place = choosePlace({ nodes: roomNodes(), rooms, preferred, self: matchMaker.processId });
    if (place === undefined) throw refusal(new RingmasterError("unavailable", "No node serves rooms at the moment."));
    return place;
  };
}

async function roomCounts(): Promise<Map<string, number>> {
  const processes = await matchMaker.stats.fetchAll().catch(() => []);
  return new Map(processes.map(({ processId, roomCount }) => [processId, roomCount]));
}

/** A hint is not worth failing for. */
async function preferredNode(
  placeOf: PlacementParts["placeOf"],
  roomName: string,
  options: unknown,
): Promise<string | undefined> {
  try {
    const filter = matchMaker.getHandler(roomName).getFilterOptions(options);
    const other = await matchMaker.driver.findOne({ name: roomName, ...filter });
    return other === undefined ? await placeOf(roomName, options) : undefined;
  } catch {
    return undefined;
  }
}
