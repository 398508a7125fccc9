import fc from "fast-check";
import type { ActorKind } from "../../src/actors/runtime/ActorKinds.ts";
import { RingmasterError } from "../../src/errors.ts";
import { kindOf } from "../actors/simulation.ts";
import { hearing } from "../support/hearing.ts";
import { actorViolations, storedOf } from "./actorChecks.ts";
import type { Bots, Domain } from "./Domain.ts";
import { NEWS, type News, TallyActor } from "./TallyActor.ts";
import type { World } from "./World.ts";
import type { WorldNode } from "./WorldNode.ts";

export const ACTORS = ["w", "x", "y", "z"];
const METHODS = ["note", "write", "pass", "announce", "startTicking", "count"] as const;
const DEADLINE_MS = 5000;
/** An actor that is well answers within this, wherever it is asked. */
const ANSWER_MS = 2000;

interface Act {
  actor: number;
  method: (typeof METHODS)[number];
  hasRequestId: boolean;
}

/** A call, and what its caller was told. */
export interface Call {
  name: string;
  actor: string;
  method: Act["method"];
  requestId: string | undefined;
  node: WorldNode;
  /** Undefined as long as nobody has heard of it: for ever, when the caller dies. */
  outcome: "answered" | "nothing happened" | "unknown" | undefined;
  /** How many effects on its actor had been acknowledged when it began. */
  knownBefore: number;
}

const OUTCOMES = {
  not_delivered: "nothing happened",
  overloaded: "nothing happened",
  unavailable: "nothing happened",
  actor_quarantined: "nothing happened",
  outcome_unknown: "unknown",
} as const;

/** Callers of actors that write, tell each other, publish, and tick. */
export const actorDomain: Domain<Act> = {
  name: "actors",
  acts: fc.record({
    actor: fc.nat({ max: ACTORS.length - 1 }),
    method: fc.constantFrom(...METHODS),
    hasRequestId: fc.boolean(),
  }),
  enter: (world) => new ActorBots(world),
};

class ActorBots implements Bots<Act> {
  readonly #world: World;
  readonly #calls: Call[] = [];
  readonly #news: News[] = [];

  constructor(world: World) {
    this.#world = world;
    void world.feed.follow(
      NEWS,
      hearing(({ data }) => this.#news.push(data as News)),
    );
  }

  kinds(): ActorKind[] {
    return [kindOf(TallyActor)];
  }

  act({ actor, method, hasRequestId }: Act, node: WorldNode): void {
    const name = `c${this.#calls.length}`;
    const id = ACTORS[actor]!;
    const knownBefore = this.#calls.filter((other) => other.actor === id && isKnownEffect(other)).length;
    const requestId = hasRequestId ? name : undefined;
    const call: Call = { name, actor: id, method, requestId, node, outcome: undefined, knownBefore };
    this.#calls.push(call);
    void this.#attempt(call, node);
  }

  async #attempt(call: Call, node: WorldNode): Promise<void> {
    const { name, actor, method, requestId, knownBefore } = call;
    call.node = node;
    call.outcome = undefined;
    const args = method === "pass" ? [name, ACTORS[(ACTORS.indexOf(actor) + 1) % ACTORS.length]] : [name];
    const options = { deadlineMs: DEADLINE_MS, ...(requestId === undefined ? {} : { requestId }) };
    try {
      const answer = await node.simulated.actors.call({ kind: TallyActor.kind, id: actor }, method, args, options);
      call.outcome = "answered";
      if (method === "count" && (answer as number) < knownBefore)
        this.#world.violation(`${name} on ${actor} read ${answer}, and ${knownBefore} were known`);
    } catch (error) {
      const code = error instanceof RingmasterError ? error.code : String(error);
      call.outcome = OUTCOMES[code as keyof typeof OUTCOMES] ?? "unknown";
      if (!(code in OUTCOMES)) this.#world.violation(`${method} ${name} on ${actor} ended with ${code}`);
    }
    this.#world.note(`${method} ${name} on ${actor}: ${call.outcome}`);
  }

  /** Whoever is asked, every actor answers. */
  async heal(): Promise<void> {
    const rows = await this.#world.database.query<{ id: string }>("SELECT id FROM actors WHERE kind = ? ORDER BY id", [
      TallyActor.kind,
    ]);
    const asked = this.#world.awake.flatMap((node) => rows.map(({ id }) => ({ node, id })));
    await Promise.all(
      asked.map(async ({ node, id }) => {
        const options = { deadlineMs: ANSWER_MS };
        await node.simulated.actors.call({ kind: TallyActor.kind, id }, "count", [], options).catch((error) => {
          const why = error instanceof RingmasterError ? error.code : String(error);
          this.#world.violation(`after healing ${id} does not answer ${node.id}: ${why}`);
        });
      }),
    );
  }

  /** Whoever has a request id asks until there is an answer. */
  async unfinished(): Promise<string[]> {
    const isOver = ({ outcome, node }: Call): boolean => outcome !== undefined || node.life.isDead;
    const again = this.#calls.filter((call) => call.requestId !== undefined && call.outcome !== "answered");
    const open = [...this.#calls.filter((call) => !isOver(call)), ...again].map(({ name }) => `call ${name}`);
    const [somebody] = this.#world.awake;
    for (const call of again) if (somebody && isOver(call)) void this.#attempt(call, somebody);
    return [...new Set(open)];
  }

  async violations(): Promise<string[]> {
    return actorViolations(await storedOf(this.#world.database), this.#calls, this.#news);
  }
}

function isKnownEffect({ method, outcome }: Call): boolean {
  return outcome === "answered" && method !== "count" && method !== "startTicking";
}
