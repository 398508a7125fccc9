import { type Connection, createConnection } from "mysql2";
import type { Clock } from "../clock.ts";

/** A question that takes a moment when the database is there. */
export interface Question {
  /** Rejects when the answer is an error. May never settle. */
  ask(): Promise<void>;
  /** Gives up what was asked; the next question begins anew. */
  giveUp(): void;
}

/** From one answer, or failure, to the next question. */
const ASK_EVERY_MS = 1000;
/** No answer in this time is a failure; a database that answers at all is much quicker. */
const ANSWER_MS = 2000;
/** So many failures in a row mean that it is out of reach, and so many answers that it is back: one of a kind says nothing. */
const IN_A_ROW = 2;

/**
 * Asks a database whether it is there, as long as this node runs. Out of reach is told within 2 s when connections are refused or
 * break, and within 6 s when they are silent; that it is back, within 2 s of its first answer.
 */
export class DatabaseProbe {
  readonly #question: Question;
  readonly #clock: Clock;
  readonly #told: (isThere: boolean) => void;
  #isThere = true;
  /** Answers, or failures, in a row that speak against what was told last. */
  #contrary = 0;
  #cancel: (() => void) | undefined;
  #isStopped = false;

  /** `told` is called with every change; before the first one, the database counts as there. */
  constructor(question: Question, ports: { clock: Clock; told(isThere: boolean): void }) {
    this.#question = question;
    this.#clock = ports.clock;
    this.#told = ports.told;
  }

  start(): void {
    this.#cancel = this.#clock.schedule(() => void this.#ask(), ASK_EVERY_MS);
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
    this.#question.giveUp();
  }

  async #ask(): Promise<void> {
    const isThere = await this.#isAnswered();
    if (this.#isStopped) return;
    if (!isThere) this.#question.giveUp();
    this.#contrary = isThere === this.#isThere ? 0 : this.#contrary + 1;
    if (this.#contrary === IN_A_ROW) {
      this.#contrary = 0;
      this.#isThere = isThere;
      this.#told(isThere);
    }
    this.start();
  }

  #isAnswered(): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const cancel = this.#clock.schedule(() => resolve(false), ANSWER_MS);
    this.#question.ask().then(
      () => resolve(true),
      () => resolve(false),
    );
    return promise.finally(cancel);
  }
}

/** Asks MySQL on a connection of its own: those of the pool may all be waiting for it. */
export function mysqlQuestion(url: string): Question {
  let connection: Connection | undefined;
  return {
    ask: () => {
      connection ??= connect(url);
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      connection.query("SELECT 1", (error) => (error ? reject(error) : resolve()));
      return promise;
    },
    giveUp: () => {
      connection?.destroy();
      connection = undefined;
    },
  };
}

function connect(url: string): Connection {
  const connection = createConnection({ uri: url, connectTimeout: ANSWER_MS });
  // What fails is told to whoever asked.
  connection.on("error", () => {});
  return connection;
}
