import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { pack } from "msgpackr";
import type { Recorded, Recorder } from "./traces.ts";

/** The node that is attacked. */
export interface Target {
  port: number;
  /** The path of a file of the player's page. */
  asset: string;
  /** A tournament with a hundred standings. */
  tournamentId: string;
}

/** Who attacks: the address that its connections come from. */
export interface Attacker extends Target {
  address: string;
  recorder: Recorder;
}

interface Flood {
  /** How many goes an attacker has under way at a time. */
  atOnce: number;
  /** One connection from its beginning to its end; begun anew again and again. */
  go(attacker: Attacker): Promise<void>;
}

/** A go lasts so long at least, be it refused at once. In milliseconds. */
const SHORTEST_GO_MS = 200;
/** How often clients that read nothing ask again, in milliseconds. */
const ASKING_MS = 50;
/** After so long a go ends that the node has not ended. In milliseconds. */
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
      const wire = await dial(attacker);
      wire.socket.pause();
      wire.send(Buffer.from(head(attacker.asset).repeat(PIPELINED)));
      await ends(wire, SHORTEST_GO_MS);
    },
  },
  /** A thousand pages of metrics on one connection. */
  metrics: {
    atOnce: 4,
    go: async (attacker) => {
      const wire = await dial(attacker);
      wire.socket.resume();
      wire.send(Buffer.from(head("/metrics").repeat(PIPELINED)));
      await ends(wire, SHORTEST_GO_MS);
    },
  },
  /** A seat in the lobby, and frames that mean nothing as fast as they are taken. */
  garbage: {
    atOnce: 1,
    go: async (attacker) => {
      const wire = await seated(attacker, "lobby", {});
      stream(wire, times(5000, frame(BINARY, Buffer.from([0xff]))));
      await ends(wire, LONGEST_GO_MS);
    },
  },
  /** Seats whose players ask for pages of 100 rows and read none, and say that they live. */
  deaf: {
    atOnce: 20,
    go: async (attacker) => {
      const wire = await seated(attacker, "tournament", { tournamentId: attacker.tournamentId });
      wire.socket.pause();
      const asking = setInterval(() => {
        wire.send(Buffer.concat([frame(BINARY, ASKED), times(10, frame(PONG, Buffer.alloc(0)))]));
      }, ASKING_MS);
      await ends(wire, 2 * LONGEST_GO_MS).finally(() => clearInterval(asking));
    },
  },
  /** Messages that are begun and never ended. */
  fragments: {
    atOnce: 8,
    go: async (attacker) => {
      const wire = await seated(attacker, "lobby", {});
      wire.send(frame(BINARY, Buffer.from([1]), false));
      stream(wire, times(5000, frame(CONTINUED, Buffer.from([1]), false)));
      await ends(wire, LONGEST_GO_MS);
    },
  },
  /** Websockets that nobody has a seat for. */
  upgrades: {
    atOnce: 80,
    go: async (attacker) => {
      const wire = await dial(attacker);
      wire.send(Buffer.from(upgrade("/p/r?sessionId=x")));
      wire.socket.once("data", () => wire.socket.destroy());
      await ends(wire, LONGEST_GO_MS);
    },
  },
  /** Players who sign in, take a seat, and leave at once. */
  joins: {
    atOnce: 20,
    go: async (attacker) => {
      const wire = await seated(attacker, "tournament", { tournamentId: attacker.tournamentId });
      wire.socket.destroy();
    },
  },
};

/** Attacks until the process ends. */
export function attack({ atOnce, go }: Flood, attacker: Attacker): void {
  for (let n = 0; n < atOnce; n += 1) {
    void (async () => {
      for (;;) await Promise.all([go(attacker).catch(() => pause(REFUSED_MS)), pause(SHORTEST_GO_MS)]);
    })();
  }
}

function dial({ port, address, recorder }: Attacker): Promise<Recorded> {
  return recorder.dial(port, address);
}

/** Sends the bytes again and again, as fast as they are taken. */
function stream(wire: Recorded, bytes: Buffer): void {
  const more = (): void => {
    while (wire.send(bytes));
  };
  wire.socket.resume().on("drain", more);
  more();
}

/** Resolves once the other side has closed the connection, or after a time, when it is closed here. */
async function ends({ socket }: Recorded, withinMs: number): Promise<void> {
  const waiting = new AbortController();
  socket.once("close", () => waiting.abort()).once("end", () => waiting.abort());
  if (!socket.closed) await pause(withinMs, undefined, { signal: waiting.signal }).catch(() => {});
  socket.destroy();
}

/** A websocket of a new player that has a seat, all of it on one connection. */
async function seated(attacker: Attacker, room: string, options: object): Promise<Recorded> {
  const wire = await dial(attacker);
  try {
    const { token } = await post(wire, "/auth/anonymous", {});
    const { processId, roomId, sessionId } = await post(wire, `/matchmake/joinOrCreate/${room}`, options, token);
    wire.send(Buffer.from(upgrade(`/${processId}/${roomId}?sessionId=${sessionId}&_authToken=${token}`)));
    if (!(await arrived(wire)).startsWith("HTTP/1.1 101 ")) throw new Error("refused");
    wire.send(frame(BINARY, Buffer.from([10])));
    return wire;
  } catch (error) {
    wire.socket.destroy();
    throw error;
  }
}

async function post(wire: Recorded, path: string, body: object, token?: string): Promise<Record<string, string>> {
  const json = JSON.stringify(body);
  const authorization = token === undefined ? "" : `Authorization: Bearer ${token}\r\n`;
  wire.send(
    Buffer.from(
      `POST ${path} HTTP/1.1\r\nHost: a\r\n${authorization}Content-Type: application/json\r\n` +
        `Content-Length: ${Buffer.byteLength(json)}\r\n\r\n${json}`,
    ),
  );
  const [head, answer] = (await arrived(wire)).split("\r\n\r\n");
  if (!head!.startsWith("HTTP/1.1 200 ")) throw new Error(`${path}: ${head}`);
  return JSON.parse(answer!);
}

/** What comes next, as text: small answers come in one piece. */
function arrived({ socket }: Recorded): Promise<string> {
  return new Promise((resolve, reject) => {
    const gone = (): void => reject(new Error("closed"));
    socket.once("close", gone).once("data", (data) => {
      socket.off("close", gone);
      resolve(data.toString("latin1"));
    });
  });
}
