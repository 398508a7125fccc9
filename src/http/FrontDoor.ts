import { type IncomingMessage, type RequestListener, Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { systemClock } from "../clock.ts";
import { clientAddress, networksOf } from "../edge/addresses.ts";
import { KeepOut } from "../edge/KeepOut.ts";
import { ERRORS, RingmasterError, toRingmasterError } from "../errors.ts";
import { failureBody } from "./failures.ts";
import { DEFAULT_PER_ADDRESS, type RetryAfter } from "./limits.ts";
import { MOST_WAITING, OneAtATime, UNREAD_MS } from "./OneAtATime.ts";
import { UpgradeGate } from "./UpgradeGate.ts";

/** Milliseconds for the headers of a request, and for the whole of it, to arrive: slow senders must not hold sockets. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** How often connections are looked at for that; Node's own 30 seconds would be added to the 10. */
const CHECK_INTERVAL_MS = 1000;

/** Milliseconds for a refused sender to read why; closing at once would take the answer away with what is still unread. */
const LINGER_MS = 1000;

/** What Node's parser calls a head of a request beyond 16 kB, a long URL among them. */
const TOO_LONG = "HPE_HEADER_OVERFLOW";

export interface DoorOptions {
  /** Whether `X-Forwarded-For` is believed. */
  trustProxy: boolean;
  /** How many websockets an address may ask for in the window of the limits. */
  perAddress?: number;
  /** Who may not open a websocket for a while. */
  keepOut?: KeepOut;
}

/**
 * The HTTP server to give to Colyseus's `WebSocketTransport`. Colyseus puts a listener of its own in front of all others once it
 * listens; here every request goes to `handle` and nowhere else, one of a connection at a time, so that each is limited, logged and
 * answered by the same rules (`matchmaking.ts` tells what is wrong with Colyseus's own way). WebSocket upgrades that are let in go to Colyseus as ever.
 */
export class FrontDoor extends Server {
  readonly #line: OneAtATime;
  readonly #trustProxy: boolean;
  readonly #keepOut: KeepOut;
  readonly #gate: UpgradeGate;

  constructor(
    handle: RequestListener,
    { trustProxy, perAddress = DEFAULT_PER_ADDRESS, keepOut = new KeepOut(systemClock) }: DoorOptions,
  ) {
    super({
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
    });
    this.#line = new OneAtATime(handle);
    this.#trustProxy = trustProxy;
    this.#keepOut = keepOut;
    this.#gate = new UpgradeGate(perAddress, keepOut, systemClock);
    this.timeout = UNREAD_MS;
    this.on("timeout", (socket) => this.#onSilence(socket));
    this.on("connection", stopParsingAtItsEnd);
    this.on("clientError", answerGarbage);
  }

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    if (event === "request") {
      const exchange = args as [IncomingMessage, ServerResponse & { req: IncomingMessage }];
      const { key } = networksOf(clientAddress(exchange[0], this.#trustProxy))[0]!;
      const isKeptOut = this.#keepOut.remainingMs(key) > 0;
      if (!this.#line.take(exchange, isKeptOut ? 0 : MOST_WAITING)) this.#keepOut.add(key);
      return true;
    }
    if (event === "upgrade" && !this.#admits(args[0] as IncomingMessage, args[1] as Duplex)) return true;
    return super.emit(event as string, ...args);
  }

  #admits(request: IncomingMessage, socket: Duplex): boolean {
    const address = clientAddress(request, this.#trustProxy);
    try {
      if (this.#line.isBusy(request.socket)) throw new RingmasterError("invalid_payload", "One thing at a time.");
      this.#gate.admit(request, address);
    } catch (error) {
      socket.on("error", () => socket.destroy());
      refuse(socket, toRingmasterError(error));
      return false;
    }
    nameAddress(request, address);
    return true;
  }

  /** A connection on which nothing has moved: its client does not read what it asked for, or has nothing more to ask. */
  #onSilence(socket: Socket): void {
    const isWorkedFor = this.#line.isBusy(socket) && socket.writableLength === 0;
    if (isWorkedFor) socket.setTimeout(UNREAD_MS);
    else socket.destroy();
  }
}

/** What Node's parser of a connection calls with each head. */
interface Parser {
  onIncoming?(request: IncomingMessage, shouldKeepAlive: boolean): number;
}

/** With which a parser takes what follows for another protocol, and stops. */
const PARSE_NO_FURTHER = 2;

/**
 * Node parses all that it has read of a connection, also when that was destroyed at one of the first heads: 64 kB of them cost everybody
 * else some 20 ms.
 */
function stopParsingAtItsEnd(socket: Socket): void {
  const parser = (socket as { parser?: Parser }).parser;
  const onIncoming = parser?.onIncoming;
  if (parser === undefined || onIncoming === undefined) return;
  parser.onIncoming = (request, shouldKeepAlive) =>
    socket.destroyed ? PARSE_NO_FURTHER : onIncoming(request, shouldKeepAlive);
}

/** Rooms learn a client's address from the first of these headers that is there, so only the one that we believe may be. */
function nameAddress({ headers }: IncomingMessage, address: string): void {
  delete headers["x-forwarded-for"];
  delete headers["x-client-ip"];
  headers["x-real-ip"] = address;
}

/** Bytes that are no HTTP get an answer in its shape all the same, and lose their connection. */
function answerGarbage(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  refuse(
    socket,
    error.code === TOO_LONG
      ? new RingmasterError("payload_too_large")
      : new RingmasterError("invalid_payload", "This is not a valid HTTP request."),
  );
}

/** Answers on a connection that has no response, and ends it. */
function refuse(socket: Duplex, error: RingmasterError): void {
  const body = JSON.stringify(failureBody(error.toWire()));
  socket.once(
    "close",
    systemClock.schedule(() => socket.destroy(), LINGER_MS),
  );
  socket.resume();
  socket.end(
    [
      `HTTP/1.1 ${ERRORS[error.code].status} ${error.code}`,
      "Connection: close",
      "Content-Type: application/json; charset=utf-8",
      ...retryAfter(error),
      `Content-Length: ${Buffer.byteLength(body)}`,
      "",
      body,
    ].join("\r\n"),
  );
}

function retryAfter({ code, details }: RingmasterError): string[] {
  if (code !== "rate_limited") return [];
  return [`Retry-After: ${Math.ceil((details as RetryAfter).retryAfterMs / 1000)}`];
}
