import type { IncomingMessage } from "node:http";
import type { Clock } from "../clock.ts";
import { networksOf } from "../edge/addresses.ts";
import type { KeepOut } from "../edge/KeepOut.ts";
import { KeyedBuckets } from "../edge/KeyedBuckets.ts";
import { RingmasterError } from "../errors.ts";
import { LIMIT_WINDOW_SECONDS, tooMany } from "./limits.ts";

/** For each request that an address may send in a window, it may have so many websockets open: a school plays behind one address. */
const SOCKETS_PER_REQUEST = 4;

/** Which websockets are let in, by the address that they come from. A node counts for itself: that its peers are asked as well costs it nothing. */
export class UpgradeGate {
  readonly #perAddress: number;
  readonly #keepOut: KeepOut;
  readonly #rates: KeyedBuckets;
  /** Open websockets by network; none of 0. */
  readonly #open = new Map<string, number>();

  constructor(perAddress: number, keepOut: KeepOut, clock: Clock) {
    this.#perAddress = perAddress;
    this.#keepOut = keepOut;
    this.#rates = new KeyedBuckets(clock);
  }

  /** Counts the websocket until its connection closes. Throws `invalid_payload` for one whose address is none, and `rate_limited`. */
  admit(request: IncomingMessage, address: string): void {
    const { url = "", socket } = request;
    // Colyseus makes a URL of it where nobody catches what that throws.
    if (!url.startsWith("/") || !URL.canParse(`ws://server${url}`)) {
      throw new RingmasterError("invalid_payload", "This is not the address of a room.");
    }
    const networks = networksOf(address);
    const keptOutMs = this.#keepOut.remainingMs(networks[0]!.key);
    if (keptOutMs > 0) throw tooMany(keptOutMs);
    for (const { key, shares } of networks) {
      const most = this.#perAddress * shares;
      const bucket = this.#rates.of(key, most / LIMIT_WINDOW_SECONDS, most);
      if (!bucket.take()) throw tooMany(bucket.waitMs());
      if ((this.#open.get(key) ?? 0) >= most * SOCKETS_PER_REQUEST) throw tooMany(LIMIT_WINDOW_SECONDS * 1000);
    }
    for (const { key } of networks) this.#count(key, 1);
    socket.once("close", () => {
      for (const { key } of networks) this.#count(key, -1);
    });
  }

  #count(key: string, change: 1 | -1): void {
    const open = (this.#open.get(key) ?? 0) + change;
    if (open === 0) this.#open.delete(key);
    else this.#open.set(key, open);
  }
}
