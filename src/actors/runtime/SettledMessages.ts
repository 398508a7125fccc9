import { type Clock, sleep } from "../../clock.ts";
import type { MessageTable } from "./MessageTable.ts";
import { type MessageId, messageKey } from "./messages.ts";
import type { Log } from "./ports.ts";

/** Settled messages that are still in the table; with so many nobody is called until they can be deleted. */
const BOUND = 10_000;
const DELETE_AGAIN_MS = 100;

/**
 * Messages that are settled and still in the table, out of which they are taken, one statement at a time. A node that reads one there
 * before delivers it again, to an actor whose mark says that it has had it.
 */
export class SettledMessages {
  readonly #table: MessageTable;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #onDeleted: () => void;
  readonly #settled = new Map<string, MessageId>();
  #isDeleting = false;

  constructor(ports: { messages: MessageTable; clock: Clock; log: Log }, onDeleted: () => void) {
    this.#table = ports.messages;
    this.#clock = ports.clock;
    this.#log = ports.log;
    this.#onDeleted = onDeleted;
  }

  get isFull(): boolean {
    return this.#settled.size >= BOUND;
  }

  has(id: MessageId): boolean {
    return this.#settled.has(messageKey(id));
  }

  add({ kind, id, version, index }: MessageId): void {
    const settled = { kind, id, version, index };
    this.#settled.set(messageKey(settled), settled);
    void this.#delete();
  }

  /** They may be a peer's by now. */
  forget(): void {
    this.#settled.clear();
  }

  async #delete(): Promise<void> {
    if (this.#isDeleting) return;
    this.#isDeleting = true;
    while (this.#settled.size > 0) {
      const settled = [...this.#settled];
      try {
        await this.#table.delete(settled.map(([, id]) => id));
        for (const [key] of settled) this.#settled.delete(key);
      } catch (error) {
        this.#log.warn({ err: error, settled: settled.length }, "settled messages could not be deleted; trying again");
        await sleep(this.#clock, DELETE_AGAIN_MS);
      }
      this.#onDeleted();
    }
    this.#isDeleting = false;
  }
}
