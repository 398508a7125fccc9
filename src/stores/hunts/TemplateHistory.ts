import { type AssignmentRow, type LedgerRules, OUTCOME } from "./ClueLedger.ts";
import { isRepeatable, templateOf } from "./ledgerRules.ts";

/** A set of templates, a bit each. */
export class TemplateSet {
  #bytes = new Uint8Array(0);

  has(template: number): boolean {
    return ((this.#bytes[template >> 3] ?? 0) & (1 << (template & 7))) !== 0;
  }

  add(template: number): void {
    const at = template >> 3;
    if (at >= this.#bytes.length) {
      const grown = new Uint8Array(at + 1);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes[at]! |= 1 << (template & 7);
  }

  delete(template: number): void {
    if (this.has(template)) this.#bytes[template >> 3]! &= ~(1 << (template & 7));
  }

  /** Template `8 × n + m` is bit `m` of byte `n`; bytes that are missing are 0. */
  get bytes(): readonly number[] {
    return [...this.#bytes];
  }
}

/** What a player has tried of a template that they may still have. */
export interface Tried {
  /** Wrong answers in the assignments that are closed: fewer than there are attempts. */
  wrong: number;
  /** Instances that they lost after a wrong answer: at most as many as `wrong`. */
  lost: number[];
}

/**
 * What a player has done with each template, by their closed assignments: which templates they may have, and with how many
 * attempts. The same whatever the order in which assignments are told (`close`), each once.
 */
export class TemplateHistory {
  /** Instances that the player has solved. */
  solved = 0;
  /** Templates that the player does not get any more: solved, or out of attempts. */
  readonly closed = new TemplateSet();
  /** Repeatable templates that the player has solved. There is nothing to guess of them, so nothing of them is counted. */
  readonly known = new TemplateSet();
  /** Only what the player may still have and has not solved. */
  readonly tried = new Map<number, Tried>();

  mayHave(template: number): boolean {
    return !this.closed.has(template);
  }

  hasLost(template: number, instance: number): boolean {
    return this.tried.get(template)?.lost.includes(instance) ?? false;
  }

  /** What an assignment of the template begins with (`AssignmentRow.attemptsBefore`). */
  attemptsBefore(template: number): number {
    return this.tried.get(template)?.wrong ?? 0;
  }

  /** An assignment of this player's is closed. */
  close(rules: LedgerRules, { instance, outcome, attemptsUsed }: AssignmentRow): void {
    const template = templateOf(rules, instance);
    if (outcome === OUTCOME.solved) this.#solve(rules, template);
    else if (attemptsUsed > 0) this.#lose(rules, template, instance, attemptsUsed);
  }

  #solve(rules: LedgerRules, template: number): void {
    this.solved += 1;
    this.tried.delete(template);
    if (isRepeatable(rules, template)) {
      this.known.add(template);
      this.closed.delete(template);
    } else this.closed.add(template);
  }

  #lose(rules: LedgerRules, template: number, instance: number, wrong: number): void {
    if (this.closed.has(template) || this.known.has(template)) return;
    const tried = this.tried.get(template) ?? { wrong: 0, lost: [] };
    tried.wrong += wrong;
    tried.lost.push(instance);
    if (tried.wrong < rules.attempts) this.tried.set(template, tried);
    else {
      this.tried.delete(template);
      this.closed.add(template);
    }
  }
}
