/** 32-bit FNV-1a with a final avalanche, so that ids that differ in one character land far apart. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) h = Math.imul(h ^ text.charCodeAt(at), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * Rendezvous hashing (Thaler and Ravishankar, 1996): the node on which a key should live. Every node computes the same, and a
 * node that comes or goes moves only its own share. A hint of who goes first; the row decides.
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
