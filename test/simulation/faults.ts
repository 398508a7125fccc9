import fc from "fast-check";
import type { Rng } from "../../src/clock.ts";
import type { Mishap } from "../actors/ProcessLife.ts";
import type { Network, World } from "./World.ts";
import { type DatabaseFault, turnsSilent, type WorldNode } from "./WorldNode.ts";

/** Where a fault strikes. */
export interface Place {
  world: World;
  /** For a fault of the dead, whoever was there last. */
  node: WorldNode;
  slot: number;
}

export interface Fault<How = unknown> {
  readonly name: string;
  /** How often it comes, beside others. */
  readonly weight: number;
  readonly how: fc.Arbitrary<How>;
  /** It comes to slots where no node lives; all others to nodes that do. */
  readonly isOfTheDead: boolean;
  /** It strikes later than it is asked for, if at all, and says so then. */
  readonly tellsWhenItStrikes: boolean;
  strike(place: Place, how: How): void | Promise<void>;
}

const lasting = fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: 5000 }), fc.nat({ max: 40_000 }));

/** As the server or its connection says it, by what is wrong. */
const REFUSALS = {
  "read-only": { errno: 1290, code: "ER_OPTION_PREVENTS_STATEMENT", sqlState: "HY000", strikes: "writes" },
  "disk full": { errno: 1021, code: "ER_DISK_FULL", sqlState: "HY000", strikes: "writes" },
  "table full": { errno: 1114, code: "ER_RECORD_FILE_FULL", sqlState: "HY000", strikes: "writes" },
  "too many connections": { errno: 1040, code: "ER_CON_COUNT_ERROR", sqlState: "08004", strikes: "all" },
  "not ready": { errno: 1047, code: "ER_UNKNOWN_COM_ERROR", sqlState: "08S01", strikes: "all" },
  interrupted: { errno: 1317, code: "ER_QUERY_INTERRUPTED", sqlState: "70100", strikes: "all" },
  "lock wait": { errno: 1205, code: "ER_LOCK_WAIT_TIMEOUT", sqlState: "HY000", strikes: "writes" },
} as const;
type Refusal = keyof typeof REFUSALS;
const refusal = fc.constantFrom(...(Object.keys(REFUSALS) as Refusal[]));

const refusalOf = (why: Refusal): { refuse: Error } => {
  const { strikes: _, ...said } = REFUSALS[why];
  return { refuse: Object.assign(new Error(`simulated: ${why}`), said) };
};

const refusing =
  (why: Refusal): DatabaseFault =>
  (when, statement) => {
    const isStruck = REFUSALS[why].strikes === "all" || /^\s*(INSERT|UPDATE|DELETE|REPLACE)/.test(statement);
    return when === "before" && isStruck ? refusalOf(why) : undefined;
  };

const unreachable: DatabaseFault = (when) =>
  when === "before"
    ? { refuse: Object.assign(new Error("simulated: connect ECONNREFUSED"), { code: "ECONNREFUSED" }) }
    : undefined;

/** Makes a fault that begins at once. */
const at = <How>(
  name: string,
  weight: number,
  how: fc.Arbitrary<How>,
  strike: (place: Place, how: How) => void | Promise<void>,
): Fault =>
  ({ name, weight, how, strike, isOfTheDead: false, tellsWhenItStrikes: false }) as Fault<How> as unknown as Fault;

/** Makes a fault that strikes some operations or messages from now: every await has its turn. */
const around = (name: string, weight: number, mishap: (why: Refusal) => Mishap): Fault =>
  ({
    ...at(name, weight, fc.record({ after: fc.nat({ max: 40 }), why: refusal }), ({ node }, { after, why }) =>
      node.befallAfter(after, name, mishap(why)),
    ),
    tellsWhenItStrikes: true,
  }) satisfies Fault;

/** Makes a fault of a node's way to the database that ends by itself. */
const ofDatabase = <How extends { ms: number }>(
  name: string,
  weight: number,
  how: fc.Arbitrary<How>,
  faultOf: (how: How) => DatabaseFault,
): Fault =>
  at(name, weight, how, ({ world, node }, given) => {
    const fault = faultOf(given);
    node.databaseFault = fault;
    world.clock.schedule(() => {
      if (node.databaseFault !== fault) return;
      node.databaseFault = undefined;
      node.life.endSilences();
    }, given.ms);
  });

const oneIn = (rng: Rng, count: number): boolean => rng.next() * count < 1;
const upTo = (rng: Rng, ms: number): number => Math.floor(rng.next() * ms);

const NETWORKS: Record<string, Network> = {
  "messages-lost": (rng) => (oneIn(rng, 4) ? [] : [0]),
  "messages-late": (rng) => [upTo(rng, 400)],
  "messages-doubled": (rng) => (oneIn(rng, 3) ? [0, upTo(rng, 3000)] : [0]),
  "messages-reordered": (rng) => [oneIn(rng, 3) ? upTo(rng, 50) : 0],
};

const forMs = fc.record({ ms: lasting });

/** Everything that can go wrong. A later domain's own faults are added here. */
export const FAULTS: readonly Fault[] = [
  { ...at("start", 4, fc.constant(null), ({ world, slot }) => world.start(slot)), isOfTheDead: true },
  at("crash", 2, fc.constant(null), ({ node }) => node.simulated.crash()),
  around("crash-around-await", 2, () => "crash"),
  around("connection-lost", 2, () => "lose connection"),
  around("answer-never-comes", 2, () => "fall silent"),
  around("refused-once", 1, refusalOf),
  ofDatabase("database-silent", 1, forMs, () => () => "fall silent"),
  ofDatabase("database-unreachable", 1, forMs, () => unreachable),
  ofDatabase("turns-silent", 1, forMs, () => turnsSilent),
  ofDatabase("database-refuses", 1, fc.record({ ms: lasting, why: refusal }), ({ why }) => refusing(why)),
  at("stall", 2, forMs, async ({ world, node }, { ms }) => {
    await node.life.stall();
    world.clock.schedule(() => node.life.wake(), ms);
  }),
  at("drain", 1, fc.constant(null), ({ node }) => node.drain()),
  at("redis-cut", 1, forMs, ({ world, node }, { ms }) => {
    node.simulated.bus.cut = true;
    world.clock.schedule(() => {
      if (!node.life.isDead) node.simulated.bus.cut = false;
    }, ms);
  }),
  at("redis-forgets", 1, fc.constant(null), ({ world }) => world.hub.beats.clear()),
  at("clock-off", 1, fc.record({ ms: lasting, by: fc.integer({ min: -60_000, max: 60_000 }) }), clockOff),
  ...Object.entries(NETWORKS).map(([name, network]) =>
    at(name, 1, forMs, ({ world }, { ms }) => {
      world.setNetwork(network);
      world.clock.schedule(() => world.setNetwork(undefined), ms);
    }),
  ),
];

function clockOff({ world, node }: Place, { ms, by }: { ms: number; by: number }): void {
  node.simulated.wallOffset = by;
  world.clock.schedule(() => {
    node.simulated.wallOffset = 0;
  }, ms);
}
