import { type IncomingMessage, type RequestListener, Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { systemClock } from "../clock.ts";
import { ERRORS, type ErrorCode } from "../errors.ts";

/** Milliseconds for the headers of a request, and for the whole of it, to arrive: slow senders must not hold sockets. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;

/** Milliseconds for a refused sender to read why; closing at once would take the answer away with what is still unread. */
const LINGER_MS = 1000;

/** What Node's parser calls a head of a request beyond 16 kB, a long URL among them. */
const TOO_LONG = "HPE_HEADER_OVERFLOW";

/**
 * The HTTP server to give to Colyseus's `WebSocketTransport`. Colyseus puts a listener of its own in front of all others once it
 * listens; here every request goes to `handle` and nowhere else, so that each is limited, logged and answered by the same
 * rules (`matchmaking.ts` tells what is wrong with Colyseus's own way). WebSocket upgrades go to Colyseus as ever.
 */
export class FrontDoor extends Server {
  readonly #handle: RequestListener;
  readonly #trustProxy: boolean;

  constructor(handle: RequestListener, trustProxy: boolean) {
    super({ headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS });
    this.#handle = handle;
    this.#trustProxy = trustProxy;
    this.on("clientError", answerGarbage);
  }

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    if (event === "request") {
      const [request, response] = args as [IncomingMessage, ServerResponse & { req: IncomingMessage }];
      this.#handle(request, response);
      return true;
    }
    if (event === "upgrade") nameAddress(args[0] as IncomingMessage, this.#trustProxy);
    return super.emit(event as string, ...args);
  }
}

/** Rooms learn a client's address from the first of these headers that is there, so only the one that we believe may be. */
function nameAddress(request: IncomingMessage, trustProxy: boolean): void {
  const { headers, socket } = request;
  const forwarded = headers["x-forwarded-for"];
  // The last entry is the one that our own proxy added.
  const last = String(forwarded ?? "")
    .split(",")
    .at(-1)!
    .trim();
  delete headers["x-forwarded-for"];
  delete headers["x-client-ip"];
  headers["x-real-ip"] = trustProxy && last !== "" ? last : socket.remoteAddress;
}

/** Bytes that are no HTTP get an answer in its shape all the same, and lose their connection. */
function answerGarbage(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const code: ErrorCode = error.code === TOO_LONG ? "payload_too_large" : "invalid_payload";
  const message = code === "payload_too_large" ? ERRORS[code].message : "This is not a valid HTTP request.";
  const body = JSON.stringify({ error: { code, message } });
  socket.once(
    "close",
    systemClock.schedule(() => socket.destroy(), LINGER_MS),
  );
  socket.resume();
  socket.end(
    [
      `HTTP/1.1 ${ERRORS[code].status} ${code}`,
      "Connection: close",
      "Content-Type: application/json; charset=utf-8",
      `Content-Length: ${Buffer.byteLength(body)}`,
      "",
      body,
    ].join("\r\n"),
  );
}
