import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** A connection of a client, and the one that it is passed on by. */
interface Pair {
  client: Socket;
  server: Socket;
  /** What the client has sent, and the server is yet to get. */
  held: Buffer[];
}

/** A way to a server that can go dead without a word, as a lost route or a forgetful firewall makes it, or hold up what is sent. */
export class SilentProxy {
  readonly #server: Server;
  readonly #pairs: Pair[] = [];
  #isHolding = false;
  #swallowed = { words: "", left: 0 };

  static async to(port: number): Promise<SilentProxy> {
    const proxy = new SilentProxy(port);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  private constructor(port: number) {
    this.#server = createServer((client) => {
      const server = connect(port, "127.0.0.1");
      const pair = { client, server, held: [] };
      this.#pairs.push(pair);
      if (this.#isHolding) collect(pair);
      else client.pipe(server);
      server.pipe(client);
      client.on("data", (chunk: Buffer) => this.#swallow(pair, chunk));
      for (const [socket, other] of [
        [client, server],
        [server, client],
      ] as const) {
        socket.on("error", () => {});
        socket.on("close", () => other.destroy());
      }
    });
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** How many connections have been made through it. */
  get connections(): number {
    return this.#pairs.length;
  }

  /** Nothing passes on this connection any more (they count from 0), and neither end is told. */
  silence(connection: number): void {
    const { client, server } = this.#pairs[connection]!;
    client.unpipe(server);
    server.unpipe(client);
    client.resume();
    server.resume();
  }

  /** Nothing passes any more on the connections that there are; new ones work. */
  silenceAll(): void {
    for (let at = 0; at < this.#pairs.length; at += 1) this.silence(at);
  }

  /** The server's end closes this connection in order, as one does that goes. */
  end(connection: number): void {
    this.#pairs[connection]!.client.end();
  }

  /** The next `times` connections on which something with these words is sent go silent once the server has it: its answer never comes. */
  swallowAnswerTo(words: string, times: number): void {
    this.#swallowed = { words, left: times };
  }

  /** How many answers were to be swallowed and have not been asked for yet. */
  get unswallowed(): number {
    return this.#swallowed.left;
  }

  #swallow({ client, server }: Pair, chunk: Buffer): void {
    if (this.#swallowed.left === 0 || !chunk.includes(this.#swallowed.words)) return;
    this.#swallowed.left -= 1;
    server.unpipe(client);
    server.resume();
  }

  /** Nothing more reaches the server, on any connection, until `release`. */
  hold(): void {
    this.#isHolding = true;
    for (const pair of this.#pairs) {
      pair.client.unpipe(pair.server);
      collect(pair);
    }
  }

  /** Whether something with these words waits for `release`. */
  isHolding(words: string): boolean {
    return this.#pairs.some(({ held }) => Buffer.concat(held).includes(words));
  }

  /** What was held up arrives, in order and whole. */
  release(): void {
    this.#isHolding = false;
    for (const pair of this.#pairs) {
      const { client, server, held } = pair;
      client.removeAllListeners("data");
      for (const chunk of held.splice(0)) server.write(chunk);
      client.pipe(server);
      client.on("data", (chunk: Buffer) => this.#swallow(pair, chunk));
    }
  }

  close(): void {
    for (const { client, server } of this.#pairs) {
      client.destroy();
      server.destroy();
    }
    this.#server.close();
  }
}

function collect({ client, held }: Pair): void {
  client.on("data", (chunk: Buffer) => held.push(chunk));
  client.resume();
}
