import { appendFileSync, writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import type { Bot, Seat } from "./Bot.ts";
import type { LoadFlags } from "./flags.ts";
import type { LatencySummary } from "./Latencies.ts";
import { countReconnections } from "./reconnections.ts";
import type { Counts, Tally } from "./Tally.ts";

/** What `--report` writes. Latencies are in milliseconds. */
export type Report<Event extends string, Timed extends string> = Counts &
  Record<Event, number> & {
    startedAt: string;
    seconds: number;
    /** How the test was set. */
    parameters: Record<string, string | number>;
    latencyMs: Record<Timed, LatencySummary>;
  };

export interface LoadTestOptions<Event extends string, Timed extends string> {
  flags: LoadFlags;
  /** What the report names beside the shared flags. */
  parameters: Record<string, string | number>;
  tally: Tally<Event, Timed>;
  makeBot(seat: Seat): Bot;
}

/** How often a test without a screen tells how it stands. */
const TELL_EVERY_MS = 2000;
/** What is still unanswered this long after the end will not be: the SDK gives up on a request after 10 s. */
const LONGEST_END_MS = 12_000;

/** Many bots on one server, for a while; then a report and an exit code: 0 when all got in and nothing happened that must not. */
export class LoadTest<Event extends string, Timed extends string> {
  readonly #options: LoadTestOptions<Event, Timed>;
  readonly #bots = new Map<number, Bot>();
  readonly #startedAt = new Date();
  readonly #ending = new AbortController();

  constructor(options: LoadTestOptions<Event, Timed>) {
    this.#options = options;
  }

  /** Resolves when it has ended, for good. */
  async run(): Promise<void> {
    const { duration, numClients } = this.#options.flags;
    countReconnections(this.#options.tally.counts);
    if (duration !== undefined) setTimeout(() => void this.#end(), duration * 1000);
    if (process.stdout.isTTY && !process.env.CI) await this.#onScreen();
    else await this.#inLines(numClients);
  }

  /** The screen of the colyseus loadtest tool, which has its own eye on the command line, connects, and ends at `q`. */
  async #onScreen(): Promise<void> {
    const { roomId, roomName } = this.#options.flags;
    const isNamed = process.argv.some((argument) => /^--(room|roomId)\b/.test(argument));
    if (!isNamed && roomId === undefined) process.argv.push("--room", roomName);
    const { cli } = await import("@colyseus/loadtest");
    cli(({ clientId }) => this.#connect(clientId));
    // After the screen's own handler, which leaves the screen.
    process.once("exit", () => this.#report());
  }

  async #inLines(numClients: number): Promise<void> {
    process.once("exit", () => this.#report());
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => void this.#end());
    const telling = setInterval(() => this.#tell(), TELL_EVERY_MS);
    this.#ending.signal.addEventListener("abort", () => clearInterval(telling));
    const { delay, reestablishAllDelay } = this.#options.flags;
    for (let id = 0; id < numClients && !this.#ending.signal.aborted; id++) {
      await this.#connect(id).catch((error: Error) => this.#say(`player ${id} could not join: ${error.message}`));
      if (delay > 0) await this.#sleep(delay);
    }
    if (this.#bots.size === 0) await this.#end();
    while (reestablishAllDelay > 0 && !this.#ending.signal.aborted) {
      await this.#sleep(reestablishAllDelay);
      for (const bot of this.#bots.values()) bot.drop();
    }
  }

  /** A client that has been connected before comes back by itself. */
  async #connect(id: number): Promise<void> {
    if (this.#bots.has(id) || this.#ending.signal.aborted) return;
    const { endpoint, roomId, roomName } = this.#options.flags;
    const bot = this.#options.makeBot({ endpoint, roomId, roomName });
    this.#bots.set(id, bot);
    try {
      await bot.join();
    } catch (error) {
      this.#bots.delete(id);
      this.#options.tally.counts.joinsFailed += 1;
      throw error;
    }
  }

  async #end(): Promise<void> {
    if (this.#ending.signal.aborted) process.exit(1);
    this.#ending.abort();
    const left = Promise.all([...this.#bots.values()].map((bot) => bot.end()));
    await Promise.race([left, pause(LONGEST_END_MS)]);
    process.exit(this.#exitCode());
  }

  #exitCode(): number {
    return this.#options.tally.isClean ? 0 : 1;
  }

  /** Runs as the process exits, however it came to that: it must not wait for anything. */
  #report(): void {
    const { flags, parameters, tally } = this.#options;
    if (!tally.isClean) process.exitCode = 1;
    const report: Report<Event, Timed> = {
      startedAt: this.#startedAt.toISOString(),
      seconds: this.#seconds(),
      parameters: { endpoint: flags.endpoint, numClients: flags.numClients, ...parameters },
      ...tally.events,
      ...tally.counts,
      latencyMs: tally.latencies(),
    };
    if (flags.report !== undefined) writeFileSync(flags.report, `${JSON.stringify(report, null, 2)}\n`);
    this.#say(this.#summary());
    for (const sample of tally.counts.protocolErrorSamples) this.#say(`protocol error: ${sample}`);
  }

  #tell(): void {
    this.#say(this.#summary());
  }

  #summary(): string {
    const { events, counts } = this.#options.tally;
    const { errors, protocolErrorSamples: _, ...numbers } = counts;
    const told = [...Object.entries<number>(numbers), ...Object.entries<number>(events), ...Object.entries(errors)]
      .filter(([name, count]) => count > 0 || name === "joined")
      .map(([name, count]) => `${name} ${count}`);
    const times = Object.entries<LatencySummary>(this.#options.tally.latencies())
      .filter(([, { count }]) => count > 0)
      .map(([name, { p50, p99 }]) => `${name} p50 ${p50} p99 ${p99} ms`);
    return `${this.#seconds().toFixed(0)} s: ${[...told, ...times].join(", ")}`;
  }

  #seconds(): number {
    return (Date.now() - this.#startedAt.getTime()) / 1000;
  }

  #say(line: string): void {
    const { output } = this.#options.flags;
    process.stdout.write(`${line}\n`);
    if (output !== undefined && !process.stdout.isTTY) appendFileSync(output, `${line}\n`);
  }

  async #sleep(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.#ending.signal }).catch(() => {});
  }
}
