import type { Clock } from "../../clock.ts";
import { RingmasterError } from "../../errors.ts";
import { Arrivals } from "./Arrivals.ts";
import type { Bus, Log } from "./ports.ts";
import type { ActorRequest, CallMessage, CallOutcome, NodeMessage } from "./protocol.ts";
import { copyOf } from "./values.ts";

interface Pending {
  nodeId: string;
  settle(result: Delivery): void;
  cancelTimeout(): void;
}

/** What became of a call to a peer. */
export type Delivery =
  | CallOutcome
  /** It certainly did not arrive. */
  | { kind: "not_delivered" }
  /** It may have arrived; no answer came before the deadline, or before its node was gone. */
  | { kind: "unknown" };

/** Calls in flight to all peers together; beyond it a call fails at once as overloaded. */
const CALLS_BOUND = 65_536;
/** A reply that could not be sent is sent again after this, until its caller no longer waits for it. */
const REPLY_AGAIN_MS = 100;

/** How long the calls of a node that is gone are remembered, in milliseconds: longer than any of them can be under way. */
const KNOWN_AFTER_GONE_MS = 60_000;

/** Conversations with other nodes over the bus: calls with replies, and the signals of domains. */
export class Peers {
  readonly nodeId: string;
  readonly #bus: Bus;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #pending = new Map<number, Pending>();
  readonly #signals = new Map<string, (payload: unknown) => void>();
  /** Of each peer, the calls that have come. */
  readonly #arrivals = new Map<string, Arrivals>();
  /** Ends what is to be forgotten later. */
  readonly #forgetting = new Set<() => void>();
  /** Higher than in an earlier life of this node, in which it made less than 1,000 calls a millisecond. */
  #nextCall: number;
  #stopped = false;
  #onCall: (message: CallMessage) => void = () => {};
  #onReleased: (nodeId: string, all: boolean) => void = () => {};

  constructor(nodeId: string, ports: { bus: Bus; clock: Clock; log: Log }) {
    this.nodeId = nodeId;
    this.#bus = ports.bus;
    this.#clock = ports.clock;
    this.#log = ports.log;
    this.#nextCall = Math.floor(ports.clock.now()) * 1000;
  }

  async start(handlers: {
    call(message: CallMessage): void;
    released(nodeId: string, all: boolean): void;
  }): Promise<void> {
    this.#onCall = handlers.call;
    this.#onReleased = handlers.released;
    await this.#bus.listen(this.nodeId, (text) => this.#receive(text));
  }

  /** Sends a request to a peer and waits for its answer until the deadline. */
  async call(nodeId: string, request: ActorRequest): Promise<Delivery> {
    if (this.#pending.size >= CALLS_BOUND) {
      const error = new RingmasterError("overloaded", "Too many calls to other nodes are in flight.");
      return { kind: "error", error: error.toWire() };
    }
    const call = this.#nextCall++;
    const text = JSON.stringify({ type: "call", call, from: this.nodeId, request } satisfies NodeMessage);
    return new Promise((resolve) => {
      const settle = (result: Delivery): void => {
        const pending = this.#pending.get(call);
        if (!pending) return;
        this.#pending.delete(call);
        pending.cancelTimeout();
        resolve(result);
      };
      const cancelTimeout = this.#clock.schedule(() => settle({ kind: "unknown" }), request.leftMs);
      this.#pending.set(call, { nodeId, settle, cancelTimeout });
      this.#bus.send(nodeId, text).then(
        (delivered) => {
          if (!delivered) settle({ kind: "not_delivered" });
        },
        () => settle({ kind: "unknown" }),
      );
    });
  }

  /** Sends a reply, again and again while the shared memory is away: until `deadline` (monotonic) its caller can use it. */
  reply(nodeId: string, call: number, outcome: CallOutcome, deadline: number): void {
    this.#send(nodeId, JSON.stringify({ type: "reply", call, outcome } satisfies NodeMessage), deadline);
  }

  #send(nodeId: string, reply: string, deadline: number): void {
    const again = (): void => {
      if (this.#clock.monotonic() < deadline && !this.#stopped)
        this.#clock.schedule(() => this.#send(nodeId, reply, deadline), REPLY_AGAIN_MS);
    };
    this.#bus.send(nodeId, reply).then((delivered) => {
      if (!delivered) again();
    }, again);
  }

  /** A node is gone. What waits for one that is dead will not be answered; one that left answers what has reached it. */
  gone(nodeId: string, why: "dead" | "left"): void {
    this.#forgetLater(nodeId);
    if (why === "left") return;
    for (const pending of [...this.#pending.values()])
      if (pending.nodeId === nodeId) pending.settle({ kind: "unknown" });
  }

  /** Rings the peers: this node drains and has released actors; `all` says that it owns none any more. */
  async announceReleased(all: boolean): Promise<void> {
    await this.#broadcast({ type: "released", from: this.nodeId, all });
  }

  /** Hears the signals of `topic`, from peers and from this node itself. One listener a topic. */
  onSignal(topic: string, listener: (payload: unknown) => void): void {
    this.#signals.set(topic, listener);
  }

  /** Tells one node (possibly this one). Lost when that node cannot be reached: use it for what can be asked again. */
  signal(nodeId: string, topic: string, payload: unknown): void {
    if (nodeId === this.nodeId) {
      this.#signalHere(topic, payload);
      return;
    }
    this.#bus.send(nodeId, JSON.stringify({ type: "signal", topic, payload } satisfies NodeMessage)).catch(() => {});
  }

  /** Tells every node, this one first. */
  signalAll(topic: string, payload: unknown): void {
    this.#signalHere(topic, payload);
    void this.#broadcast({ type: "signal", topic, payload });
  }

  #signalHere(topic: string, payload: unknown): void {
    this.#signals.get(topic)?.(copyOf(payload, () => `the signal ${topic}`));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const cancel of this.#forgetting) cancel();
    for (const pending of [...this.#pending.values()]) pending.settle({ kind: "unknown" });
    await this.#bus.close();
  }

  async #broadcast(message: NodeMessage): Promise<void> {
    await this.#bus.broadcast(JSON.stringify(message)).catch((error: unknown) => {
      this.#log.warn({ err: error }, "a broadcast to the other nodes was lost");
    });
  }

  /** What it sent may come, or come again, after its goodbye; it may also not be gone at all. */
  #forgetLater(nodeId: string): void {
    const arrivals = this.#arrivals.get(nodeId);
    if (!arrivals) return;
    const { count } = arrivals;
    const cancel = this.#clock.schedule(() => {
      this.#forgetting.delete(cancel);
      if (this.#arrivals.get(nodeId) !== arrivals) return;
      if (arrivals.count === count) this.#arrivals.delete(nodeId);
      else this.#forgetLater(nodeId);
    }, KNOWN_AFTER_GONE_MS);
    this.#forgetting.add(cancel);
  }

  #arrivalsOf(nodeId: string): Arrivals {
    const known = this.#arrivals.get(nodeId);
    if (known) return known;
    const arrivals = new Arrivals();
    this.#arrivals.set(nodeId, arrivals);
    return arrivals;
  }

  /** What one node sends, or how one domain takes it, must not end another node. */
  #receive(text: string): void {
    try {
      this.#take(JSON.parse(text) as NodeMessage);
    } catch (error) {
      this.#log.error({ err: error }, "a message of another node could not be taken");
    }
  }

  #take(message: NodeMessage): void {
    switch (message.type) {
      case "call":
        if (this.#arrivalsOf(message.from).isFirst(message.call)) this.#onCall(message);
        break;
      case "reply":
        this.#pending.get(message.call)?.settle(message.outcome);
        break;
      case "signal":
        this.#signals.get(message.topic)?.(message.payload);
        break;
      case "released":
        if (message.from !== this.nodeId) this.#onReleased(message.from, message.all);
    }
  }
}
