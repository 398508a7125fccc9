import type { Rng } from "../../clock.ts";
import type { Transaction } from "../../entities/sql.ts";
import type { ActorAddress } from "./actorRow.ts";
import type { Firing, MissedPolicy } from "./timers.ts";

/** What a published event is; its topic is named beside it. */
export interface OutgoingEvent {
  type: string;
  data: unknown;
}

/** Options of a repeating timer. */
export interface RepeatOptions {
  /** Epoch milliseconds of the first firing; one period from now unless told. */
  first?: number;
  /** What becomes of missed firings; `coalesce` unless told. */
  policy?: MissedPolicy;
}

/** What the running turn lends to its actor. */
export interface TurnScope {
  readonly now: number;
  readonly isAudited: boolean;
  sql(): Promise<Transaction>;
  setTimer(name: string, due: number, repeat?: { every: number; policy: MissedPolicy }): void;
  cancelTimer(name: string): void;
  timerDue(name: string): number | undefined;
  publish(topic: string, event: OutgoingEvent): void;
  afterCommit(action: () => void): void;
  readonly isNew: boolean;
  destroy(): void;
  send(to: ActorAddress, method: string, args: unknown[]): void;
  sendLater(delayMs: number, to: ActorAddress, method: string, args: unknown[]): void;
}

/** What an actor is made with; pass it on to `super`. */
export interface ActorContext {
  readonly id: string;
  readonly rng: Rng;
  /** The node that this activation lives on, and how often the actor has changed owners. */
  readonly place: { nodeId: string; epoch: number };
  /** The scope of the turn that is running; throws between turns. */
  scope(): TurnScope;
  /** Runs a turn each `everyMs` milliseconds; the returned function stops that. */
  tick(everyMs: number, work: () => Promise<unknown>): () => void;
}

/** Handlers of an actor's named timers. */
export type TimerHandlers = Record<string, (firing: Firing) => Promise<unknown>>;

/**
 * Something that outlives rooms and nodes: it owns a state and timers, lives on one node at a time, and takes one turn at a
 * time. Each call of a public async method and each firing of a timer is a **turn**, in which `this.state` is a draft:
 * state, timers, SQL and outgoing events are stored together when the turn succeeds, and none of them when it throws.
 *
 * The state must survive JSON. A turn may run again after a failure, so it must have no effect but through `this`: what another
 * actor must hear is a `send`, what clients must hear is a `publish`.
 */
export abstract class Actor<State> {
  readonly id: string;
  /** The draft of the turn that is running. */
  declare state: State;
  protected readonly rng: Rng;
  /** The node that this activation lives on, and its epoch there. */
  protected readonly place: { nodeId: string; epoch: number };
  /** Memory only: gone when the actor moves, and never rolled back. */
  protected readonly vars: Record<string, unknown> = {};
  /** Named timers; a name that is stored but missing here is logged and dropped. */
  abstract readonly timers: TimerHandlers;
  readonly #context: ActorContext;

  constructor(context: ActorContext) {
    this.id = context.id;
    this.rng = context.rng;
    this.place = context.place;
    this.#context = context;
  }

  /** This activation begins: no turn is running, and none has. `this.state` is as it is stored, to be read only. For memory and ticks. */
  activated?(): void;

  /** This activation has ended, in whatever way: stop what `afterCommit` started. No turn is running, and none will. */
  deactivated?(): void;

  /**
   * Whether this actor may be moved to another node now, for no other reason than that this one has too many. Asked between turns;
   * yes unless told. Say no while memory or work outside of turns would be lost by it.
   */
  mayMove?(): boolean;

  /** Whether the turn is an operator's command, whose line of the audit is stored with it. */
  protected get isAudited(): boolean {
    return this.#context.scope().isAudited;
  }

  /** Whether nothing of this actor was stored before this turn: it has no row. */
  protected get isNew(): boolean {
    return this.#context.scope().isNew;
  }

  /**
   * Ends this actor with this turn: its row, its timers and the answers to earlier request ids go in the turn's transaction, whatever the
   * turn does to its state. What this turn sends, and earlier ones have sent, is delivered all the same. Who calls it afterwards, or sends it
   * something, has it made anew from its initial state by the first turn that stores something.
   */
  protected destroy(): void {
    this.#context.scope().destroy();
  }

  /** When this turn began, in epoch milliseconds. */
  protected get now(): number {
    return this.#context.scope().now;
  }

  /**
   * The turn's transaction, which opens (fence first) when this is first called. From then until the turn ends, wait for
   * nothing but SQL: a call to another actor throws.
   */
  protected sql(): Promise<Transaction> {
    return this.#context.scope().sql();
  }

  /** Arms the timer `name` to fire once at `epochMs`; it replaces an earlier setting. */
  protected at(name: string, epochMs: number): void {
    this.#context.scope().setTimer(name, epochMs);
  }

  /** Arms the timer `name` to fire once in `ms` milliseconds. */
  protected after(name: string, ms: number): void {
    this.at(name, this.now + ms);
  }

  /** Arms the timer `name` to fire every `ms` milliseconds. */
  protected every(name: string, ms: number, options: RepeatOptions = {}): void {
    this.#context
      .scope()
      .setTimer(name, options.first ?? this.now + ms, { every: ms, policy: options.policy ?? "coalesce" });
  }

  /**
   * Runs `work` as a turn each `everyMs` milliseconds, counted from the end of the one before, for as long as this actor stays in this node's
   * memory: for what need not survive. It neither brings the actor to life nor keeps it from being let go. At most 16 at a time; beyond:
   * `overloaded`. The returned function stops it.
   */
  protected tick(everyMs: number, work: () => Promise<unknown>): () => void {
    return this.#context.tick(everyMs, work);
  }

  protected cancelTimer(name: string): void {
    this.#context.scope().cancelTimer(name);
  }

  /** When the timer `name` is due, in epoch milliseconds; undefined when it is not armed. */
  protected due(name: string): number | undefined {
    return this.#context.scope().timerDue(name);
  }

  /** Appends to a feed once the turn has committed, exactly once. */
  protected publish(topic: string, event: OutgoingEvent): void {
    this.#context.scope().publish(topic, event);
  }

  /**
   * The way from a turn to the rooms of this actor's event: on every node, each that has joined it hears this once the turn has committed,
   * exactly once, in the order of turns and of calls within one (`OpenEvent.onEvent`). A turn that fails tells nobody. Rooms that may have
   * missed something, after an outage of Redis, look the event up instead (`OpenEvent.catchUp`): what is told here
   * must be in the event's row too, written by the same turn.
   */
  protected notifyRooms(type: string, data: object): void {
    this.publish(roomsTopic(this.constructor as unknown as { kind: string }, this.id), { type, data });
  }

  /** The same for all lobbies, which show what of every domain is on and coming: `type` is among the news of the domain's `lobby`. */
  protected notifyLobby(type: string, data: object): void {
    this.publish(LOBBY_TOPIC, { type, data });
  }

  /**
   * Runs `action` on this node once the turn has committed: at most once, and not at all when the node dies in between. For
   * long work that must not hold the mailbox; a durable timer must see to it that it is not forgotten.
   */
  protected afterCommit(action: () => void): void {
    this.#context.scope().afterCommit(action);
  }

  /** Calls another actor once the turn has committed, exactly once, without its answer: `this.send(PoolActor, id).add(3)`. */
  protected send<A extends Actor<never> | Actor<unknown>>(type: ActorType<A>, id: string): Sent<A> {
    const scope = this.#context.scope();
    return sent((method, args) => scope.send({ kind: type.kind, id }, method, args));
  }

  /**
   * The same in `delayMs` milliseconds (up to 1,000 at a time; beyond: `overloaded`): `this.sendLater(60_000, PoolActor, id).add(3)`. It is
   * kept in this actor's row, wherever that lives by then, and told by a turn of its own when it is due. Nothing takes it back.
   */
  protected sendLater<A extends Actor<never> | Actor<unknown>>(
    delayMs: number,
    type: ActorType<A>,
    id: string,
  ): Sent<A> {
    const scope = this.#context.scope();
    return sent((method, args) => scope.sendLater(delayMs, { kind: type.kind, id }, method, args));
  }
}

function sent<A>(send: (method: string, args: unknown[]) => void): Sent<A> {
  const get =
    (_: unknown, method: string | symbol) =>
    (...args: unknown[]) =>
      send(String(method), args);
  return new Proxy(Object.create(null), { get }) as Sent<A>;
}

/** The feed of what is on and coming, of all domains (`notifyLobby`). */
export const LOBBY_TOPIC = "lobby";

/** The feed of what actors of this kind tell the rooms of one event (`notifyRooms`): `hunt:ID`. */
export function roomsTopic({ kind }: { kind: string }, id: string): string {
  return `${kind}:${id}`;
}

/** The static side of an actor class. */
export interface ActorType<A> {
  /** Names the kind in the database and between nodes: at most 32 of `[a-z0-9_-]`. */
  readonly kind: string;
  /** The state of an actor that nobody has called before. */
  initial(id: string): unknown;
  /**
   * The version of the code that reads and writes the state, 1 unless told: a whole number that grows with each change of the state's
   * shape. A node leaves an actor whose state is of a later version than it knows to the others.
   */
  readonly version?: number;
  /**
   * Its methods that read the state and change nothing. They run beside each other and beside a turn, on the state that was stored last, which is
   * frozen; `this.now` and `this.due` are all that they have of a turn. Each is one of the class's own methods.
   */
  readonly reads?: readonly string[];
  /** What a state may take as JSON, in bytes; 256 kB unless told. A turn that would store more fails as `state_too_large`. */
  readonly stateBytes?: number;
  /** The state as this version has it, made of one of the earlier version `from`. It is stored with the next turn that changes it. */
  migrate?(state: unknown, from: number): unknown;
  new (context: ActorContext, ...rest: never[]): A;
}

type AsyncMethod = (...args: never[]) => Promise<unknown>;

/** What may be called from outside: an actor's public async methods. */
export type Remote<A> = {
  [K in keyof A as A[K] extends AsyncMethod ? K : never]: A[K];
};

/** The same methods without their answers. */
export type Sent<A> = {
  [K in keyof Remote<A>]: Remote<A>[K] extends (...args: infer P) => unknown ? (...args: P) => void : never;
};
