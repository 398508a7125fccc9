import type { Redis } from "ioredis";
import { systemRng } from "../../clock.ts";
import { RedisRun } from "../runtime/RedisRun.ts";
import { LuaScript } from "../runtime/redis.ts";
import { FEED_DEDUPE_MS, FEED_IDLE_MS, FEED_KEEPS, type FeedAppend } from "./Feed.ts";
import {
  BEGINNING,
  GENERATION_KEY,
  markKey,
  type Position,
  type StreamEntry,
  senderKey,
  streamKey,
} from "./streams.ts";

/** A topic, and where in it a reader stands; `undefined` where it knows nothing yet. */
export interface TopicCursor {
  topic: string;
  position: Position | undefined;
}

/** What a stream had to tell. */
export interface StreamRead {
  /** Which of the cursors it answers. */
  at: number;
  /** Something that the cursor's holder missed is left out. */
  reset: boolean;
  /** Oldest first. */
  entries: StreamEntry[];
}

/** Events per script: Redis serves nobody else while one runs. */
const BATCH = 256;
/** Entries after which a read of many streams stops. */
const ENOUGH = 2000;

const appendScript = new LuaScript(new URL("./append.lua", import.meta.url));
const readScript = new LuaScript(new URL("./read.lua", import.meta.url));

/**
 * The streams of the topics, one each, in their present **generation**: what was appended since the server may last have lost something.
 * A new one begins with each run of the server, since that may have come back older than it was (a snapshot, a replica that lagged),
 * and when the data are wiped. Its id is drawn by whoever comes first, so that no generation is ever there twice.
 *
 * Everything rejects with `unavailable` when Redis is out of reach.
 */
export class FeedStreams {
  readonly #run: RedisRun;

  constructor(client: Redis) {
    this.#run = new RedisRun(client);
  }

  async append(events: readonly FeedAppend[]): Promise<void> {
    for (let from = 0; from < events.length; from += BATCH) {
      const batch = events.slice(from, from + BATCH);
      const streams = batch.map(({ topic }) => streamKey(topic));
      const knownBy = batch.map(({ key, from }) => (from ? senderKey(from.sender) : markKey(key)));
      const keys = [GENERATION_KEY, ...streams, ...knownBy];
      const fields = batch.flatMap(({ at, type, data, from }) => [
        ...[at, type, JSON.stringify(data ?? null)],
        ...[from?.version ?? "", from?.index ?? ""],
      ]);
      await this.#run.call(appendScript, keys, [systemRng.id(), FEED_KEEPS, FEED_DEDUPE_MS, FEED_IDLE_MS, ...fields]);
    }
  }

  /**
   * Reads the streams from the cursors, at most `limit` entries each. `read` has those with something to tell; only the first `done`
   * were read when that was much.
   */
  async read(
    cursors: readonly TopicCursor[],
    limit: number,
  ): Promise<{ generation: string; done: number; read: StreamRead[] }> {
    const keys = [GENERATION_KEY, ...cursors.map(({ topic }) => streamKey(topic))];
    const positions = cursors.flatMap(({ position }) => [position?.generation ?? "", position?.id ?? ""]);
    const args = [systemRng.id(), limit, ENOUGH, FEED_IDLE_MS, ...positions];
    const reply = (await this.#run.call(readScript, keys, args)) as [
      string,
      number,
      ...[number, number, StreamEntry[]][],
    ];
    const [generation, done, ...told] = reply;
    const read = told.map(([number, reset, entries]) => ({ at: number - 1, reset: reset === 1, entries }));
    return { generation, done, read };
  }

  /** The position behind the topic's newest event. */
  async end(topic: string): Promise<Position> {
    const { generation, read } = await this.read([{ topic, position: undefined }], 1);
    return { generation, id: read[0]?.entries[0]?.[0] ?? BEGINNING };
  }

  close(): void {
    this.#run.close();
  }
}
