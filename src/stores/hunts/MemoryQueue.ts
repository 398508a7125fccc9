interface Waiter {
  name: string;
  readonly nodes: Set<string>;
}

/**
 * The waiting claims of a hunt in memory, in the order in which they came. What walks them all is fast enough: they are few beside the
 * players of one process.
 */
export class MemoryQueue {
  /** A Map keeps a key's place when its value changes. */
  readonly #waiting = new Map<string, Waiter>();
  #version = 0;

  /** Grows with each change of who waits. */
  get version(): number {
    return this.#version;
  }

  get size(): number {
    return this.#waiting.size;
  }

  has(playerId: string): boolean {
    return this.#waiting.has(playerId);
  }

  /** The player waits, and is on this node. */
  enter(playerId: string, name: string, nodeId: string): void {
    const waiter = this.#waiting.get(playerId);
    if (waiter === undefined) this.#version += 1;
    this.#waiting.set(playerId, { name, nodes: (waiter?.nodes ?? new Set()).add(nodeId) });
  }

  leave(playerId: string): void {
    if (this.#waiting.delete(playerId)) this.#version += 1;
  }

  /** As `ClueLedger.attend` says. */
  attend(playerId: string, nodeId: string): boolean {
    const nodes = this.#waiting.get(playerId)?.nodes;
    return nodes !== undefined && nodes.size > 0 && nodes.add(nodeId) !== undefined;
  }

  /** As `ClueLedger.forget` says. */
  forget(playerId: string, nodeId: string, live: readonly string[]): void {
    const nodes = this.#waiting.get(playerId)?.nodes;
    if (nodes === undefined) return;
    for (const id of nodes) if (id === nodeId || !live.includes(id)) nodes.delete(id);
    if (nodes.size === 0) this.leave(playerId);
  }

  /** As `ClueLedger.sweep` says, of all at once. */
  sweep(live: readonly string[], drop: boolean): void {
    for (const [playerId, { nodes }] of this.#waiting) {
      for (const id of nodes) if (!live.includes(id)) nodes.delete(id);
      if (drop && nodes.size === 0) this.leave(playerId);
    }
  }

  /** Each player's place, counted from 1; 0 for one who does not wait. */
  positions(playerIds: readonly string[]): number[] {
    const places = new Map<string, number>();
    for (const id of this.#waiting.keys()) places.set(id, places.size + 1);
    return playerIds.map((id) => places.get(id) ?? 0);
  }

  /** Who is on some node. Whoever is met may leave. */
  *present(): Generator<{ playerId: string; name: string }> {
    for (const [playerId, { name, nodes }] of this.#waiting) if (nodes.size > 0) yield { playerId, name };
  }
}
