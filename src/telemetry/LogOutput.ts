import type { Writable } from "node:stream";
import type { DestinationStream } from "pino";
import { systemClock } from "../clock.ts";

/** What waits at most for a reader that is slow, in bytes. */
export const MOST_UNREAD_LOG_BYTES = 4 * 1024 * 1024;

/**
 * Where the log goes: a stream that the process must never wait for. What its reader is too slow for, beyond 4 MB, is left out,
 * and counted in a line of its own. Once the reader is gone (`npm start | pino-pretty` ended), nothing is written any more. Pino's
 * own destination asks a pipe that is full or closed again and again when the process ends, so that it never does.
 */
export class LogOutput implements DestinationStream {
  readonly #stream: Writable;
  readonly #mostUnread: number;
  #isClosed = false;
  #leftOut = 0;

  constructor(stream: Writable, mostUnread = MOST_UNREAD_LOG_BYTES) {
    this.#stream = stream;
    this.#mostUnread = mostUnread;
    // Without a listener it would end the process.
    stream.on("error", () => {
      this.#isClosed = true;
    });
  }

  /** Bytes that wait for the reader. */
  get unread(): number {
    return this.#stream.writableLength;
  }

  write(line: string): void {
    if (this.#isClosed) return;
    if (this.#stream.writableLength > this.#mostUnread) {
      this.#leftOut += 1;
      return;
    }
    if (this.#leftOut > 0) {
      const entry = { level: "warn", time: new Date(systemClock.now()), leftOut: this.#leftOut };
      this.#leftOut = 0;
      this.#stream.write(`${JSON.stringify({ ...entry, msg: "The log's reader was too slow for some lines" })}\n`);
    }
    this.#stream.write(line);
  }

  /** Resolves once all is with the reader, which is given at most `ms` milliseconds. */
  flush(ms: number): Promise<void> {
    if (this.#isClosed || this.#stream.writableLength === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        resolve();
      };
      const cancel = systemClock.schedule(end, ms);
      this.#stream.write("", end);
      this.#stream.once("error", end);
    });
  }
}
