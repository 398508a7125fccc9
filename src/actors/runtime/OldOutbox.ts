import type { Database } from "../../entities/sql.ts";
import type { Feed } from "../../stores/feeds/Feed.ts";
import type { OutgoingEvent } from "./Actor.ts";
import type { ActorAddress } from "./actorRow.ts";
import type { Log } from "./ports.ts";

type OldMessage =
  | { type: "event"; topic: string; at: number; event: OutgoingEvent }
  | ({ type: "tell"; method: string; args: unknown[] } & ActorAddress);

export type OldSend = OldMessage & { type: "tell" };

/** Rejects when it is to be tried again. */
type DeliverOld = (message: OldSend, requestId: string) => Promise<void>;

const PAGE = 500;

/**
 * What nodes of the version before have left in `actor_outbox`: they deliver their own and each other's while any of them lives,
 * and know nothing of the tables that came after. Each row goes out under the key that they know it by, so that what they have
 * delivered already takes no effect again. One release on, the table and this go.
 */
export class OldOutbox {
  readonly #database: Database;
  readonly #feed: Feed;
  readonly #log: Log;
  readonly #deliver: DeliverOld;
  #running: Promise<void> | undefined;

  constructor(ports: { database: Database; feed: Feed; log: Log; deliver: DeliverOld }) {
    this.#database = ports.database.of("control");
    this.#feed = ports.feed;
    this.#log = ports.log;
    this.#deliver = ports.deliver;
  }

  /** Delivers what a node that is gone has left. What cannot be delivered now is looked for again with the next call. */
  deliver(owner: string): void {
    this.#running ??= this.#deliverAll(owner)
      .catch((error: unknown) =>
        this.#log.warn({ err: error, owner }, "an older node's outbox cannot be delivered now"),
      )
      .finally(() => {
        this.#running = undefined;
      });
  }

  async #deliverAll(owner: string): Promise<void> {
    for (let after = 0; ; ) {
      const rows = await this.#database.query<{ seq: number; message: string }>(
        "SELECT seq, message FROM actor_outbox WHERE owner = ? AND seq > ? ORDER BY seq LIMIT ?",
        [owner, after, PAGE],
      );
      if (rows.length === 0) return;
      after = Number(rows.at(-1)!.seq);
      const messages = rows.map((row) => ({ seq: Number(row.seq), message: JSON.parse(row.message) as OldMessage }));
      const events = messages.flatMap(({ seq, message }) => (message.type === "event" ? [{ seq, ...message }] : []));
      await this.#feed.append(events.map(({ seq, topic, at, event }) => ({ key: `o${seq}`, topic, at, ...event })));
      const delivered = await this.#sendAll(messages.filter(({ message }) => message.type === "tell"));
      const done = [...events.map(({ seq }) => seq), ...delivered];
      if (done.length === 0) continue;
      await this.#database.write(
        `DELETE FROM actor_outbox WHERE owner = ? AND seq IN (${done.map(() => "?").join(", ")})`,
        [owner, ...done],
      );
    }
  }

  /** In the order sent to each actor; what cannot be delivered now stays. Returns what has been delivered. */
  async #sendAll(messages: ReadonlyArray<{ seq: number; message: OldMessage }>): Promise<number[]> {
    const lanes = Map.groupBy(messages, ({ message }) => {
      const { kind, id } = message as OldSend;
      return `${kind}/${id}`;
    });
    const delivered: number[] = [];
    const deliverLane = async (lane: typeof messages): Promise<void> => {
      for (const { seq, message } of lane) {
        await this.#deliver(message as OldSend, `o${seq}`);
        delivered.push(seq);
      }
    };
    await Promise.allSettled([...lanes.values()].map(deliverLane));
    return delivered;
  }
}
