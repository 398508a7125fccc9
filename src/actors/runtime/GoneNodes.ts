/** What a node that is gone may have left behind, and has not been found to have left nothing of yet. */
interface Left {
  /** This observer's monotonic time of the decision. */
  since: number;
  actors: boolean;
  messages: boolean;
  /** The actors of it that are due have been looked through since, so that the others may be freed. */
  looked: boolean;
}

/**
 * The nodes that are gone and may still own something. One from which nothing is left is forgotten, and costs no statement any more,
 * until a census finds its name again: a commit that was on its way may come later than the decision.
 */
export class GoneNodes {
  readonly #nodes = new Map<string, Left>();

  /** `now` is monotonic. */
  add(nodeId: string, now: number): void {
    if (!this.#nodes.has(nodeId)) this.#nodes.set(nodeId, { since: now, actors: true, messages: true, looked: false });
  }

  /** It lives after all. */
  delete(nodeId: string): void {
    this.#nodes.delete(nodeId);
  }

  /** Those that may still own actors. */
  withActors(): string[] {
    return [...this.#nodes].filter(([, left]) => left.actors).map(([id]) => id);
  }

  /** Those that may still own messages. */
  withMessages(): string[] {
    return [...this.#nodes].filter(([, left]) => left.messages).map(([id]) => id);
  }

  /** For how long it has been gone, in milliseconds. */
  goneFor(nodeId: string, now: number): number {
    const left = this.#nodes.get(nodeId);
    return left ? now - left.since : 0;
  }

  wasLookedThrough(nodeId: string): boolean {
    return this.#nodes.get(nodeId)?.looked ?? false;
  }

  lookedThrough(nodeId: string): void {
    const left = this.#nodes.get(nodeId);
    if (left) left.looked = true;
  }

  ownsNo(what: "actors" | "messages", nodeId: string): void {
    const left = this.#nodes.get(nodeId);
    if (!left) return;
    left[what] = false;
    if (!left.actors && !left.messages) this.#nodes.delete(nodeId);
  }
}
