import fc from "fast-check";
import { ACTORS, METHODS, SLOTS, type Step } from "./CrashWorld.ts";

const slot = fc.nat({ max: SLOTS - 1 });
const thenMs = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 3, arbitrary: fc.nat({ max: 300 }) },
  { weight: 2, arbitrary: fc.nat({ max: 6000 }) },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant("call" as const),
      slot,
      actor: fc.nat({ max: ACTORS.length - 1 }),
      method: fc.constantFrom(...METHODS),
      hasRequestId: fc.boolean(),
      thenMs,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("mishap" as const),
      slot,
      mishap: fc.constantFrom("crash" as const, "lose connection" as const),
      afterOperations: fc.nat({ max: 25 }),
      thenMs,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "kill" as const,
        "restart" as const,
        "cut" as const,
        "mend" as const,
        "stall" as const,
        "wake" as const,
        "drain" as const,
        "mislay" as const,
      ),
      slot,
      thenMs,
    }),
  },
);

/** Calls, and everything that can happen to nodes meanwhile. */
export const schedule: fc.Arbitrary<Step[]> = fc.array(step, { minLength: 1, maxLength: 60, size: "max" });
