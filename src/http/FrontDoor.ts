import { type IncomingMessage, type RequestListener, Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { systemClock } from "../clock.ts";
import { clientAddress, type Network, networksOf } from "../edge/addresses.ts";
import { FlowQueue } from "../edge/FlowQueue.ts";
import { KeepOut } from "../edge/KeepOut.ts";
import { KeyedBuckets } from "../edge/KeyedBuckets.ts";
import { RingmasterError, toRingmasterError } from "../errors.ts";
import { failureBody } from "./failures.ts";
import { DEFAULT_PER_ADDRESS, type RetryAfter } from "./limits.ts";
import { NetworkRates } from "./NetworkRates.ts";
import { MOST_WAITING, OneAtATime, UNREAD_MS } from "./OneAtATime.ts";
import { UpgradeGate } from "./UpgradeGate.ts";

/** Milliseconds for the headers of a request, and for the whole of it, to arrive: slow senders must not hold sockets. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** How often connections are looked at for that; it is added to the 10 seconds, as are Node's own 30 where it is not set. */
const CHECK_INTERVAL_MS = 250;

/** Milliseconds for a refused sender to read why; closing at once would take the answer away with what is still unread. */
const LINGER_MS = 1000;

/** For each request that an address may send in a window, it may open so many connections: browsers open some ahead. */
const CONNECTIONS_PER_REQUEST = 2;
/** For each so many requests that an address may send in a window, it is refused once in words: a websocket, or anything while it is kept out. */
const REQUESTS_PER_REFUSAL = 2;

/** What Node's parser calls a head of a request beyond 16 kB, a long URL among them. */
const TOO_LONG = "HPE_HEADER_OVERFLOW";

/** So many connections of an address may end because their client sent too much ahead, and one more in ten seconds. No client does that by itself. */
const SENT_AHEAD_BURST = 5;
const SENT_AHEAD_PER_SECOND = 0.1;

const PROBES: ReadonlySet<string> = new Set(["/healthz", "/readyz"]);

type Response = ServerResponse & { req: IncomingMessage };

export interface DoorOptions {
  /** Whether `X-Forwarded-For` is believed. */
  trustProxy: boolean;
  /** How many websockets an address may ask for in the window of the limits. */
  perAddress?: number;
  /** Who may not open a websocket for a while. */
  keepOut?: KeepOut;
  /** In whose turns requests and websockets are begun. */
  flows?: FlowQueue;
  /** Whether the websocket of this URL is for a seat that somebody was given; taken for granted unless told. */
  hasSeat?(url: string): boolean;
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
  readonly #flows: FlowQueue;
  readonly #connections: NetworkRates;
  readonly #refusals: NetworkRates;
  readonly #sentAhead = new KeyedBuckets(systemClock);

  constructor(
    handle: RequestListener,
    {
      trustProxy,
      perAddress = DEFAULT_PER_ADDRESS,
      keepOut = new KeepOut(systemClock),
      flows = new FlowQueue(),
      hasSeat = () => true,
    }: DoorOptions,
  ) {
    super({
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
      // Who offers another protocol (`h2c`, as curl and Java do) is answered in this one; and so is who still waits for an answer, in its turn.
      shouldUpgradeCallback: (request) => isWebsocket(request) && !this.#line.isBusy(request.socket),
    });
    this.#line = new OneAtATime((request, response) => this.#handleInTurn(handle, request, response));
    this.#trustProxy = trustProxy;
    this.#keepOut = keepOut;
    this.#flows = flows;
    this.#gate = new UpgradeGate({ perAddress, keepOut, hasSeat, clock: systemClock });
    this.#connections = new NetworkRates(perAddress * CONNECTIONS_PER_REQUEST, systemClock);
    this.#refusals = new NetworkRates(Math.ceil(perAddress / REQUESTS_PER_REFUSAL), systemClock);
    this.timeout = UNREAD_MS;
    this.on("timeout", (socket) => this.#onSilence(socket));
    this.on("connection", stopParsingAtItsEnd);
    this.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => this.#onGarbage(error, socket));
  }

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    // Before a parser is made for it.
    if (event === "connection" && this.#turnsAway(args[0] as Socket)) return true;
    if (event === "request") {
      const exchange = args as [IncomingMessage, Response];
      const networks = this.#networksOf(exchange[0]);
      const { key } = networks[0]!;
      const isKeptOut = this.#keepOut.remainingMs(key) > 0;
      if (isKeptOut) this.#refusals.take(networks);
      if (this.#line.take(exchange, isKeptOut ? 0 : MOST_WAITING)) return true;
      if (isKeptOut || !this.#sentAhead.of(key, SENT_AHEAD_PER_SECOND, SENT_AHEAD_BURST).take()) this.#keepOut.add(key);
      return true;
    }
    if (event === "upgrade") {
      this.#upgradeInTurn(args as [IncomingMessage, Duplex, Buffer]);
      return true;
    }
    return super.emit(event as string, ...args);
  }

  #handleInTurn(handle: RequestListener, request: IncomingMessage, response: Response): void {
    if (isWebsocket(request)) {
      refuseBehind(response);
      return;
    }
    // What asks whether this node is alive must not wait for anybody.
    if (PROBES.has(request.url!)) handle(request, response);
    else
      this.#flows.add(this.#networksOf(request)[0]!.key, () => request.socket.destroyed || handle(request, response));
  }

  #upgradeInTurn(upgrade: [IncomingMessage, Duplex, Buffer]): void {
    const [request, socket] = upgrade;
    const address = clientAddress(request, this.#trustProxy);
    if (!this.#admits(request, socket, address)) return;
    nameAddress(request, address);
    const destroy = (): void => void socket.destroy();
    // ws listens to it from the handshake on.
    socket.on("error", destroy);
    this.#flows.add(networksOf(address)[0]!.key, () => {
      socket.off("error", destroy);
      super.emit("upgrade", ...upgrade);
    });
  }

  /**
   * Ends a connection of an address that opens too many, or comes again and again to be refused: to say so would cost what this saves.
   * A proxy opens as many as it likes.
   */
  #turnsAway(socket: Socket): boolean {
    if (this.#trustProxy) return false;
    const networks = networksOf(socket.remoteAddress ?? "unknown");
    const isTooMuch = this.#connections.take(networks) > 0 || this.#refusals.waitMs(networks) > 0;
    if (isTooMuch) socket.destroy();
    return isTooMuch;
  }

  #networksOf(request: IncomingMessage): Network[] {
    return networksOf(clientAddress(request, this.#trustProxy));
  }

  #admits(request: IncomingMessage, socket: Duplex, address: string): boolean {
    try {
      this.#gate.admit(request, address);
    } catch (error) {
      socket.on("error", () => socket.destroy());
      this.#refusals.take(networksOf(address));
      refuse(socket, toRingmasterError(error));
      return false;
    }
    return true;
  }

  /** Bytes that are no HTTP get an answer in its shape all the same, behind those that are under way, and lose their connection. */
  #onGarbage(error: NodeJS.ErrnoException, socket: Socket): void {
    if (!socket.writable || error.code === "ECONNRESET") {
      socket.destroy();
      return;
    }
    const refused =
      error.code === TOO_LONG
        ? new RingmasterError("payload_too_large", "The head of this request, its address included, exceeds 16 kB.")
        : new RingmasterError("invalid_payload", "This is not a valid HTTP request.");
    this.#line.endBehind(socket, () => refuse(socket, refused));
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

function isWebsocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === "websocket";
}

/** Of a connection that still owed answers when it was to become a websocket. */
function refuseBehind(response: Response): void {
  const error = new RingmasterError("invalid_payload", "Ask for a websocket once you have all answers.");
  const body = JSON.stringify(failureBody(error.toWire()));
  response
    .writeHead(error.status, {
      Connection: "close",
      "Content-Type": "application/json; charset=utf-8",
      "Content-Length": Buffer.byteLength(body),
    })
    .end(body);
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
      `HTTP/1.1 ${error.status} ${error.code}`,
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
