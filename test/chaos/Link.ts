import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** One connection of a client, and the one that it is passed on by. */
interface Pair {
  client: Socket;
  server: Socket;
  /** Nothing passes any more, and neither end is told. */
  isSilent: boolean;
  /** What the server says is lost, and the client is not told. */
  isUnanswered: boolean;
  /** What is late on its way to each end. */
  late: Record<End, { count: number; last: Promise<void> }>;
}

type End = "client" | "server";

/**
 * One node's way to one server, on which things go wrong: connections that fall silent, are cut or refused, answers that come late
 * or never.
 */
export class Link {
  readonly #target: number;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #port = 0;
  #isBlackHole = false;
  #isRefusing = false;
  #delayMs = 0;
  /** The next commands with these words are never answered. */
  #unanswered: { words: string; left: number } | undefined;

  static async to(port: number): Promise<Link> {
    const link = new Link(port);
    await link.#listen();
    return link;
  }

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer((client) => this.#accept(client));
  }

  get port(): number {
    return this.#port;
  }

  /** How many connections are open, silent ones among them. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** Open connections fall silent; new ones work. */
  silence(): void {
    for (const pair of this.#pairs) pair.isSilent = true;
  }

  /** All connections are silent, new ones too. */
  blackHole(): void {
    this.#isBlackHole = true;
    this.silence();
  }

  /** Open connections are cut, and new ones cut at once. */
  refuse(): void {
    this.#isRefusing = true;
    this.cut();
  }

  /** Open connections are cut. */
  cut(): void {
    for (const { client, server } of this.#pairs) {
      client.destroy();
      server.destroy();
    }
  }

  /** Everything comes later by this, in milliseconds. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /** The next `count` commands with these words reach the server, and nothing comes back on their connections any more. */
  swallowAnswers(words: string, count: number): void {
    this.#unanswered = { words, left: count };
  }

  /** New connections work. Those that fell silent stay so, unless they are `cut`: nobody tells of their ends. */
  heal(): void {
    this.#isBlackHole = false;
    this.#isRefusing = false;
    this.#delayMs = 0;
    this.#unanswered = undefined;
  }

  close(): void {
    this.cut();
    this.#server.close();
  }

  async #listen(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    this.#port = (this.#server.address() as { port: number }).port;
  }

  #accept(client: Socket): void {
    client.on("error", () => {});
    if (this.#isRefusing) {
      client.destroy();
      return;
    }
    const server = connect(this.#target, "127.0.0.1");
    const late = {
      client: { count: 0, last: Promise.resolve() },
      server: { count: 0, last: Promise.resolve() },
    };
    const pair: Pair = { client, server, isSilent: this.#isBlackHole, isUnanswered: false, late };
    this.#pairs.add(pair);
    server.on("error", () => {});
    client.on("data", (chunk: Buffer) => this.#pass(pair, chunk, "server"));
    server.on("data", (chunk: Buffer) => this.#pass(pair, chunk, "client"));
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      socket.on("close", () => {
        this.#pairs.delete(pair);
        // The end of a connection is no answer: what has gone silent is not told of it either.
        if (!pair.isSilent || socket === client) other.destroy();
      });
    }
  }

  #pass(pair: Pair, chunk: Buffer, to: End): void {
    if (to === "server") this.#noticeCommand(pair, chunk);
    const write = (): void => {
      if (pair.isSilent || (to === "client" && pair.isUnanswered)) return;
      if (!pair[to].destroyed) pair[to].write(chunk);
    };
    const late = pair.late[to];
    if (this.#delayMs === 0 && late.count === 0) {
      write();
      return;
    }
    // Nothing overtakes what is late.
    const due = performance.now() + this.#delayMs;
    late.count += 1;
    late.last = late.last
      .then(() => sleep(Math.max(0, due - performance.now())))
      .then(() => {
        late.count -= 1;
        write();
      });
  }

  #noticeCommand(pair: Pair, chunk: Buffer): void {
    if (!this.#unanswered || !chunk.includes(this.#unanswered.words)) return;
    pair.isUnanswered = true;
    this.#unanswered.left -= 1;
    if (this.#unanswered.left === 0) this.#unanswered = undefined;
  }
}
