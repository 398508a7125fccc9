import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { systemClock } from "../clock.ts";

type Exchange = readonly [IncomingMessage, ServerResponse & { req: IncomingMessage }];

/** Requests that may wait on a connection behind the one that is handled. No browser and no proxy sends any ahead. */
export const MOST_WAITING = 16;
/** Milliseconds for which a client may take nothing of its answer, and for all of it: an answer can hold a file open. */
export const UNREAD_MS = 10_000;
export const ANSWER_MS = 120_000;

/** What is under way on a connection, what waits behind it, and how the connection ends after these, if nothing can be read any more. */
interface Line {
  handled: Exchange | undefined;
  readonly waiting: Exchange[];
  end?: () => void;
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
    const line = this.#lines.get(socket) ?? { handled: undefined, waiting: [] };
    this.#lines.set(socket, line);
    if (line.handled === undefined) this.#begin(line, exchange);
    else if (line.waiting.length < mostWaiting) line.waiting.push(exchange);
    else {
      socket.destroy();
      return false;
    }
    return true;
  }

  /** Whether an answer on this connection is under way. */
  isBusy(socket: Socket): boolean {
    return this.#lines.get(socket)?.handled !== undefined;
  }

  /**
   * Calls `end` where the answer to what was read last and could not be understood belongs: behind the answers to all that came before
   * it. `end` must close the connection.
   */
  endBehind(socket: Socket, end: () => void): void {
    const line = this.#lines.get(socket);
    if (line?.handled === undefined) {
      end();
      return;
    }
    // It was the rest of a request that waits, or that is handled and would wait for its body in vain.
    if (line.waiting.at(-1)?.[0].complete === false) line.waiting.pop();
    const [request, response] = line.handled;
    if (request.complete) line.end = end;
    else if (response.headersSent) socket.destroy();
    else end();
  }

  #begin(line: Line, exchange: Exchange): void {
    const [request, response] = exchange;
    line.handled = exchange;
    const cancel = systemClock.schedule(() => request.socket.destroy(), ANSWER_MS);
    response.once("close", () => {
      cancel();
      line.handled = undefined;
      const next = line.waiting.shift();
      if (request.socket.destroyed || request.socket.writableEnded) line.waiting.length = 0;
      else if (next !== undefined) this.#begin(line, next);
      else line.end?.();
    });
    this.#handle(request, response);
  }
}
