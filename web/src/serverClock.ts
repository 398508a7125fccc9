/**
 * The server's wall clock as seen from here, for countdowns that agree with the server on a device whose clock is wrong.
 *
 * A reading of server time is old by the time it arrives, so `reading - local` never exceeds the true offset: the largest
 * one seen is the best. Local time is `performance.now()`, which does not jump when the device's clock is set.
 */
export class ServerClock {
  #offset: number | undefined;

  /** Takes a reading of the server's time, in epoch milliseconds. */
  observe(serverNow: number): void {
    if (!Number.isFinite(serverNow) || serverNow <= 0) return;
    const offset = serverNow - performance.now();
    if (this.#offset === undefined || offset > this.#offset) this.#offset = offset;
  }

  /** Takes the date of an HTTP answer: cut to seconds, but never old, as a room's state may be where nothing changes. */
  async observeHttp(): Promise<void> {
    const response = await fetch("/healthz", { cache: "no-store" }).catch(() => undefined);
    this.observe(Date.parse(response?.headers.get("date") ?? ""));
  }

  /** Epoch milliseconds on the server, as near as known; the device's own time before the first reading. */
  now(): number {
    return this.#offset === undefined ? Date.now() : this.#offset + performance.now();
  }
}
