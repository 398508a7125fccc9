import { type Clock, sleep } from "../../clock.ts";
import type { Audited } from "../../entities/audit.ts";
import { RingmasterError } from "../../errors.ts";
import { carried, continued, inRoot, inSpan, type SpanStart } from "../../tracing.ts";
import { Activation } from "./Activation.ts";
import { type ActorAddress, assertAddress, fitsColumn } from "./actorRow.ts";
import type { CallCycles } from "./CallCycles.ts";
import type { Directory } from "./Directory.ts";
import type { Membership } from "./Membership.ts";
import type { DeliveryOutcome } from "./MessagePump.ts";
import { type MessageBody, type MessageRow, messageRequestId } from "./messages.ts";
import type { Delivery, Peers } from "./Peers.ts";
import type { Log } from "./ports.ts";
import { type ActorRequest, actorKey, type CallMessage, type CallOutcome } from "./protocol.ts";
import type { Residents } from "./Residents.ts";
import { currentTurn, outsideTurns } from "./turnContext.ts";
import { copyOf, copyOfArgs } from "./values.ts";

/** Options of one call. With `audit`, its line is stored with the turn. */
export interface CallOptions extends Audited {
  /** The answer is stored with the turn, and a repeat of the call with the same id gets it back. At most 64 characters. */
  requestId?: string;
  /**
   * What makes repeats of the request id the same, where their arguments are made anew each time; else a repeat with other arguments
   * is a `conflict`.
   */
  sameAs?: unknown;
  /** Ends the wait as its deadline does: `not_delivered` where the call has certainly not begun, else `outcome_unknown`. */
  signal?: AbortSignal;
  /** How long to wait for the answer, in milliseconds. */
  deadlineMs?: number;
}

const DEADLINE_MS = 10_000;
/** Pause before a call is tried elsewhere, so that a change of owners does not become a storm. */
const RETRY_MS = 25;
/** How often a call follows at once where a node says that the actor is; after that it pauses first. */
const HINTS_FOLLOWED = 3;

type Answer = CallOutcome & { kind: "ok" | "error" };

/** What is known of a call that has no answer yet. */
interface Progress {
  /** An attempt came to no end that is known. */
  mayHaveHappened: boolean;
  /** An attempt has reached a node and not come back. */
  isUnderWay: boolean;
  /** Where it is under way. */
  nodeId?: string;
  /** The latest version of the actor's state that a node did not know. */
  unknownVersion?: number;
  /** The caller has been answered. */
  isOver: boolean;
}

/** Errors that tell only that this very attempt did not begin. */
const NEVER_BEGAN: ReadonlySet<string> = new Set(["not_delivered", "overloaded", "actor_quarantined"]);

/** Calls of actors, wherever they live: each is tried until there is an answer, or no time is left. */
export class Calls {
  readonly #directory: Directory;
  readonly #membership: Membership;
  readonly #residents: Residents;
  readonly #peers: Peers;
  readonly #cycles: CallCycles;
  #edges = 0;
  readonly #clock: Clock;
  readonly #log: Log;

  constructor(ports: {
    directory: Directory;
    membership: Membership;
    residents: Residents;
    peers: Peers;
    cycles: CallCycles;
    clock: Clock;
    log: Log;
  }) {
    this.#directory = ports.directory;
    this.#membership = ports.membership;
    this.#residents = ports.residents;
    this.#peers = ports.peers;
    this.#cycles = ports.cycles;
    this.#clock = ports.clock;
    this.#log = ports.log;
  }

  /**
   * Calls one method. Rejects with the actor's own error, or with not_delivered, outcome_unknown, overloaded, actor_cycle, and with
   * unavailable while this node is cut off from the database.
   */
  async call(address: ActorAddress, method: string, args: unknown[], options: CallOptions): Promise<unknown> {
    assertAddressable(address, options);
    const key = actorKey(address);
    const context = currentTurn();
    const chain = context?.chain ?? [];
    if (chain.includes(key))
      throw new RingmasterError("actor_cycle", `The call chain ${[...chain, key].join(" → ")} comes back to itself.`);
    if (context?.turn.inTransaction) {
      throw new RingmasterError(
        "internal",
        `${chain.at(-1)} calls ${key} while its transaction is open; call first, or send.`,
      );
    }
    const request = {
      ...address,
      method,
      args: copyOfArgs(args, () => `the arguments of ${key}.${method}`).value,
      chain,
      ...(options.requestId === undefined ? {} : { requestId: options.requestId }),
      ...(options.sameAs !== undefined && { sameAs: options.sameAs }),
      ...(options.audit && { audit: options.audit }),
      ...((context || options.signal) && { edge: `${this.#peers.nodeId} ${++this.#edges}` }),
    };
    const start = (): SpanStart => ({ name: `call ${address.kind}.${method}`, kind: "CLIENT" });
    return inSpan(start, async () => {
      const outcome = await this.#answerInTime(key, request, this.#deadline(options.deadlineMs), options.signal);
      if (outcome.kind === "ok") return outcome.value;
      throw RingmasterError.fromWire(outcome.error);
    });
  }

  #deadline(deadlineMs = DEADLINE_MS): number {
    return this.#clock.monotonic() + deadlineMs;
  }

  /** Tells an actor what a committed turn has for it. Never rejects; a repeat takes no effect where it has had it already. */
  async deliver(row: MessageRow): Promise<DeliveryOutcome> {
    const { method, args, trace } = JSON.parse(row.message) as MessageBody;
    const { kind, id, version, index } = row;
    const told = { kind, id, version, index, isRepeat: row.isRepeat };
    const request = { ...row.to, method, args, chain: [], requestId: messageRequestId(row), told };
    const start = (): SpanStart => ({ name: `message ${row.to.kind}.${method}`, kind: "CONSUMER" });
    const outcome = await outsideTurns(() =>
      inRoot(start, () => this.#answerInTime(actorKey(row.to), request, this.#deadline()), {
        by: [trace],
        follows: true,
      }),
    );
    if (outcome.kind === "ok") return { kind: "done" };
    const { code, message } = outcome.error;
    const { status } = RingmasterError.fromWire(outcome.error);
    const isOwn = outcome.isOwn === true;
    // "Slow down" is no refusal: it says to come again.
    if (isOwn && status >= 400 && status < 500 && status !== 429)
      return { kind: "refused", error: `${code}: ${message}` };
    return { kind: "failed", isOwn, error: `${code}: ${message}` };
  }

  /** The answer, or at the deadline what is known by then: the database may hang, and a call on this node may be in its turn. */
  async #answerInTime(
    key: string,
    request: Omit<ActorRequest, "leftMs">,
    deadline: number,
    signal?: AbortSignal,
  ): Promise<Answer> {
    const clock = this.#clock;
    const progress: Progress = { mayHaveHappened: false, isUnderWay: false, isOver: false };
    const { promise: late, resolve } = Promise.withResolvers<Answer>();
    const giveUp = (): void => {
      progress.isOver = true;
      const { edge } = request;
      const isWithdrawn =
        edge !== undefined && progress.nodeId !== undefined && this.#cycles.withdraw({ edge, key }, progress.nodeId);
      resolve(undelivered(key, progress, progress.isUnderWay && !isWithdrawn));
    };
    if (signal?.aborted) return undelivered(key, progress);
    const cancel = clock.schedule(giveUp, deadline - clock.monotonic());
    signal?.addEventListener("abort", giveUp, { once: true });
    try {
      return await Promise.race([this.#untilAnswered(key, request, deadline, progress), late]);
    } finally {
      cancel();
      signal?.removeEventListener("abort", giveUp);
      const caller = request.chain.at(-1);
      if (caller !== undefined && request.edge !== undefined) this.#cycles.ended(caller, request.edge);
    }
  }

  /** Tries until there is an answer or the deadline: what certainly did not arrive is sent again, and with a request id anything is. */
  async #untilAnswered(
    key: string,
    request: Omit<ActorRequest, "leftMs">,
    deadline: number,
    progress: Progress,
  ): Promise<Answer> {
    const avoid = new Set<string>();
    for (let attempt = 0; ; attempt++) {
      if (this.#clock.monotonic() >= deadline) return undelivered(key, progress);
      if (this.#membership.self.cutOff) return progress.mayHaveHappened ? undelivered(key, progress) : unavailable();
      const sent = await this.#attempt(key, request, deadline, avoid, progress);
      if (sent.kind === "ok") return sent;
      if (sent.kind === "error")
        return progress.mayHaveHappened && NEVER_BEGAN.has(sent.error.code) ? undelivered(key, progress) : sent;
      if (sent.kind === "unknown") progress.mayHaveHappened = true;
      if (sent.kind === "unknown" && request.requestId === undefined) return undelivered(key, progress);
      this.#directory.forget(key);
      const { owner, unknownVersion } = sent.kind === "moved" ? sent : {};
      if (unknownVersion !== undefined) progress.unknownVersion = unknownVersion;
      if (owner !== undefined) this.#directory.remember(key, owner);
      // Nodes may differ for a while about who is alive, and send a call to and fro.
      const isHint = owner !== undefined && attempt < HINTS_FOLLOWED && !this.#membership.isGone(owner);
      if (!isHint && (attempt > 0 || sent.kind !== "moved"))
        await this.#pause(Math.min(RETRY_MS * 2 ** Math.min(attempt, 4), 250));
    }
  }

  /** One try: on this node, or on the one that owns the actor or should. A node that does not take it is added to `avoid`. */
  async #attempt(
    key: string,
    untimed: Omit<ActorRequest, "leftMs">,
    deadline: number,
    avoid: Set<string>,
    progress: Progress,
  ): Promise<Delivery> {
    let nodeId: string;
    try {
      nodeId = await this.#directory.locate(key, untimed, avoid);
    } catch (error) {
      return this.#notReached(error);
    }
    // To find the node may have taken longer than the caller waited, who has been told that nothing happened.
    const leftMs = deadline - this.#clock.monotonic();
    if (progress.isOver || leftMs <= 0) return undelivered(key, { mayHaveHappened: false });
    const trace = carried();
    const isRepeat = progress.mayHaveHappened || untimed.told?.isRepeat === true;
    const request = { ...untimed, leftMs, ...(trace !== undefined && { trace }), ...(isRepeat && { isRepeat }) };
    const isHere = nodeId === this.#membership.self.id;
    if (!isHere) this.#directory.remember(key, nodeId);
    progress.isUnderWay = true;
    progress.nodeId = nodeId;
    const [caller, { edge }] = [untimed.chain.at(-1), untimed];
    if (caller !== undefined && edge !== undefined) this.#cycles.sent(caller, { edge, key }, nodeId);
    const sent = await (isHere ? this.#callHere(ownArgs(request), deadline) : this.#peers.call(nodeId, request));
    progress.isUnderWay = false;
    if (sent.kind === "not_delivered" || (sent.kind === "moved" && sent.owner === undefined)) avoid.add(nodeId);
    return sent;
  }

  async #callHere(request: ActorRequest, deadline: number): Promise<Delivery> {
    const { draining, cutOff } = this.#membership.self;
    if (draining || cutOff) return { kind: "moved" };
    try {
      const resident = await this.#residents.resolve(request, request.isRepeat);
      if (resident instanceof Activation) return await resident.call(request, deadline);
      const { owner, unknownVersion } = resident;
      return {
        kind: "moved",
        ...(owner !== undefined && { owner }),
        ...(unknownVersion !== undefined && { unknownVersion }),
      };
    } catch (error) {
      return this.#notReached(error);
    }
  }

  /** Nothing had happened yet when this failed: the caller may be told so, unless the error is a definite answer. */
  #notReached(error: unknown): Delivery {
    if (error instanceof RingmasterError) return { kind: "error", error: error.toWire() };
    this.#log.warn({ err: error }, "an actor could not be looked up");
    return { kind: "error", error: new RingmasterError("not_delivered").toWire() };
  }

  /** A peer's call of an actor that it takes to live here. */
  async answer({ call, from, request }: CallMessage): Promise<void> {
    const deadline = this.#clock.monotonic() + request.leftMs;
    const outcome = await continued(request.trace, () => this.#callHere(request, deadline));
    this.#peers.reply(from, call, outcome as CallOutcome, deadline);
  }

  #pause(ms: number): Promise<void> {
    return sleep(this.#clock, ms);
  }
}

/** Keys that their columns would cut could become another actor's, or another request's. */
function assertAddressable(address: ActorAddress, { requestId }: CallOptions): void {
  assertAddress(address);
  if (requestId !== undefined && !fitsColumn(requestId, 64))
    throw new RingmasterError("invalid_payload", "A request id has 1 to 64 characters.");
}

/** The method may change what it is given, and be called again with the same where its turn comes to nothing. */
function ownArgs(request: ActorRequest): ActorRequest {
  return { ...request, args: copyOf(request.args, () => `the arguments of ${request.method}`) };
}

function unavailable(): Answer {
  const error = new RingmasterError("unavailable", "This node cannot reach the database; nothing happened.");
  return { kind: "error", error: error.toWire() };
}

function undelivered(
  key: string,
  { mayHaveHappened, unknownVersion }: Pick<Progress, "mayHaveHappened" | "unknownVersion">,
  isUnderWay = false,
): Answer {
  if (mayHaveHappened || isUnderWay) return { kind: "error", error: new RingmasterError("outcome_unknown").toWire() };
  const why =
    unknownVersion === undefined
      ? `The call did not reach ${key} in time; nothing happened, and it is safe to repeat.`
      : `No node that was asked knows version ${unknownVersion} of ${key}; nothing happened.`;
  const error = new RingmasterError(unknownVersion === undefined ? "not_delivered" : "unavailable", why);
  return { kind: "error", error: error.toWire() };
}
