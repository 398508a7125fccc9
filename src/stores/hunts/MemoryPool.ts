import type { LedgerRules } from "./ClueLedger.ts";
import { templateOf } from "./ledgerRules.ts";
import type { RebuiltLedger } from "./rebuild.ts";
import type { TemplateHistory } from "./TemplateHistory.ts";

/** A free instance, with the generation of its next holder. */
export interface FreeInstance {
  instance: number;
  generation: number;
}

/** The free instances of a hunt in memory, by template. Those never given are one number a template. */
export class MemoryPool {
  readonly #rules: LedgerRules;
  #issued: number;
  #size = 0;
  /** By template, highest first, so that the lowest is popped. */
  readonly #returned: FreeInstance[][];
  /** By template, the lowest instance that was never given. */
  readonly #next: number[];
  /** Templates of which something has become free since `takeFreed`. */
  #freed = new Set<number>();

  constructor(rules: LedgerRules, { issued, next, returned }: RebuiltLedger) {
    this.#rules = rules;
    this.#issued = issued;
    this.#next = [...next];
    this.#returned = rules.points.map(() => []);
    for (const free of returned.toReversed()) this.#returned[templateOf(rules, free.instance)]!.push(free);
    this.#size = returned.length + next.reduce((sum, first) => sum + this.#countFrom(first), 0);
  }

  get size(): number {
    return this.#size;
  }

  get issued(): number {
    return this.#issued;
  }

  /** Puts instances up to (not including) `issued` into the pool. False when all of them have been issued before. */
  issue(issued: number): boolean {
    if (issued <= this.#issued) return false;
    const templates = Math.min(issued - this.#issued, this.#rules.points.length);
    for (let n = 0; n < templates; n += 1) this.#freed.add(templateOf(this.#rules, this.#issued + n));
    this.#size += issued - this.#issued;
    this.#issued = issued;
    return true;
  }

  put(free: FreeInstance): void {
    const template = templateOf(this.#rules, free.instance);
    const returned = this.#returned[template]!;
    returned.splice(returned.findLastIndex(({ instance }) => instance > free.instance) + 1, 0, free);
    this.#size += 1;
    this.#freed.add(template);
  }

  /** Whether this instance was given before and is free. */
  hasReturned(instance: number): boolean {
    return this.#returned[templateOf(this.#rules, instance)]!.some((free) => free.instance === instance);
  }

  /** The templates of which something has become free since the last call. */
  takeFreed(): Set<number> {
    const freed = this.#freed;
    this.#freed = new Set();
    return freed;
  }

  hasFree(templates: Iterable<number>): boolean {
    for (const template of templates) if (this.#frontOf(template) !== undefined) return true;
    return false;
  }

  /**
   * Takes what a player of this history may have, of these templates: of the template whose lowest free instance is lowest, the
   * lowest that they have not lost. `undefined` when there is none.
   */
  take(history: TemplateHistory, templates: Iterable<number> = this.#next.keys()): FreeInstance | undefined {
    let best: { front: number; free: FreeInstance } | undefined;
    for (const template of templates) {
      const front = history.mayHave(template) ? this.#frontOf(template) : undefined;
      if (front === undefined || (best !== undefined && front > best.front)) continue;
      const free = this.#find(history, template);
      if (free !== undefined) best = { front, free };
    }
    if (best !== undefined) this.#remove(best.free);
    return best?.free;
  }

  #frontOf(template: number): number | undefined {
    const fresh = this.#next[template]!;
    return this.#returned[template]!.at(-1)?.instance ?? (fresh < this.#issued ? fresh : undefined);
  }

  #find(history: TemplateHistory, template: number): FreeInstance | undefined {
    const returned = this.#returned[template]!.findLast(({ instance }) => !history.hasLost(template, instance));
    if (returned !== undefined) return returned;
    const fresh = this.#next[template]!;
    return fresh < this.#issued ? { instance: fresh, generation: 1 } : undefined;
  }

  #remove(free: FreeInstance): void {
    const template = templateOf(this.#rules, free.instance);
    const returned = this.#returned[template]!;
    const at = returned.indexOf(free);
    if (at >= 0) returned.splice(at, 1);
    else this.#next[template] = free.instance + this.#rules.points.length;
    this.#size -= 1;
  }

  /** How many instances of a template are issued, from this one on. */
  #countFrom(first: number): number {
    return Math.max(0, Math.ceil((this.#issued - first) / this.#rules.points.length));
  }
}
