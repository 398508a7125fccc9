import { Actor, type ActorContext, type ActorType, type TimerHandlers } from "../../src/actors/runtime/Actor.ts";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import type { Database } from "../../src/entities/sql.ts";
import { ManualClock, SimulatedNode } from "./simulation.ts";

/** How long a turn of a worker takes, and how far apart its turns are, unless told otherwise: that of each at the same time as those of all others. */
export const TURN_MS = 200;
const PERIOD_MS = 20_000;
/** What takes longer than this comes never. */
const DEADLINE_MS = 60_000;

/** When an actor ends its process: as it is loaded, or so long after its turn has begun, which may be another time each time. */
export type Fault = "at load" | number | (() => number);

/** A simulated cluster whose nodes take over from each other, and whose actors all work at the same time. */
export class FailoverWorld {
  readonly clock = new ManualClock();
  /** Actors that end their process, by id. */
  readonly faults = new Map<string, Fault>();
  readonly #database: Database;
  readonly #turnMs: number;
  readonly #periodMs: number;
  readonly #hub = new MemoryHub();
  readonly #nodes: SimulatedNode[] = [];
  /** When the latest turn of each worker ended on a node that lives. */
  readonly #answeredAt = new Map<string, number>();
  #inTurns = 0;
  /** Where the latest turn began. */
  #begunOn: SimulatedNode | undefined;

  constructor(database: Database, { turnMs = TURN_MS, periodMs = PERIOD_MS } = {}) {
    this.#database = database;
    this.#turnMs = turnMs;
    this.#periodMs = periodMs;
  }

  async end(): Promise<void> {
    for (const node of this.#nodes) await node.crash();
  }

  /** A further node, which has heard the others. */
  async start(): Promise<SimulatedNode> {
    const parts = { id: `n${this.#nodes.length}`, hub: this.#hub, database: this.#database, clock: this.clock };
    const type = Worker as unknown as ActorType<Actor<unknown>>;
    const create = (context: ActorContext): Actor<unknown> =>
      new Worker(context, this, node) as unknown as Actor<unknown>;
    const node: SimulatedNode = new SimulatedNode(parts, [{ type, create }]);
    this.#nodes.push(node);
    await node.actors.start();
    await this.clock.advance(600);
    return node;
  }

  /** The first node, with workers `w0`, `w1` … that live on it. */
  async populate(count: number): Promise<SimulatedNode> {
    const due = this.clock.now() + 5000;
    const timers = JSON.stringify([{ name: "work", due, seq: 1, every: this.#periodMs, policy: "coalesce" }]);
    for (let at = 0; at < count; at += 500) {
      const ids = Array.from({ length: Math.min(500, count - at) }, (_, offset) => `w${at + offset}`);
      await this.#database.write(
        `INSERT INTO actors (kind, id, owner, epoch, version, state, timers, due_at, crashes, created_at, updated_at)
         VALUES ${ids.map(() => "('worker', ?, NULL, 1, 0, '{\"turns\":0}', ?, ?, 0, 0, 0)").join(", ")}`,
        ids.flatMap((id) => [id, timers, due]),
      );
    }
    return this.start();
  }

  /** Lets time pass until so many are in the middle of their turns. */
  async untilInTurns(count: number): Promise<void> {
    await this.#until(`${count} are in their turns`, () => this.#inTurns >= count);
    await this.clock.advance(this.#turnMs / 2);
  }

  /** Lets time pass until the next turn of a worker has begun, and is half over. Returns the node that it is on. */
  async nextTurn(): Promise<SimulatedNode> {
    this.#begunOn = undefined;
    await this.#until("a turn begins", () => this.#begunOn !== undefined);
    await this.clock.advance(this.#turnMs / 2);
    return this.#begunOn!;
  }

  /**
   * Lets node after node die of `culprits`, until the first node lives on which all others have answered. Returns how many adoptions
   * crashed, and how long it took since the last crash.
   */
  async untilFound(count: number, culprits: Record<string, Fault>): Promise<{ crashed: number; tookMs: number }> {
    const victim = await this.populate(count);
    await this.untilInTurns(Math.min(count, 4000));
    for (const [id, fault] of Object.entries(culprits)) this.faults.set(id, fault);
    await victim.crash();
    this.#answeredAt.clear();
    const others = count - Object.keys(culprits).length;
    for (let crashed = 0; ; crashed++) {
      const from = this.clock.monotonic();
      const heir = await this.start();
      if ((await this.#crashesOrAnswers(heir, others)) === "answers")
        return { crashed, tookMs: this.clock.monotonic() - from };
    }
  }

  /** Lets node after node die of `culprits`, until anybody is in quarantine or so many have died. Returns who is. */
  async firstQuarantined(count: number, culprits: Record<string, Fault>, deaths: number): Promise<string[]> {
    for (const [id, fault] of Object.entries(culprits)) this.faults.set(id, fault);
    for (let node = await this.populate(count), left = deaths; left > 0; left--) {
      while (!node.crashed) {
        const found = await this.quarantined();
        if (found.length > 0) return found;
        await this.clock.advance(10);
      }
      node = await this.start();
    }
    return this.quarantined();
  }

  /** Lets time pass until a node has ended by itself, or so many workers have answered. */
  async #crashesOrAnswers(node: SimulatedNode, count: number): Promise<"crashes" | "answers"> {
    await this.#until("a crash or answers", () => node.crashed || this.#answeredAt.size >= count);
    return node.crashed ? "crashes" : "answers";
  }

  /** How long after now the last of so many has answered, in simulated milliseconds. */
  async lastAnswer(count: number): Promise<number> {
    const from = this.clock.monotonic();
    this.#answeredAt.clear();
    await this.#until(`${count} have answered`, () => this.#answeredAt.size >= count);
    return Math.max(...this.#answeredAt.values()) - from;
  }

  async quarantined(): Promise<string[]> {
    const rows = await this.#database.query<{ id: string }>("SELECT id FROM actors WHERE crashes >= 4 ORDER BY id");
    return rows.map(({ id }) => id);
  }

  /** Which actors a node that died is said to have been in the hands of. */
  async blamed(): Promise<string[]> {
    const rows = await this.#database.query<{ id: string; node_id: string }>(
      "SELECT id, node_id FROM actor_blame ORDER BY id, node_id",
    );
    return rows.map(({ id, node_id }) => `${id} for ${node_id}`);
  }

  /** Whom the nodes' own records name, by node. */
  async inHand(): Promise<Record<string, string[]>> {
    const rows = await this.#database.query<{ node_id: string; actors: string }>("SELECT * FROM actor_in_hand");
    return Object.fromEntries(
      rows.map(({ node_id, actors }) => [node_id, (JSON.parse(actors) as string[][]).map(([, id]) => id!)]),
    );
  }

  async #until(what: string, isSo: () => boolean): Promise<void> {
    const end = this.clock.monotonic() + DEADLINE_MS;
    while (!isSo()) {
      if (this.clock.monotonic() > end) throw new Error(`never: ${what}`);
      await this.clock.advance(10);
    }
  }

  /** What a worker's turn does. */
  async work(id: string, node: SimulatedNode): Promise<void> {
    this.#inTurns += 1;
    this.#begunOn = node;
    const fault = this.faults.get(id);
    if (fault !== undefined && fault !== "at load") {
      const afterMs = typeof fault === "number" ? fault : fault();
      if (afterMs > 0) await this.#pause(afterMs);
      await node.crash();
    }
    await this.#pause(this.#turnMs);
    this.#inTurns -= 1;
    // Not before it is awake, and never when it is dead.
    await node.life.reached(undefined);
    this.#answeredAt.set(id, this.clock.monotonic());
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.clock.schedule(resolve, ms));
  }
}

class Worker extends Actor<{ turns: number }> {
  static readonly kind = "worker";
  static initial(): { turns: number } {
    return { turns: 0 };
  }
  readonly timers: TimerHandlers;

  constructor(context: ActorContext, world: FailoverWorld, node: SimulatedNode) {
    super(context);
    if (world.faults.get(context.id) === "at load") void node.crash();
    this.timers = {
      work: async () => {
        await world.work(this.id, node);
        this.state.turns += 1;
      },
    };
  }
}
