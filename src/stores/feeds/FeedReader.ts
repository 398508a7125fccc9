import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { systemClock, systemRng } from "../../clock.ts";
import { LuaScript } from "../runtime/redis.ts";
import { type FeedListener, Listeners } from "./Listeners.ts";
import { BEGINNING, eventOf, INCARNATION_KEY, isAfter, type StreamEntry, streamKey, wakeKey } from "./streams.ts";

/** How long one read blocks when nothing comes, in milliseconds; after it the reader looks whether the feed was wiped. */
export const BLOCK_MS = 5000;
/** Entries a topic per read: what a burst costs in one reply. */
const BATCH = 256;
/** The pause after a read that the server refused (it is loading, or busy with a script), in milliseconds. */
const REFUSED_PAUSE_MS = 200;
/** A wake-up only has to outlive the moment between two reads. */
const WAKE_TTL_MS = 60_000;

const resumeScript = new LuaScript(new URL("./resume.lua", import.meta.url));

/**
 * The one blocking reader of a node: fans in every topic that is followed on it, on a connection of its own. It remembers
 * its position in each topic, so that an outage neither loses nor doubles an event. A change of the topics wakes it through
 * a stream that only it reads: unlike an unblocking of the connection, an entry cannot come too early to be noticed.
 */
export class FeedReader {
  readonly #commands: Redis;
  readonly #blocking: Redis;
  readonly #listeners: Listeners;
  readonly #logger: Pick<Logger, "warn" | "error"> | undefined;
  readonly #wakeKey = wakeKey(systemRng.id());
  /** The id of the last entry read, by followed topic. */
  readonly #positions = new Map<string, string>();
  #wakePosition = BEGINNING;
  #incarnation: string | undefined;
  #wipes = 0;
  #running: Promise<void> | undefined;
  readonly #closing = new AbortController();

  /** `blocking` must serve nothing else. */
  constructor(commands: Redis, blocking: Redis, logger?: Pick<Logger, "warn" | "error">) {
    this.#commands = commands;
    this.#blocking = blocking;
    this.#logger = logger;
    this.#listeners = new Listeners(logger);
  }

  /** Rejects with the client's error when Redis does not tell where the topic ends. */
  async follow(topic: string, listener: FeedListener): Promise<() => void> {
    if (this.#closing.signal.aborted) throw new Error("The reader is closed.");
    const newest = await this.#commands.xrevrange(streamKey(topic), "+", "-", "COUNT", 1);
    const start = newest[0]?.[0] ?? BEGINNING;
    const remove = this.#listeners.add(topic, this.#from(start, listener));
    if (!this.#positions.has(topic)) {
      this.#positions.set(topic, start);
      this.#wake();
    }
    this.#running ??= this.#run();
    return () => {
      remove();
      if (!this.#listeners.has(topic)) this.#positions.delete(topic);
    };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#blocking.disconnect();
    await this.#running;
  }

  /** A topic that is followed already may have been read less far than where a new listener starts. */
  #from(start: string, listener: FeedListener): FeedListener {
    const wipes = this.#wipes;
    let started = false;
    return (event) => {
      started ||= this.#wipes > wipes || isAfter(event.id, start);
      if (started) listener(event);
    };
  }

  async #run(): Promise<void> {
    while (await this.#isReady()) {
      try {
        await this.#resume();
        while (!this.#closing.signal.aborted) if (!(await this.#read())) await this.#resume();
      } catch (error) {
        if (this.#closing.signal.aborted || this.#blocking.status !== "ready") continue;
        this.#logger?.warn({ reason: (error as Error).message }, "Redis refuses to read the feeds");
        await new Promise<void>((resolve) => systemClock.schedule(resolve, REFUSED_PAUSE_MS));
      }
    }
  }

  /** Waits for the connection; false once this is closed. (A client that is ended between two attempts to connect tells nobody.) */
  #isReady(): Promise<boolean> {
    const { signal } = this.#closing;
    if (signal.aborted || this.#blocking.status === "ready") return Promise.resolve(!signal.aborted);
    return new Promise((resolve) => {
      const settle = (): void => {
        this.#blocking.off("ready", settle);
        signal.removeEventListener("abort", settle);
        resolve(!signal.aborted);
      };
      this.#blocking.on("ready", settle);
      signal.addEventListener("abort", settle);
    });
  }

  /**
   * After an outage or a quiet while: where a wiped feed no longer has the entry that was read last, everything it holds is
   * new, whatever its ids (the clock of another server may be behind).
   */
  async #resume(): Promise<void> {
    this.#wakePosition = BEGINNING;
    const topics = [...this.#positions];
    const [incarnation, ...exists] = (await resumeScript.run(
      this.#blocking,
      [INCARNATION_KEY, ...topics.map(([topic]) => streamKey(topic))],
      [systemRng.id(), ...topics.map(([, position]) => position)],
    )) as [string, ...number[]];
    const wiped = this.#incarnation !== undefined && this.#incarnation !== incarnation;
    this.#incarnation = incarnation;
    if (!wiped) return;
    this.#wipes += 1;
    topics.forEach(([topic, position], i) => {
      if (exists[i] === 0 && this.#positions.get(topic) === position) this.#positions.set(topic, BEGINNING);
    });
  }

  /** One blocking read; false when nothing came. */
  async #read(): Promise<boolean> {
    const topics = [...this.#positions];
    const keys = [this.#wakeKey, ...topics.map(([topic]) => streamKey(topic))];
    const ids = [this.#wakePosition, ...topics.map(([, position]) => position)];
    const reply = await this.#blocking.xread("COUNT", BATCH, "BLOCK", BLOCK_MS, "STREAMS", ...keys, ...ids);
    if (reply === null) return false;
    const topicOf = new Map(topics.map(([topic], i) => [keys[i + 1]!, topic]));
    for (const [key, entries] of reply) {
      const topic = topicOf.get(key);
      if (topic === undefined) this.#wakePosition = entries.at(-1)![0];
      else this.#deliver(topic, entries);
    }
    return true;
  }

  #deliver(topic: string, entries: StreamEntry[]): void {
    for (const entry of entries) {
      if (!this.#positions.has(topic)) return;
      this.#positions.set(topic, entry[0]);
      this.#listeners.tell(eventOf(topic, entry));
    }
  }

  /** Has a read that blocks come back and take up the new topic. When this fails, so does that read, and the next one has it. */
  #wake(): void {
    this.#commands
      .multi()
      .xadd(this.#wakeKey, "MAXLEN", 1, "*", "wake", "1")
      .pexpire(this.#wakeKey, WAKE_TTL_MS)
      .exec()
      .catch((error: Error) => this.#logger?.warn({ reason: error.message }, "The reader of the feeds was not woken"));
  }
}
