import { crc32 } from "node:zlib";

/**
 * Actors are spread over this many slots, and slots over nodes, so that nodes that look for actors read different rows. More nodes
 * than slots: the rest host what is called there and nothing else.
 */
export const SLOTS = 512;

/** The slot of an actor's key; stored with its row. `CRC32(CONCAT(kind, '/', id)) & 511` is the same in SQL. */
export function slotOf(key: string): number {
  return crc32(key) & (SLOTS - 1);
}

/** 32-bit FNV-1a with a final avalanche, so that ids that differ in one character land far apart. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) h = Math.imul(h ^ text.charCodeAt(at), 0x01000193);
  return avalanche(h);
}

function avalanche(bits: number): number {
  let h = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * Rendezvous hashing (Thaler and Ravishankar, 1996): the one of `nodeIds` on which a key should live. Everybody computes the same, and
 * a node that comes or goes moves only its own share.
 */
export function preferredNode(key: string, nodeIds: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestWeight = -1;
  for (const nodeId of nodeIds) {
    const weight = hash(`${nodeId}\n${key}`);
    if (weight > bestWeight || (weight === bestWeight && nodeId > best!)) {
      best = nodeId;
      bestWeight = weight;
    }
  }
  return best;
}

/**
 * Which node each slot is of: rendezvous hashing, where a node that has its even share already is passed over, so that no node has more
 * than one slot above another's share. A hint of who goes first; the row decides.
 */
export class Placement {
  readonly #nodes: string[];
  readonly #ofSlot: string[] = [];

  constructor(nodeIds: readonly string[]) {
    this.#nodes = nodeIds.toSorted();
    const hashes = this.#nodes.map(hash);
    const room = this.#nodes.map(() => Math.ceil(SLOTS / this.#nodes.length));
    for (let slot = 0; slot < SLOTS && hashes.length > 0; slot++) {
      const at = heaviest(slot, hashes, room);
      room[at]! -= 1;
      this.#ofSlot.push(this.#nodes[at]!);
    }
  }

  /** Whether it is of exactly these nodes. */
  isOf(nodeIds: readonly string[]): boolean {
    const sorted = nodeIds.toSorted();
    return sorted.length === this.#nodes.length && sorted.every((id, at) => id === this.#nodes[at]);
  }

  /** The node on which the actor of this key should live; undefined when there are no nodes. */
  nodeOf(key: string): string | undefined {
    return this.#ofSlot[slotOf(key)];
  }

  /** The slots of one node, ascending. */
  slotsOf(nodeId: string): number[] {
    return [...this.#ofSlot.keys()].filter((slot) => this.#ofSlot[slot] === nodeId);
  }
}

/** The index of the node with the greatest weight for a slot, of those that have room. */
function heaviest(slot: number, hashes: readonly number[], room: readonly number[]): number {
  let best = -1;
  let bestWeight = -1;
  for (let at = 0; at < hashes.length; at++) {
    if (room[at] === 0) continue;
    const weight = avalanche(hashes[at]! ^ Math.imul(slot + 1, 0x9e3779b1));
    if (weight > bestWeight) {
      best = at;
      bestWeight = weight;
    }
  }
  return best;
}
