import { connect, type Socket } from "node:net";

/** What an attacker did to one of its connections: `-1` opened it, `0` closed it (whichever side began), more: wrote so many bytes. */
export type Deed = readonly [ms: number, connection: number, deed: number];
const [OPENED, CLOSED] = [-1, 0];

/** A flood as it went to a node: enough to send the same to somebody else, at the same times. */
export interface Trace {
  /** From which address each connection came. */
  addresses: string[];
  deeds: Deed[];
}

/** What was done in all. */
export interface Done {
  connections: number;
  writes: number;
  mb: number;
}

export function doneIn({ deeds, addresses }: Trace): Done {
  const written = deeds.filter(([, , deed]) => deed > 0);
  const bytes = written.reduce((sum, [, , deed]) => sum + deed, 0);
  return { connections: addresses.length, writes: written.length, mb: Number((bytes / 1e6).toFixed(1)) };
}

/** Writes down what its connections do. */
export class Recorder {
  readonly trace: Trace = { addresses: [], deeds: [] };
  readonly #startedAt = performance.now();

  /** A connection that does not mind how it ends. */
  async dial(port: number, address: string): Promise<Recorded> {
    const { addresses } = this.trace;
    const connection = addresses.push(address) - 1;
    const note = (deed: number): void => {
      this.trace.deeds.push([performance.now() - this.#startedAt, connection, deed]);
    };
    note(OPENED);
    const socket = open(port, address).once("close", () => note(CLOSED));
    await new Promise((resolve, reject) => socket.once("connect", resolve).once("close", reject));
    return new Recorded(socket, note);
  }
}

export class Recorded {
  readonly socket: Socket;
  readonly #note: (deed: number) => void;

  constructor(socket: Socket, note: (deed: number) => void) {
    this.socket = socket;
    this.#note = note;
  }

  /** False when no more should be written before the socket has drained, or none ever. */
  send(bytes: Buffer): boolean {
    if (!this.socket.writable) return false;
    this.#note(bytes.length);
    return this.socket.write(bytes);
  }
}

/** How often the deeds are looked at that are due, in milliseconds. */
const TICK_MS = 1;

/** Does to a port what was done to another: as many bytes on as many connections at the same times. What is done is noted in `done`. */
export async function replay({ addresses, deeds }: Trace, port: number, done: Trace): Promise<void> {
  const sockets: (Socket | undefined)[] = [];
  const zeros = Buffer.alloc(Math.max(0, ...deeds.map(([, , deed]) => deed)));
  const startedAt = performance.now();
  for (const [ms, connection, deed] of deeds) {
    while (performance.now() - startedAt < ms) await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    done.deeds.push([performance.now() - startedAt, connection, deed]);
    if (deed === OPENED) {
      done.addresses.push(addresses[connection]!);
      sockets[connection] = open(port, addresses[connection]!);
    } else if (deed > 0) sockets[connection]!.write(zeros.subarray(0, deed));
    else {
      sockets[connection]!.destroy();
      sockets[connection] = undefined;
    }
  }
}

function open(port: number, address: string): Socket {
  return connect({ port, host: "127.0.0.1", localAddress: address }).on("error", () => {});
}
