import type { Database } from "../../entities/sql.ts";
import type { ActorAddress } from "./actorRow.ts";
import type { CallOptions } from "./Calls.ts";
import type { TimerRecord } from "./timers.ts";

/** A timer whose handler keeps throwing, as operators see it. Times are epoch milliseconds. */
export interface FailingTimer {
  actor: ActorAddress;
  timer: string;
  /** When the firing that fails was due. */
  dueAt: number;
  attempts: number;
  failedAt: number;
  againAt: number;
  /** What the last attempt failed with. */
  error: string;
}

type Call = (actor: ActorAddress, method: string, args: unknown[], options: CallOptions) => Promise<unknown>;

/** What an actor is called by to try a timer again at once; no class can have a method of this name by mistake. */
export const RETRY_TIMER = "timer:retry";

/** The timers of all actors that keep failing. */
export class FailingTimers {
  readonly #database: Database;
  readonly #call: Call;

  constructor(ports: {
    database: Database;
    call: Call;
  }) {
    this.#database = ports.database.of("control");
    this.#call = ports.call;
  }

  /** Those of the actors that failed last, newest first. */
  async list(limit: number): Promise<FailingTimer[]> {
    const rows = await this.#database.query<ActorAddress & { timers: string }>(
      "SELECT kind, id, timers FROM actors WHERE failing_at IS NOT NULL ORDER BY failing_at DESC LIMIT ?",
      [limit],
    );
    return rows.flatMap(({ kind, id, timers }) =>
      (JSON.parse(timers) as TimerRecord[]).flatMap(({ name, due, failed }) => {
        if (!failed) return [];
        const { attempts, at, waitMs, error } = failed;
        const again = { failedAt: at, againAt: at + waitMs };
        return [{ actor: { kind, id }, timer: name, dueAt: due, attempts, ...again, error }];
      }),
    );
  }

  /** Tries it again at once, on whichever node its actor lives. Throws `not_found` when it does not fail. */
  async retry(actor: ActorAddress, timer: string, options: CallOptions = {}): Promise<void> {
    await this.#call(actor, RETRY_TIMER, [timer], options);
  }
}
