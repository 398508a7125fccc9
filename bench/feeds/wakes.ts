import { Redis } from "ioredis";
import type { Feed } from "../../src/stores/feeds/Feed.ts";
import { RedisFeed } from "../../src/stores/feeds/RedisFeed.ts";
import { streamKey } from "../../src/stores/feeds/streams.ts";
import { medianOf } from "../runtime/medianOf.ts";

/** What one event costs Redis until its follower has it: what is appended is the same in each way. */
export interface WakeCost {
  commands: number;
  bytesIn: number;
  bytesOut: number;
  /** Of Redis, in microseconds. */
  cpuMicros: number;
  /** From the append to the follower, in milliseconds: the median. */
  latencyMs: number;
}

/** A way to hear many topics. */
export interface Follower {
  /** Is told the topic of each event. */
  heard: (topic: string) => void;
  close(): Promise<void>;
}

export type Way = (url: string, topics: readonly string[]) => Promise<Follower>;

const BLOCK_MS = 5000;

/** Nobody follows: what appending itself costs. */
export const nobody: Way = async () => ({ heard: () => {}, close: async () => {} });

/** The feed's own reader. */
export const subscription: Way = async (url, topics) => {
  const client = new Redis(url);
  const feed: Feed = new RedisFeed(client, url);
  const follower: Follower = {
    heard: () => {},
    close: async () => {
      await feed.close();
      client.disconnect();
    },
  };
  const listener = { onEvent: ({ topic }: { topic: string }) => follower.heard(topic), onReset: () => {} };
  for (let from = 0; from < topics.length; from += 500)
    await Promise.all(topics.slice(from, from + 500).map((topic) => feed.follow(topic, listener)));
  return follower;
};

/** One XREAD over all followed topics that blocks, and is sent again after each event. */
export const blockingRead: Way = async (url, topics) => {
  const client = new Redis(url);
  const keys = topics.map(streamKey);
  const at = new Map(keys.map((key, index) => [key, index]));
  const positions = keys.map(() => "$");
  let closed = false;
  const follower: Follower = {
    heard: () => {},
    close: async () => {
      closed = true;
      client.disconnect();
      await reading;
    },
  };
  const read = async (): Promise<void> => {
    while (!closed) {
      const reply = await client
        .xread("COUNT", 256, "BLOCK", BLOCK_MS, "STREAMS", ...keys, ...positions)
        .catch(() => null);
      for (const [key, entries] of reply ?? []) {
        positions[at.get(key)!] = entries.at(-1)![0];
        follower.heard(topics[at.get(key)!]!);
      }
    }
  };
  // "$" is where a stream ends when the read begins: between two reads nothing may be lost, so the positions are known first.
  for (const [index, key] of keys.entries())
    positions[index] = (await client.xrevrange(key, "+", "-", "COUNT", 1))[0]?.[0] ?? "0-0";
  const reading = read();
  return follower;
};

/** Appends one event after another to topics here and there, each when the one before was heard. */
export async function measureWakes(
  url: string,
  way: Way,
  { topics, events, run }: { topics: readonly string[]; events: number; run: string },
): Promise<WakeCost> {
  const client = new Redis(url);
  const publisher = new RedisFeed(client, url);
  const follower = await way(url, topics);
  const isHeard = way !== nobody;
  const latencies: number[] = [];
  const one = async (at: number): Promise<void> => {
    const topic = topics[(at * 7919) % topics.length]!;
    const heard = Promise.withResolvers<void>();
    follower.heard = (name) => name === topic && heard.resolve();
    const from = performance.now();
    await publisher.append([
      { key: `${run}-${at}`, topic, at: from, type: "phase", data: { phase: "open", endsAt: 1 } },
    ]);
    if (isHeard) await heard.promise;
    latencies.push(performance.now() - from);
  };
  try {
    for (let at = 0; at < 20; at += 1) await one(events + at);
    latencies.length = 0;
    const before = await statsOf(client);
    for (let at = 0; at < events; at += 1) await one(at);
    const after = await statsOf(client);
    const each = (name: keyof typeof after): number => (after[name] - before[name]) / events;
    return {
      commands: each("commands"),
      bytesIn: each("bytesIn"),
      bytesOut: each("bytesOut"),
      cpuMicros: each("cpu") * 1e6,
      latencyMs: medianOf(latencies),
    };
  } finally {
    await Promise.all([follower.close(), publisher.close()]);
    client.disconnect();
  }
}

async function statsOf(client: Redis) {
  const info = `${await client.info("stats")}${await client.info("cpu")}`;
  const of = (name: string): number => Number(new RegExp(`^${name}:(\\S+)`, "m").exec(info)![1]);
  return {
    commands: of("total_commands_processed"),
    bytesIn: of("total_net_input_bytes"),
    bytesOut: of("total_net_output_bytes"),
    cpu: of("used_cpu_sys") + of("used_cpu_user"),
  };
}
