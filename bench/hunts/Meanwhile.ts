import { setInterval } from "node:timers/promises";
import { Latencies, type LatencySummary } from "../../loadtest/runtime/Latencies.ts";
import { AssignmentJournal } from "../../src/actors/hunts/AssignmentJournal.ts";
import { systemClock } from "../../src/clock.ts";
import { Hunts } from "../../src/entities/hunts/Hunt.ts";
import type { Database } from "../../src/entities/sql.ts";
import { type AssignmentRow, OUTCOME } from "../../src/stores/hunts/ClueLedger.ts";
import { residentMbOf } from "../runtime/usage.ts";

export interface MeanwhileResult {
  /** Milliseconds from a request to its answer. */
  commits: LatencySummary;
  reads: LatencySummary;
  failed: number;
  /** Resident memory of this process at the beginning, and the most that was seen. */
  memoryMb: { before: number; most: number };
}

const OTHER = "other";
/** A player's claim to another hunt, and a read of the list of hunts, each so often whether the last ones are answered or not. */
const EVERY_MS = 20;

/** What others wait for in the same process and database while a hunt is being revealed. */
export class Meanwhile {
  readonly #hunts: Hunts;
  readonly #journal: AssignmentJournal;
  readonly #commits = new Latencies();
  readonly #reads = new Latencies();
  readonly #stop = new AbortController();
  readonly #under = new Set<Promise<void>>();
  readonly #memoryMb = { before: residentMbOf(process.pid), most: 0 };
  readonly #running: Promise<void>;
  #failed = 0;

  static async begin(database: Database): Promise<Meanwhile> {
    await database.write(
      `INSERT INTO hunts (id, name, phase, starts_at, phase_ends_at, ends_at, ledger_epoch, definition, created_by, created_at, updated_at)
       VALUES (?, 'Another hunt', 'solving', 1, ?, ?, 1, '{}', 'bench', 1, 1)`,
      [OTHER, ...Array.from({ length: 2 }, () => Date.now() + 86_400_000)],
    );
    return new Meanwhile(database);
  }

  private constructor(database: Database) {
    const commits = database.of("commits");
    this.#hunts = new Hunts(commits);
    this.#journal = new AssignmentJournal(commits, systemClock);
    this.#running = this.#run();
  }

  async end(): Promise<MeanwhileResult> {
    this.#stop.abort();
    await this.#running;
    await Promise.all(this.#under);
    const [commits, reads] = [this.#commits.summary(), this.#reads.summary()];
    return { commits, reads, failed: this.#failed, memoryMb: this.#memoryMb };
  }

  async #run(): Promise<void> {
    let instance = 0;
    try {
      for await (const _ of setInterval(EVERY_MS, undefined, { signal: this.#stop.signal })) {
        this.#ask(this.#commits, () => this.#journal.commit(OTHER, 1, [rowOf(instance++)]));
        this.#ask(this.#reads, () => this.#hunts.list());
        this.#memoryMb.most = Math.max(this.#memoryMb.most, residentMbOf(process.pid));
      }
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error;
    }
  }

  #ask(latencies: Latencies, request: () => Promise<unknown>): void {
    const startedAt = performance.now();
    const asked = request().then(
      () => latencies.record(performance.now() - startedAt),
      () => {
        this.#failed += 1;
      },
    );
    this.#under.add(asked);
    void asked.then(() => this.#under.delete(asked));
  }
}

function rowOf(instance: number): AssignmentRow {
  const player = { playerId: `p${instance}`, playerName: `Player ${instance}` };
  const times = { openedAt: 1, expiresAt: 2, closedAt: 0 };
  const answers = { attemptsBefore: 0, attemptsUsed: 0, requestMarks: "" };
  return { instance, generation: 1, ...player, ...times, ...answers, outcome: OUTCOME.open, points: 0, solveSeq: 0 };
}
