import type { CheckedClock } from "./CheckedClock.ts";
import { Placement } from "./placement.ts";
import type { BeatAnswer, Bus, Log, NodeInfo, QuietBeat, Revision, RuntimeMetrics } from "./ports.ts";
import { SelfInfo } from "./SelfInfo.ts";

export type MembershipEvent =
  | { type: "joined"; node: NodeInfo }
  /** Its beat has been missing for the whole TTL, or it said goodbye: then it still answers what has reached it. */
  | { type: "gone"; nodeId: string; why: "dead" | "left" }
  /** It beats, and says that it cannot reach the database: what it owns is anybody's. */
  | { type: "cutOff"; nodeId: string }
  /** It reaches the database again. */
  | { type: "reconnected"; nodeId: string }
  /** This node itself was silent for longer than the TTL (stalled, or cut off): peers may have taken its actors. */
  | { type: "stalled" }
  /** This node's clock has been found to be off, or to be right again. */
  | { type: "clock"; isOff: boolean; offMs: number }
  /** This node is heard again after its beats were missing for longer than the TTL, for whatever reason: peers may have taken it for dead. */
  | { type: "unheard" };

interface Observed {
  info: NodeInfo | undefined;
  /** Whether it is on the shared list. */
  listed: boolean;
  /** Of its latest beat, once that is old; undefined: it beat lately. */
  mark: number | undefined;
  /** This observer's monotonic time at which it beat last, as far as is known. */
  beatAt: number;
  gone: boolean;
}

/** Beats a TTL: a node is heard six times before its silence counts. */
const BEATS_PER_TTL = 6;
/** A node that has been gone for this many TTLs is taken off the shared list. */
const FORGET_AFTER_TTLS = 20;
/**
 * For so many TTLs after a node reaches the database again it takes nothing of those that say they do not: where the database was away for
 * all of them, they will say otherwise by then, and nothing has moved.
 */
const REACH_AFTER_TTLS = 2;

/**
 * Which nodes live. A peer is dead once its beat has been missing for the TTL on this observer's own monotonic clock, with the
 * shared memory reachable all that time: a restart of Redis, or a stall of the observer itself, kills nobody. A wrong decision
 * costs latency only; the fence in each actor's row keeps effects single.
 */
export class Membership {
  readonly #self: SelfInfo;
  readonly #bus: Bus;
  readonly #clock: CheckedClock;
  readonly #log: Log;
  readonly #metrics: Pick<RuntimeMetrics, "clockOff">;
  readonly #ttlMs: number;
  readonly #seen = new Map<string, Observed>();
  readonly #listeners = new Set<(event: MembershipEvent) => void>();
  #count = 0;
  /** Up to where the shared list is known. */
  #known: Revision | undefined;
  /** When the current unbroken run of successful beats began; undefined while the shared memory is out of reach. */
  #reachableSince: number | undefined;
  /** When the last beat that succeeded was sent. */
  #lastBeat = Number.NEGATIVE_INFINITY;
  /** When that was by the shared memory's clock. */
  #lastBeatAt = Number.NEGATIVE_INFINITY;
  #lapses = 0;
  /** Since when this node has reached the database without a break. */
  #reachesSince = Number.NEGATIVE_INFINITY;
  #tickedAt = 0;
  #beating = false;
  #cancel: (() => void) | undefined;
  #stopped = false;
  #placement = new Placement([]);

  /** `residents`: how many actors live on this node. */
  constructor(
    self: NodeInfo,
    ports: {
      bus: Bus;
      clock: CheckedClock;
      log: Log;
      metrics: Pick<RuntimeMetrics, "clockOff">;
      residents: () => number;
    },
    ttlMs: number,
  ) {
    this.#self = new SelfInfo(self, ports);
    this.#bus = ports.bus;
    this.#clock = ports.clock;
    this.#log = ports.log;
    this.#metrics = ports.metrics;
    this.#ttlMs = ttlMs;
  }

  /** What this node says of itself. */
  get self(): NodeInfo {
    return this.#self.info;
  }

  get beatEveryMs(): number {
    return this.#ttlMs / BEATS_PER_TTL;
  }

  /** Resolves after the first beat; rejects when the shared memory is out of reach at start. */
  async start(): Promise<void> {
    await this.#beat();
    // The peers hear of it before they think of moving actors here.
    if (this.self.clockIsOff) await this.#beat();
    this.#next();
  }

  /** Stops beating and says goodbye, so that peers need not wait for the decision. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#bus.remove([this.self.id]).catch(() => {});
  }

  on(listener: (event: MembershipEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The nodes that live as far as is known, this one included. */
  live(): NodeInfo[] {
    const peers = [...this.#seen.values()]
      .filter((node) => !node.gone && node.info !== undefined)
      .map((node) => node.info!);
    return this.#stopped ? peers : [this.self, ...peers];
  }

  /** Live nodes that actors may move to: of these, those whose clocks are right, if there are any. */
  hosts(): NodeInfo[] {
    const able = this.live().filter((node) => node.role !== "web" && !node.draining && !node.cutOff);
    const right = able.filter((node) => !node.clockIsOff);
    return right.length > 0 ? right : able;
  }

  /** Which of them each actor should live on. */
  get placement(): Placement {
    const ids = this.hosts().map(({ id }) => id);
    if (!this.#placement.isOf(ids)) this.#placement = new Placement(ids);
    return this.#placement;
  }

  /** Tells the peers with a beat that this node takes no more actors. */
  async drain(): Promise<void> {
    this.#self.drain();
    await this.#beat().catch(() => {});
  }

  /** Tells the peers with a beat whether this node is cut off from the database. */
  async cutOff(isCutOff: boolean): Promise<void> {
    this.#self.setCutOff(isCutOff);
    if (!isCutOff) this.#reachesSince = this.#clock.monotonic();
    await this.#beat().catch(() => {});
  }

  /** Live nodes that new rooms may be on. */
  roomHosts(): NodeInfo[] {
    return this.live().filter((node) => node.role !== "worker" && !node.draining && !node.cutOff);
  }

  /**
   * Whether what a node owns is anybody's: it is dead or has left, or is cut off from the database. An owner that was never heard of is
   * watched from now on, and given the whole TTL.
   */
  isGone(nodeId: string): boolean {
    if (nodeId === this.self.id) return false;
    const node = this.#seen.get(nodeId);
    if (node) return node.gone || this.#hasLetGo(node);
    const beatAt = this.#clock.monotonic();
    this.#seen.set(nodeId, { info: undefined, listed: false, mark: undefined, beatAt, gone: false });
    return false;
  }

  /**
   * The lease under which this node may answer from memory, undefined when there is none, and while it is cut off: it holds for a TTL from when the last
   * beat was sent. Its number rises each time that it had lapsed, since what lived here may have moved meanwhile.
   */
  lease(): number | undefined {
    const isHeard = this.#clock.monotonic() - this.#lastBeat < this.#ttlMs;
    // Peers may not have heard yet that this node reaches the database again.
    return isHeard && !this.self.cutOff && this.#hasReached ? this.#lapses : undefined;
  }

  /** Whether this node has reached the database for so long that its peers know. */
  get #hasReached(): boolean {
    return this.#clock.monotonic() - this.#reachesSince >= REACH_AFTER_TTLS * this.#ttlMs;
  }

  /** Whether the decision on a node is death, or it left: it is not one that only lost the database. */
  hasDied(nodeId: string): boolean {
    return this.#seen.get(nodeId)?.gone ?? false;
  }

  /** The nodes that live and are cut off from the database, so that what they own is anybody's. */
  letGoNodes(): string[] {
    return [...this.#seen].filter(([, node]) => !node.gone && this.#hasLetGo(node)).map(([id]) => id);
  }

  #hasLetGo({ info }: Observed): boolean {
    // What was heard before the shared memory went out of reach may be over.
    const hears = this.#reachableSince !== undefined;
    return info?.cutOff === true && hears && !this.self.cutOff && this.#hasReached;
  }

  /** A peer drains; when it has released `all` it owned, its goodbye needs no decision. */
  released(nodeId: string, all: boolean): void {
    const node = this.#seen.get(nodeId);
    if (!node || node.gone) return;
    if (node.info) node.info = { ...node.info, draining: true };
    if (all) this.#declareGone(nodeId, node, "left");
  }

  #next(): void {
    if (this.#stopped) return;
    this.#tickedAt = this.#clock.monotonic();
    this.#cancel = this.#clock.schedule(() => {
      this.#noticeOwnStall();
      if (!this.#beating) this.#beat().catch(() => {});
      this.#next();
    }, this.beatEveryMs);
  }

  async #beat(): Promise<void> {
    this.#beating = true;
    const sentAt = this.#clock.monotonic();
    let answer: BeatAnswer;
    try {
      answer = await this.#exchange();
    } catch (error) {
      if (this.#reachableSince !== undefined)
        this.#log.warn({ err: error }, "beats fail: nobody is declared dead until they work again");
      this.#reachableSince = undefined;
      throw error;
    } finally {
      this.#beating = false;
    }
    if (this.#stopped) return;
    const now = this.#clock.monotonic();
    if (now - this.#lastBeat > this.#ttlMs / 2) this.#reachableSince = now;
    this.#noticeLapse(now, answer.at);
    this.#reachableSince ??= now;
    this.#lastBeat = sentAt;
    this.#hear(answer, now);
    this.#learnTime(sentAt, now, answer.at);
    this.#judge(now);
  }

  async #exchange(): Promise<BeatAnswer> {
    const { info, isNews } = this.#self.next(this.live().length);
    // A beat and a half: whoever has missed one is looked at.
    const options = { isNews, known: this.#known, quietMs: 1.5 * this.beatEveryMs };
    const answer = await this.#bus.beat(info, ++this.#count, options);
    this.#self.hasSent(info);
    return answer;
  }

  /** While its machine was suspended, a node's own clocks may have stood still. */
  #noticeLapse(now: number, at: number | undefined): void {
    const silentMs = Math.max(now - this.#lastBeat, at === undefined ? 0 : at - this.#lastBeatAt);
    if (silentMs > this.#ttlMs) this.#lapses += 1;
    if (silentMs > this.#ttlMs && this.#lapses > 1) this.#emit({ type: "unheard" });
    if (at !== undefined) this.#lastBeatAt = at;
  }

  /** Told by this node's own ticks: beats also fail when the shared memory is away, and then nobody may have taken anything. */
  #noticeOwnStall(): void {
    const silentMs = this.#clock.monotonic() - this.#tickedAt;
    if (silentMs <= this.#ttlMs) return;
    this.#reachableSince = undefined;
    this.#log.warn({ silentMs: Math.round(silentMs) }, "this node was stalled for longer than its TTL");
    this.#emit({ type: "stalled" });
  }

  #learnTime(sentAt: number, receivedAt: number, at: number | undefined): void {
    if (at === undefined) return;
    const others = this.live().flatMap(({ id, clockOffMs }) =>
      id === this.self.id || clockOffMs === undefined ? [] : [clockOffMs],
    );
    this.#clock.learn({ sentAt, receivedAt, at, others });
    const { isOff, offMs } = this.#clock;
    this.#metrics.clockOff(offMs / 1000);
    if (!this.#self.setClock(this.#clock.measuredOffMs, isOff)) return;
    if (isOff)
      this.#log.error(
        { offMs: Math.round(offMs) },
        "this node's clock is off: it takes no actors, and goes by the cluster's time",
      );
    else this.#log.info({ offMs: Math.round(offMs) }, "this node's clock is right again");
    this.#emit({ type: "clock", isOff, offMs });
  }

  #hear({ isWhole, infos, left, quiet, size, revision }: BeatAnswer, now: number): void {
    if (isWhole) for (const node of this.#seen.values()) node.listed = false;
    for (const id of left) {
      const node = this.#seen.get(id);
      if (node) node.listed = false;
    }
    for (const info of infos) if (info.id !== this.self.id) this.#list(info, now);
    const beats = new Map(quiet.map((beat) => [beat.id, beat]));
    let listed = 1;
    for (const [id, node] of this.#seen) {
      if (!node.listed) continue;
      listed += 1;
      this.#hearBeat(node, beats.get(id), now);
    }
    // What was missed is read with the next beat.
    this.#known = listed === size ? revision : undefined;
  }

  /** What a node says of itself. Its beat may be a dead node's last: it joins, and is judged like any other. */
  #list(info: NodeInfo, now: number): void {
    const node = this.#seen.get(info.id);
    const isNew = !node || (node.info === undefined && !node.gone);
    const wasCutOff = node?.gone === false && node.info?.cutOff === true;
    if (node) Object.assign(node, { info, listed: true });
    else this.#seen.set(info.id, { info, listed: true, mark: undefined, beatAt: now, gone: false });
    if (isNew) this.#emit({ type: "joined", node: info });
    if (info.cutOff && !wasCutOff) this.#emit({ type: "cutOff", nodeId: info.id });
    if (!info.cutOff && wasCutOff) this.#emit({ type: "reconnected", nodeId: info.id });
  }

  #hearBeat(node: Observed, quiet: QuietBeat | undefined, now: number): void {
    if (quiet && quiet.mark === node.mark) return;
    node.mark = quiet?.mark;
    // The shared memory's clock may have leapt: no more than two beats are taken from a node without a look of their own.
    node.beatAt = now - Math.min(Math.max(0, quiet?.silentMs ?? 0), 2 * this.beatEveryMs);
    if (!node.gone) return;
    node.gone = false;
    this.#emit({ type: "joined", node: node.info! });
  }

  #judge(now: number): void {
    const stale: string[] = [];
    for (const [id, node] of this.#seen) {
      const silentMs = now - Math.max(node.beatAt, this.#reachableSince ?? now);
      if (!node.gone && silentMs >= this.#ttlMs) this.#declareGone(id, node, "dead");
      if (node.gone && silentMs >= this.#ttlMs * FORGET_AFTER_TTLS) stale.push(id);
    }
    if (stale.length === 0) return;
    for (const id of stale) this.#seen.delete(id);
    this.#bus.remove(stale).catch(() => {});
  }

  #declareGone(nodeId: string, node: Observed, why: "dead" | "left"): void {
    node.gone = true;
    this.#log.info({ node: nodeId, why }, "a node is gone");
    this.#emit({ type: "gone", nodeId, why });
  }

  #emit(event: MembershipEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}
