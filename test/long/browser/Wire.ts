import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** A wire between the browser and the server that can be cut: every connection through it then breaks at once. */
export class Wire {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;

  /** Listens on a free port of the loopback interface and passes everything on to `target`. */
  static async open(target: number): Promise<Wire> {
    const sockets = new Set<Socket>();
    const server = createServer((near) => {
      const far = connect(target, "127.0.0.1");
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(socket);
        socket.on("error", () => other.destroy());
        socket.on("close", () => {
          sockets.delete(socket);
          other.destroy();
        });
        socket.pipe(other);
      }
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Wire(server, sockets);
  }

  private constructor(server: Server, sockets: Set<Socket>) {
    this.#server = server;
    this.#sockets = sockets;
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("the wire has no port");
    this.port = address.port;
  }

  /** Breaks every connection; new ones are taken again right away. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.cut();
    await closed;
  }
}
