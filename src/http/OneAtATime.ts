import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { systemClock } from "../clock.ts";

type Exchange = readonly [IncomingMessage, ServerResponse & { req: IncomingMessage }];

/** Requests that may wait on a connection behind the one that is handled. No browser and no proxy sends any ahead. */
export const MOST_WAITING = 16;
/** Milliseconds for which a client may take nothing of its answer, and for all of it: an answer can hold a file open. */
export const UNREAD_MS = 10_000;
export const ANSWER_MS = 120_000;

/** What is under way on a connection, and what waits behind it. */
interface Line {
  isBusy: boolean;
  readonly waiting: Exchange[];
}

/**
 * Handles one request of a connection at a time, in order. Node hands out all that a client has sent ahead at once; an answer behind
 * another has no socket yet, so it never learns that the client has gone, and what it holds (a file) it holds for good.
 */
export class OneAtATime {
  readonly #handle: RequestListener;
  readonly #lines = new WeakMap<Socket, Line>();

  constructor(handle: RequestListener) {
    this.#handle = handle;
  }

  /** Handles the exchange now or once those before it are over; false, and the connection has ended, when `mostWaiting` wait. */
  take(exchange: Exchange, mostWaiting: number): boolean {
    const { socket } = exchange[0];
    // What had been read from it before it ended still comes.
    if (socket.destroyed) return true;
    const line = this.#lines.get(socket) ?? { isBusy: false, waiting: [] };
    this.#lines.set(socket, line);
    if (!line.isBusy) this.#begin(line, exchange);
    else if (line.waiting.length < mostWaiting) line.waiting.push(exchange);
    else {
      socket.destroy();
      return false;
    }
    return true;
  }

  /** Whether an answer on this connection is under way. */
  isBusy(socket: Socket): boolean {
    return this.#lines.get(socket)?.isBusy === true;
  }

  #begin(line: Line, [request, response]: Exchange): void {
    line.isBusy = true;
    const cancel = systemClock.schedule(() => request.socket.destroy(), ANSWER_MS);
    response.once("close", () => {
      cancel();
      line.isBusy = false;
      const next = line.waiting.shift();
      if (next === undefined) return;
      if (request.socket.destroyed || request.socket.writableEnded) line.waiting.length = 0;
      else this.#begin(line, next);
    });
    this.#handle(request, response);
  }
}
