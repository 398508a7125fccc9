import type { Redis } from "ioredis";
import { LuaScript } from "../../stores/runtime/redis.ts";
import type { Beat, BeatAnswer, BeatOptions, Bus, Log, NodeInfo } from "./ports.ts";

const BEAT = new LuaScript(new URL("./beat.lua", import.meta.url));
const LEAVE = new LuaScript(new URL("./leave.lua", import.meta.url));
/** As `beat.lua` describes them. */
const KEYS = ["ringmaster:nodes", "ringmaster:beats", "ringmaster:node-changes", "ringmaster:node-list"];
/** What `beat.lua` returns. */
type BeatReply = [
  ...[time: string, era: string, revision: number, size: number, isWhole: 0 | 1],
  ...[infos: string[], quiet: string[], counted: string[]],
];
const ALL_CHANNEL = "ringmaster:all";
const nodeChannel = (nodeId: string): string => `ringmaster:node:${nodeId}`;

/** A message never holds this character (JSON escapes it), so messages to one node travel joined by it. */
const SEPARATOR = "\u0000";

interface Batch {
  messages: string[];
  sent: Promise<boolean>;
}

/**
 * The bus over Redis: beats in one hash, one channel a node (requests and replies alike) and one for all. Messages of one
 * event-loop turn to the same node go out as one PUBLISH.
 */
export class RedisBus implements Bus {
  readonly #commands: Redis;
  readonly #subscriber: Redis;
  readonly #log: Log;
  readonly #batches = new Map<string, Batch>();
  #channels: string[] = [];
  #asked = false;

  /** `commands` must not queue while offline: a message that waits for a reconnect is neither delivered nor refused. */
  constructor(commands: Redis, log: Log) {
    this.#commands = commands;
    this.#log = log;
    // INFO, which the ready check sends, is refused on a subscribed connection after a reconnect.
    this.#subscriber = commands.duplicate({
      enableReadyCheck: false,
      enableOfflineQueue: true,
      autoResubscribe: false,
    });
    this.#subscriber.on("error", () => {});
    this.#subscriber.on("ready", () => this.#subscribe());
  }

  async beat(info: NodeInfo, count: number, { isNews, known, quietMs }: BeatOptions): Promise<BeatAnswer> {
    this.#ensureHearing();
    const text = JSON.stringify({ info, count } satisfies Beat);
    const args = [info.id, text, isNews ? 1 : 0, known?.era ?? "", known?.number ?? 0, quietMs, crypto.randomUUID()];
    return beatAnswerOf((await BEAT.run(this.#commands, KEYS, args)) as BeatReply);
  }

  /** A subscription only listens, and would not notice that its connection is dead: it has to be asked. */
  #ensureHearing(): void {
    const subscriber = this.#subscriber;
    if (subscriber.status !== "ready" || this.#asked) return;
    this.#asked = true;
    subscriber
      .ping()
      .catch((error: unknown) => {
        if (subscriber.status !== "ready") return;
        this.#log.warn({ err: error }, "the connection on which this node hears its peers is dead; opening another");
        subscriber.disconnect(true);
      })
      .finally(() => {
        this.#asked = false;
      });
  }

  async remove(nodeIds: readonly string[]): Promise<void> {
    if (nodeIds.length > 0) await LEAVE.run(this.#commands, KEYS, nodeIds);
  }

  send(nodeId: string, message: string): Promise<boolean> {
    const open = this.#batches.get(nodeId);
    if (open) {
      open.messages.push(message);
      return open.sent;
    }
    const messages = [message];
    const sent = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      this.#batches.delete(nodeId);
      return this.#publish(nodeChannel(nodeId), messages.join(SEPARATOR));
    });
    this.#batches.set(nodeId, { messages, sent });
    return sent;
  }

  async #publish(channel: string, text: string): Promise<boolean> {
    if (this.#commands.status !== "ready") return false;
    return (await this.#commands.publish(channel, text)) > 0;
  }

  async broadcast(message: string): Promise<void> {
    await this.#publish(ALL_CHANNEL, message);
  }

  async listen(nodeId: string, onMessage: (message: string) => void): Promise<void> {
    this.#channels = [nodeChannel(nodeId), ALL_CHANNEL];
    this.#subscriber.on("message", (_channel, text: string) => {
      for (const message of text.split(SEPARATOR)) onMessage(message);
    });
    await this.#subscriber.subscribe(...this.#channels);
  }

  #subscribe(): void {
    if (this.#channels.length === 0) return;
    this.#subscriber.subscribe(...this.#channels).catch((error: unknown) => {
      this.#log.warn({ err: error }, "cannot subscribe to this node's channel; trying again with the next connection");
    });
  }

  /** What was sent to this node before the end is still heard, and what it then sends still goes out. */
  async close(): Promise<void> {
    if (this.#subscriber.status === "ready") await this.#subscriber.unsubscribe().catch(() => {});
    await new Promise((resolve) => setImmediate(resolve));
    await Promise.allSettled([...this.#batches.values()].map(({ sent }) => sent));
    this.#subscriber.disconnect();
  }
}

function beatAnswerOf([time, era, number, size, isWhole, infos, quiet, counted]: BeatReply): BeatAnswer {
  const answer: BeatAnswer = {
    ...{ at: Number(time) * 1000, revision: { era, number }, isWhole: isWhole === 1, size },
    ...{ infos: [], left: [], quiet: [] },
  };
  const withoutBeat = new Set(counted);
  for (let at = 0; at < infos.length; at += 2) {
    const [id, text] = [infos[at]!, infos[at + 1]!];
    if (text === "") {
      answer.left.push(id);
      continue;
    }
    const { info, count } = JSON.parse(text) as Beat;
    answer.infos.push(info);
    if (withoutBeat.has(id)) answer.quiet.push({ id, mark: count, silentMs: 0 });
  }
  for (let at = 0; at < quiet.length; at += 3)
    answer.quiet.push({ id: quiet[at]!, mark: Number(quiet[at + 1]), silentMs: Number(quiet[at + 2]) });
  return answer;
}
