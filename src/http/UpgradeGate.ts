import type { IncomingMessage } from "node:http";
import type { Clock } from "../clock.ts";
import { type Network, networksOf } from "../edge/addresses.ts";
import type { KeepOut } from "../edge/KeepOut.ts";
import { RingmasterError } from "../errors.ts";
import { LIMIT_WINDOW_SECONDS, tooMany } from "./limits.ts";
import { NetworkRates } from "./NetworkRates.ts";

/** For each request that an address may send in a window, it may have so many websockets open: a school plays behind one address. */
const SOCKETS_PER_REQUEST = 4;
/** One in so many of the websockets that it opens may be for no seat: its player came too late, or is told what is wrong with its client. */
const SEATED_PER_SEATLESS = 10;

export interface GatePorts {
  /** How many websockets an address may open in a window. */
  perAddress: number;
  keepOut: KeepOut;
  /** Whether the websocket of this URL is for a seat that somebody was given. */
  hasSeat(url: string): boolean;
  clock: Clock;
}

/** Which websockets are let in, by the address that they come from. A node counts for itself: that its peers are asked as well costs it nothing. */
export class UpgradeGate {
  readonly #ports: GatePorts;
  readonly #rates: NetworkRates;
  readonly #seatless: NetworkRates;
  /** Open websockets by network; none of 0. */
  readonly #open = new Map<string, number>();

  constructor(ports: GatePorts) {
    const { perAddress, clock } = ports;
    this.#ports = ports;
    this.#rates = new NetworkRates(perAddress, clock);
    this.#seatless = new NetworkRates(Math.ceil(perAddress / SEATED_PER_SEATLESS), clock);
  }

  /** Counts the websocket until its connection closes. Throws `invalid_payload` for one whose address is none, and `rate_limited`. */
  admit({ url = "", socket }: IncomingMessage, address: string): void {
    const { keepOut, hasSeat } = this.#ports;
    // Colyseus makes a URL of it where nobody catches what that throws.
    if (!url.startsWith("/") || !URL.canParse(`ws://server${url}`)) {
      throw new RingmasterError("invalid_payload", "This is not the address of a room.");
    }
    const networks = networksOf(address);
    const waitMs =
      keepOut.remainingMs(networks[0]!.key) ||
      this.#rates.take(networks) ||
      this.#fullMs(networks) ||
      (hasSeat(url) ? 0 : this.#seatless.take(networks));
    if (waitMs > 0) throw tooMany(waitMs);
    for (const { key } of networks) this.#count(key, 1);
    socket.once("close", () => {
      for (const { key } of networks) this.#count(key, -1);
    });
  }

  /** 0 unless one of the networks has as many websockets open as it may. */
  #fullMs(networks: readonly Network[]): number {
    const most = this.#ports.perAddress * SOCKETS_PER_REQUEST;
    const isFull = networks.some(({ key, shares }) => (this.#open.get(key) ?? 0) >= most * shares);
    return isFull ? LIMIT_WINDOW_SECONDS * 1000 : 0;
  }

  #count(key: string, change: 1 | -1): void {
    const open = (this.#open.get(key) ?? 0) + change;
    if (open === 0) this.#open.delete(key);
    else this.#open.set(key, open);
  }
}
