import type { Bus } from "../../src/actors/runtime/ports.ts";
import type { Work } from "../../src/entities/sql.ts";
import type { FeedAppend } from "../../src/stores/feeds/Feed.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";
import { undergo } from "../actors/MortalDatabase.ts";
import type { Mishap, ProcessLife } from "../actors/ProcessLife.ts";
import { SimulatedNode } from "../actors/simulation.ts";
import type { Bots } from "./Domain.ts";
import type { World } from "./World.ts";

/** What a node's way to the database does to each operation; undefined: nothing. */
export type DatabaseFault = (when: "before" | "after", statement: string) => Mishap | undefined;

/** No turn is answered while all else is: turns take all places that they may. */
export const turnsSilent: DatabaseFault = (when, statement) =>
  when === "before" && statement.includes("SET version = version + 1") ? "fall silent" : undefined;

/** What another fault has left on the way to the database has come to its end after this, in milliseconds. */
const AFTER_OTHERS_MS = 8000;

/**
 * Statements and messages of one node within a second: several times the most (422) that 400 seeds have shown. More is a loop that goes on
 * without waiting.
 */
const MOST_A_SECOND = 2000;

/** An idle actor is let go after this, in milliseconds: often within a run. */
const IDLE_MS = 4000;

/** A node of a simulated world, and what is wrong with it. */
export class WorldNode {
  readonly id: string;
  readonly simulated: SimulatedNode;
  isDraining = false;
  #databaseFault: DatabaseFault | undefined;
  #faultySince = 0;
  readonly #world: World;
  /** Its statements and messages in this second of the world. */
  #operations = 0;
  #second = 0;
  /** What befalls it at one of its next operations or messages; half of these moments are between doing and reporting. */
  #mishap: { what: Mishap; name: string; left: number } | undefined;

  constructor(world: World, id: string, seed: number) {
    this.id = id;
    this.#world = world;
    const { hub, database, clock } = world;
    const parts = { id, hub, database, clock, seed };
    const feed = new NodeFeed(world.feed, () => this.simulated);
    const kinds = world.bots.flatMap((bots) => bots.kinds(this));
    this.simulated = new SimulatedNode({ ...parts, feed }, kinds, { idleMs: IDLE_MS, hasPlaces: true });
    this.simulated.places.onTurnedAway = (work) => this.#turnedAway(work);
    this.life.onOperation = (when, sql) => this.#befall(when, sql) ?? this.databaseFault?.(when, sql);
    this.life.onMessage = (when, what) => this.#befall(when, what);
    this.life.latencyMs = () => world.latencyMs();
    this.simulated.bus.fate = () => world.network();
  }

  get databaseFault(): DatabaseFault | undefined {
    return this.#databaseFault;
  }

  set databaseFault(fault: DatabaseFault | undefined) {
    this.#databaseFault = fault;
    this.#faultySince = this.#world.clock.monotonic();
  }

  /** However many turns stand still, the control plane goes on. */
  #turnedAway(work: Work): void {
    const isLong = this.#world.clock.monotonic() - this.#faultySince >= AFTER_OTHERS_MS;
    if (work === "control" && this.#databaseFault === turnsSilent && isLong)
      this.#world.violation(`${this.id} had no connection for its control plane while its turns stood still`);
  }

  get life(): ProcessLife {
    return this.simulated.life;
  }

  /** Whether it is up and does something. */
  get isAwake(): boolean {
    return !this.life.isDead && !this.life.isStalled;
  }

  async start(bots: readonly Bots[]): Promise<void> {
    await this.simulated.actors.start();
    for (const each of bots) await each.join?.(this);
  }

  /** Lets something happen to it a number of operations and messages from now. */
  befallAfter(left: number, name: string, what: Mishap): void {
    this.#mishap = { what, name, left };
  }

  /** Leaves in order, as on SIGTERM. */
  drain(): void {
    if (this.isDraining) return;
    this.isDraining = true;
    const { actors } = this.simulated;
    const leave = async (): Promise<void> => {
      await actors.drain();
      await actors.stop();
      await this.simulated.crash();
    };
    void leave().catch(() => this.simulated.crash());
  }

  /** Whatever is wrong with it is so no more. */
  heal(): void {
    this.#mishap = undefined;
    this.databaseFault = undefined;
    this.simulated.bus.cut = false;
    this.simulated.wallOffset = 0;
    this.life.endSilences();
    this.life.wake();
  }

  /** A loop that goes on without a pause would keep time from passing for ever. */
  #isSpinning(when: "before" | "after"): boolean {
    const second = Math.floor(this.#world.clock.monotonic() / 1000);
    if (second !== this.#second) [this.#second, this.#operations] = [second, 0];
    if (when === "before") this.#operations += 1;
    if (this.#operations !== MOST_A_SECOND) return false;
    this.#world.violation(`${this.id} has sent ${MOST_A_SECOND} statements and messages within a second`);
    return true;
  }

  #befall(when: "before" | "after", statement: string): Mishap | undefined {
    this.#world.note(`${this.id} ${when} ${summary(statement)}`);
    if (this.#isSpinning(when)) return "crash";
    if (!this.#mishap) return undefined;
    this.#mishap.left -= 1;
    const { what, name, left } = this.#mishap;
    // What has been refused has not happened.
    if (left >= 0 || (typeof what === "object" && when === "after")) return undefined;
    this.#mishap = undefined;
    this.#world.struck(name, this.id);
    return what;
  }
}

/** The feed of all as one node reaches it: by the same way as its bus. */
class NodeFeed extends MemoryFeed {
  readonly #shared: MemoryFeed;
  readonly #node: () => { life: ProcessLife; bus: Bus & { cut: boolean } };

  constructor(shared: MemoryFeed, node: () => { life: ProcessLife; bus: Bus & { cut: boolean } }) {
    super();
    this.#shared = shared;
    this.#node = node;
  }

  override async append(events: readonly FeedAppend[]): Promise<void> {
    const { life, bus } = this.#node();
    await undergo(life, () => life.onMessage("before", "APPEND"));
    if (bus.cut) throw new Error("the shared memory is out of reach");
    await this.#shared.append(events);
    await undergo(life, () => life.onMessage("after", "APPEND"));
  }
}

/** A statement without what differs from one run of the same schedule to another: its verb and its table. */
function summary(statement: string): string {
  const [, verb, table] = /^\s*(\w+)(?:.*?\b(?:FROM|INTO|UPDATE)\s+(\w+))?/s.exec(statement) ?? [];
  return verb === "UPDATE" ? `UPDATE ${/UPDATE\s+(\w+)/.exec(statement)?.[1]}` : `${verb ?? statement} ${table ?? ""}`;
}
