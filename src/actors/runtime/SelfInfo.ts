import type { Clock } from "../../clock.ts";
import type { NodeInfo } from "./ports.ts";

/** A load is told anew when it differs by more than this part of it, and by more than `LEAST_NEWS`. */
const NEWS_PART = 0.05;
const LEAST_NEWS = 8;
/** How often a node tells its load at most, in milliseconds; the more nodes hear it, the more seldom. */
const LOAD_EVERY_MS = 2000;
const LOAD_EVERY_MS_A_NODE = 50;
/** A measured offset is told anew when it differs by more than this. */
const CLOCK_NEWS_MS = 250;

/**
 * What a node says of itself with its beats, and whether that is news. Every node reads what is news of any, so what changes all the
 * time is rounded, and told at most as often as is of use.
 */
export class SelfInfo {
  #info: NodeInfo;
  /** What was in the last beat that succeeded. */
  #sent: NodeInfo | undefined;
  #loadToldAt = Number.NEGATIVE_INFINITY;
  readonly #clock: Clock;
  readonly #residents: () => number;

  constructor(info: NodeInfo, { clock, residents }: { clock: Clock; residents: () => number }) {
    this.#info = info;
    this.#clock = clock;
    this.#residents = residents;
  }

  get info(): NodeInfo {
    return this.#info;
  }

  drain(): void {
    this.#info = { ...this.#info, draining: true };
  }

  setCutOff(isCutOff: boolean): void {
    const { cutOff: _, ...info } = this.#info;
    this.#info = isCutOff ? { ...info, cutOff: true } : info;
  }

  /** Returns whether it has changed that the clock is off. */
  setClock(measuredOffMs: number, isOff: boolean): boolean {
    const wasOff = this.#info.clockIsOff ?? false;
    const { clockOffMs } = this.#info;
    const isNews = clockOffMs === undefined || Math.abs(measuredOffMs - clockOffMs) > CLOCK_NEWS_MS;
    if (isNews) this.#info = { ...this.#info, clockOffMs: Math.round(measuredOffMs) };
    if (isOff !== wasOff) this.#info = { ...this.#info, clockIsOff: isOff };
    return isOff !== wasOff;
  }

  /** For the next beat, which `listeners` nodes hear. */
  next(listeners: number): { info: NodeInfo; isNews: boolean } {
    this.#updateLoad(listeners);
    return { info: this.#info, isNews: this.#info !== this.#sent };
  }

  /** A beat with this has succeeded. */
  hasSent(info: NodeInfo): void {
    this.#sent = info;
  }

  #updateLoad(listeners: number): void {
    if (this.#info.role === "web") return;
    const now = this.#clock.monotonic();
    const [load, told] = [this.#residents(), this.#info.actors];
    const everyMs = Math.max(LOAD_EVERY_MS, listeners * LOAD_EVERY_MS_A_NODE);
    if (told !== undefined && now - this.#loadToldAt < everyMs) return;
    if (told !== undefined && Math.abs(load - told) <= Math.max(LEAST_NEWS, told * NEWS_PART)) return;
    this.#info = { ...this.#info, actors: load };
    this.#loadToldAt = now;
  }
}
