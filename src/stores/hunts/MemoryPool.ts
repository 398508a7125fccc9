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
  /** How many instances were ever given. */
  #given: number;
  /** How many are returned. */
  #back: number;
  /** By template, highest first, so that the lowest is popped. */
  readonly #returned: FreeInstance[][];
  /** By template, the lowest instance that was never given. */
  readonly #next: number[];
  /** Templates of which something has become free since `takeFreed`. */
  #freed = new Set<number>();

  constructor(rules: LedgerRules, { issued, given, next, returned }: RebuiltLedger) {
    this.#rules = rules;
    this.#issued = issued;
    this.#given = given;
    this.#back = returned.length;
    this.#next = [...next];
    this.#returned = rules.points.map(() => []);
    for (const free of returned.toReversed()) this.#returned[templateOf(rules, free.instance)]!.push(free);
  }

  get size(): number {
    return this.#back + this.#issued - this.#given;
  }

  get issued(): number {
    return this.#issued;
  }

  /** Puts instances up to (not including) `issued` into the pool. False when all of them have been issued before. */
  issue(issued: number): boolean {
    if (issued <= this.#issued) return false;
    const templates = Math.min(issued - this.#issued, this.#rules.points.length);
    for (let n = 0; n < templates; n += 1) this.#freed.add(templateOf(this.#rules, this.#issued + n));
    this.#issued = issued;
    return true;
  }

  put(free: FreeInstance): void {
    const template = templateOf(this.#rules, free.instance);
    const returned = this.#returned[template]!;
    returned.splice(returned.findLastIndex(({ instance }) => instance > free.instance) + 1, 0, free);
    this.#back += 1;
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
    for (const template of templates) if (this.#returned[template]!.length > 0 || this.#hasNever(template)) return true;
    return false;
  }

  /**
   * Takes what a player of this history may have, of all templates or of these: what is returned before what was never given, in the
   * order that `ClueLedger` says. `undefined` when there is none.
   */
  take(history: TemplateHistory, among?: ReadonlySet<number>): FreeInstance | undefined {
    const may = (template: number): boolean => history.mayHave(template) && (among?.has(template) ?? true);
    return this.#takeReturned(history, may) ?? this.#takeNever(may);
  }

  #takeReturned(history: TemplateHistory, may: (template: number) => boolean): FreeInstance | undefined {
    if (this.#back === 0) return undefined;
    for (const [template, returned] of this.#returned.entries()) {
      if (returned.length === 0 || !may(template)) continue;
      const at = returned.findLastIndex(({ instance }) => !history.hasLost(template, instance));
      if (at < 0) continue;
      this.#back -= 1;
      return returned.splice(at, 1)[0];
    }
    return undefined;
  }

  #takeNever(may: (template: number) => boolean): FreeInstance | undefined {
    const templates = this.#next.length;
    for (let n = 0; n < templates; n += 1) {
      const template = (this.#given + n) % templates;
      if (!this.#hasNever(template) || !may(template)) continue;
      const instance = this.#next[template]!;
      this.#next[template] = instance + templates;
      this.#given += 1;
      return { instance, generation: 1 };
    }
    return undefined;
  }

  #hasNever(template: number): boolean {
    return this.#next[template]! < this.#issued;
  }
}
