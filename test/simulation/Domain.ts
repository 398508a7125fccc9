import type fc from "fast-check";
import type { ActorKind } from "../../src/actors/runtime/ActorKinds.ts";
import type { World } from "./World.ts";
import type { WorldNode } from "./WorldNode.ts";

/** A part of Ringmaster as the simulation has it: what its bots do, and what must hold of it whatever happens. */
export interface Domain<Act = unknown> {
  readonly name: string;
  /** What its bots may do next; plain values, so that a failing schedule can be printed. */
  readonly acts: fc.Arbitrary<Act>;
  /** Its bots in a world that is about to begin. */
  enter(world: World): Bots<Act>;
}

export interface Bots<Act = unknown> {
  /** The actors that a node hosts for them. */
  kinds(node: WorldNode): ActorKind[];
  /** The node's actors have started. */
  join?(node: WorldNode): Promise<void>;
  /** Begins something on a node, and does not wait for its end. */
  act(act: Act, node: WorldNode): void;
  /** All faults are over; `node` is one of those that live. An operator lifts what only operators lift. */
  heal?(node: WorldNode): Promise<void>;
  /** What has not come to its end; the run is over when there is nothing. */
  unfinished(): Promise<string[]>;
  /** What should not be, once all has come to its end. */
  violations(): Promise<string[]>;
}
