import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer, type Server, type Socket } from "node:net";

/** A wire to a node that remembers everything the node has said on it, and that can be cut. */
export class WireTap {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #said: Buffer[][] = [];

  static async open(port: number): Promise<WireTap> {
    const tap = new WireTap(port);
    tap.#server.listen(0, "127.0.0.1");
    await once(tap.#server, "listening");
    return tap;
  }

  private constructor(port: number) {
    this.#server = createServer((client) => this.#accept(client, port));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What the node said, of each connection as one piece of bytes. */
  said(): Buffer[] {
    return this.#said.map((chunks) => Buffer.concat(chunks));
  }

  /** Whether the wire is down: then no connection passes. */
  isDown = false;

  /** Ends all connections as a failing network does: neither side says goodbye. New ones pass, unless the wire is down. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  close(): void {
    this.#server.close();
    this.cut();
  }

  #accept(client: Socket, port: number): void {
    if (this.isDown) client.resetAndDestroy();
    else this.#pass(client, connect(port, "127.0.0.1"));
  }

  #pass(client: Socket, node: Socket): void {
    const said: Buffer[] = [];
    this.#said.push(said);
    node.on("data", (chunk) => said.push(chunk));
    client.pipe(node);
    node.pipe(client);
    for (const [one, other] of [
      [client, node],
      [node, client],
    ] as const) {
      this.#sockets.add(one);
      one.on("error", () => {});
      one.on("close", () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
  }
}
