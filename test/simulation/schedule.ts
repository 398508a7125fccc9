import fc from "fast-check";
import type { Domain } from "./Domain.ts";
import { FAULTS } from "./faults.ts";

/** One thing that happens, at the node in a slot, followed by `thenMs` of peace. */
export type Step = { slot: number; thenMs: number } & ({ bot: string; act: unknown } | { fault: string; how: unknown });

export interface ScheduleOptions {
  domains: readonly Domain[];
  slots: number;
  /** Only faults with such names come up, beside nodes that are started again. */
  only?: RegExp;
  /** Steps at most. */
  longest?: number;
}

/** What bots do, weighed against all faults together. */
const BOTS_WEIGHT = 16;

const thenMs = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 3, arbitrary: fc.nat({ max: 300 }) },
  { weight: 2, arbitrary: fc.nat({ max: 6000 }) },
);

/** What bots do, and everything that can happen to their nodes meanwhile. */
export function scheduleOf({ domains, slots, only = /./, longest = 60 }: ScheduleOptions): fc.Arbitrary<Step[]> {
  const slot = fc.nat({ max: slots - 1 });
  const acts = domains.map(({ name, acts: act }) => ({
    weight: Math.ceil(BOTS_WEIGHT / domains.length),
    arbitrary: fc.record({ slot, thenMs, bot: fc.constant(name), act }),
  }));
  const faults = FAULTS.filter(({ name, isOfTheDead }) => isOfTheDead || only.test(name)).map(
    ({ name, weight, how }) => ({
      weight,
      arbitrary: fc.record({ slot, thenMs, fault: fc.constant(name), how }),
    }),
  );
  return fc.array(fc.oneof(...acts, ...faults) as fc.Arbitrary<Step>, {
    minLength: 1,
    maxLength: longest,
    size: "max",
  });
}
