import { type Connection, type ConnectionOptions, createConnection } from "mysql2";
import type { Clock, Rng } from "../clock.ts";
import { failureOf } from "./failures.ts";
import { CONNECTION, discard } from "./MysqlConnection.ts";

/** A question that takes a moment when the database is there and commits. */
export interface Question {
  /** Whether the next question goes by a new connection: only then does silence tell of the database, and not of an old connection. */
  readonly isFresh: boolean;
  /** Rejects when the database cannot be reached, or says no. May never settle. */
  ask(): Promise<void>;
  /** Gives up what was asked; the next question begins anew. */
  giveUp(): void;
}

/**
 * How a database stands for this node: it commits (`works`); it does not, though it may be reached, or nobody knows yet (`fails`); or two
 * questions in a row, each on a new connection, had no answer (`unreachable`). A database whose connections are all in use is not.
 */
export type Reach = "works" | "fails" | "unreachable";

/** From one question to the next. */
const ASK_EVERY_MS = 1000;
/** The same while the database does not work, so that nobody waits long for it to be back. */
const ASK_AGAIN_MS = 400;
/** No answer in this time is a failure; a database that answers at all is much quicker. */
const ANSWER_MS = 1500;
/** How often it is looked whether this process goes on while it waits: a look that comes as late as this means that it stood still. */
const LOOK_MS = 250;
/** So many failures in a row mean that it does not work, and so many answers that it does: one of a kind says nothing. */
const IN_A_ROW = 2;

/**
 * Asks a database whether it commits, as long as this node runs. That it does not is told within 2 s when it says so or refuses connections,
 * and within 4 s when it is silent; that it is unreachable, within 6 s; that it works again, within 2 s.
 */
export class DatabaseProbe {
  readonly #question: Question;
  readonly #clock: Clock;
  readonly #gaveUp: () => void;
  readonly #listeners: Array<(reach: Reach, why: unknown) => void> = [];
  #reach: Reach = "works";
  #why: unknown;
  #answers = 0;
  #failures = 0;
  /** Failures in a row on new connections of which nobody answered. */
  #silences = 0;
  #cancel: (() => void) | undefined;
  #isStopped = false;

  /** `gaveUp` is called whenever a question had no answer. */
  constructor(question: Question, ports: { clock: Clock; gaveUp?: () => void }) {
    this.#question = question;
    this.#clock = ports.clock;
    this.#gaveUp = ports.gaveUp ?? (() => {});
  }

  /** Before anything is known, the database works. */
  get reach(): Reach {
    return this.#reach;
  }

  /**
   * `notify` is called with every change, and with the error that tells why it does not work; also at once where that is how things stand
   * already.
   */
  watch(notify: (reach: Reach, why: unknown) => void): void {
    this.#listeners.push(notify);
    if (this.#reach !== "works") notify(this.#reach, this.#why);
  }

  start(): void {
    this.#askIn(ASK_EVERY_MS);
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
    this.#question.giveUp();
  }

  #askIn(ms: number): void {
    this.#cancel = this.#clock.schedule(() => void this.#ask(), ms);
  }

  async #ask(): Promise<void> {
    const began = this.#clock.monotonic();
    const wasFresh = this.#question.isFresh;
    const failure = await this.#failureOfQuestion();
    if (this.#isStopped) return;
    if (failure === "unknown") this.#question.giveUp();
    else if (failure === undefined) this.#answered();
    else this.#failed(failure.error, wasFresh);
    const everyMs = this.#reach === "works" ? ASK_EVERY_MS : ASK_AGAIN_MS;
    this.#askIn(Math.max(0, everyMs - (this.#clock.monotonic() - began)));
  }

  #answered(): void {
    this.#failures = 0;
    this.#silences = 0;
    this.#answers += 1;
    if (this.#answers >= IN_A_ROW) this.#notify("works", undefined);
  }

  #failed(error: unknown, wasFresh: boolean): void {
    const isSilent = ["lost", "unreachable"].includes(failureOf(error));
    this.#question.giveUp();
    if (isSilent) this.#gaveUp();
    this.#answers = 0;
    this.#failures += 1;
    this.#silences = isSilent && wasFresh ? this.#silences + 1 : 0;
    if (this.#silences >= IN_A_ROW) this.#notify("unreachable", error);
    else if (this.#failures >= IN_A_ROW) this.#notify("fails", error);
  }

  #notify(reach: Reach, why: unknown): void {
    if (reach === this.#reach) return;
    this.#reach = reach;
    this.#why = why;
    // One that throws must not keep the others from hearing of it, nor end the asking; it is told as any rejection that nobody awaits.
    for (const notify of this.#listeners) void (async () => notify(reach, why))();
  }

  /** `unknown`: it failed while this process itself stood still, which says nothing of the database. */
  async #failureOfQuestion(): Promise<{ error: unknown } | "unknown" | undefined> {
    const { promise, resolve } = Promise.withResolvers<{ error: unknown } | undefined>();
    let stoodStill = false;
    let cancel = (): void => {};
    const look = (left: number): void => {
      const due = this.#clock.monotonic() + LOOK_MS;
      cancel = this.#clock.schedule(() => {
        stoodStill ||= this.#clock.monotonic() - due > LOOK_MS;
        if (left > 1) look(left - 1);
        // What has arrived by then is read first.
        else cancel = this.#clock.schedule(() => resolve({ error: NO_ANSWER }), 0);
      }, LOOK_MS);
    };
    look(ANSWER_MS / LOOK_MS);
    this.#question.ask().then(
      () => resolve(undefined),
      (error: unknown) => resolve({ error }),
    );
    const failure = await promise.finally(() => cancel());
    return failure && stoodStill ? "unknown" : failure;
  }
}

const NO_ANSWER = Object.assign(new Error(`no answer within ${ANSWER_MS} ms`), { code: "STATEMENT_TIMEOUT" });

/** Rows that nodes write: one each, but for a few that share one. So they neither wait for each other, nor does their table grow. */
const SLOTS = 1024;
const WRITE =
  "INSERT INTO database_probes (slot, asked_at) VALUES (?, ?) ON DUPLICATE KEY UPDATE asked_at = VALUES(asked_at)";

/**
 * Has MySQL commit a row on a connection of its own: those of the pools may all be waiting for it, and one that is read-only answers whoever
 * only reads. `refusal`: with what it has just refused to store something else, if it has: a full disk has room for a row that is there.
 */
export function mysqlQuestion(
  url: string,
  ports: { clock: Pick<Clock, "now">; rng: Rng; refusal: () => unknown },
): Question {
  const options: ConnectionOptions = { ...CONNECTION, uri: url, connectTimeout: ANSWER_MS };
  const slot = Math.floor(ports.rng.next() * SLOTS);
  let connection: Connection | undefined;
  return {
    get isFresh() {
      return connection === undefined;
    },
    ask: () => {
      connection ??= connect(options);
      const asked = connection;
      return new Promise((resolve, reject) => {
        asked.query(WRITE, [slot, ports.clock.now()], (error) => {
          const failure = error ?? ports.refusal();
          if (failure === undefined) resolve();
          else reject(failure);
        });
      });
    },
    giveUp: () => {
      if (connection) discard(connection);
      connection = undefined;
    },
  };
}

function connect(options: ConnectionOptions): Connection {
  const connection = createConnection(options);
  // What fails is told to whoever asked.
  connection.on("error", () => {});
  return connection;
}
