import { randomBytes } from "node:crypto";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { pack } from "msgpackr";

/** What is attacked: a node, or a bare sink, which takes bytes and answers nothing. */
export interface Target {
  port: number;
  isSink: boolean;
  /** The path of a file of the player's page. */
  asset: string;
  /** A tournament with a hundred standings. */
  tournamentId: string;
}

/** Who attacks: the address that its connections come from. */
export interface Attacker extends Target {
  address: string;
  sent(bytes: number): void;
}

interface Flood {
  /** How many goes an attacker has under way at a time. */
  atOnce: number;
  /** One connection from its beginning to its end; begun anew again and again. */
  go(attacker: Attacker): Promise<void>;
}

/** A go lasts so long at least, be it refused at once: a sink, which refuses nothing, is to get no less. In milliseconds. */
const SHORTEST_GO_MS = 200;
/** How often clients that read nothing ask again, in milliseconds. */
const ASKING_MS = 50;
/** So long a go on a sink, which closes nothing, goes on that a node would have ended. In milliseconds. */
const LONGEST_GO_MS = 5000;
/** After a sign-in or a seat that was refused. */
const REFUSED_MS = 250;
const PIPELINED = 1000;

const head = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
const upgrade = (path: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
  `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}\r\n\r\n`;

const [BINARY, CONTINUED, PONG] = [2, 0, 10];

/** A frame as clients send it: masked with zeros. */
function frame(opcode: number, payload: Buffer, isFinal = true): Buffer {
  const length = Buffer.alloc(payload.length < 126 ? 0 : 2);
  if (length.length > 0) length.writeUInt16BE(payload.length);
  const bits = Buffer.from([(isFinal ? 0x80 : 0) | opcode, 0x80 | Math.min(payload.length, 126)]);
  return Buffer.concat([bits, length, Buffer.alloc(4), payload]);
}

const ASKED = Buffer.concat([
  ...[Buffer.from([13]), pack("request"), pack({ id: 1, type: "standings", payload: { limit: 100 } })],
]);
const times = (count: number, bytes: Buffer): Buffer => Buffer.concat(Array.from({ length: count }, () => bytes));

/** Every attack by its name. */
export const FLOODS: Readonly<Record<string, Flood>> = {
  /** A thousand files on one connection, none of which is read. */
  assets: {
    atOnce: 4,
    go: async (attacker) => {
      const socket = await dial(attacker);
      send(attacker, socket.pause(), Buffer.from(head(attacker.asset).repeat(PIPELINED)));
      await ends(socket, SHORTEST_GO_MS);
    },
  },
  /** A thousand pages of metrics on one connection. */
  metrics: {
    atOnce: 4,
    go: async (attacker) => {
      const socket = await dial(attacker);
      send(attacker, socket.resume(), Buffer.from(head("/metrics").repeat(PIPELINED)));
      await ends(socket, SHORTEST_GO_MS);
    },
  },
  /** A seat in the lobby, and frames that mean nothing as fast as they are taken. */
  garbage: {
    atOnce: 1,
    go: async (attacker) => {
      const socket = await seated(attacker, "lobby", {});
      stream(attacker, socket.resume(), times(5000, frame(BINARY, Buffer.from([0xff]))));
      await ends(socket, LONGEST_GO_MS);
    },
  },
  /** Seats whose players ask for pages of 100 rows and read none, and say that they live. */
  deaf: {
    atOnce: 20,
    go: async (attacker) => {
      const socket = await seated(attacker, "tournament", { tournamentId: attacker.tournamentId });
      const asking = setInterval(() => {
        send(attacker, socket, Buffer.concat([frame(BINARY, ASKED), times(10, frame(PONG, Buffer.alloc(0)))]));
      }, ASKING_MS);
      await ends(socket.pause(), 2 * LONGEST_GO_MS).finally(() => clearInterval(asking));
    },
  },
  /** Messages that are begun and never ended. */
  fragments: {
    atOnce: 8,
    go: async (attacker) => {
      const socket = await seated(attacker, "lobby", {});
      send(attacker, socket.resume(), frame(BINARY, Buffer.from([1]), false));
      stream(attacker, socket, times(5000, frame(CONTINUED, Buffer.from([1]), false)));
      await ends(socket, LONGEST_GO_MS);
    },
  },
  /** Websockets that nobody has a seat for. */
  upgrades: {
    atOnce: 80,
    go: async (attacker) => {
      const socket = await dial(attacker);
      send(attacker, socket, Buffer.from(upgrade("/p/r?sessionId=x")));
      socket.once("data", () => socket.destroy());
      await ends(socket, LONGEST_GO_MS);
    },
  },
};

/** Attacks until the process ends. */
export function attack({ atOnce, go }: Flood, attacker: Attacker, begun: () => void): void {
  for (let n = 0; n < atOnce; n += 1) {
    void (async () => {
      for (;;) {
        begun();
        await Promise.all([go(attacker).catch(() => pause(REFUSED_MS)), pause(SHORTEST_GO_MS)]);
      }
    })();
  }
}

async function dial({ port, address }: Attacker): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", localAddress: address });
  socket.on("error", () => {});
  await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  return socket;
}

function send({ sent }: Attacker, socket: Socket, bytes: Buffer): boolean {
  if (!socket.writable) return false;
  sent(bytes.length);
  return socket.write(bytes);
}

/** Sends the bytes again and again, as fast as they are taken. */
function stream(attacker: Attacker, socket: Socket, bytes: Buffer): void {
  const more = (): void => {
    while (send(attacker, socket, bytes));
  };
  socket.on("drain", more);
  more();
}

/** Resolves once the other side has closed the connection, or after a time, when it is closed here. */
async function ends(socket: Socket, withinMs: number): Promise<void> {
  const waiting = new AbortController();
  socket.once("close", () => waiting.abort()).once("end", () => waiting.abort());
  if (!socket.closed) await pause(withinMs, undefined, { signal: waiting.signal }).catch(() => {});
  socket.destroy();
}

/** A websocket of a new player that has a seat; of a sink, a connection. */
async function seated(attacker: Attacker, room: string, options: object): Promise<Socket> {
  if (attacker.isSink) return dial(attacker);
  const { token } = (await post(attacker, "/auth/anonymous", {})) as { token: string };
  const seat = (await post(attacker, `/matchmake/joinOrCreate/${room}`, options, token)) as Record<string, string>;
  const socket = await dial(attacker);
  socket.write(upgrade(`/${seat.processId}/${seat.roomId}?sessionId=${seat.sessionId}&_authToken=${token}`));
  await new Promise((resolve, reject) => socket.once("data", resolve).once("close", reject));
  socket.write(frame(BINARY, Buffer.from([10])));
  return socket;
}

function post({ port, address }: Attacker, path: string, body: object, token?: string): Promise<unknown> {
  const headers = {
    "content-type": "application/json",
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  return new Promise((resolve, reject) => {
    const asked = request(
      { port, host: "127.0.0.1", localAddress: address, path, method: "POST", headers },
      (answer) => {
        let text = "";
        answer.on("data", (data) => {
          text += data;
        });
        answer.on("end", () => {
          if (answer.statusCode === 200) resolve(JSON.parse(text));
          else reject(new Error(`${path}: ${answer.statusCode}`));
        });
      },
    );
    asked.on("error", reject).setTimeout(10_000, () => asked.destroy());
    asked.end(JSON.stringify(body));
  });
}
