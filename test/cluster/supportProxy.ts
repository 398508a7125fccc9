import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** A way to a server that can go dead without a word, as a lost route or a forgetful firewall makes it. */
export class SilentProxy {
  readonly #server: Server;
  readonly #pairs: { client: Socket; server: Socket }[] = [];

  static async to(port: number): Promise<SilentProxy> {
    const proxy = new SilentProxy(port);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  private constructor(port: number) {
    this.#server = createServer((client) => {
      const server = connect(port, "127.0.0.1");
      this.#pairs.push({ client, server });
      client.pipe(server);
      server.pipe(client);
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

  close(): void {
    for (const { client, server } of this.#pairs) {
      client.destroy();
      server.destroy();
    }
    this.#server.close();
  }
}
